"""What a proof of delivery must have before it is printed."""

import re
from typing import Any

from app.core.pdf.errors import gathered
from app.core.pdf.text import day, problem

from .layout import METHODS, PAGE, height

REQUIRED = {"bureau": 40, "party": 80}
OPTIONAL = {"mongolian_title": 80, "place": 120, "receiver": 40, "relation": 80, "witness": 80, "remark": 200}
"""Characters; all together they must also fit on one page."""
PAPERS, PAPER_LENGTH, OFFICERS = 5, 60, 4
TIME = re.compile(r"(\d{4}-\d\d-\d\d)( ([01]\d|2[0-3]):[0-5]\d)?")


def validate(context: dict[str, Any], *, draft: bool = False) -> None:  # noqa: ARG001 - the engine calls all alike
    """ContextError with a Chinese sentence a field unless the context may be printed."""
    with gathered() as errors:
        found = {name: problem(context[name], limit) for name, limit in REQUIRED.items()}
        found |= {name: problem(context[name], limit) for name, limit in OPTIONAL.items() if context[name] is not None}
        errors |= {name: message for name, message in found.items() if message}
        _papers(context["papers"], errors)
        _officers(context["officers"], errors)
        _service(context, errors)
        if not errors and height(context) > PAGE:
            errors["remark"] = "各栏合计一页放不下，请精简"
        if context["demo"] not in (True, False):
            errors["demo"] = "应为是或否"


def _papers(papers: list[dict[str, Any]], errors: dict[str, str]) -> None:
    if not 1 <= len(papers) <= PAPERS:
        errors["papers"] = f"应有一至{PAPERS}份文书"
    for number, paper in enumerate(papers, 1):
        for name in ("name", "number"):
            if (name == "name" or paper[name] is not None) and (message := problem(paper[name], PAPER_LENGTH)):
                errors[f"papers.{number}.{name}"] = message


def _officers(officers: list[dict[str, Any]], errors: dict[str, str]) -> None:
    if len(officers) == 1 or len(officers) > OFFICERS:
        errors["officers"] = f"送达人应为二至{OFFICERS}人，或留空手写"
    for number, officer in enumerate(officers, 1):
        for name in ("name", "code"):
            if message := problem(officer[name], 30):
                errors[f"officers.{number}.{name}"] = message


def _service(context: dict[str, Any], errors: dict[str, str]) -> None:
    if context["method"] is not None and context["method"] not in METHODS:
        errors["method"] = "送达方式应为：" + "、".join(METHODS)
    time = context["time"]
    if time is not None and not ((found := TIME.fullmatch(time)) and day(found[1])):
        errors["time"] = "时间有误"
    if not day(context["made"]):
        errors["made"] = "日期有误"
