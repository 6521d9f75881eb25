"""Start-up check of the screens' declarations: one that contradicts itself refuses to start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import inspect

from app.core.access.checks import Table, policy_problems
from app.core.entity import Entity
from app.core.errors import ConfigurationError
from app.core.fab.view import EntityView


def require_consistent(views: Iterable[EntityView], roles: Mapping[str, Table]) -> None:
    """Raise ConfigurationError with everything that is wrong with the policy table, the workflows, these screens."""
    views = list(views)
    problems = [*policy_problems(roles), *_twice(views)]
    for view in views:
        problems += [f"{type(view).__name__}: {why}" for why in view_problems(view)]
    if problems:
        raise ConfigurationError("contradictory declarations:\n" + "\n".join(problems))


def _twice(views: list[EntityView]) -> Iterator[str]:
    for what, counted in (
        ("route base", Counter(view.route_base for view in views)),
        ("entity", Counter(view.model.__name__ for view in views)),
    ):
        yield from (f"{what} {name}: {number} views" for name, number in counted.items() if number > 1)


def view_problems(view: EntityView) -> Iterator[str]:
    """What is wrong with one declaration."""
    model, base = view.model, view.route_base
    if not (base and base.isascii() and base.startswith("/") and base == base.rstrip("/")):
        yield f"route base {base!r} is no plain path"
    for part in view.form_parts:
        yield from _form_problems(model, [name for name in part.columns if name not in view.form_fields])
        for rows in part.rows:
            relation = inspect(model).relationships.get(rows.relation)
            if relation is None or not relation.uselist:
                yield f"form rows {rows.relation}: no such rows"
            else:
                yield from (f"{rows.relation}: {why}" for why in _form_problems(relation.mapper.class_, rows.columns))
    for one in view.children:
        if one.of is not None and one.of[1] not in inspect(one.of[0]).columns:
            yield f"children of {one.of[0].__name__}: no column {one.of[1]}"
        if one.of is None and one.relation not in inspect(model).relationships:
            yield f"children {one.relation}: no such relationship"
    steps = {one.name for one in model.__workflow__.transitions} if model.__workflow__ else set()
    for name, (form, fields) in view.asks.items():
        if name not in steps:
            yield f"asks for {name}, which is no step"
        yield from (
            f"step {name} asks for {field}, which its form has not" for field in fields if not hasattr(form, field)
        )


def _form_problems(model: type[Entity], names: list[str]) -> Iterator[str]:
    for name in names:
        column = _column(model, name)
        if column is None:
            yield f"form column {name}: no such column"
        elif column.info.get("system") or column.info.get("derived"):
            yield f"form column {name}: set by the system, never by a form"


def _column(model: type[Entity], name: str) -> Any:
    """The column behind a form's name: itself, or the key of a many-to-one relationship."""
    mapper = inspect(model)
    if name in mapper.relationships:
        relation = mapper.relationships[name]
        return None if relation.uselist else next(iter(relation.local_columns))
    return mapper.columns.get(name)
