"""What a ledger must have before it is printed."""

from typing import Any

from app.core.pdf.errors import gathered
from app.core.pdf.text import day, problem

MOST, CELL = 250, 400
"""Lines of a piece, and characters of a line's longest cell."""


def validate(context: dict[str, Any], *, draft: bool = False) -> None:  # noqa: ARG001 - the engine calls all alike
    """ContextError with a Chinese sentence a field unless the context may be printed."""
    with gathered() as errors:
        found = {"bureau": problem(context["bureau"], 40), "title": problem(context["title"], 60),
                 "note": problem(context["note"], CELL)}  # fmt: skip
        errors |= {name: message for name, message in found.items() if message}
        if len(context["lines"]) > MOST:
            errors["lines"] = f"最多 {MOST} 行"
        width = len(context["heads"])
        for number, line in enumerate(context["lines"], 1):
            cells = line.split("\n")
            if len(cells) != width or max(map(len, cells)) > CELL:
                errors[f"lines.{number}"] = "列数不对或过长"
        if day(context["made"]) is None:
            errors["made"] = "应为日期"
        errors |= {name: "应为是或否" for name in ("first", "last", "demo") if context[name] not in (True, False)}
