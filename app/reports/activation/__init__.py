"""激活卡: eight a page to cut apart and hand to the firms' people; each begins one person's telephone."""

from datetime import datetime
from typing import Any, TypedDict

from app.core.pdf.errors import gathered
from app.core.pdf.text import day, midnight, problem

from .layout import view

__all__ = ["Card", "CardsContext", "created", "sample", "samples", "validate", "view"]
MOST = 400
LIMITS = {"firm": 120, "name": 60, "post": 20, "mobile": 20, "code": 30}


class Card(TypedDict):
    """One person's card: `mobile` is masked, `code` as it is typed."""

    firm: str
    name: str
    post: str
    mobile: str
    code: str


class CardsContext(TypedDict):
    """All that a sheet prints. `address` and a code make the address in the QR code; `until` is the last day."""

    bureau: str
    address: str
    made: str
    until: str
    demo: bool
    cards: list[Card]


def validate(context: dict[str, Any], *, draft: bool = False) -> None:  # noqa: ARG001 - the engine calls all alike
    """ContextError with a Chinese sentence a field unless the cards may be printed."""
    with gathered() as errors:
        if not 1 <= len(context["cards"]) <= MOST:
            errors["cards"] = f"应有一至{MOST}张"
        for number, card in enumerate(context["cards"], 1):
            found = {name: problem(card[name], limit) for name, limit in LIMITS.items()}
            errors |= {f"cards.{number}.{name}": why for name, why in found.items() if why}
        errors |= {name: "日期有误" for name in ("made", "until") if not day(context[name])}
        heads = {"bureau": problem(context["bureau"], 40, empty=True), "address": problem(context["address"], 120)}
        errors |= {name: why for name, why in heads.items() if why}


def created(context: dict[str, Any]) -> datetime:
    """The instant for the PDF's metadata: the day the sheet was made."""
    return midnight(context["made"])


def sample(count: int = 9) -> CardsContext:
    """A page and one card more."""
    card: Card = {"firm": "奈曼旗犇鑫餐饮管理有限公司", "name": "包䶮", "post": "食品安全员", "mobile": "139****0001",
                  "code": "k7m2p-9xwqc-4hrt8"}  # fmt: skip
    return {"bureau": "奈曼旗市场监督管理局", "address": "https://shouze.example.cn/activate/", "made": "2026-11-23",
            "until": "2026-12-23", "demo": False, "cards": [card] * count}  # fmt: skip


def samples() -> list[CardsContext]:
    """`sample`, and one with the longest texts."""
    long = sample(1)
    long["cards"] = [{**long["cards"][0], "firm": "长" * 120, "name": "名" * 60, "post": "主要负责人"}]
    return [sample(), long]
