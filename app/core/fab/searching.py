"""Typed words to a criterion: over the model's own columns and those of the rows it points at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import and_

from app.core.entity import Entity
from app.core.fab.naming import shown
from app.core.matching import matching

MOST_WORDS = 5  # each asks the index once; what is left over is one word
_special: dict[str, Callable[[str], Any]] = {}


def register_search(model: type[Entity], clause: Callable[[str], Any]) -> None:
    """Say that an entity is searched in its own way: by the criterion that `clause` makes of typed text."""
    _special[model.__name__] = clause


def search_names(model: type[Entity]) -> tuple[str, ...]:
    """What a model declares to be searched: columns, or relationship.column."""
    return tuple(getattr(model, "__search__", ("name",)))


def search_clause(model: type[Entity], text: str) -> Any:
    """Rows that match typed text: in the search key (name, pinyin, initials) and in the declared columns.

    What lies behind a relationship is found by one subquery under the person's own predicate, so that a row is never
    found by something at its other end that the person may not see.
    """
    return search(model, text)[1]


def search(model: type[Entity], text: str) -> tuple[bool, Any]:
    """Whether the search index leaves only a few rows to look at, and the criterion of `search_clause`.

    Words parted by spaces must all match, in any order.
    """
    if special := _special.get(model.__name__):
        return False, special(text)
    names = shown(model, search_names(model))
    words = text.split(maxsplit=MOST_WORDS - 1) or [text]
    found = [matching(model, word, names) for word in words]
    return any(narrow for narrow, _clause in found), and_(*(clause for _narrow, clause in found))
