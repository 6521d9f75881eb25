"""送达回证: one sheet, blanks for the hand, nothing invalid."""

import random
from typing import Any

import pytest

from app.core.pdf import engine
from app.core.pdf.errors import ContextError
from app.reports import delivery
from tests.core.pdf.papers import pages, text


def context(**changes: Any) -> dict[str, Any]:
    """The sample with changes."""
    return {**delivery.sample(), **changes}


def valid(made: dict[str, Any]) -> bool:
    """Whether the sheet may be printed; the only objection here is its length."""
    try:
        delivery.validate(made)
    except ContextError as error:
        return error.fields != {"remark": "各栏合计一页放不下，请精简"}
    return True


def test_every_field_is_on_the_sheet() -> None:
    shown = text(engine.render("delivery", context()))
    wanted = [
        "奈曼旗市场监督管理局",
        "送达回证",
        "受送达人",
        "奈曼旗犇鑫餐饮管理有限公司",
        "《责令改正通知书》（奈市监责改〔2026〕1号）",
        "送达时间",
        "送达地点",
        "送达方式",
        *delivery.METHODS,
        "收件人",
        "代收人与",
        "见证人",
        "送达人",
        "执法证号",
        "备",
    ]
    assert [part for part in wanted if part not in shown] == []
    assert "√" not in shown
    assert shown.count("（签名）") == 2
    assert shown.count("（签名或者盖章）") == 2


def test_what_is_known_is_printed() -> None:
    shown = text(engine.render("delivery", dict(delivery.samples()[1])))
    assert "√留置送达" in shown
    assert shown.count("√") == 1
    assert all(part in shown for part in ("2026年11月24日9时30分", "包䶮", "王建国", "15052500124", "拒绝签收"))


@pytest.mark.parametrize("seed", range(6))
def test_what_the_rule_lets_pass_is_one_page(seed: int) -> None:
    chance = random.Random(seed)
    limits = {"place": 60, "receiver": 40, "relation": 80, "witness": 80, "remark": 200}
    made = context(
        papers=[{"name": "责令改正通知书", "number": "奈市监责改〔2026〕1号"}] * chance.randrange(1, 6),
        officers=[{"name": "王建国", "code": "1505250012"}] * chance.choice([0, 2, 3]),
        **{name: "甲，" * chance.randrange(1, limit // 2) for name, limit in limits.items()},
    )
    if not valid(made):
        return
    assert len(pages(engine.render("delivery", made))) == 1


def test_the_fullest_sheet_is_one_page_and_one_line_more_is_refused() -> None:
    def filled(lines: int) -> dict[str, Any]:
        return context(remark="甲" * 27 * min(lines, 7), place="乙" * 27 * max(lines - 7, 0) or None)

    most = max(n for n in range(1, 11) if valid(filled(n)))
    assert not valid(filled(most + 1))
    assert len(pages(engine.render("delivery", filled(most)))) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bureau": ""}, "bureau"),
        ({"party": "甲\0"}, "party"),
        ({"papers": []}, "papers"),
        ({"papers": [{"name": "", "number": None}]}, "papers.1.name"),
        ({"papers": [{"name": "书", "number": ""}]}, "papers.1.number"),
        ({"method": "口头"}, "method"),
        ({"time": "2026-11-24 25:00"}, "time"),
        ({"time": "2026-13-01"}, "time"),
        ({"officers": [{"name": "王", "code": "1"}]}, "officers"),
        ({"officers": [{"name": "王", "code": ""}, {"name": "李", "code": "1"}]}, "officers.1.code"),
        ({"made": ""}, "made"),
        ({"remark": "甲" * 201}, "remark"),
        ({"witness": "甲" * 81}, "witness"),
    ],
)
def test_a_bad_context_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ContextError) as caught:
        engine.render("delivery", context(**changes))
    assert list(caught.value.fields) == [field]


@pytest.mark.parametrize("field", delivery.DeliveryContext.__annotations__)
def test_no_field_may_be_left_out(field: str) -> None:
    made = context()
    del made[field]
    with pytest.raises(ContextError):
        delivery.validate(made)
