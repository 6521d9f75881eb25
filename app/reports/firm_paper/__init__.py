"""What a firm hangs up or files about its people: 任命书, 《食品安全总监职责》, 《食品安全员守则》, 岗位责任表, 公示牌.

The firm's own papers, no issued ones: they have no number of the bureau and are drawn anew from what is entered
whenever somebody prints them. A post without a holder and a date nobody has given are lines to fill by hand.
"""

from datetime import datetime
from typing import Any, TypedDict

from app.core.pdf.text import midnight

from .layout import TITLES, view
from .rules import MOST_POSTS, validate
from .samples import sample, samples

__all__ = [
    "ARCHIVED", "MOST_POSTS", "TITLES", "FirmPaperContext", "Letter", "Point", "Post", "created", "sample", "samples",
    "validate", "view",
]  # fmt: skip

ARCHIVED = False


class Point(TypedDict):
    """A point, and what it rests on as it prints; "" when it claims no source."""

    text: str
    basis: str


class Letter(TypedDict):
    """Of a 任命书. `employment`, `place`, `document` and `date_to` may be empty; dates are "YYYY-MM-DD"."""

    person: str
    role: str
    employment: str
    place: str
    document: str
    date_from: str
    date_to: str


class Post(TypedDict):
    """Who holds a post, or "" for a line; what the post keeps."""

    role: str
    name: str
    employment: str
    phone: str
    date_from: str
    tasks: list[str]


class FirmPaperContext(TypedDict):
    """All that one of the five prints. `kind`: letter, director, officer, posts or board.

    `titles` are the laws and rules named at its head, `short` whether points say 《规定》 for one of them. `columns`
    says which of employment, phone and date_from the 岗位责任表 has; `left_out` how many people found no room on it.
    """

    kind: str
    firm: str
    code: str
    made: str
    demo: bool
    titles: list[str]
    short: str
    points: list[Point]
    letter: Letter | None
    posts: list[Post]
    columns: list[str]
    left_out: int
    phone: str


def created(context: dict[str, Any]) -> datetime:
    """The instant for the PDF's metadata: the day it was printed."""
    return midnight(context["made"])
