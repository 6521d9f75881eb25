"""How rows of an entity are told apart in a file, and how other rows' cells name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import String, UniqueConstraint, inspect, select

from app.core.access.context import current_access
from app.core.codes import login_name
from app.core.crypto import digest
from app.core.db import current_session
from app.core.entity import Entity
from app.core.types import Encrypted

CHUNK = 400  # keys asked for in one statement


def _never(_row: Any) -> bool:
    return False


@dataclass(frozen=True)
class Naming:
    """keys: alternatives of columns that identify a row, the first one that is filled in decides. found_by: columns by
    which another row's cell may name it. canonical: text as the service would store it. ended: rows that count only
    when there is no other (a deregistered firm).
    """

    keys: tuple[tuple[str, ...], ...] = ()
    found_by: tuple[str, ...] = ()
    canonical: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    ended: Callable[[Any], bool] = _never

    def tidy(self, name: str, value: Any) -> Any:
        """A value as it would be stored."""
        change = self.canonical.get(name)
        return change(value) if change is not None and isinstance(value, str) and value else value


_known: dict[type[Entity], Naming] = {}


def register_naming(model: type[Entity], declared: Naming) -> None:
    """Keep what a view declares; what it leaves out follows from the table."""
    keys = declared.keys or tuple(_unique(model))
    found_by = declared.found_by or tuple(_readable(model, keys))
    _known[model] = Naming(keys, found_by, declared.canonical, declared.ended)


def naming_of(model: type[Entity]) -> Naming:
    """The naming of an entity, with screens or without."""
    if model not in _known:
        register_naming(model, Naming())
    return _known[model]


def _unique(model: type[Entity]) -> Iterable[tuple[str, ...]]:
    """The columns that the table itself keeps unique."""
    mapper = inspect(model)
    for prop in mapper.column_attrs:
        target = prop.columns[0]
        if target.unique and not target.info.get("system"):
            yield (prop.key,)
    for rule in mapper.local_table.constraints:
        if isinstance(rule, UniqueConstraint) and len(rule.columns) > 1:
            yield tuple(mapper.get_property_by_column(one).key for one in rule.columns)


def _readable(model: type[Entity], keys: Iterable[tuple[str, ...]]) -> list[str]:
    columns = inspect(model).columns
    names = [*(key[0] for key in keys if len(key) == 1), *getattr(model, "__search__", ()), "name", "short_name"]
    fit = (name for name in names if name in columns and isinstance(columns[name].type, String))
    return [name for name in dict.fromkeys(fit) if not columns[name].info.get("derived")]


# -- rows by value ----------------------------------------------------------------------------------------------------


def stored_name(model: type[Entity], name: str) -> str:
    """The attribute that is compared: a relationship by its key, a sealed column by its digest."""
    mapper = inspect(model)
    if name in mapper.relationships:
        return str(next(iter(mapper.relationships[name].local_columns)).key)
    return f"{name}_digest" if isinstance(mapper.columns[name].type, Encrypted) else name


def stored_value(model: type[Entity], name: str, value: Any) -> Any:
    """A value as that attribute holds it; None for what identifies nothing."""
    if isinstance(value, Entity):
        return value.id
    if value in (None, ""):
        return None
    mapper = inspect(model)
    kind = mapper.columns[name].type if name in mapper.columns else None
    return digest(value, kind.context) if isinstance(kind, Encrypted) else value


def rows_by(model: type[Entity], name: str, values: Iterable[Any]) -> dict[Any, list[Any]]:
    """The rows one may read whose compared attribute has one of these stored values; a few hundred a statement."""
    attribute = getattr(model, stored_name(model, name))
    wanted = list(dict.fromkeys(value for value in values if value is not None))
    found: dict[Any, list[Any]] = {}
    for start in range(0, len(wanted), CHUNK):
        statement = select(model).where(attribute.in_(wanted[start : start + CHUNK])).order_by(model.id)
        for row in current_session().scalars(statement).unique():
            found.setdefault(getattr(row, attribute.key), []).append(row)
    return found


class References:
    """Cells that name rows of another entity, resolved under the person's predicate: what one may not read is not
    there."""

    def __init__(self, model: type[Entity]) -> None:
        self.model, self.naming = model, naming_of(model)
        hidden = current_access().hidden(model.policy_name())
        self.columns = [name for name in self.naming.found_by if name not in hidden]
        self.found: dict[str, dict[Any, list[Any]]] = {}

    def load(self, texts: set[str]) -> None:
        """Read what these texts may mean."""
        for name in self.columns:
            values = (value for text in texts for value in self._values(name, text))
            self.found[name] = rows_by(self.model, name, values)

    def _values(self, name: str, text: str) -> list[Any]:
        """The stored values a text may mean in a column: as written, and as a code is stored."""
        tidy = self.naming.tidy(name, text)
        stored = {"code": lambda: "".join(tidy.split()).upper(), "login": lambda: login_name(tidy)}
        as_stored = stored.get(inspect(self.model).columns[name].info.get("format"))
        told = [tidy, as_stored()] if as_stored is not None else [tidy]
        return [stored_value(self.model, name, one) for one in dict.fromkeys(told)]

    def matches(self, text: str) -> list[Any]:
        """The rows meant: by the first column that finds any, ended ones only when there is no other."""
        for name in self.columns:
            for value in self._values(name, text):
                if rows := self.found[name].get(value, []):
                    return living(self.naming, rows)
        return []


def named(model: type[Entity], text: str) -> list[Any]:
    """The rows that one may read and that are called just this (or have it as their code)."""
    found = References(model)
    found.load({text})
    return found.matches(text)


def living(naming: Naming, rows: list[Any]) -> list[Any]:
    """The rows that are not ended, or all when all are."""
    return [row for row in rows if not naming.ended(row)] or rows
