"""What a name in a declaration means on a model: a column, a relationship, a property, relationship.column."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import inspect
from sqlalchemy.orm import joinedload

from app.core.access.veil import concealed
from app.core.entity import Entity, Scope


def is_short(model: type[Entity]) -> bool:
    """Whether the entity is a short reference list, shown whole instead of by typing."""
    return model.__scope__ is Scope.REFERENCE and bool(getattr(model, "__short_list__", False))


def shown(model: type[Entity], names: Iterable[str]) -> list[str]:
    """Those of the names that this person may see."""
    return [name for name in names if not concealed(model, name)]


def named_by(model: type[Entity], path: Any = None) -> list[Any]:
    """Loader options for what the text of a row is made of (`__named_by__`), so that no row asks for itself."""
    found = []
    for name in model.__named_by__:
        attribute = getattr(model, name)
        option = joinedload(attribute) if path is None else path.joinedload(attribute)
        found += [option, *named_by(inspect(model).relationships[name].mapper.class_, option)]
    return found


def loading(model: type[Entity], names: Iterable[str]) -> tuple[Any, ...]:
    """Loader options so that no cell, and no row's own name, asks the database again."""
    found: tuple[Any, ...] = _loading(cast("Any", model), frozenset(name.partition(".")[0] for name in names))
    return found


@lru_cache(1_000)  # choices of columns
def _loading(model: type[Any], heads: frozenset[str]) -> tuple[Any, ...]:
    relations = inspect(model).relationships
    found = named_by(model)
    for name in sorted(heads & set(relations.keys())):
        option = joinedload(getattr(model, name))
        found += [option, *named_by(relations[name].mapper.class_, option)]
    return tuple(found)
