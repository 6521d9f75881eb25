"""Alembic's environment: one metadata (FAB's tables included), the owner's URL, both databases."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, types

from app.core.db import metadata
from app.core.types import Encrypted, LineSet, UtcDateTime

PLAIN = {UtcDateTime: "sa.DateTime()", Encrypted: "sa.LargeBinary()", LineSet: "sa.Integer()"}


def render_item(kind: str, value: Any, _context: Any) -> str | Literal[False]:
    """A migration names database types only, so that it still runs when our types move."""
    if kind == "type" and isinstance(value, types.TypeDecorator):
        return PLAIN.get(type(value), False)
    return False


def run() -> None:
    """Upgrade or downgrade over one connection, in one transaction."""
    connectable = context.config.attributes.get("connection")
    if connectable is not None:
        _on(connectable)
        return
    engine = create_engine(current_app.extensions["shouze_settings"].owner_url)
    with engine.connect() as connection:
        _on(connection)
    engine.dispose()


def _on(connection: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
