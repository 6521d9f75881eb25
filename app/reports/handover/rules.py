"""What a 移交清单 must have before it is printed."""

from typing import Any

from app.core.pdf.errors import gathered
from app.core.pdf.text import day, problem

MOST_ROWS = 1_000
"""Rows of one paper."""
TEXTS = {"bureau": 80, "office": 80, "giver": 60, "receiver": 60, "kind": 20}
OPTIONAL = {"giver_title": 40, "receiver_title": 40, "reason": 500}
LONGEST_NAME = 200


def validate(context: dict[str, Any], *, draft: bool = False) -> None:  # noqa: ARG001 - the engine calls all alike
    """ContextError with a Chinese sentence a field unless the context may be printed."""
    with gathered() as errors:
        found = {name: problem(context[name], limit) for name, limit in TEXTS.items()}
        found |= {name: problem(context[name], limit, empty=True) for name, limit in OPTIONAL.items()}
        if context["supervisor"] is not None:
            found["supervisor"] = problem(context["supervisor"], 60)
        errors |= {name: message for name, message in found.items() if message}
        _counts(context["counts"], errors)
        _rows(context["rows"], errors)
        if not day(context["date"]):
            errors["date"] = "日期有误"
        if not 1 <= context["part"] <= context["parts"]:
            errors["part"] = "份数有误"
        if context["verify"] is not None:
            errors |= {f"verify.{name}": message for name, limit in (("code", 22), ("url", 300))
                       if (message := problem(context["verify"][name], limit))}  # fmt: skip
        if context["demo"] not in (True, False):
            errors["demo"] = "应为是或否"


def _counts(counts: list[dict[str, Any]], errors: dict[str, str]) -> None:
    if not 1 <= len(counts) <= 50:
        errors["counts"] = "应有一至五十类"
    for number, one in enumerate(counts, 1):
        if message := problem(one["kind"], 40):
            errors[f"counts.{number}.kind"] = message
        if not all(isinstance(one[name], int) and one[name] >= 0 for name in ("went", "kept")):
            errors[f"counts.{number}.went"] = "件数有误"


def _rows(rows: list[dict[str, Any]], errors: dict[str, str]) -> None:
    if not 1 <= len(rows) <= MOST_ROWS:
        errors["rows"] = f"应有一至{MOST_ROWS}件"
    for number, row in enumerate(rows, 1):
        if not isinstance(row["n"], int):
            errors[f"rows.{number}.n"] = "序号有误"
        for name, limit in (("kind", 40), ("name", LONGEST_NAME), ("outcome", 20)):
            if message := problem(row[name], limit):
                errors[f"rows.{number}.{name}"] = message
