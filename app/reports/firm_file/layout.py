"""From the context to what the template prints."""

import re
from typing import Any

from app.core.pdf.lines import pieces, soft, width
from app.core.pdf.text import chinese_date, running

NARROWEST, WIDEST, PADDING, AREA = 2.0, 16.0, 0.8, 51.5
"""Em of a column without and with its padding, and of the type area."""
UNBROKEN = re.compile(r"[!-~]+")
LONG = 15
"""Em of a value from which on a fact takes the whole line."""


def view(context: dict[str, Any]) -> dict[str, Any]:
    """The template's variables for a context that `validate` let pass."""
    sections = [
        {**section, "tables": [_table(table) for table in section["tables"]]} for section in context["sections"]
    ]
    return {
        **context,
        "firm": running(context["firm"]),
        "soft": soft,
        "date": chinese_date(context["made"]),
        "size": "small" if len(context["firm"]) > 24 else "large",
        "sections": sections,
    }


def _table(table: dict[str, Any]) -> dict[str, Any]:
    rows = [{"cells": line["cells"].split("\n"), "more": line["more"]} for line in table["lines"]]
    if table["facts"]:
        return {**table, "pairs": _pairs([tuple(row["cells"]) for row in rows]), "rows": [], "widths": []}
    return {**table, "pairs": [], "rows": rows, "widths": _widths(table["heads"], [row["cells"] for row in rows])}


def _widths(heads: list[str], rows: list[list[str]]) -> list[float]:
    """Per cent of the type area: each column has room for its longest code or date, and a share of what is left by
    how much its longest cell wants."""
    columns = [[head, *(row[place] for row in rows)] for place, head in enumerate(heads)]
    least = [PADDING + max(NARROWEST, *(width(part) for text in column for part in _unbroken(text)))
             for column in columns]  # fmt: skip
    wanted = [max(PADDING + min(WIDEST, max(map(width, column))), low)
              for column, low in zip(columns, least, strict=True)]  # fmt: skip
    more = sum(wanted) - sum(least)
    share = min(1.0, max(0.0, AREA - sum(least)) / more) if more else 0.0
    given = [low + (want - low) * share for low, want in zip(least, wanted, strict=True)]
    return [round(100 * one / sum(given), 2) for one in given]


def _unbroken(text: str) -> list[str]:
    """What no line end may divide: codes, dates, numbers."""
    return [piece for word in UNBROKEN.findall(text) for piece in pieces(word)] or [""]


def _pairs(facts: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Two facts a line; a long one has a line for itself."""
    lines: list[list[tuple[str, str]]] = []
    for label, value in facts:
        whole = width(value) > LONG
        if not whole and lines and len(lines[-1]) == 1 and width(lines[-1][0][1]) <= LONG:
            lines[-1].append((label, value))
        else:
            lines.append([(label, value)])
    return lines
