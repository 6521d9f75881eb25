"""The firms every side stores: plain dictionaries, the same for all three, the same in each run."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from stdnum.cn import uscc

TRADES = ("餐饮管理有限公司", "超市", "粮油店", "面馆", "食品有限公司", "幼儿园食堂", "烤肉店", "小作坊")
PLACES = ("大沁他拉镇", "八仙筒镇", "青龙山镇", "新镇", "治安镇", "东明镇", "沙日浩来镇", "义隆永镇")
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴白包", "建国秀英文斌春梅海山立军志强丽华苏日娜"
STATES, FORMS = ("正常", "正常", "正常", "停业", "季节性停业"), ("企业", "个体工商户", "农民专业合作社")


def firms(count: int) -> Iterator[dict[str, Any]]:
    """`count` firms: name, code, org_form, legal_person, phone, address, state, note."""
    random = Random(9)
    for number in range(1, count + 1):
        body = f"91150525MA{number:07d}"
        place = random.choice(PLACES)
        yield {
            "name": f"奈曼旗{place[:-1]}{random.choice(SURNAMES)}记{number:05d}号{random.choice(TRADES)}",
            "code": body + uscc.calc_check_digit(body),
            "org_form": random.choice(FORMS),
            "legal_person": random.choice(SURNAMES) + "".join(random.sample(GIVEN, 2)),
            "phone": f"138{number:08d}",
            "address": f"奈曼旗{place}中心街{number % 300 + 1}号",
            "state": random.choice(STATES),
            "note": None,
        }
