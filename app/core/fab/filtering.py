"""Typed filters of a list, derived from the columns: contains, from–to, one of several, a row of another entity.

A filter reads its arguments from any mapping. A value that it does not understand stays in force and finds nothing, as
does a key that names no row which the person may see: a list never widens by itself, and a foreign key tells no more
than one that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from flask_babel import gettext as _
from sqlalchemy import false, inspect, or_

from app.core import clock
from app.core.entity import Entity
from app.core.fab.cells import full_date, label_of, said
from app.core.lines import line_choices
from app.core.screen import FilterBox

LONGEST_VALUE = 100  # characters of one value
MOST_VALUES = 50  # of one filter
MOST_SAID = 3  # values that mean nothing, in words
LARGEST_KEY = 2**63 - 1
Values = dict[str, list[str]]


def texts(args: Mapping[str, Any], name: str) -> list[str]:
    """The values of an argument, stripped and bounded, of a request's arguments or of a plain mapping (str or list)."""
    getlist = getattr(args, "getlist", None)
    given = getlist(name) if getlist else args.get(name, [])
    found = [given] if isinstance(given, str) else list(given or [])
    cleaned = (str(one).replace("\0", "").strip()[:LONGEST_VALUE] for one in found[:MOST_VALUES])
    return list(dict.fromkeys(one for one in cleaned if one))


class Filter:
    """One filter over an attribute: what it takes from the arguments, its criteria, its box, how it reads in force.

    This base is "contains", for text.
    """

    kind: ClassVar[str] = "text"
    ends: ClassVar[tuple[str, ...]] = ("",)

    def __init__(self, model: type[Entity], name: str) -> None:
        self.model, self.name = model, name
        self.attribute = getattr(model, name)

    @property
    def label(self) -> str:
        """What it is called."""
        return label_of(self.model, self.name)

    def names(self) -> list[str]:
        """The names of its arguments."""
        return [self.name + end for end in self.ends]

    def read(self, args: Mapping[str, Any]) -> Values:
        """The values in force by argument name: those it understands in their one spelling, then the others."""
        found = {}
        for name in self.names():
            if given := texts(args, name):
                found[name] = [*self.understood(given), *(one for one in given if not self.understood([one]))]
        return found

    def strays(self, values: Values) -> list[str]:
        """The values in force that mean nothing to it."""
        return [one for name in self.names() for one in values.get(name, ()) if not self.understood([one])]

    def said_lost(self, values: Values) -> str:
        """Those values in words, the first few in part."""
        lost = self.strays(values)
        shown = [one if len(one) <= 20 else f"{one[:20]}…" for one in lost[:MOST_SAID]]
        text = str(_("、")).join(shown) + ("…" if len(lost) > MOST_SAID else "")
        return str(_("%(value)s（没有这个值）", value=text)) if lost else ""

    def meant(self, values: Values) -> Values:
        """The values in force that mean something to it."""
        return {name: kept for name in self.names() if (kept := self.understood(values.get(name, [])))}

    def criteria(self, values: Values) -> list[Any]:
        """The criteria of what is in force; a value that means nothing finds nothing."""
        meant = self.meant(values)
        lost = any(values.get(name) and name not in meant for name in self.names())
        return [false()] if lost else self.clauses(meant)

    def understood(self, given: list[str]) -> list[str]:
        """The values that mean something to this filter, in their one spelling."""
        return given[:1]

    def clauses(self, values: Values) -> list[Any]:
        """The criteria, all of which hold."""
        return [contains(self.attribute, one) for one in values.get(self.name, ())]

    def box(self, values: Values, rows: Any = ()) -> FilterBox:
        """The input above the list. `rows`: those of the page, where names may be found without asking again."""
        return FilterBox(self.name, self.label, self.kind, value=next(iter(values.get(self.name, ())), ""))

    def said(self, box: FilterBox) -> str:
        """The values in force in words, of its own box; "" when it is not in force."""
        return box.value


def contains(column: Any, text: str) -> Any:
    """The criterion that a text column contains what was typed, whatever it holds of % and _."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(f"%{escaped}%", escape="\\")


class Range(Filter):
    """From–to over numbers; either end may be empty."""

    kind = "range"
    ends = ("_from", "_to")
    input = "number"

    def parse(self, text: str) -> Any:
        """The value of one end. Raises ValueError."""
        number = int(text)
        if abs(number) > LARGEST_KEY:
            raise ValueError(text)
        return number

    def spelled(self, value: Any) -> str:
        """A value as the input shows it."""
        return str(value)

    def understood(self, given: list[str]) -> list[str]:
        """One value that parses."""
        for one in given[:1]:
            try:
                return [self.spelled(self.parse(one))]
            except (ValueError, OverflowError, InvalidOperation):
                continue
        return []

    def clauses(self, values: Values) -> list[Any]:
        """At least, at most."""
        found = []
        for end, compare in (("_from", self.attribute.__ge__), ("_to", self.attribute.__le__)):
            found += [compare(self.parse(one)) for one in values.get(self.name + end, ())]
        return found

    def box(self, values: Values, rows: Any = ()) -> FilterBox:
        """Two inputs."""
        first, last = (next(iter(values.get(name, ())), "") for name in self.names())
        return FilterBox(self.name, self.label, self.kind, value=first, value_to=last, input=self.input)

    def words(self, text: str) -> str:
        """One end in words."""
        return text

    def said(self, box: FilterBox) -> str:
        """从 1 到 3."""
        first, last = (self.words(text) if text else "" for text in (box.value, box.value_to))
        if first and last:
            return str(_("%(first)s 至 %(last)s", first=first, last=last))
        return str(_("%(first)s 起", first=first)) if first else str(_("至 %(last)s", last=last)) if last else ""


class Decimals(Range):
    """From–to over decimal numbers."""

    def parse(self, text: str) -> Decimal:
        """A finite decimal of a sensible size."""
        number = Decimal(text)
        if not number.is_finite() or number.adjusted() > 18:
            raise ValueError(text)
        return number


class Days(Range):
    """From–to over business dates."""

    input = "date"

    def parse(self, text: str) -> date:
        """An ISO date."""
        return date.fromisoformat(text)

    def words(self, text: str) -> str:
        """With its year: what is in force also stands on paper."""
        return full_date(date.fromisoformat(text))


class Instants(Days):
    """From–to over instants, by the day in Shanghai; the last day is whole."""

    def understood(self, given: list[str]) -> list[str]:
        """Days of which both ends exist as instants."""
        kept = super().understood(given)
        return [one for one in kept if 1900 <= self.parse(one).year <= 2200]

    def clauses(self, values: Values) -> list[Any]:
        """From the first day's midnight to before the midnight that ends the last."""
        first, last = (values.get(name, []) for name in self.names())
        found = [self.attribute >= _midnight(self.parse(one)) for one in first]
        return found + [self.attribute < _midnight(self.parse(one) + timedelta(days=1)) for one in last]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.SHANGHAI)


class OneOf(Filter):
    """One of several: choices, states, yes and no."""

    kind = "several"

    def choices(self) -> list[tuple[str, str]]:
        """(value, word) of what may be chosen."""
        flow = self.model.__workflow__
        listed = inspect(self.model).columns[self.name].info.get("choices")
        if listed is not None:
            return [(str(one.value), said(one.value)) for one in listed]
        assert flow is not None
        steps = (state for step in flow.transitions for state in (*step.sources, step.to))
        return [(str(state), said(state)) for state in dict.fromkeys((flow.initial, *steps))]

    def understood(self, given: list[str]) -> list[str]:
        """Those that can be chosen, in the order of the choices."""
        return [value for value, _word in self.choices() if value in given]

    def clauses(self, values: Values) -> list[Any]:
        """One of them."""
        chosen = values.get(self.name)
        return [self.attribute.in_(chosen)] if chosen else []

    def box(self, values: Values, rows: Any = ()) -> FilterBox:
        """Boxes to tick."""
        chosen = values.get(self.name, [])
        return FilterBox(self.name, self.label, self.kind, choices=self.choices(), values=chosen)

    def said(self, box: FilterBox) -> str:
        """The chosen words."""
        return str(_("、")).join(word for value, word in box.choices if value in box.values)


class YesNo(OneOf):
    """Yes, no."""

    def choices(self) -> list[tuple[str, str]]:
        """是, 否."""
        return [("1", _("是")), ("0", _("否"))]

    def clauses(self, values: Values) -> list[Any]:
        """Both ticked is as good as none."""
        return [self.attribute.is_(one == "1") for one in values.get(self.name, ())][:1] if (
            len(values.get(self.name, ())) == 1
        ) else []  # fmt: skip


class Lines(OneOf):
    """Business lines: a row of one of them, or of all (0)."""

    def choices(self) -> list[tuple[str, str]]:
        """The lines of the house."""
        return [(value, said(word)) for value, word in line_choices()]

    def clauses(self, values: Values) -> list[Any]:
        """Any common bit."""
        bits = sum(int(one) for one in values.get(self.name, ()))
        return [or_(self.attribute.op("&")(bits) != 0, self.attribute == 0)] if bits else []
