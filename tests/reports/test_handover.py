"""移交清单: counts, rows, heads on each page, page n of m, places to sign; nothing invalid."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.pdf import engine
from app.core.pdf.errors import ContextError
from app.reports import handover
from app.reports.handover.record import printable
from tests.core.pdf.papers import pages, text


def context(**changes: Any) -> dict[str, Any]:
    """The sample with changes."""
    return {**handover.sample(), **changes}


def test_everything_is_on_the_paper() -> None:
    shown = text(engine.render("handover", context()))
    wanted = [
        "奈曼旗市场监督管理局", "工作移交清单", "大沁他拉市场监督管理所", "包文斌", "李春梅", "调动",
        "2026年11月24日", "未签发的通知书", "合计", "其间有变化，未移交", "移交人（包文斌）",
        "接收人（李春梅）", "监交人（苏日娜）", "以上共3件", "第1页", "共1页", "4Zx0yC1bTn2uW8sJq5LhRg",
    ]  # fmt: skip
    flat = "".join(shown.split())
    assert [part for part in wanted if "".join(part.split()) not in flat] == []
    assert flat.count("签名：") == 3


def test_heads_stand_on_every_page_and_pages_are_counted() -> None:
    content = engine.render("handover", dict(handover.samples()[1]))
    found = ["".join(page.split()) for page in pages(content)]
    assert len(found) > 3
    for number, page in enumerate(found, 1):
        assert "序号类别事项结果" in page, number
        assert f"第{number}页共{len(found)}页" in page, number
    assert "共2份，本份为第2份：第1001至1100件" in found[0]
    assert "监交人签名" in found[-1] and "任职撤销" in found[-1]
    assert all("监交人" not in page for page in found[:-1])


@pytest.mark.parametrize("count", [15, 16])
def test_the_places_to_sign_never_stand_alone_on_a_page(count: int) -> None:
    """As many rows as just fill the page: the last of them go on to the next with the places to sign."""
    rows = [{"n": n, "kind": "未完成的检查", "name": f"奈曼旗第{n}食品店 检查", "outcome": "已移交"}
            for n in range(1, count + 1)]  # fmt: skip
    found = ["".join(page.split()) for page in pages(engine.render("handover", context(rows=rows)))]
    assert len(found) == 2 and "签名" in found[1] and "签名" not in found[0]
    assert found[1].count("食品店检查") > 1 and "序号类别事项结果" in found[1]


def test_who_leads_and_takes_over_does_not_sign_twice() -> None:
    shown = "".join(text(engine.render("handover", context(supervisor=None))).split())
    assert shown.count("李春梅") == 2 and "接收人就是安排这次移交的负责人" in shown and "任职撤销" not in shown


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bureau": ""}, "bureau"),
        ({"giver": "甲\0"}, "giver"),
        ({"supervisor": ""}, "supervisor"),
        ({"reason": "甲" * 501}, "reason"),
        ({"date": "2026-13-01"}, "date"),
        ({"part": 2}, "part"),
        ({"rows": []}, "rows"),
        ({"counts": []}, "counts"),
        ({"counts": [{"kind": "检查", "went": -1, "kept": 0}]}, "counts.1.went"),
        ({"rows": [{"n": 1, "kind": "检查", "name": "甲" * 201, "outcome": "已移交"}]}, "rows.1.name"),
        ({"demo": None}, "demo"),
    ],
)
def test_a_bad_context_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ContextError) as caught:
        engine.render("handover", context(**changes))
    assert list(caught.value.fields) == [field]


@pytest.mark.parametrize("field", handover.HandoverContext.__annotations__)
def test_no_field_may_be_left_out(field: str) -> None:
    made = context()
    del made[field]
    with pytest.raises(ContextError):
        handover.validate(made)


def test_a_name_that_cannot_be_printed_does_not_stop_a_hand_over() -> None:
    made = printable("店名\u202e\n" + "\U000e0001" + "甲" * 300, 200)
    assert len(made) == 200 and made.startswith("店名")
    handover.validate(context(giver=printable("王\U000e0001", 60)))
