"""From the context to what the template prints."""

from itertools import groupby
from typing import Any

from app.core.pdf.lines import soft
from app.core.pdf.text import chinese_date, running

TITLES = {"letter": "任命书", "director": "食品安全总监职责", "officer": "食品安全员守则",
          "posts": "食品安全岗位责任表", "board": "食品安全公示牌"}  # fmt: skip
HEADS = {"employment": "专兼职", "phone": "电话", "date_from": "任职起"}
BLANK_DATE = "　　　年　　月　　日"
NAMES_ON_A_BOARD = 36  # characters of one post; more would push the others off it
SIZES = ((16, "large"), (34, "middle"), (10_000, "small"))


def view(context: dict[str, Any]) -> dict[str, Any]:
    """The template's variables for a context that `validate` let pass."""
    return {
        **context,
        "bureau": context["firm"],
        "title": TITLES[context["kind"]],
        "soft": soft,
        "firm": running(context["firm"]),
        "size": next(word for most, word in SIZES if len(context["firm"]) <= most),
        "named": "".join(_named(title, context["short"]) for title in context["titles"]),
        "heads": [HEADS[name] for name in context["columns"]],
        "rows": [{**post, "date_from": _date(post["date_from"])} for post in context["posts"]],
        "board": [(role, *_names(list(posts))) for role, posts in groupby(context["posts"], lambda post: post["role"])],
        "date": chinese_date(context["made"]),
        "blank_date": BLANK_DATE,
        "letter": _letter(context["letter"]) if context["letter"] is not None else None,
    }


def _named(title: str, short: str) -> str:
    return f"《{title}》（以下简称《规定》）" if title == short else f"《{title}》"


def _date(text: str) -> str:
    return chinese_date(text) if text else ""


def _names(posts: list[dict[str, Any]]) -> tuple[str, int]:
    """The names that fit on the board, and how many do not."""
    names = list(dict.fromkeys(post["name"] for post in posts if post["name"]))
    shown, length = 0, 0
    for name in names:
        length += len(name) + 1
        if shown and length > NAMES_ON_A_BOARD:
            break
        shown += 1
    return "　".join(names[:shown]), len(names) - shown


def _letter(letter: dict[str, Any]) -> dict[str, Any]:
    return {**letter, "date_from": _date(letter["date_from"]), "date_to": _date(letter["date_to"])}
