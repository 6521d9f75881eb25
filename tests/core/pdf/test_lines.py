"""Counting lines without the renderer: never fewer than the page shows."""

import random

import pytest

from app.core.pdf.lines import count, soft
from tests.core.pdf.papers import lines
from tests.core.pdf.test_justify import paragraph

WORDS = [
    "食品",
    "安全",
    "，",
    "。",
    "《办法》",
    "（一）",
    "、",
    "“台账”",
    "2026年11月3日",
    "HACCP",
    "3.5kg",
    "——",
    "……",
    "第一百二十六条",
    "；",
    "100%",
    "91150525MA0N8XYZ12",
]
ADDRESS = "http://example.gov.cn/a/long/address/without/end?x=1"


@pytest.mark.parametrize("seed", range(12))
def test_the_count_is_an_upper_bound(seed: int) -> None:
    body = "查" + "".join(random.Random(seed).choices(WORDS, k=90))
    html = "<wbr>".join(soft(body))
    shown = len(lines(paragraph(html)))
    assert shown <= count(body, 28, 0) <= shown + 2


@pytest.mark.parametrize("seed", range(4))
def test_it_is_one_for_addresses_too(seed: int) -> None:
    body = "查" + "".join(random.Random(seed).choices([*WORDS, ADDRESS], k=60))
    assert len(lines(paragraph("<wbr>".join(soft(body))))) <= count(body, 28, 0)


def test_full_lines_are_counted_exactly() -> None:
    assert [count("查" * n, 28, 2) for n in (1, 26, 27, 54, 55)] == [1, 1, 2, 2, 3]
    assert count("", 28) == 1


def test_a_stop_takes_its_character_along() -> None:
    assert count("查" * 26 + "。", 28) == 2
    assert count("查" * 25 + "《", 28) == 1


def test_long_codes_get_break_points_and_short_ones_do_not() -> None:
    assert soft("代码91150525MA0N8XYZ12。") == ["代码91150525MA0N8XYZ12。"]
    assert soft("甲" + "a" * 30 + "乙") == ["甲" + "a" * 8, "a" * 8, "a" * 8, "aaaaaa乙"]
    assert "".join(soft("x" * 99 + "甲" + "y" * 99)) == "x" * 99 + "甲" + "y" * 99
