"""Typed text to a criterion, through the search index (`core.search_index`) where a piece of the text is rare.

One statement counts pieces of what was typed, of the model's own words and of those of the rows it points at. Where
all of it is rare, the criterion is a union of few keys; where some is not, each row is compared, and a list finds its
page soon. Rows behind a relationship are looked for under the person's own predicate.

The dearest case are letters of pinyin all of whose pieces are common while the whole may not be ("ngxian"). Then the
table is gone through once, in its own order, until the text is known to be common too; what few rows there are, are
remembered by their keys. That says as little about access as the index does: it is a way to the rows, and the session's
predicates stand on every statement that reads one. A text column without a limited length (an inspection's summary) is
in no index and is always compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, false, func, inspect, literal, or_, select, union_all

from app.core import grams
from app.core.db import current_session, is_sqlite
from app.core.entity import Entity
from app.core.pinyin import normalise_query
from app.core.search_index import KEY, TABLE, Indexed, indexed

COMMON = 5_000  # rows: a piece that more have narrows nothing
POINTED = 2_000  # rows pointed at: more of them may have any number of rows pointing there
TRIED = 6  # pieces of a typed text that are counted
FEW = 1_100  # rows with a text of common pieces: more than a list tells, so that more of them are soon counted


@dataclass
class Part:
    """What is searched of one model: its own columns, and through which relationships those of others.

    `spans`: for each typed text the spans of its pieces, and how many entries each has once it is counted. `keys`: see
    `_gone_through`.
    """

    model: type[Entity]
    own: list[str] = field(default_factory=list)
    pointed: dict[str, Part] = field(default_factory=dict)
    spans: dict[str, dict[tuple[int, int], int]] = field(default_factory=dict)
    keys: list[int] | None = None  # of the rows with a text whose pieces are all common, when these are few

    @property
    def index(self) -> Indexed | None:
        """The index of its own columns, where there is one."""
        return indexed().get(self.model)

    def parts(self) -> Iterator[Part]:
        """Itself and all behind it."""
        yield self
        for one in self.pointed.values():
            yield from one.parts()

    @property
    def rarest(self) -> list[tuple[int, tuple[int, int]]]:
        """Of each typed text the rarest piece: how many entries, and its span."""
        return [min((rows, span) for span, rows in spans.items()) for spans in self.spans.values()]

    def narrow(self, most: int | None = None) -> bool:
        """Whether the index leaves only few rows (`most`) to compare, here and behind each relationship."""
        most = COMMON if most is None else most
        rare = self.keys is not None or all(rows <= most for rows, _span in self.rarest)
        return (not self.own or (self.index is not None and rare)) and all(
            one.narrow(min(most, POINTED)) for one in self.pointed.values()
        )

    @property
    def possible(self) -> bool:
        """Whether any of its own rows may hold the text."""
        return bool(self.keys) if self.keys is not None else any(rows for rows, _span in self.rarest)


def matching(model: type[Entity], text: str, names: Iterable[str]) -> tuple[bool, ColumnElement[bool]]:
    """Rows of which one of these (`__search__`: columns, or relationship.column) holds the typed text, and whether the
    index leaves only a few rows to compare.

    `names` are those that the person may see: the index covers all, comparing does not.
    """
    part, folded = _part(model, names), normalise_query(text)
    for one in part.parts():
        _prepare(one, text, folded)
    _count(part)
    for one in part.parts():
        _gone_through(one, text, folded)
    return part.narrow(), _clause(part, text, folded)


def _part(model: type[Entity], names: Iterable[str]) -> Part:
    part, behind = Part(model), dict[str, list[str]]()
    for name in names:
        head, _dot, rest = name.partition(".")
        if rest:
            behind.setdefault(head, []).append(rest)
        else:
            part.own.append(name)
    relations = inspect(model).relationships
    part.pointed = {head: _part(relations[head].mapper.class_, rests) for head, rests in behind.items()}
    return part


def _prepare(part: Part, text: str, folded: str) -> None:
    """The spans to count. A typed text of nothing but punctuation is in no key."""
    one = part.index
    if one is None:
        return
    typed = {folded} if KEY in part.own and folded else set()
    typed |= {grams.fold(text)} if set(part.own) - {KEY} else set()
    for word in sorted(typed):
        part.spans[word] = {grams.span(one.number, piece): 0 for piece in grams.needles(word, TRIED)}


def _count(whole: Part) -> None:
    """How many entries each span has, counting no further than COMMON + 1: one statement for all."""
    wanted = [(spans, span) for part in whole.parts() for spans in part.spans.values() for span in spans]
    asked = []
    for number, (_spans, (low, high)) in enumerate(wanted):
        some = select(TABLE.gram).where(TABLE.gram.between(low, high)).limit(COMMON + 1).subquery()
        asked.append(select(literal(number).label("number"), func.count().label("rows")).select_from(some))
    if asked:
        for number, rows in current_session().connection().execute(union_all(*asked)):
            spans, span = wanted[number]
            spans[span] = rows


def _gone_through(part: Part, text: str, folded: str) -> None:
    """Find the rows of a part whose pieces are all common, where they may be few all the same: one statement.

    A text no longer than a piece has been counted itself.
    """
    common = [word for word, spans in part.spans.items() if min(spans.values()) > COMMON]
    if not part.own or part.index is None or not any(len(word) > grams.LENGTH for word in common):
        return
    columns: Any = inspect(part.model).local_table.c
    asked = select(columns.id).where(or_(false(), *_compared(part, columns, text, folded))).limit(FEW + 1)
    keys = list(current_session().connection().execute(asked).scalars())
    part.keys = sorted(keys) if len(keys) <= FEW else None


def _clause(part: Part, text: str, folded: str) -> ColumnElement[bool]:
    """The criterion on the model: a union of keys, each from an index of its own, or one comparison after the other."""
    if not part.narrow():
        return or_(false(), *_compared(part, part.model, text, folded), *_behind(part, part.model, text, folded))
    columns: Any = inspect(part.model).local_table.alias().c  # no entity: the criteria belong to the row outside
    compared = or_(false(), *_compared(part, columns, text, folded))
    rows: list[Any] = [part.keys] if part.keys else []
    if part.keys is None:
        rows = [select(TABLE.row_id).where(TABLE.gram.between(*span)) for count, span in part.rarest if count]
    keys = [select(columns.id).where(or_(*(columns.id.in_(some) for some in rows)), compared)] if rows else []
    keys += [select(columns.id).where(criterion) for criterion in _behind(part, columns, text, folded)]
    identity: Any = part.model.id
    return identity.in_(union_all(*keys)) if keys else false()


def _compared(part: Part, columns: Any, text: str, folded: str) -> list[ColumnElement[bool]]:
    """Its own columns hold the text."""
    found = []
    for name in part.own:
        column = getattr(columns, name)
        if name != KEY:
            # SQLite's LIKE takes capitals for small letters by itself, and LOWER only takes time
            holds = column.contains if _on_sqlite() else column.icontains
            found.append(holds(text, autoescape=True))
        elif folded:  # SQLite's LIKE takes three times as long as its instr
            found.append(func.instr(column, folded) > 0 if _on_sqlite() else column.contains(folded, autoescape=True))
    return found


def _behind(part: Part, columns: Any, text: str, folded: str) -> list[ColumnElement[bool]]:
    """It points at a row that holds the text; no criterion where none can."""
    found = []
    for head, one in part.pointed.items():
        relation = inspect(part.model).relationships[head]
        key = getattr(columns, next(iter(relation.local_columns)).key)
        if not one.narrow() or any(part.possible for part in one.parts()):
            found.append(key.in_(select(one.model.id).where(_clause(one, text, folded))))
    return found


def _on_sqlite() -> bool:
    return is_sqlite(current_session().connection())
