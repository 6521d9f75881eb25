"""What a piece of a firm's file must have before it is printed."""

from typing import Any

from app.core.pdf.errors import gathered
from app.core.pdf.text import day, problem

MOST, CELLS, MORE, TABLES = 250, 1_500, 1_500, 400
"""Lines of a piece (what stands below a row counts), characters of a row's cells and of a text below it, its tables."""


def validate(context: dict[str, Any], *, draft: bool = False) -> None:  # noqa: ARG001 - the engine calls all alike
    """ContextError with a Chinese sentence a field unless the piece may be printed."""
    with gathered() as errors:
        found = {"bureau": problem(context["bureau"], 60, empty=True), "firm": problem(context["firm"], 120)}
        errors |= {name: message for name, message in found.items() if message}
        if day(context["made"]) is None:
            errors["made"] = "应为日期"
        if context["demo"] not in (True, False):
            errors["demo"] = "应为是或否"
        tables = [table for section in context["sections"] for table in section["tables"]]
        lines = [line for table in tables for line in table["lines"]]
        if sum(1 + len(line["more"]) for line in lines) > MOST * 2 or len(tables) > TABLES:
            errors["sections"] = f"一段最多 {MOST} 行"
        for number, table in enumerate(tables, 1):
            width = 2 if table["facts"] else len(table["heads"])
            if any(_bad(line, width) for line in table["lines"]):
                errors[f"tables.{number}"] = "列数不对或过长"


def _bad(line: dict[str, Any], width: int) -> bool:
    cells = line["cells"]
    return cells.count("\n") + 1 != width or len(cells) > CELLS or any(len(text) > MORE for text in line["more"])
