"""Sessions opened, used and ended. Whoever loses the right to be in loses every session in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import Connection, delete, event, inspect, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.context import Access, Sitting, load
from app.core.db import BUSY, AppSession, current_session, db, is_sqlite, unscoped
from app.core.history import remark
from app.core.office import Account, Family, Posting
from app.core.signin.allowance import allowance
from app.core.signin.model import Ending, EntryKind, SignInSession, digest_of, new_secret, short_agent
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.writing import unit_of_work

TOUCH = timedelta(minutes=1)  # how exact "last seen" is
PATIENCE = timedelta(minutes=5)  # noted no longer than that ago: not worth waiting for the write lock
KEPT = timedelta(days=30)  # how long an ended session is listed; history keeps it for good
SWEPT = 500  # of a kind at a time

table: Any = SignInSession.__table__
_accounts: Any = Account.__table__


def open_session(account: Account, kind: EntryKind, address: str = "", agent: Any = "") -> str:
    """Begin a session in the unit of work in force. Returns the cookie's key, "account.secret": nobody can ask again.

    `agent`: the browser's own description; it is shortened. The account's last sign-in is noted without a new
    version: whoever edits the account meanwhile is not disturbed.
    """
    secret, now = new_secret(), clock.now()
    values = {
        "public_id": public_id(), "version": 1, "made_at": now, "made_by_id": account.id, "account_id": account.id,
        "family": account.family, "kind": kind.value, "digest": digest_of(secret), "seen_at": now,
        "address": address[:45], "agent": short_agent(agent),
    }  # fmt: skip
    connection = current_session().connection()
    connection.execute(table.insert().values(values))
    connection.execute(update(_accounts).where(_accounts.c.id == account.id).values(last_login=now))
    remark(
        Verb.READ, "登录", office_id=account.office_id, about=("Account", account.id), actor=(account.id, account.name),
        kind=kind.value, address=values["address"], agent=values["agent"], number=values["public_id"],
    )  # fmt: skip
    return f"{account.id}.{secret}"


def end_sessions(
    account_id: int, why: Ending, *, only: int | None = None, keep: int | None = None, seen: datetime | None = None,
    session: Session | None = None,
) -> int:  # fmt: skip
    """End an account's open sessions in the unit of work in force: all, or `only` one, or all but `keep`.

    `seen`: only while it has not been used since. Returns how many ended; they are signed out at their next request.
    """
    session = session or current_session()
    ended = update(table).where(table.c.account_id == account_id, table.c.ended_at.is_(None))
    if only is not None:
        ended = ended.where(table.c.id == only)
    if keep is not None:
        ended = ended.where(table.c.id != keep)
    if seen is not None:
        ended = ended.where(table.c.seen_at == seen)
    ended = ended.values(ended_at=clock.now(), ending=why.value).returning(table.c.public_id)
    connection = session.connection()
    found = sorted(connection.scalars(ended))
    if found:
        office = connection.scalar(select(_accounts.c.office_id).where(_accounts.c.id == account_id))
        remark(Verb.END, "结束登录", session=session, office_id=office or 0, about=("Account", account_id),
               why=why.value, numbers=found)  # fmt: skip
    return len(found)


def leave(key: str) -> None:
    """End the session that a cookie's key names, when there is one: somebody signs in anew over it."""
    account, digest = _parts(key)
    if account:
        mine = select(table.c.id).where(table.c.account_id == account, table.c.digest == digest)
        found = current_session().connection().scalar(mine)
        if found is not None:
            end_sessions(account, Ending.REPLACED, only=found)


def _parts(key: str) -> tuple[int, str]:
    """Account and digest of a cookie's key; (0, "") when it is none."""
    account, _dot, secret = key.partition(".")
    good = account.isascii() and account.isdigit() and len(account) < 19 and bool(secret)
    return (int(account), digest_of(secret)) if good else (0, "")


def resume(key: str, *, background: bool = False) -> tuple[Access | None, Ending | None]:
    """Who a cookie's key ("account.secret") stands for, or None and why the session is over (None: never was).

    A request in the `background` (a page that polls) does not count as use.
    """
    account, digest = _parts(key)
    access = load(account, digest) if account else None
    sitting = access.person.sitting if access else None
    if access is None or sitting is None:
        return None, None
    if sitting.ending is not None:
        return None, Ending(sitting.ending)
    now = clock.now()
    if why := allowance(access.person.family, sitting.kind).over(sitting.opened_at, sitting.seen_at, now):
        with unscoped("a sign-in is over", quiet=True), unit_of_work(Verb.END, why.value):
            end_sessions(access.person.id, why, only=sitting.id)
        return None, why
    if not background and now - sitting.seen_at >= TOUCH:
        _touch(sitting)
    return access, None


def _touch(sitting: Sitting) -> None:
    """Note that the session is used; skipped while somebody else writes: the next request does it."""
    late = clock.now() - sitting.seen_at > PATIENCE
    with db.engine.connect() as connection, suppress(OperationalError), _waiting(connection, 5_000 if late else 0):
        connection.execution_options(shouze_write=True)
        used = update(table).where(table.c.id == sitting.id, table.c.seen_at == sitting.seen_at)
        connection.execute(used.values(seen_at=clock.now()))
        connection.commit()


@contextmanager
def _waiting(connection: Connection, milliseconds: int) -> Iterator[None]:
    """How long SQLite waits for the write lock; nobody else writes a session's row, so PostgreSQL never waits."""
    raw: Any = connection.connection if is_sqlite(connection) else None
    if raw is None:
        yield
        return
    raw.execute(f"PRAGMA busy_timeout={milliseconds:d}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY}")


@event.listens_for(AppSession, "after_flush")
def _revoked(session: Session, _context: Any) -> None:
    """A changed password, a closed account, an ended posting: the sessions end in the same transaction."""
    ends: dict[int, Ending] = {}
    for row in (*session.dirty, *session.deleted):
        for account_id, why in _lost_by(row, deleted=row in session.deleted):
            ends.setdefault(account_id, why)
    for account_id, why in sorted(ends.items()):
        end_sessions(account_id, why, session=session)


def _lost_by(row: Any, *, deleted: bool) -> Iterator[tuple[int, Ending]]:
    """Whose sessions a written row ends, and why."""
    if isinstance(row, Account):
        changed = {name for name in ("password", "active", "family") if inspect(row).attrs[name].history.has_changes()}
        if "password" in changed:
            yield row.id, Ending.PASSWORD
        elif changed:
            yield row.id, Ending.ACCOUNT
    elif isinstance(row, Posting):
        history: dict[str, Any] = {
            name: inspect(row).attrs[name].history for name in ("account_id", "role_id", "date_to")
        }
        ended = history["date_to"].has_changes() and row.date_to is not None and row.date_to <= clock.today()
        if deleted or ended or any(history[name].has_changes() for name in ("account_id", "role_id")):
            for account_id in {row.account_id, *history["account_id"].deleted}:
                yield account_id, Ending.POSTING


def sweep() -> int:
    """End what nobody came back to, and forget what ended long ago (core.worker, each minute). Returns how many."""
    with unscoped("sign-ins that are over", quiet=True) as session:
        for family, kind in product(Family, EntryKind):
            _sweep(session, family, kind)
        old = table.c.ended_at < clock.now() - KEPT
        if session.connection().scalar(select(table.c.id).where(old).limit(1)) is None:
            return 0
        with unit_of_work(Verb.DELETE, ""):
            return int(session.connection().execute(delete(table).where(old)).rowcount)


def _sweep(session: Session, family: Family, kind: EntryKind) -> None:
    """End the sessions of one family and kind that have lasted too long."""
    now, allowed = clock.now(), allowance(family, kind)
    over = or_(table.c.seen_at < now - allowed.idle, table.c.made_at < now - allowed.longest)
    these = (table.c.family == family.value) & (table.c.kind == kind.value) & table.c.ended_at.is_(None)
    asked = select(table.c.id, table.c.account_id, table.c.made_at, table.c.seen_at).where(these, over).limit(SWEPT)
    for row in session.connection().execute(asked).all():
        why = allowed.over(row.made_at, row.seen_at, now) or Ending.IDLE
        with unit_of_work(Verb.END, why.value):
            end_sessions(row.account_id, why, only=row.id, seen=row.seen_at)
