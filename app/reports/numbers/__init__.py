"""Page numbers alone, to be laid over the pages of a list that was rendered in pieces (`core.pdf.join`)."""

from datetime import datetime
from typing import Any, TypedDict

from app.core.pdf.errors import ContextError

__all__ = ["ARCHIVED", "NumbersContext", "created", "sample", "samples", "validate", "view"]

ARCHIVED = False
MOST = 2_000


class NumbersContext(TypedDict):
    """How many pages there are, and whether they stand upright."""

    pages: int
    upright: bool


def validate(context: dict[str, Any], *, draft: bool = False) -> None:  # noqa: ARG001 - the engine calls all alike
    """ContextError unless there is a number of pages that a list may have."""
    pages = context.get("pages")
    if isinstance(pages, bool) or not isinstance(pages, int) or not 1 <= pages <= MOST:
        raise ContextError({"pages": f"应为 1 到 {MOST} 的整数"})
    if context.get("upright") not in (True, False):
        raise ContextError({"upright": "应为是或否"})


def view(context: dict[str, Any]) -> dict[str, Any]:
    """The template's variables; the author is that of what it is laid over."""
    return {**context, "bureau": ""}


def created(context: dict[str, Any]) -> datetime | None:  # noqa: ARG001 - as above
    """Nothing of its own: what it is laid over says when."""
    return None


def sample() -> NumbersContext:
    """Two pages."""
    return {"pages": 2, "upright": False}


def samples() -> list[NumbersContext]:
    """What warms the worker."""
    return [sample(), {"pages": 1, "upright": True}]
