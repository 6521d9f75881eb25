"""From the context to what the template prints."""

from typing import Any

from app.core.pdf.lines import soft, width
from app.core.pdf.text import chinese_date, running

NARROWEST, WIDEST = 4.5, 16.0
"""Em that a column's width is reckoned by: its longest word of these."""
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
    """Per cent of the type area: by the longest cell of each column, within bounds."""
    longest = [
        max(width(head), *(width(row[place]) for row in rows)) if rows else width(head)
        for place, head in enumerate(heads)
    ]
    asked = [min(max(one, NARROWEST), WIDEST) for one in longest]
    return [round(100 * one / sum(asked), 2) for one in asked]


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
