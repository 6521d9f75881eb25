"""What a firm hangs up and files: five papers, each on as many pages as it should, whatever the names are."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.pdf import engine
from app.core.pdf.errors import ContextError
from app.reports import firm_paper
from app.reports.firm_paper.layout import TITLES
from tests.core.pdf.papers import pages, text


def drawn(kind: str, **changes: Any) -> bytes:
    """The sample of a kind with changes."""
    return engine.render("firm_paper", {**firm_paper.sample(kind), **changes})


@pytest.mark.parametrize("kind", TITLES)
def test_each_is_one_page_with_its_title_and_the_firm(kind: str) -> None:
    content = drawn(kind)
    assert len(pages(content)) == 1
    shown = text(content).replace(" ", "")  # a title is set wide
    assert TITLES[kind] in shown and "奈曼旗犇鑫餐饮管理有限公司" in shown
    assert "演示" not in shown


@pytest.mark.parametrize("kind", TITLES)
def test_what_a_demo_prints_is_void(kind: str) -> None:
    assert "演示 无效" in text(drawn(kind, demo=True))


def test_a_letter_appoints_somebody_from_a_day_on() -> None:
    shown = text(drawn("letter"))
    for words in ("犇鑫〔2026〕3号", "包䶮：", "食品安全员（专职）", "自2026年1月5日起", "盖章", "本人接受任命"):
        assert words in shown, words
    assert "止。" not in shown
    one = firm_paper.sample()["letter"] | {"date_to": "2026-12-31", "employment": "临时代班", "place": "东街分店"}
    shown = text(drawn("letter", letter=one))
    for words in ("安排您临时代行", "食品安全员职责", "负责东街分店", "至2026年12月31日止"):
        assert words in shown, words


@pytest.mark.parametrize("width", [1, 60])
def test_a_board_stays_on_its_page_with_the_longest_names(width: int) -> None:
    roles = ("主要负责人", "食品安全总监", "食品安全员")
    posts = [{**firm_paper.sample()["posts"][0], "role": role, "name": f"{n}名" + "长" * width}
             for role in roles for n in range(40)]  # fmt: skip
    content = drawn("board", posts=posts, firm="长" * 120, phone="1" * 40)
    assert len(pages(content)) == 1
    shown = text(content)
    assert "人另列" in shown and all(role in shown for role in roles)


def test_a_long_table_has_its_head_on_every_page() -> None:
    posts = [firm_paper.sample()["posts"][2]] * firm_paper.MOST_POSTS
    found = pages(drawn("posts", posts=posts, left_out=7))
    assert len(found) > 5 and all("本人签字" in page for page in found[:-1])
    assert "另有 7 人" in text(drawn("posts", posts=posts, left_out=7))


def test_a_column_that_is_hidden_is_not_on_the_table() -> None:
    assert "电话" in text(drawn("posts"))
    shown = text(drawn("posts", columns=["date_from"]))
    assert "电话" not in shown and "139" not in shown and "兼职" not in shown


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("board", {"code": "1" * 19}, "code"),
        ("board", {"firm": ""}, "firm"),
        ("board", {"firm": "a\0b"}, "firm"),
        ("board", {"made": "2026-13-01"}, "made"),
        ("letter", {"letter": None}, "letter"),
        ("board", {"letter": firm_paper.sample()["letter"]}, "letter"),
        ("posts", {"columns": ["id_card"]}, "columns"),
        ("posts", {"posts": firm_paper.sample()["posts"] * 101}, "posts"),
        ("posts", {"left_out": -1}, "left_out"),
        ("officer", {"points": [{"text": "", "basis": ""}]}, "points.1.text"),
        ("officer", {"points": None}, ""),
        ("letter", {"letter": firm_paper.sample()["letter"] | {"date_from": "明天"}}, "letter.date_from"),
    ],
)
def test_what_is_wrong_is_named(kind: str, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ContextError) as caught:
        drawn(kind, **changes)
    assert field in caught.value.fields
