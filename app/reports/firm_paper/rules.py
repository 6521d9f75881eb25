"""What a firm's paper must have before it is printed."""

from typing import Any

from app.core.pdf.errors import gathered
from app.core.pdf.text import day, problem

KINDS = ("letter", "director", "officer", "posts", "board")
COLUMNS = ("employment", "phone", "date_from")
MOST_POSTS, MOST_POINTS = 300, 40
LETTER = {"person": 60, "role": 20}
MAY_LACK = {"employment": 20, "place": 120, "document": 120}
POST = {"name": 80, "employment": 20, "phone": 40}


def validate(context: dict[str, Any], *, draft: bool = False) -> None:  # noqa: ARG001 - the engine calls all alike
    """ContextError with a Chinese sentence a field unless the paper may be printed."""
    with gathered() as errors:
        found = {"firm": problem(context["firm"], 120)}
        found |= {name: problem(context[name], limit, empty=True)
                  for name, limit in (("code", 18), ("short", 60), ("phone", 40))}  # fmt: skip
        if context["kind"] not in KINDS:
            found["kind"] = "没有这种文书"
        if not day(context["made"]):
            found["made"] = "日期有误"
        if context["demo"] not in (True, False):
            found["demo"] = "应为是或否"
        if (context["letter"] is None) == (context["kind"] == "letter"):
            found["letter"] = "任命书应有任命的人，其他文书没有"
        found |= {f"titles.{n}": problem(title, 120) for n, title in enumerate(context["titles"], 1)}
        errors |= {name: message for name, message in found.items() if message}
        _points(context["points"], errors)
        _posts(context, errors)
        if context["letter"] is not None:
            _letter(context["letter"], errors)


def _points(points: list[dict[str, Any]], errors: dict[str, str]) -> None:
    if len(points) > MOST_POINTS:
        errors["points"] = f"最多 {MOST_POINTS} 条"
    for number, point in enumerate(points, 1):
        found = {"text": problem(point["text"], 400), "basis": problem(point["basis"], 400, empty=True)}
        errors |= {f"points.{number}.{name}": message for name, message in found.items() if message}


def _posts(context: dict[str, Any], errors: dict[str, str]) -> None:
    if len(context["posts"]) > MOST_POSTS:
        errors["posts"] = f"最多 {MOST_POSTS} 人"
    if set(context["columns"]) - set(COLUMNS):
        errors["columns"] = "没有这一列"
    if not isinstance(context["left_out"], int) or context["left_out"] < 0:
        errors["left_out"] = "人数有误"
    for number, post in enumerate(context["posts"], 1):
        found = {name: problem(post[name], limit, empty=True) for name, limit in POST.items()}
        found |= {"role": problem(post["role"], 20)}
        found |= {f"tasks.{n}": problem(text, 400) for n, text in enumerate(post["tasks"], 1)}
        if post["date_from"] and not day(post["date_from"]):
            found["date_from"] = "日期有误"
        errors |= {f"posts.{number}.{name}": message for name, message in found.items() if message}


def _letter(letter: dict[str, Any], errors: dict[str, str]) -> None:
    found = {name: problem(letter[name], limit) for name, limit in LETTER.items()}
    found |= {name: problem(letter[name], limit, empty=True) for name, limit in MAY_LACK.items()}
    if not day(letter["date_from"]) or (letter["date_to"] and not day(letter["date_to"])):
        found["date_from"] = "日期有误"
    errors |= {f"letter.{name}": message for name, message in found.items() if message}
