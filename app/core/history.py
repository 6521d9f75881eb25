"""History, written in one place: collected at each flush, chained and stored once before the commit.

One entry a transaction and office with all its changes. `body` is the exact text the chain is computed over; the other
columns repeat parts of it for searching and must agree with it. `python -m app audit verify` walks every chain.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Index,
    String,
    Text,
    UniqueConstraint,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.orm import InstanceState, Mapped, Session

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.access.ownership import related
from app.core.crypto import chain
from app.core.db import AppSession, unscoped
from app.core.entity import BigId, Entity, Scope, Sphere, column
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.writing import current_unit

UNRECORDED = "（不记录）"
LARGEST_ENTRY = 500  # changes
QUIET = {"version", "made_at", "made_by_id"}


class HistoryEntry(Entity):
    """One entry of an office's chain; office 0 is what belongs to no office."""

    __tablename__ = "history_entry"
    __label__ = "历史"
    __scope__ = Scope.OFFICE
    __sphere__ = Sphere.LOG
    __history__ = False
    __table_args__ = (
        UniqueConstraint("office_id", "seq"),
        Index("ix_history_entry_entity_row_id", "entity", "row_id"),
        Index("ix_history_entry_at", "at"),
    )

    office_id: Mapped[int] = column("机构", BigInteger, system=True, nullable=False)
    seq: Mapped[int] = column("序号", BigInteger, system=True, nullable=False)
    at: Mapped[datetime] = column("时间", UtcDateTime, system=True, nullable=False)
    actor_id: Mapped[int | None] = column("人员", BigId, system=True, index=True)
    verb: Mapped[str] = column("操作", String(20), system=True, nullable=False)
    entity: Mapped[str] = column("对象", String(60), system=True, nullable=False, default="")
    row_id: Mapped[int | None] = column("记录", BigId, system=True)
    body: Mapped[str] = column("内容", Text, system=True, nullable=False)
    hash: Mapped[str] = column("校验", String(64), system=True, nullable=False)


class HistoryLink(Entity):
    """A further record that an entry is about, beside its first."""

    __tablename__ = "history_link"
    __history__ = False
    __table_args__ = (Index("ix_history_link_entity_row_id", "entity", "row_id"),)

    office_id: Mapped[int] = column("机构", BigInteger, system=True, nullable=False)
    seq: Mapped[int] = column("序号", BigInteger, system=True, nullable=False)
    entity: Mapped[str] = column("对象", String(60), system=True, nullable=False)
    row_id: Mapped[int] = column("记录", BigId, system=True, nullable=False)


class HistoryHead(Entity):
    """The newest link of an office's chain; locked last, in office order."""

    __tablename__ = "history_head"
    __history__ = False

    office_id: Mapped[int] = column("机构", BigInteger, system=True, unique=True, nullable=False)
    seq: Mapped[int] = column("序号", BigInteger, system=True, nullable=False, default=0)
    hash: Mapped[str] = column("校验", String(64), system=True, nullable=False, default="")


@dataclass(frozen=True)
class Change:
    """One row's change: {column: [old, new]}; op is "+" made, "~" changed, "-" deleted."""

    office_id: int
    root: tuple[str, int]
    entity: str
    row_id: int
    op: str
    fields: dict[str, list[Any]]


def plain(value: Any) -> Any:
    """A value as JSON keeps it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value)} 字节"
    return value


def canonical(body: dict[str, Any]) -> str:
    """The one text of a body: sorted keys, no spaces, Chinese as is."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


@event.listens_for(AppSession, "after_flush")
def _collect(session: Session, context: Any) -> None:
    """Keep what this flush changed, with old values. A part taken out of its whole is deleted, though only "dirty"."""
    kept = session.info.setdefault("changes", [])
    orphans = [row for row in session.dirty if context.is_deleted(inspect(row))]
    changed = [row for row in session.dirty if row not in orphans]
    for op, rows in (("+", session.new), ("~", changed), ("-", [*session.deleted, *orphans])):
        kept += [_change(row, op) for row in rows if isinstance(row, Entity) and row.__history__ and _touched(row, op)]


def _touched(row: Entity, op: str) -> bool:
    state: InstanceState[Entity] = inspect(row)
    return op != "~" or any(attr.history.has_changes() for attr in state.attrs if attr.key not in QUIET)


def _change(row: Entity, op: str) -> Change:
    root = root_of(row)
    office = getattr(root, "made_office_id", None) or getattr(root, "office_id", None) or 0
    return Change(office, _record_of(root), type(row).__name__, row.id, op, _fields(row, op))


def _record_of(root: Entity) -> tuple[str, int]:
    """Whose history the change stands in: the row's own, or that of the row it is about."""
    if root.__trail__ and root.__about__:
        entity, key = (getattr(root, name) for name in root.__about__)
        return str(entity), int(key)
    return type(root).__name__, root.id


def root_of(row: Entity) -> Entity:
    """The record whose history a row's changes belong to: the whole it is a part of."""
    whole = related(row, row.__part_of__) if row.__part_of__ else None
    return root_of(whole) if whole is not None else row


def _fields(row: Entity, op: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    state: InstanceState[Entity] = inspect(row)
    for prop in state.mapper.column_attrs:
        if prop.key in QUIET or prop.key == "id":
            continue
        history = state.attrs[prop.key].history
        secret = prop.columns[0].info.get("secret")
        if op == "~" and history.has_changes():
            values = [history.deleted[0] if history.deleted else None, history.added[0] if history.added else None]
            found[prop.key] = [UNRECORDED, UNRECORDED] if secret else [plain(value) for value in values]
        elif op != "~" and (value := state.dict.get(prop.key)) is not None:
            value = UNRECORDED if secret else plain(value)
            found[prop.key] = [None, value] if op == "+" else [value, None]
    return found


@event.listens_for(AppSession, "before_commit")
def _store(session: Session) -> None:
    """Write the entries of this transaction; heads locked last, in office order."""
    if session.in_nested_transaction() or "unit" not in session.info:
        return
    session.flush()
    changes: list[Change] = session.info.pop("changes", [])
    by_office: dict[int, list[Change]] = defaultdict(list)
    for change in changes:
        by_office[change.office_id].append(change)
    unit = current_unit(session)
    assert unit is not None
    for office in sorted(by_office):
        own = by_office[office]
        for start in range(0, len(own), LARGEST_ENTRY):  # an import of thousands of rows does not make one huge entry
            part = own[start : start + LARGEST_ENTRY]
            _append(session.connection(), office, unit.verb, unit.reason, part, _note(session))


@event.listens_for(AppSession, "after_rollback")
def _drop(session: Session) -> None:
    session.info.pop("changes", None)


def _note(session: Session) -> str:
    return str(session.info.get("unscoped", ""))


def _append(
    connection: Connection, office: int, verb: Verb, reason: str, changes: list[Change], note: str,
    *, root: tuple[str, int] | None = None, **extra: Any,
) -> None:  # fmt: skip
    """Lock the head, add the entry, move the head: three statements (one more when several records changed)."""
    seq, previous = _lock_head(connection, office)
    actor = current_access().person if has_access_context() else None
    roots = list(dict.fromkeys(change.root for change in changes))
    first = roots[0] if roots else root or ("", None)
    at = clock.now()
    body = canonical(
        {
            "office": office,
            "seq": seq + 1,
            "at": at.isoformat(timespec="microseconds"),
            "actor": [actor.id, actor.name] if actor else None,
            "verb": verb.value,
            "reason": reason,
            "note": note,
            "root": list(first),
            "changes": [[c.entity, c.row_id, c.op, c.fields] for c in changes],
            **extra,
        }
    )
    link = chain(previous, body)
    values = {
        "office_id": office,
        "seq": seq + 1,
        "at": at,
        "actor_id": actor.id if actor else None,
        "verb": verb.value,
        "entity": first[0],
        "row_id": first[1],
        "body": body,
        "hash": link,
        "version": 1,
    }
    connection.execute(insert(HistoryEntry.__table__).values(values))
    if len(roots) > 1:
        rows = [{"office_id": office, "seq": seq + 1, "entity": e, "row_id": r, "version": 1} for e, r in roots[1:]]
        connection.execute(insert(HistoryLink.__table__), rows)
    heads = HistoryHead.__table__
    connection.execute(update(heads).where(heads.c.office_id == office).values(seq=seq + 1, hash=link))


def _lock_head(connection: Connection, office: int) -> tuple[int, str]:
    heads = HistoryHead.__table__
    found = connection.execute(
        select(heads.c.seq, heads.c.hash).where(heads.c.office_id == office).with_for_update()
    ).one_or_none()
    if found is not None:
        return int(found.seq), str(found.hash)
    connection.execute(insert(heads).values(office_id=office, seq=0, hash="", version=1))
    return 0, ""


def record(verb: Verb, what: str, *, office_id: int = 0, about: Entity | None = None, **facts: Any) -> None:
    """Log something that changes no row (sign-in, denied try, export), in a transaction of its own.

    A rollback of the act itself does not erase it. `about` is the row in whose history it also stands.
    """
    with unscoped(f"log: {what}", quiet=True) as session:
        session.connection(execution_options={"shouze_write": True})
        facts = {key: plain(value) for key, value in facts.items()}
        root = (type(about).__name__, about.id) if about is not None else None
        _append(session.connection(), office_id, verb, what, [], "", root=root, facts=facts)
        session.commit()


@dataclass(frozen=True)
class Break:
    """The first bad entry of a chain, and what is wrong with it."""

    office_id: int
    seq: int
    what: str


def verify() -> Iterator[Break]:
    """Walk every chain; yield the first break of each. Reads in order of (office, seq)."""
    with unscoped("verify history") as session:
        heads = {head.office_id: head for head in session.scalars(select(HistoryHead))}
        offices = sorted(set(heads) | set(session.scalars(select(HistoryEntry.office_id).distinct())))
        for office in offices:
            bad = _verify_chain(session, office, heads.get(office))
            if bad is not None:
                yield bad


def _verify_chain(session: Session, office: int, head: HistoryHead | None) -> Break | None:
    previous, expected = "", 0
    statement = select(HistoryEntry).where(HistoryEntry.office_id == office).order_by(HistoryEntry.seq)
    with closing(session.scalars(statement.execution_options(yield_per=500))) as entries:
        for entry in entries:
            expected += 1
            if why := _wrong(entry, expected, previous):
                return Break(office, expected, why)
            previous = entry.hash
    if head is None or (head.seq, head.hash) != (expected, previous):
        return Break(office, expected + 1, "链头与最后一条不符：末尾被删除或链头被改")
    return None


def _wrong(entry: HistoryEntry, expected: int, previous: str) -> str:
    if entry.seq != expected:
        return f"缺少第 {expected} 条"
    if chain(previous, entry.body) != entry.hash:
        return "内容或校验值被改动"
    body = json.loads(entry.body)
    actor = body["actor"][0] if body["actor"] else None
    told = (body["office"], body["seq"], actor, body["verb"], *body["root"])
    kept = (entry.office_id, entry.seq, entry.actor_id, entry.verb, entry.entity, entry.row_id)
    if told != kept or datetime.fromisoformat(body["at"]) != entry.at:
        return "检索列与内容不符"
    return ""
