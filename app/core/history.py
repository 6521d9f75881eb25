"""History, written in one place: collected at each flush, chained and stored once before the commit.

One entry a transaction and office with all its changes (`core.history_entry` says what one is made of; `python -m app
audit verify` walks every chain, `core.history_verify`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import has_request_context, request
from sqlalchemy import Connection, bindparam, event, insert, inspect, select, update
from sqlalchemy.orm import InstanceState, Session

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.access.ownership import related
from app.core.crypto import chain
from app.core.db import AppSession, current_session, unscoped
from app.core.entity import Entity
from app.core.errors import WriteOutsideUnit
from app.core.history_entry import (
    FORM,
    LONGEST_ADDRESS,
    HistoryEntry,
    HistoryHead,
    HistoryLink,
    Kind,
    canonical,
    columns_of,
    head_seal,
    kind_of,
)
from app.core.history_verify import Break, verify
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.writing import Unit, current_unit

__all__ = ["UNRECORDED", "Break", "HistoryEntry", "HistoryHead", "HistoryLink", "record", "root_of", "verify"]
UNRECORDED = "（不记录）"
LARGEST_ENTRY = 500  # changes
QUIET = {"version", "made_at", "made_by_id"}
HEADS = HistoryHead.__table__
# made once: each transaction runs them, and making them anew costs more than running them
LOCK = select(HEADS.c.seq, HEADS.c.hash).where(HEADS.c.office_id == bindparam("of")).with_for_update()
ADD = insert(HistoryEntry.__table__)
MOVE = update(HEADS).where(HEADS.c.office_id == bindparam("of")).values(
    seq=bindparam("to"), hash=bindparam("link"), public_id=bindparam("seal")
)  # fmt: skip


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
    remarks: dict[int, list[_Remark]] = defaultdict(list)
    for one in session.info.pop("remarks", ()):
        remarks[one.office_id].append(one)
    unit = current_unit(session)
    assert unit is not None
    for office in sorted({*by_office, *remarks}):
        for one in remarks[office]:
            told = Unit(one.verb, one.what)
            _append(session.connection(), office, told, [], root=one.about, actor=one.actor, note="", facts=one.facts)
        own = by_office[office]
        for start in range(0, len(own), LARGEST_ENTRY):  # an import of thousands of rows does not make one huge entry
            part = own[start : start + LARGEST_ENTRY]
            _append(session.connection(), office, unit, part, note=str(session.info.get("unscoped", "")))


@event.listens_for(AppSession, "after_rollback")
def _drop(session: Session) -> None:
    session.info.pop("changes", None)
    session.info.pop("remarks", None)


def _append(
    connection: Connection, office: int, unit: Unit, changes: list[Change], *, root: tuple[str, int] | None = None,
    actor: tuple[int, str] | None = None, **extra: Any,
) -> None:  # fmt: skip
    """Lock the head, add the entry, move the head: three statements (one more when several records changed)."""
    seq, previous = _lock_head(connection, office)
    roots = list(dict.fromkeys(change.root for change in changes))
    first = roots[0] if roots else root or ("", None)
    kind = extra.pop("kind", None) or kind_of(unit.verb, str(unit.reason), changed=bool(changes))
    if roots[1:]:
        extra["also"] = [list(one) for one in roots[1:]]
    body = {
        "v": FORM,
        "office": office,
        "seq": seq + 1,
        "at": clock.now().isoformat(timespec="microseconds"),
        "actor": list(actor) if actor else _actor(),
        "address": _address(),
        "verb": unit.verb.value,
        "kind": str(kind),
        "reason": str(unit.reason),
        "root": list(first),
        "changes": [[c.entity, c.row_id, c.op, c.fields] for c in changes],
        **extra,
    }
    text = canonical(body)
    link = chain(previous, text)
    told = columns_of(json.loads(text), link)  # as it will be read again
    connection.execute(ADD, told | {"body": text, "hash": link})
    if roots[1:]:
        rows = [
            {"office_id": office, "seq": seq + 1, "entity": e, "row_id": r, "version": 1, "public_id": public_id()}
            for e, r in roots[1:]
        ]
        connection.execute(insert(HistoryLink.__table__), rows)
    connection.execute(MOVE, {"of": office, "to": seq + 1, "link": link, "seal": head_seal(office, seq + 1, link)})


def _actor() -> list[Any] | None:
    """Who acts: the account's key and name. Nobody while signing in, and for what the system does."""
    person = current_access().person if has_access_context() else None
    return [person.id, person.name] if person is not None else None


def _address() -> str:
    """Where the request comes from, as trusted proxies tell it; "" for a job or a command."""
    return (request.remote_addr or "")[:LONGEST_ADDRESS] if has_request_context() else ""


def _lock_head(connection: Connection, office: int) -> tuple[int, str]:
    found = connection.execute(LOCK, {"of": office}).one_or_none()
    if found is not None:
        return int(found.seq), str(found.hash)
    connection.execute(insert(HEADS).values(office_id=office, seq=0, hash="", version=1))
    return 0, ""


def record(
    verb: Verb, what: str, *, office_id: int = 0, about: Entity | None = None, kind: Kind | None = None, **facts: Any
) -> None:
    """Log something that changes no row (sign-in, denied try, export), in a transaction of its own.

    A rollback of the act itself does not erase it. `about` is the row in whose history it also stands; `kind` is what
    the log files it under where `what` and the verb do not say it (`history_entry.kind_of`).
    """
    with unscoped(f"log: {what}", quiet=True) as session:
        session.connection(execution_options={"shouze_write": True})
        facts = {key: plain(value) for key, value in facts.items()}
        root = (type(about).__name__, about.id) if about is not None else None
        extra: dict[str, Any] = {"kind": kind} if kind is not None else {}
        _append(session.connection(), office_id, Unit(verb, what), [], root=root, note="", facts=facts, **extra)
        session.commit()


@dataclass(frozen=True)
class _Remark:
    office_id: int
    verb: Verb
    what: str
    about: tuple[str, int] | None
    actor: tuple[int, str] | None
    facts: dict[str, Any]


def remark(
    verb: Verb, what: str, *, office_id: int = 0, about: tuple[str, int] | None = None,
    actor: tuple[int, str] | None = None, session: Session | None = None, **facts: Any,
) -> None:  # fmt: skip
    """As `record`, but in the unit of work in force: kept with its commit, gone with its rollback.

    `about`: (entity, key) of the row in whose history it also stands. `actor`: (key, name) where nobody is in context
    yet. Raises WriteOutsideUnit.
    """
    session = session or current_session()
    if current_unit(session) is None:
        raise WriteOutsideUnit("remark() needs a unit of work")
    plainly = {key: plain(value) for key, value in facts.items()}
    session.info.setdefault("remarks", []).append(_Remark(office_id, verb, what, about, actor, plainly))
