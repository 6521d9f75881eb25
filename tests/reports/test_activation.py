"""激活卡: eight a page, each with what begins one telephone, nothing that does not fit."""

from typing import Any

import pytest

from app.core.pdf import engine
from app.core.pdf.errors import ContextError
from app.reports import activation
from tests.core.pdf.papers import pages, text


def context(**changes: Any) -> dict[str, Any]:
    """The sample with changes."""
    return {**activation.sample(), **changes}


@pytest.mark.parametrize(("cards", "sheets"), [(1, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_eight_cards_a_page(cards: int, sheets: int) -> None:
    assert len(pages(engine.render("activation", dict(activation.sample(cards))))) == sheets


def test_a_card_says_whose_it_is_and_what_to_do() -> None:
    shown = text(engine.render("activation", dict(activation.sample(1))))
    wanted = ["激活卡", "奈曼旗市场监督管理局", "奈曼旗犇鑫餐饮管理有限公司", "食品安全员", "139****0001",
              "k7m2p-9xwqc-4hrt8", "2026年12月23日", "shouze.example.cn/activate", "PIN"]  # fmt: skip
    assert [part for part in wanted if part not in shown] == []


def test_the_longest_names_stay_on_their_card() -> None:
    assert len(pages(engine.render("activation", dict(activation.samples()[1])))) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cards": []}, "cards"),
        ({"made": "2026-13-01"}, "made"),
        ({"until": ""}, "until"),
        ({"address": ""}, "address"),
        ({"cards": [{**activation.sample(1)["cards"][0], "name": "a\0b"}]}, "cards.1.name"),
        ({"cards": [{"firm": "x"}]}, "name"),
        ({"cards": None}, ""),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ContextError) as caught:
        engine.render("activation", context(**changes))
    assert field in caught.value.fields
