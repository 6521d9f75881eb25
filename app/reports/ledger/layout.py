"""From the context to what the template prints."""

from typing import Any

from app.core.pdf.lines import soft
from app.core.pdf.text import chinese_date

WIDTHS = (4, 17, 13, 7, 9, 8, 9, 7, 8, 9, 9)
"""Per cent of the type area, for the eleven columns of a ledger."""


def view(context: dict[str, Any]) -> dict[str, Any]:
    """The template's variables for a context that `validate` let pass."""
    heads = context["heads"]
    widths = WIDTHS if len(heads) == len(WIDTHS) else [100 / len(heads)] * len(heads)
    return {
        **context,
        "rows": [line.split("\n") for line in context["lines"]],
        "widths": widths,
        "soft": soft,
        "date": chinese_date(context["made"]),
    }
