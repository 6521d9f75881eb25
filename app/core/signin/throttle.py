"""What slows down guessing. Every try is written down before its password is looked at, so that tries at once count.

Three rules, kept in the database (several processes, restarts): five failures of a name from one address lock that pair
for ten minutes; twenty of a name from anywhere make everybody wait longer and longer for that name, and tell its owner;
fifty from one address over five names or more make that address wait between tries. A refused try does no hash work,
counts nowhere and lengthens nothing: whoever keeps knocking locks nobody out for longer. Nothing here asks whether a
name exists.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Boolean, Index, String, delete, func, select
from sqlalchemy.orm import Mapped

from app.core import clock
from app.core.codes import login_name
from app.core.crypto import digest
from app.core.db import current_session, is_sqlite
from app.core.entity import Entity, column
from app.core.errors import ShouzeError
from app.core.types import public_id

PAIR_FAILURES, PAIR_LOCK, PAIR_WINDOW = 5, timedelta(minutes=10), timedelta(hours=1)
NAME_FAILURES, NAME_WINDOW = 20, timedelta(hours=6)
NAME_WAITS = (30, 900)  # seconds: the first wait, doubled by each further failure up to the last
ADDRESS_FAILURES, ADDRESS_NAMES, ADDRESS_WINDOW = 50, 5, timedelta(hours=1)
ADDRESS_WAIT = timedelta(seconds=10)  # mild: a whole station may stand behind one address
KEPT = max(PAIR_WINDOW, NAME_WINDOW, ADDRESS_WINDOW)
LOCK_KEY = 0x5167  # of PostgreSQL's advisory lock: tries are counted one after the other


class TooManyTries(ShouzeError):
    """Not now; `seconds` from now one may try again. The same words whether or not the name exists."""

    status = 429

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, math.ceil(wait.total_seconds()))
        super().__init__(_("登录失败的次数太多，请过 %(time)s再试。", time=_spoken(self.seconds)))


class SignInTry(Entity):
    """A try that has not succeeded: of which name (as a digest: people type passwords there), from where, when."""

    __tablename__ = "sign_in_try"
    __history__ = False
    __table_args__ = (
        Index("ix_sign_in_try_name_made_at", "name", "made_at"),
        Index("ix_sign_in_try_address_made_at", "address", "made_at"),
        Index("ix_sign_in_try_made_at", "made_at"),
    )

    name: Mapped[str] = column("登录名摘要", String(64), system=True, nullable=False)
    address: Mapped[str] = column("网络地址", String(45), system=True, nullable=False)
    locks: Mapped[bool] = column("锁定", Boolean, system=True, nullable=False, default=False)


table: Any = SignInTry.__table__


@dataclass(frozen=True)
class Try:
    """A try that was let through and written down, with what it amounts to should it fail."""

    id: int
    name: str
    address: str
    locks: bool  # the fifth of its pair
    delays: bool  # the twentieth of its name
    slows: bool  # makes the address one that guesses


def written(address: str | None) -> str:
    """An address as it is shown; "?" for what is none."""
    try:
        return str(ipaddress.ip_address((address or "").strip()))
    except ValueError:
        return "?"


def place_of(address: str | None) -> str:
    """An address as it is counted: of IPv6 the network, which is one customer's."""
    try:
        found = ipaddress.ip_address((address or "").strip())
    except ValueError:
        return "?"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found)


def begin(username: str, address: str | None) -> Try:
    """Write a try down before its password is looked at, in the unit of work in force. Raises TooManyTries."""
    connection, now = current_session().connection(), clock.now()
    if not is_sqlite(connection):  # SQLite has one writer anyway
        connection.execute(select(func.pg_advisory_xact_lock(LOCK_KEY)))
    connection.execute(delete(table).where(table.c.made_at < now - KEPT))
    name, place = digest(login_name(username), "sign_in_try.name"), place_of(address)
    if (wait := _wait(name, place, now)) > timedelta(0):
        raise TooManyTries(wait)
    of_pair = _since_lock(name, place, now) + 1
    values: dict[str, Any] = {"public_id": public_id(), "version": 1, "made_at": now, "name": name, "address": place,
              "locks": of_pair >= PAIR_FAILURES}  # fmt: skip
    key = connection.scalar(table.insert().values(values).returning(table.c.id))
    count, names = _of_address(place, now)
    slows = count == ADDRESS_FAILURES and names >= ADDRESS_NAMES
    return Try(key, name, place, values["locks"], _of_name(name, now)[0] == NAME_FAILURES, slows)


def succeeded(one: Try) -> None:
    """The person is in: the pair's failures are forgotten; what came from elsewhere under that name is not."""
    pair = (table.c.name == one.name) & (table.c.address == one.address)
    current_session().connection().execute(delete(table).where(pair))


def halfway(one: Try) -> None:
    """The password was right and a second step follows: no failure, but none is forgotten either."""
    current_session().connection().execute(delete(table).where(table.c.id == one.id))


def _wait(name: str, place: str, now: datetime) -> timedelta:
    """How long from now until this name may be tried from this place."""
    connection = current_session().connection()
    waits: list[timedelta] = []
    locked: Any = connection.scalar(
        select(func.max(table.c.made_at)).where(
            table.c.name == name, table.c.address == place, table.c.locks, table.c.made_at > now - PAIR_LOCK
        )
    )
    if locked is not None:
        waits.append(locked + PAIR_LOCK - now)
    failures, last = _of_name(name, now)
    if failures >= NAME_FAILURES:
        first, most = NAME_WAITS
        waits.append(last + timedelta(seconds=min(first << min(failures - NAME_FAILURES, 10), most)) - now)
    count, names = _of_address(place, now)
    if count >= ADDRESS_FAILURES and names >= ADDRESS_NAMES:
        newest: Any = connection.scalar(select(func.max(table.c.made_at)).where(table.c.address == place))
        waits.append(newest + ADDRESS_WAIT - now)
    return max(waits, default=timedelta(0))


def _since_lock(name: str, place: str, now: datetime) -> int:
    """Failures of the pair since it was last locked."""
    pair = (table.c.name == name) & (table.c.address == place) & (table.c.made_at > now - PAIR_WINDOW)
    last = select(func.coalesce(func.max(table.c.id), 0)).where(pair, table.c.locks).scalar_subquery()
    found = select(func.count()).where(pair, table.c.id > last)
    return int(current_session().connection().scalar(found) or 0)


def _of_name(name: str, now: datetime) -> tuple[int, Any]:
    found = select(func.count(), func.max(table.c.made_at)).where(
        table.c.name == name, table.c.made_at > now - NAME_WINDOW
    )
    count, last = current_session().connection().execute(found).one()
    return int(count), last


def _of_address(place: str, now: datetime) -> tuple[int, int]:
    found = select(func.count(), func.count(table.c.name.distinct())).where(
        table.c.address == place, table.c.made_at > now - ADDRESS_WINDOW
    )
    count, names = current_session().connection().execute(found).one()
    return int(count), int(names)


def _spoken(seconds: int) -> str:
    minutes = seconds > 90
    return str(_("%(n)s 分钟", n=math.ceil(seconds / 60)) if minutes else _("%(n)s 秒", n=seconds))
