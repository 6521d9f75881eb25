"""The rows of a list as plain values for a file: the cells' own words, but read column by column.

Reading a row object and asking `cell` for each of its values costs thirty times what the values cost. So a statement
over columns is read (the session attaches the same criteria to it), and `cell` is asked once for each different value
of a column that has few, once for each related row, and row by row only for what is no column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer, Numeric, Select, String, func, inspect, select
from sqlalchemy.orm import RelationshipProperty

from app.core import clock
from app.core.access.context import current_access
from app.core.access.masking import MOBILE, STARS, maskable, masked, starred
from app.core.access.predicate import foreign_key, predicate
from app.core.batched import load_batch
from app.core.db import current_session
from app.core.entity import Entity
from app.core.fab.cells import cell, label_of
from app.core.fab.listing import loading
from app.core.tables import Chunk, TableColumn
from app.core.types import Encrypted, LineSet, UtcDateTime
from app.core.verbs import Verb

MOST_KEPT = 20_000  # related rows, or different values, remembered by a column
EXACT = 10**15  # a spreadsheet keeps fifteen digits
BETWEEN = "\x1f"
Values = Sequence[Any]


class Extract:
    """The rows of `statement` (a list's own query) on which the person may do `verb`, as columns of values."""

    def __init__(self, model: type[Entity], names: list[str], statement: Select[Any], verb: Verb = Verb.EXPORT) -> None:
        self.model = model
        self.statement = statement.where(predicate(current_access(), model, verb))
        self.sources = [source_of(model, name) for name in names]

    @property
    def columns(self) -> list[TableColumn]:
        """Heads and kinds."""
        return [TableColumn(source.label, source.kind) for source in self.sources]

    @property
    def starred(self) -> bool:
        """Whether a column is written in part only."""
        return any(maskable(self.model, source.name) for source in self.sources)

    def count(self, most: int | None = None) -> int:
        """How many rows; with `most`, counting no further than one more than that."""
        keys = self.statement.with_only_columns(self.model.id).order_by(None)
        keys = keys.limit(most + 1) if most is not None else keys
        return int(current_session().scalar(select(func.count()).select_from(keys.subquery())) or 0)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, `size` at a time; never more than that of them in memory."""
        asked = self.statement.with_only_columns(*(source.asked(self.model) for source in self.sources))
        result = current_session().execute(asked.execution_options(yield_per=size))
        try:
            for rows in result.partitions():
                raw = zip(*rows, strict=True)
                yield [source.values(values) for source, values in zip(self.sources, raw, strict=True)]
        finally:
            result.close()


class Source:
    """A column of the file: what is read for it, and what its values are."""

    kind = "text"

    def __init__(self, model: type[Entity], name: str) -> None:
        self.model, self.name, self.label = model, name, label_of(model, name)

    def asked(self, model: type[Entity]) -> Any:
        """The expression that is read."""
        return getattr(model, self.name)

    def values(self, raw: Values) -> Values:
        """Values for the file."""
        return raw


class Plain(Source):
    """A column whose stored value stands in the file as it is, or converted without asking anybody."""

    def __init__(self, model: type[Entity], name: str, kind: str, convert: Callable[[Any], Any] | None = None) -> None:
        super().__init__(model, name)
        self.kind, self.convert = kind, convert

    def values(self, raw: Values) -> Values:
        """Nothing where nothing is stored."""
        if self.convert is None:
            return raw
        return [None if value is None else self.convert(value) for value in raw]


class Telephone(Source):
    """Telephone numbers, mobiles masked: one pass over a chunk's column, since a million calls take seconds."""

    kind = "code"

    def values(self, raw: Values) -> Values:
        """Nothing where nothing is stored."""
        texts = ["" if value is None else value for value in raw]
        parts = MOBILE.split(BETWEEN.join(texts))  # what stands between, and of each number what is shown of it
        pieces = [STARS] * (len(parts) // 3 * 4 + 1)
        pieces[0::4], pieces[1::4], pieces[3::4] = parts[0::3], parts[1::3], parts[2::3]
        shown = "".join(pieces).split(BETWEEN)
        return shown if len(shown) == len(texts) else [starred(text) for text in texts]


class Said(Source):
    """A column whose few different values have words: states, choices, lines, yes and no."""

    def __init__(self, model: type[Entity], name: str) -> None:
        super().__init__(model, name)
        self.words: dict[Any, str] = {None: ""}

    def values(self, raw: Values) -> Values:
        """What `cell` says, asked once for each value."""
        words = self.words
        if len(words) > MOST_KEPT:
            words.clear()
        for value in set(raw) - words.keys():
            words[value] = cell(self.model(**{self.name: value}), self.name, link=False).text
        return [words[value] for value in raw]


class Related(Source):
    """A row this one points at, or a column of it: read once however many rows point there, if one may see it."""

    def __init__(self, model: type[Entity], name: str) -> None:
        super().__init__(model, name)
        head, _dot, self.rest = name.partition(".")
        relation: RelationshipProperty[Any] = inspect(model).relationships[head]
        self.target: type[Entity] = relation.mapper.class_
        self.key = foreign_key(relation)
        self.hidden = head in current_access().hidden(model.policy_name())
        self.texts: dict[int | None, str] = {}

    def asked(self, model: type[Entity]) -> Any:
        """The foreign key."""
        return getattr(model, self.key)

    def values(self, raw: Values) -> Values:
        """The words of the rows pointed at."""
        if len(self.texts) > MOST_KEPT:
            self.texts.clear()
        missing = set(raw) - self.texts.keys() - {None}
        if missing and not self.hidden:
            options = loading(self.target, [self.rest]) if self.rest else ()
            rows = current_session().scalars(
                select(self.target).where(self.target.id.in_(sorted(missing))).options(*options)
            )
            self.texts.update((row.id, self._text(row)) for row in rows.unique())
            current_session().expunge_all()
        return [self.texts.get(key, "") for key in raw]

    def _text(self, row: Entity) -> str:
        if not self.rest:
            return str(row)
        text = cell(row, self.rest, link=False).text
        column = inspect(self.target).columns.get(self.rest)
        return masked(text) if column is not None and _sensitive(column) else starred(text)


class Cells(Source):
    """Anything else a list shows (a property, a collection): the row itself is loaded and `cell` asked."""

    def asked(self, model: type[Entity]) -> Any:
        """The key again."""
        return model.id.label(f"key_of_{self.name.replace('.', '_')}")

    def values(self, raw: Values) -> Values:
        """What `cell` says of each row."""
        session = current_session()
        asked = select(self.model).where(self.model.id.in_(raw)).options(*loading(self.model, [self.name]))
        rows = session.scalars(asked).unique().all()
        load_batch(rows, [self.name])
        texts = {row.id: cell(row, self.name, link=False).text for row in rows}
        session.expunge_all()
        return [texts.get(key, "") for key in raw]


def source_of(model: type[Entity], name: str) -> Source:
    """How a name of a list's columns is read."""
    mapper = inspect(model)
    head, _dot, _rest = name.partition(".")
    if head in mapper.relationships and mapper.relationships[head].direction.name == "MANYTOONE":
        return Related(model, name)
    column = mapper.columns.get(name)
    return Cells(model, name) if column is None else _of_column(model, name, column)


def _of_column(model: type[Entity], name: str, column: Column[Any]) -> Source:
    kind, info = column.type, column.info
    if isinstance(kind, Encrypted):
        return Plain(model, name, "code", masked)
    if isinstance(kind, UtcDateTime):
        return Plain(model, name, "datetime", _local)
    if isinstance(kind, Date):
        return Plain(model, name, "date")
    if _worded(model, name, column):
        return Said(model, name)
    if isinstance(kind, Integer | Numeric):
        return Plain(model, name, "number", lambda value: value if abs(value) < EXACT else str(value))
    if isinstance(kind, String):
        if info.get("format") == "tel":
            return Telephone(model, name)
        return Plain(model, name, "code" if info.get("format") in {"code", "login"} else "text")
    return Cells(model, name)


def _worded(model: type[Entity], name: str, column: Column[Any]) -> bool:
    flow = model.__workflow__
    return (
        isinstance(column.type, Boolean | LineSet)
        or column.info.get("choices") is not None
        or column.info.get("words") is not None
        or column.info.get("format") in {"lines", "term"}
        or (flow is not None and flow.column == name)
    )


def _sensitive(column: Column[Any]) -> bool:
    return isinstance(column.type, Encrypted)


def _local(instant: datetime) -> datetime:
    """Shanghai's clock; a spreadsheet's times have no zone."""
    return clock.local(instant).replace(microsecond=0, tzinfo=None)
