"""From the context to what the template prints."""

from collections.abc import Sequence
from typing import Any

from app.core.pdf.lines import count, soft
from app.core.pdf.text import chinese_date, running

METHODS = ("直接送达", "留置送达", "委托送达", "邮寄送达", "转交送达", "电子送达", "公告送达")
BLANK_DATE = "　　　　年　　月　　日"
BLANK_TIME = f"{BLANK_DATE}　　时　　分"

COLUMNS, LINE, EDGE = 27, 18, 12
"""Characters a line in the wide cell; its pitch, and the cell's padding and border, in points."""
TITLE, NOTE, ROW, SIGNATURE, OFFICER, REMARK, PAGE = 82, 22, 36, 40, 46, 64, 742
"""Points: title block, note, lowest row, place to sign, row of an officer, lowest remark, whole type area."""


def height(context: dict[str, Any]) -> int:
    """An upper bound of the sheet's height in points, to be compared with `PAGE`."""
    papers = [f"《{paper['name']}》（{paper['number'] or ''}）" for paper in context["papers"]]
    method, label = 2 * LINE + EDGE, 3 * LINE + EDGE
    rows = [
        ROW,
        method,
        TITLE,
        NOTE,
        29 * bool(context["mongolian_title"]),
        _row([context["party"]]),
        _row(papers, method),
        _row([context["place"]]),
        _row([context["relation"]], label),
        _row([context["receiver"]]) + SIGNATURE,
        _row([context["witness"]]) + SIGNATURE,
        _row([context["remark"]], REMARK),
        OFFICER * max(2, len(context["officers"])),
    ]
    return sum(rows)


def _row(texts: Sequence[str | None], least: int = 0) -> int:
    lines = sum(count(running(text or ""), COLUMNS, 0) for text in texts)
    return max(least, lines * LINE + EDGE)


def view(context: dict[str, Any]) -> dict[str, Any]:
    """The template's variables for a context that `validate` let pass."""
    texts = ("party", "place", "receiver", "relation", "witness", "remark")
    return {
        **context,
        **{name: running(context[name] or "") for name in texts},
        "soft": soft,
        "methods": [(method, method == context["method"]) for method in METHODS],
        "time": _time(context["time"]) if context["time"] else BLANK_TIME,
        "blank_date": BLANK_DATE,
        "officers": (context["officers"] + [{"name": "", "code": ""}] * 2)[: max(2, len(context["officers"]))],
    }


def _time(value: str) -> str:
    date, _, clock = value.partition(" ")
    if not clock:
        return chinese_date(date)
    hour, minute = clock.split(":")
    return f"{chinese_date(date)}{int(hour)}时{int(minute)}分"
