"""Rows of every entity, made from the models alone: what a table needs to have a row, and words that give it away.

Nothing here names a subject: columns, choices, foreign keys and what a class says of its owner decide. Each free text
gets a word that occurs nowhere else, so that finding it means seeing that column of that row. An entity whose row
can't be made is an error with its name, not a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    String,
    inspect,
    select,
)
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.predicate import subjects
from app.core.crypto import digest
from app.core.entity import Entity, Scope, registry
from app.core.types import Encrypted, LineSet, UtcDateTime
from app.prover.stored import put_files

TURNS = 6  # kinds that are tried, one after the other
WORD = "印{:05x}记"
SHORTEST = len(WORD.format(0))
ENDS = ("_to", "_until", "until", "deadline", "expires_on")
CORES = ("id", "public_id", "version", "made_at", "made_by_id")


class CannotMakeError(LookupError):
    """An entity of which no row could be made: the prover would be blind to it."""


@dataclass(frozen=True)
class Place:
    """Where rows belong: who answers for them, who did when they were made, which line."""

    name: str
    office_id: int
    made_office_id: int
    lines: int


@dataclass(frozen=True)
class Told:
    """What a word, or a number that is shown in part only, gives away."""

    cls: type[Entity]
    id: int
    column: str


@dataclass
class Maker:
    """Makes rows in one session. `words`, `numbers`: what they hold, and of which row and column it is."""

    session: Session
    words: dict[str, Told] = field(default_factory=dict)
    numbers: dict[str, Told] = field(default_factory=dict)
    firsts: dict[tuple[type[Entity], str], int] = field(default_factory=dict)
    count: int = 0
    making: list[type[Entity]] = field(default_factory=list)

    def first(self, cls: type[Entity], place: Place) -> int | None:
        """The row of that place which others point at; None while it is itself being made."""
        if (cls, place.name) in self.firsts:
            return self.firsts[cls, place.name]
        if cls in self.making:
            return None
        key = int(self.make(cls, place).id)
        self.firsts.setdefault((cls, place.name), key)
        return key

    def make(self, cls: type[Entity], place: Place, **fixed: Any) -> Any:
        """One row, with these values as given and everything else as the columns ask."""
        self.making.append(cls)
        try:
            return self._make(cls, place, fixed)
        finally:
            self.making.pop()

    def _make(self, cls: type[Entity], place: Place, fixed: dict[str, Any]) -> Any:
        why: Exception | None = None
        # what a table lets be empty is left out when a rule of its own refuses it; then what it must point at is new
        # where one of a kind is all there may be, the next kind is tried
        for spare in ("", "keys", "all", "fresh", *(["turn"] * TURNS)):
            told: dict[str, str] = {}
            try:
                values = self.values(cls, place, fixed, told, spare)
                row: Any = cls(**values)
                with self.session.begin_nested():
                    put_files(row, self._word(), told)
                    self.session.add(row)
                    self.session.flush()
            except (IntegrityError, StatementError) as error:
                why = error
                continue
            self._remember(row, told)
            return row
        raise CannotMakeError(f"the prover can make no row of {cls.__name__}: {why}") from why

    def _remember(self, row: Any, told: dict[str, str]) -> None:
        for name, text in told.items():
            known = self.words if text.startswith(WORD[0]) else self.numbers
            known[text] = Told(type(row), row.id, name)

    def rename(self, row: Any, name: str) -> None:
        """Another word in a column; what it said before still is what it says of the row."""
        text = self._word()
        setattr(row, name, text)
        self.words[text] = Told(type(row), row.id, name)

    def _word(self) -> str:
        self.count += 1
        return WORD.format(self.count)

    def values(
        self, cls: type[Entity], place: Place, fixed: dict[str, Any], told: dict[str, str], spare: str
    ) -> dict[str, Any]:
        """What a new row of the place has; `told` gets the words and numbers in it. `spare`: what is left out."""
        found: dict[str, Any] = {}
        for prop in inspect(cls).column_attrs:
            column = prop.columns[0]
            ours = prop.key in (*CORES, cls.__superseded__)  # what another row took over is no longer worked on
            if ours or not isinstance(column, Column):
                continue
            if prop.key in fixed:
                found[prop.key] = fixed[prop.key]
            elif column.nullable and (spare == "all" or (spare and column.foreign_keys)):
                continue
            elif spare == "fresh" and (key := self._fresh(column, place)) is not None:
                found[prop.key] = key
            elif (value := self._value(cls, prop.key, column, place, told)) is not None:
                found[prop.key] = self._turned(column, value) if spare == "turn" else value
        if {"account_id", "role_id"} <= found.keys():
            found["role_id"] = self._role_for(found["account_id"], found["role_id"])
        for name, column in inspect(cls).columns.items():
            if isinstance(column.type, Encrypted) and found.get(name) and hasattr(cls, f"{name}_digest"):
                found[f"{name}_digest"] = digest(found[name], column.type.context)
        return found

    def _turned(self, column: Column[Any], value: Any) -> Any:
        """Another one of the choices of a column; each count comes to the next."""
        kinds = list(column.info.get("choices") or ())
        return kinds[self.count % len(kinds)] if value in kinds else value

    def _role_for(self, account_id: int, role_id: int) -> int:
        """A role of the account's family: the families never meet."""
        roles, accounts = (inspect(registry()[name]).local_table for name in ("AccessRole", "Account"))
        family = select(accounts.c.family).where(accounts.c.id == account_id).scalar_subquery()
        found = self.session.scalar(select(roles.c.id).where(roles.c.family == family).order_by(roles.c.id).limit(1))
        return role_id if found is None else int(found)

    def _value(self, cls: type[Entity], name: str, column: Column[Any], place: Place, told: dict[str, str]) -> Any:
        if name == "lines" and cls.__owner__:
            return None  # core copies the owner's; of a firm as a whole there are none
        if name in {"office_id", "made_office_id", "lines"}:
            return {"office_id": place.office_id, "made_office_id": place.made_office_id, "lines": place.lines}[name]
        if column.foreign_keys:
            return self._parent(column, place)
        if name == "account_id":
            return self.first(registry()["Account"], place)
        if column.info.get("choices") is not None or _keeps_default(column):
            return None if _has_default(column) or column.nullable else next(iter(column.info["choices"]))
        return self._plain(cls, name, column, told)

    def _parent(self, column: Column[Any], place: Place) -> int | None:
        table = next(iter(column.foreign_keys)).column.table
        other = next(cls for cls in registry().values() if inspect(cls).local_table is table)
        if other.__name__ == "Office":
            return place.office_id
        if other.__scope__ is Scope.REFERENCE and not column.nullable:
            found = self.session.scalar(inspect(other).local_table.select().limit(1).with_only_columns(other.id))
            return int(found) if found is not None else self.first(other, place)
        return self.first(other, place) if other.__scope__ is not Scope.REFERENCE else None

    def _fresh(self, column: Column[Any], place: Place) -> int | None:
        """A parent of its own, where a row may have but one such child."""
        tables = {one.column.table for one in column.foreign_keys}
        other = next((cls for cls in registry().values() if inspect(cls).local_table in tables), None)
        if other is None or column.nullable or other.__scope__ is not Scope.OFFICE:
            return None
        if other.__name__ == "Account" or other in self.making:
            return None
        return int(self.make(other, place).id)

    def _plain(self, cls: type[Entity], name: str, column: Column[Any], told: dict[str, str]) -> Any:
        kind = column.type
        if isinstance(kind, Encrypted):
            if column.info.get("secret") and not column.info.get("format"):
                return None  # what core seals for itself
            told[name] = text = self._number(column)
            return text
        if isinstance(kind, String):
            return self._text(cls, name, column, told)
        self.count += 1
        ends = name.endswith(ENDS)  # what begins lies in the past, what ends in the future
        day = clock.today() + timedelta(days=self.count % 300 + 1) * (1 if ends else -1)
        made: tuple[tuple[Any, Any], ...] = (
            (UtcDateTime, clock.now()), (DateTime, clock.now()), (Date, day), (Boolean, False), (JSON, {}),
            (LargeBinary, b"x"), (LineSet, 0), (Numeric, Decimal(1)), (Integer, self.count),
            (BigInteger, None if column.nullable else self.count),
        )  # fmt: skip
        if _has_default(column) or (column.nullable and isinstance(kind, BigInteger | JSON | LargeBinary)):
            return None
        if column.nullable and isinstance(kind, Date | UtcDateTime):
            return None  # an end, as a rule: what is in force is worth more
        for one, value in made:
            if isinstance(kind, one):
                return value
        raise CannotMakeError(f"the prover does not know what to put into {cls.__name__}.{name} ({kind!r})")

    def _text(self, cls: type[Entity], name: str, column: Column[Any], told: dict[str, str]) -> str | None:
        if name == "entity":
            return next(one.__name__ for one in subjects or registry().values())
        if column.info.get("format") == "tel":
            told[name] = self._number(column)
            return told[name]
        length = getattr(column.type, "length", None)
        if length is not None and length < SHORTEST:
            return None if column.nullable or _has_default(column) else "甲"[:length]
        if column.info.get("secret"):
            return None if column.nullable or _has_default(column) else f"x{self.count}" if column.unique else "x"
        if cls.__workflow__ is not None and cls.__workflow__.column == name:
            return None
        told[name] = self._word()
        return told[name]

    def _number(self, column: Column[Any]) -> str:
        """A mobile or an ID card that nobody else has, without the six zeros that are asked for as nobody's."""
        self.count += 1
        tel = column.info.get("format") == "tel"
        return f"139{11_111_111 + self.count:08d}" if tel else f"150525198001{self.count:05d}X"


def _has_default(column: Column[Any]) -> bool:
    return column.default is not None or column.server_default is not None


def _keeps_default(column: Column[Any]) -> bool:
    """Whether the default means something: a generated value, a state, a language; not merely the empty text."""
    if column.default is None:
        return False
    return not (column.default.is_scalar and vars(column.default).get("arg") == "")


def states_of(cls: type[Entity]) -> list[str | None]:
    """Every state rows can be in; [None] where there are none."""
    column = inspect(cls).columns.get(cls.state_column())
    if column is None:
        return [None]
    if column.info.get("choices") is not None:
        return [one.value for one in column.info["choices"]]
    flow = cls.__workflow__
    return [None] if flow is None else list(dict.fromkeys([flow.initial, *(one.to for one in flow.transitions)]))


def variants_of(cls: type[Entity]) -> Iterator[dict[str, Any]]:
    """What rows of an entity differ in that access asks for: each state, sealed, shared, of a firm as a whole."""
    name = cls.state_column()
    for state in states_of(cls):
        yield {} if state is None else {name: state}
    for flag in ("sealed", cls.__shared__):
        if flag and hasattr(cls, flag):
            yield {flag: True}
    if cls.__firm_wide__:
        yield {"site_id": None}


def whole_of(cls: type[Entity]) -> tuple[type[Entity], str]:
    """What a part belongs to, and the column that says so."""
    relation = inspect(cls).relationships[cls.__part_of__]
    return relation.mapper.class_, str(next(iter(relation.local_columns)).key)


def parents_of(cls: type[Entity]) -> Iterator[tuple[str, type[Entity]]]:
    """(column, class) of each limited row that a row may point at, beside its owners and what it is a part of."""
    owners = {cls.__owner__} if isinstance(cls.__owner__, str) else set(cls.__owner__)
    for relation in inspect(cls).relationships:
        other = relation.mapper.class_
        if relation.direction.name != "MANYTOONE" or not issubclass(other, Entity) or relation.key in owners:
            continue
        key = str(next(iter(relation.local_columns)).key)
        if key == cls.__superseded__:  # no new row has it, and of one that stands it is a system column
            continue
        if other.__scope__ is Scope.OFFICE and relation.key != cls.__part_of__ and other.__name__ != "Account":
            yield key, other


def owners_of(cls: type[Entity]) -> Iterator[tuple[str, type[Entity]]]:
    """(column, class) of each row that such a row may be of."""
    for name in (cls.__owner__,) if isinstance(cls.__owner__, str) else cls.__owner__:
        if name:
            relation = inspect(cls).relationships[name]
            yield str(next(iter(relation.local_columns)).key), relation.mapper.class_


def about_subjects(cls: type[Entity]) -> Iterable[type[Entity]]:
    """The classes whose rows such a row may be about."""
    return getattr(cls, "__subjects__", subjects)
