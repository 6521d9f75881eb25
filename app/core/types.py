"""Column types: instants, encrypted text, sets of lines."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Integer, LargeBinary
from sqlalchemy.types import TypeDecorator

from app.core import crypto


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the column. Naive values are refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the column."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: an instant must carry its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the column."""
        return value.replace(tzinfo=UTC) if value is not None else None


class Encrypted(TypeDecorator[str]):
    """Text sealed with the data key; `context` is table.column. Compare through a digest column."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal."""
        return crypto.encrypt(value, self.context) if value else None

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Open. Raises DecryptionError."""
        return crypto.decrypt(bytes(value), self.context) if value else None

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Comparing an encrypted column finds nothing (every sealing differs): refuse instead."""
        raise TypeError("compare the digest column, not the encrypted one")


class LineSet(TypeDecorator[int]):
    """A set of business lines as bits; what a bit means is the application's (models/lines.py)."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """A plain integer."""
        return None if value is None else int(value)


def public_id() -> str:
    """A random id for use outside (URL, QR, file): 128 bits, URL-safe."""
    return secrets.token_urlsafe(16)
