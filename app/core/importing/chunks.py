"""Many rows in one transaction: flushed some hundred at a time, one by one only where a chunk was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from app.core.db import current_session
from app.core.errors import AccessRefused, Conflict, Invalid
from app.core.jobs import tick

T = TypeVar("T")
SIZE = 500
REFUSALS = (IntegrityError, DataError, AccessRefused, Invalid, Conflict)


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """A nested transaction. History drops what it collected whenever anything is rolled back: what came before the
    savepoint is put back."""
    kept = list(session.info.get("changes", ()))
    try:
        with session.begin_nested():
            yield
    except BaseException:
        session.info["changes"] = kept
        raise


def by_chunks(items: Sequence[T], take: Callable[[T], None], refuse: Callable[[T, Exception], None]) -> None:
    """Do `take` for each item and flush. A chunk that is refused is taken again one by one (so `take` may run twice for
    an item); what is refused by itself goes to `refuse`, and nothing of it stays."""
    session = current_session()
    for start in range(0, len(items), SIZE):
        chunk = items[start : start + SIZE]
        try:
            with savepoint(session):
                for item in chunk:
                    take(item)
                session.flush()
        except REFUSALS:
            _one_by_one(session, chunk, take, refuse)
        tick()


def _one_by_one(
    session: Session, chunk: Sequence[T], take: Callable[[T], None], refuse: Callable[[T, Exception], None]
) -> None:
    for item in chunk:
        try:
            with savepoint(session):
                take(item)
                session.flush()
        except REFUSALS as error:
            refuse(item, error)
