"""From the context to what the template prints."""

import io
from base64 import b64encode
from typing import Any

import segno

from app.core.pdf.text import chinese_date

A_PAGE, A_ROW = 8, 2
FIRM, NAME = 30, 12  # characters that fit their lines


def view(context: dict[str, Any]) -> dict[str, Any]:
    """The template's variables for a context that `validate` let pass."""
    cards = [
        {**card, "firm": _cut(card["firm"], FIRM), "name": _cut(card["name"], NAME),
         "qr": _qr(context["address"] + card["code"])} for card in context["cards"]
    ]  # fmt: skip
    pages = [cards[at : at + A_PAGE] for at in range(0, len(cards), A_PAGE)]
    rows = [[page[at : at + A_ROW] for at in range(0, A_PAGE, A_ROW)] for page in pages]
    shown = context["address"].split("://", 1)[-1].rstrip("/")
    return {**context, "pages": rows, "until": chinese_date(context["until"]), "shown": shown, "row": A_ROW}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _qr(url: str) -> str:
    """A PNG inside the page, no larger than its modules."""
    stream = io.BytesIO()
    segno.make(url, error="m", micro=False, mask=3, boost_error=False).save(stream, kind="png", scale=1, border=2)
    return "data:image/png;base64," + b64encode(stream.getvalue()).decode()
