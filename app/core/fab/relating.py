"""Filters over another entity's rows, and the filter that an attribute's type asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Boolean, Date, Integer, Numeric, and_, inspect, select

from app.core.access.context import current_access
from app.core.db import current_session
from app.core.entity import Entity
from app.core.fab import denied
from app.core.fab.cells import base_of, said
from app.core.fab.filtering import (
    LARGEST_KEY,
    Days,
    Decimals,
    Filter,
    Instants,
    Lines,
    OneOf,
    Range,
    Values,
    YesNo,
    texts,
)
from app.core.fab.naming import is_short, named_by
from app.core.importing.naming import named
from app.core.office import Office
from app.core.ordering import indexed_alone
from app.core.screen import FilterBox
from app.core.types import LineSet, UtcDateTime
from app.core.verbs import Verb


class Related(Filter):
    """A row of another entity, found by typing; its key is the value."""

    kind = "lookup"

    def __init__(self, model: type[Entity], name: str) -> None:
        super().__init__(model, name)
        relation = inspect(model).relationships[name]
        self.target: type[Entity] = relation.mapper.class_
        self.key = getattr(model, next(iter(relation.local_columns)).key)

    @property
    def indexed(self) -> bool:
        """Whether the key's own index finds the rows, few as they are, without asking for an office."""
        return indexed_alone(self.model, self.key.key)

    def read(self, args: Mapping[str, Any]) -> Values:
        """Where the script does not run, what is typed decides: the rows of just that name."""
        if f"{self.name}__text" not in args:
            return super().read(args)
        typed = texts(args, f"{self.name}__text")[:1]
        rows = [row for words in typed for row in named(self.target, words)]
        found = [str(row.id) for row in rows] or [f"“{words}”" for words in typed]
        return {self.name: found} if found else {}

    def understood(self, given: list[str]) -> list[str]:
        """Keys of 64 bits."""
        numbers = (int(one) for one in given if one.isascii() and one.isdigit() and len(one) < 20)
        return list(dict.fromkeys(str(number) for number in numbers if 0 < number <= LARGEST_KEY))

    def clauses(self, values: Values) -> list[Any]:
        """Rows that point at one of these and whose other end the person may see (the session adds which)."""
        keys = [int(one) for one in values.get(self.name, ())]
        return [and_(self.key.in_(keys), self.attribute.has())] if keys else []

    def box(self, values: Values, rows: Any = ()) -> FilterBox:
        """A type-ahead, with the chosen row's name."""
        chosen = values.get(self.name, [])
        box = FilterBox(self.name, self.label, self.kind, value=",".join(chosen[:1]), values=chosen)
        box.choices = self._names(chosen, rows)
        box.lookup_url = f"{base_of(self.target)}/lookup"
        return box

    def _names(self, chosen: list[str], rows: Any) -> list[tuple[str, str]]:
        """(key, name) of the chosen: from the page's rows, which have them loaded, else asked once."""
        loaded = (row.__dict__.get(self.name) for row in rows)
        known = {str(one.id): str(one) for one in loaded if one is not None}
        if not all(key in known for key in chosen):
            wanted = select(self.target).where(self.target.id.in_(int(key) for key in chosen))
            found = current_session().scalars(wanted.options(*named_by(self.target))).unique()
            known = {str(one.id): str(one) for one in found}
        for key in set(chosen) - known.keys():
            denied.note(self.target.__name__, key)
        return [(key, known.get(key) or _("（没有这一项，或您无权查看）")) for key in chosen]

    def said(self, box: FilterBox) -> str:
        """The names."""
        return str(_("、")).join(name for _key, name in box.choices)


class ShortList(Related):
    """One of several rows of a short reference list, shown whole."""

    kind = "several"

    def box(self, values: Values, rows: Any = ()) -> FilterBox:
        """Boxes to tick."""
        chosen = values.get(self.name, [])
        return FilterBox(self.name, self.label, self.kind, choices=self.choices(), values=chosen)

    def choices(self) -> list[tuple[str, str]]:
        """Every row; the offices are known from the person's access already."""
        if self.target is Office:
            return [(str(unit.id), unit.name) for unit in current_access().offices.values()]
        rows = current_session().scalars(select(self.target).order_by(self.target.id))
        return [(str(row.id), str(row)) for row in rows]

    def said(self, box: FilterBox) -> str:
        """The chosen names; a key of none is said to be none."""
        names = [name for key, name in box.choices if key in box.values]
        return str(_("、")).join(names) or (_("（没有这一项，或您无权查看）") if box.values else "")


class Worded(OneOf):
    """One of several stored values that have words of their own (`words` of the column)."""

    def choices(self) -> list[tuple[str, str]]:
        """(value, word), in the order of the words."""
        words = inspect(self.model).columns[self.name].info["words"]()
        return [(value, said(word)) for value, word in words.items()]


_special: dict[tuple[str, str], type[Filter]] = {}


def register_filter(model: type[Entity], name: str, kind: type[Filter]) -> None:
    """Say that an attribute is filtered in its own way, whatever its type."""
    _special[model.__name__, name] = kind


def has_own_filter(model: type[Entity], name: str) -> bool:
    """Whether an attribute is filtered in its own way."""
    return (model.__name__, name) in _special


def filter_of(model: type[Entity], name: str) -> Filter:
    """The filter that an attribute's type asks for, unless it has one of its own."""
    if special := _special.get((model.__name__, name)):
        return special(model, name)
    mapper = inspect(model)
    if name in mapper.relationships:
        return (ShortList if is_short(mapper.relationships[name].mapper.class_) else Related)(model, name)
    target = mapper.columns[name]
    flow = model.__workflow__
    if target.info.get("words") is not None:
        return Worded(model, name)
    if target.info.get("choices") is not None or (flow is not None and flow.column == name):
        return OneOf(model, name)
    kinds: tuple[tuple[type[Any], type[Filter]], ...] = (
        (LineSet, Lines), (Boolean, YesNo), (UtcDateTime, Instants), (Date, Days), (Integer, Range),
        (Numeric, Decimals),
    )  # fmt: skip
    for kind, made in kinds:
        if isinstance(target.type, kind):
            return made(model, name)
    return Filter(model, name)


def usable(model: type[Entity], name: str) -> bool:
    """Whether this person can use a filter: one over another entity needs that entity's screen."""
    found = filter_of(model, name)
    if not isinstance(found, Related) or isinstance(found, ShortList):
        return True
    return base_of(found.target) is not None and current_access().may(found.target.policy_name(), Verb.READ)
