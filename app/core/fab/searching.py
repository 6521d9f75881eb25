"""Typed words to a criterion: over the model's own columns and those of the rows it points at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import false, inspect, or_, select

from app.core.entity import Entity
from app.core.fab.filtering import contains
from app.core.fab.naming import shown
from app.core.pinyin import normalise_query


def search_names(model: type[Entity]) -> tuple[str, ...]:
    """What a model declares to be searched: columns, or relationship.column."""
    return tuple(getattr(model, "__search__", ("name",)))


def search_clause(model: type[Entity], text: str) -> Any:
    """Rows that match typed text: in the search key (name, pinyin, initials) and in the declared columns.

    What lies behind a relationship is found by one subquery under the person's own predicate, so that a row is never
    found by something at its other end that the person may not see.
    """
    typed = normalise_query(text)
    clauses = [_clause(model, name, text, typed) for name in shown(model, search_names(model))]
    return or_(*clauses) if clauses else false()


def _clause(model: type[Entity], name: str, text: str, typed: str) -> Any:
    head, _dot, rest = name.partition(".")
    if not rest:
        return contains(getattr(model, name), typed if name == "search_text" else text)
    relation = inspect(model).relationships[head]
    target: type[Entity] = relation.mapper.class_
    key = getattr(model, next(iter(relation.local_columns)).key)
    return key.in_(select(target.id).where(_clause(target, rest, text, typed)))
