"""Changing history behind the program's back, as somebody would who holds the database."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session


def unguarded(session: Session) -> Connection:
    """The session's connection, begun to write, with the triggers out of the way until it rolls back or is restored."""
    session.rollback()
    connection = session.connection(execution_options={"shouze_write": True})
    if connection.dialect.name == "sqlite":
        named = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'history_%'"
        for name in connection.scalars(text(named)).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
    else:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    return connection
