"""The database: one metadata, one session class, SQLite and PostgreSQL made to behave alike."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from flask_appbuilder import Model as FabModel
from flask_appbuilder.models.sqla.base import SQLA
from flask_migrate import Migrate
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from werkzeug.local import LocalProxy

__all__ = [
    "BUSY",
    "AppSession",
    "FabModel",
    "current_session",
    "db",
    "is_sqlite",
    "metadata",
    "migrate",
    "session",
    "unscoped",
]
log = logging.getLogger(__name__)
BUSY = 30_000  # milliseconds that SQLite waits for the write lock

# set before FAB's own tables are defined, so that it covers them too
FabModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = FabModel.metadata


class AppSession(FlaskSession):
    """The only session class; `core.access.guard` and `core.history` listen on it."""


db = SQLA(
    metadata=metadata,
    # autoflush off: a half-filled row is never written by a query in between; services flush where they mean it
    session_options={"class_": AppSession, "autoflush": False, "expire_on_commit": False},
)
migrate = Migrate(render_as_batch=True, compare_type=True, compare_server_default=True)

_override: ContextVar[Session | None] = ContextVar("session", default=None)


def current_session() -> Session:
    """The session in force: that of `unscoped(...)` inside it, else the request's."""
    return _override.get() or cast("Session", db.session())


session: Session = cast("Session", LocalProxy(current_session))


@contextmanager
def unscoped(reason: str, *, quiet: bool = False) -> Iterator[Session]:
    """A database session of its own that no row predicate limits: explicit, and logged with its reason.

    Its objects never enter the request's session, so nothing loaded here can leak into a screen.
    `quiet` is for what every request does (reading who the user is): logged at debug level only.
    """
    log.log(logging.DEBUG if quiet else logging.INFO, "unscoped: %s", reason)
    own = AppSession(db, autoflush=False, expire_on_commit=False, info={"unscoped": reason})
    token = _override.set(own)
    try:
        yield own
    finally:
        _override.reset(token)
        own.close()


def is_sqlite(connection: Connection) -> bool:
    """Whether this connection speaks SQLite."""
    return connection.dialect.name == "sqlite"


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """WAL, foreign keys and full sync; transactions are begun by us, not by the driver."""
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", f"busy_timeout={BUSY}"):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    """A unit of work that writes takes the write lock first: deferred read-then-write fails under load."""
    if is_sqlite(connection):
        immediate = connection.get_execution_options().get("shouze_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
