"""From the context to what the template prints."""

from typing import Any

from app.core.pdf.lines import soft
from app.core.pdf.qr import qr
from app.core.pdf.text import chinese_date, running

BLANK_DATE = "　　　年　　月　　日"


def view(context: dict[str, Any]) -> dict[str, Any]:
    """The template's variables for a context that `validate` let pass."""
    counts = context["counts"]
    return {
        **context,
        "soft": soft,
        "reason": running(context["reason"]),
        "date": chinese_date(context["date"]),
        "went": sum(one["went"] for one in counts),
        "kept": sum(one["kept"] for one in counts),
        "signers": _signers(context),
        "qr": qr(context["verify"]["url"]) if context["verify"] else "",
        "blank_date": BLANK_DATE,
        "first": context["rows"][0]["n"],
        "last": context["rows"][-1]["n"],
    }


def _signers(context: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("移交人", context["giver"]),
        ("接收人", context["receiver"]),
        ("监交人", context["supervisor"] or ""),
    ]
