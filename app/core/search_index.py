"""The search index: a side table of pieces of text (`core.grams`), kept in the flush that writes the row itself.

Every entity but reference data whose `__search__` names columns of its own, all of limited length, has one; what is
named behind a relationship is in the index of the other end (`core.matching` reads both). The index says nothing about
who may see a row: the session's predicates do.

Each indexed row also has a mark, a negative number that stands for the entity and the columns indexed: rows without
one, and rows indexed by an older declaration, are found by `incomplete`, and `rebuild` puts them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from zlib import crc32

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Connection,
    String,
    Table,
    bindparam,
    cast,
    delete,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstanceState, Mapper, Session

from app.core import grams
from app.core.db import AppSession, is_sqlite, metadata, unscoped
from app.core.entity import BigId, Entity, Scope, registry
from app.core.verbs import Verb
from app.core.writing import unit_of_work

KEY = "search_text"  # the column of folded words (core.pinyin)
LONGEST = 1000  # characters of a column worth indexing: a long text would have thousands of pieces
BATCH = 500  # rows read at a time by a rebuild

search_gram = Table(
    "search_gram",
    metadata,
    Column("gram", BigInteger, primary_key=True, autoincrement=False),
    Column("row_id", BigId, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,  # the table is its index
)
TABLE = search_gram.c


@dataclass(frozen=True)
class Indexed:
    """An entity with an index: its number and the columns."""

    model: type[Entity]
    columns: tuple[str, ...]
    number: int

    @property
    def mark(self) -> int:
        """The negative number each indexed row has; another one when the columns are others."""
        version = crc32(f"{grams.LENGTH}.{grams.BITS}:{','.join(self.columns)}".encode()) & 0xFFFF
        return -(self.number << 16 | version) - 1

    @property
    def marks(self) -> tuple[int, int]:
        """First and last of all marks this entity ever had."""
        return -((self.number + 1) << 16), -(self.number << 16) - 1

    def grams(self, values: Iterable[Any]) -> set[int]:
        """The numbers of a row, from the values of its columns in order."""
        words: list[str] = []
        for name, value in zip(self.columns, values, strict=True):
            words += (value or "").split(" ") if name == KEY else [grams.fold(value or "")]
        return {self.mark, *(grams.pack(self.number, piece) for piece in grams.pieces(words))}


@cache
def indexed() -> dict[type[Entity], Indexed]:
    """Every entity with an index; asked for once all are declared. Raises ValueError when two have one number."""
    models: Iterable[Any] = registry().values()  # any: mypy thinks that classes of ours can't be hashed
    of_each = ((model, _indexed(model, tuple(getattr(model, "__search__", ())))) for model in models)
    found = {model: one for model, one in of_each if one is not None}
    if len({one.number for one in found.values()}) != len(found):
        raise ValueError("two entities have one number in the search index: rename one of them")
    return found


@cache
def _indexed(model: type[Any], names: tuple[str, ...]) -> Indexed | None:
    columns = [column for column in names if "." not in column]
    few = model.__scope__ is Scope.REFERENCE  # and some of these are written past the session (number sequences)
    if not columns or few or not all(_short(model, column) for column in columns):
        return None
    for column in columns:
        # loads the old value before a new one is set, so that a change is always known whole
        event.listen(getattr(model, column), "set", _keep_old, active_history=True)
    return Indexed(model, tuple(columns), grams.owner(model.__name__))


def _short(model: type[Entity], name: str) -> bool:
    kind = inspect(model).columns[name].type
    return isinstance(kind, String) and kind.length is not None and kind.length <= LONGEST


@event.listens_for(Mapper, "after_configured")
def _declare() -> None:
    """Again whenever more entities have been declared."""
    indexed.cache_clear()
    indexed()


def _keep_old(_target: Any, _value: Any, _old: Any, _initiator: Any) -> None:
    """Nothing to do: being here is what counts."""


# ---- keeping ---------------------------------------------------------------------------------------------------------


@event.listens_for(AppSession, "after_flush")
def _keep(session: Session, _context: Any) -> None:
    """Put in and take out the pieces of what this flush wrote, in its transaction."""
    known = indexed()
    added: set[tuple[int, int]] = set()
    gone: set[tuple[int, int]] = set()
    for op, rows in (("+", session.new), ("~", session.dirty), ("-", session.deleted)):
        for row in rows:
            if (one := known.get(type(row))) is not None:
                old, new = _change(row, one, op)
                gone |= {(gram, row.id) for gram in old - new}
                added |= {(gram, row.id) for gram in new - old}
    if gone:
        _remove(session.connection(), gone)
    if added:
        _insert(session.connection(), added)


def _change(row: Entity, one: Indexed, op: str) -> tuple[set[int], set[int]]:
    """The numbers of a row before this flush and after it; nothing when its columns stay as they were."""
    state: InstanceState[Entity] = inspect(row)
    histories = [state.attrs[name].history for name in one.columns]
    if op == "~" and not any(history.has_changes() for history in histories):
        return set(), set()
    before = [history.deleted[0] if history.deleted else state.dict.get(name)
              for name, history in zip(one.columns, histories, strict=True)]  # fmt: skip
    old = set() if op == "+" else one.grams(before)
    return old, set() if op == "-" else one.grams(getattr(row, name) for name in one.columns)


def _insert(connection: Connection, pairs: set[tuple[int, int]]) -> None:
    """In the order of the index, each once."""
    make = sqlite.insert if is_sqlite(connection) else postgresql.insert
    rows = sorted(pairs)
    values: Any = [{"gram": gram, "row_id": row} for gram, row in rows]
    if not is_sqlite(connection):  # two arrays: thousands of single statements would take seconds
        both = func.unnest(*(cast([pair[n] for pair in rows], ARRAY(BigInteger)) for n in (0, 1)))
        pair = both.table_valued("gram", "row_id").render_derived()
        connection.execute(make(search_gram).from_select(["gram", "row_id"], select(pair)).on_conflict_do_nothing())
        return
    connection.execute(make(search_gram).on_conflict_do_nothing(), values)


def _remove(connection: Connection, pairs: set[tuple[int, int]]) -> None:
    gone = delete(search_gram).where(TABLE.gram == bindparam("g"), TABLE.row_id == bindparam("r"))
    connection.execute(gone, [{"g": gram, "r": row} for gram, row in sorted(pairs)])


# ---- whole -----------------------------------------------------------------------------------------------------------


def rebuild(connection: Connection, only: Iterable[type[Entity]] | None = None) -> dict[str, int]:
    """Index these entities anew (all of them). Returns how many rows each has; one whose table is not there is left
    out, so that an early migration can call it."""
    there = inspect(connection)
    done: dict[str, int] = {}
    for model, one in indexed().items():
        table = inspect(model).local_table
        if (only is not None and model not in only) or not there.has_table(table.name):
            continue
        if not set(one.columns) <= {column["name"] for column in there.get_columns(table.name)}:
            continue
        low, high = grams.span(one.number, "")
        for span in ((low, high), one.marks):
            connection.execute(delete(search_gram).where(TABLE.gram.between(*span)))
        done[model.__name__] = sum(_index(connection, one, rows) for rows in _batches(connection, one))
    return done


def _batches(connection: Connection, one: Indexed) -> Iterator[list[Any]]:
    """All rows of an entity by key, as (id, value, …)."""
    table, last = inspect(one.model).local_table.c, 0
    statement = select(table.id, *(table[name] for name in one.columns)).order_by(table.id).limit(BATCH)
    while rows := list(connection.execute(statement.where(table.id > last))):
        yield rows
        last = rows[-1].id


def _index(connection: Connection, one: Indexed, rows: list[Any]) -> int:
    _insert(connection, {(gram, row[0]) for row in rows for gram in one.grams(row[1:])})
    return len(rows)


def incomplete(connection: Connection) -> dict[type[Entity], int]:
    """Entities whose index does not have each row, or has what is no row, and how many rows that is about."""
    found: dict[type[Entity], int] = {}
    for model, one in indexed().items():
        rows = connection.scalar(select(func.count()).select_from(inspect(model).local_table)) or 0
        marks = select(func.count()).select_from(search_gram)
        now = connection.scalar(marks.where(TABLE.gram == one.mark)) or 0
        ever = connection.scalar(marks.where(TABLE.gram.between(*one.marks))) or 0
        if rows != now or ever != now:
            found[model] = max(abs(rows - now), ever - now)
    return found


def wrong(connection: Connection, sample: int = 200) -> dict[type[Entity], int]:
    """Of the newest rows of each entity, how many lack a piece: what counting rows alone does not show."""
    found: dict[type[Entity], int] = {}
    for model, one in indexed().items():
        table = inspect(model).local_table.c
        newest = select(table.id, *(table[name] for name in one.columns)).order_by(table.id.desc()).limit(sample)
        bad = sum(not _whole(connection, one, row) for row in connection.execute(newest).all())
        if bad:
            found[model] = bad
    return found


def _whole(connection: Connection, one: Indexed, row: Any) -> bool:
    wanted = one.grams(row[1:])
    have = select(func.count()).select_from(search_gram).where(TABLE.row_id == row[0], TABLE.gram.in_(sorted(wanted)))
    return connection.scalar(have) == len(wanted)


def mend_all() -> dict[str, int]:
    """Rebuild what is incomplete; at each start, so that rows written past the session are found too."""
    with unscoped("is the search index complete", quiet=True) as session:
        only = incomplete(session.connection())
    return rebuild_all(only) if only else {}


def rebuild_all(only: Iterable[type[Entity]] | None = None) -> dict[str, int]:
    """`rebuild` in a transaction of its own."""
    with unscoped("rebuild the search index"), unit_of_work(Verb.UPDATE, "重建检索索引") as session:
        return rebuild(session.connection(), only)


def faults() -> dict[str, int]:
    """Entity name → how many rows the index lacks, or has too many, or (of the newest) has in part."""
    with unscoped("check the search index") as session:
        found = wrong(session.connection()) | incomplete(session.connection())
    return {model.__name__: rows for model, rows in found.items()}
