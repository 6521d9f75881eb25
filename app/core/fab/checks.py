"""What a declaration may not say. The program refuses to start with one that contradicts its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import JSON, LargeBinary, String, Text, inspect

from app.core.entity import Entity
from app.core.errors import ConfigurationError
from app.core.fab.relating import has_own_filter
from app.core.fab.searching import search_names
from app.core.types import Encrypted

Problems = Iterator[str]
OWN_ARGUMENTS = {"q", "page", "size", "order", "print"}  # of a list's address: a filter of that name would be both


def require_sound(view: Any) -> None:
    """Raise ConfigurationError that names the view and what is wrong with each name of its declaration."""
    found = [problem for check in CHECKS for problem in check(view)]
    if found:
        raise ConfigurationError(f"{type(view).__name__}: {'; '.join(found)}")


def list_problems(view: Any) -> Problems:
    """Columns, filters, orders and search of the list."""
    model: type[Entity] = view.model
    for name in view.list_columns or ():
        yield from _unless(readable(model, name), "list_columns", name)
    for name in view.extra_columns or ():
        yield from _unless(readable(model, name), "extra_columns", name)
    for name in view.list_filters:
        fine = comparable(model, name) or to_one(model, name) or has_own_filter(model, name)
        yield from _unless(fine and name not in OWN_ARGUMENTS, "list_filters", name)
    for name in view.order_columns or ():
        yield from _unless(comparable(model, name), "order_columns", name)
    yield from _unless(comparable(model, view.default_order.removeprefix("-")), "default_order", view.default_order)
    for name in search_names(model):
        yield from _unless(searchable(model, name), "__search__", name)


def _unless(fine: bool, where: str, name: str) -> Problems:
    if not fine:
        yield f"{where} names {name!r}, which {where.removeprefix('list_').strip('_')} can't use or which is unknown"


def readable(model: type[Entity], name: str) -> bool:
    """Whether a cell can show it: a column, a row pointed at, a property, or relationship.column."""
    head, _dot, rest = name.partition(".")
    if rest:
        return to_one(model, head) and readable(inspect(model).relationships[head].mapper.class_, rest)
    if head in inspect(model).relationships:
        return to_one(model, head)
    return head in inspect(model).columns or isinstance(getattr(model, head, None), property)


def comparable(model: type[Entity], name: str) -> bool:
    """Whether the database can compare it: a plain column, neither sealed nor secret."""
    target = inspect(model).columns.get(name)
    closed = (Encrypted, JSON, LargeBinary)
    return target is not None and not target.info.get("secret") and not isinstance(target.type, closed)


def to_one(model: type[Entity], name: str) -> bool:
    """Whether it is a relationship to one row."""
    relation = inspect(model).relationships.get(name)
    return relation is not None and relation.direction.name == "MANYTOONE"


def searchable(model: type[Entity], name: str) -> bool:
    """Whether words can be found in it: a text column, or relationship.column of one."""
    head, _dot, rest = name.partition(".")
    if rest:
        return to_one(model, head) and searchable(inspect(model).relationships[head].mapper.class_, rest)
    return comparable(model, head) and isinstance(inspect(model).columns[head].type, (String, Text))


CHECKS: tuple[Callable[[Any], Problems], ...] = (list_problems,)
