"""The one clock. Instants are UTC; business dates and screens are Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, aware, UTC."""
    return _source()


def today() -> date:
    """The business date: the server's day in Shanghai, whatever a device claims."""
    return local(now()).date()


def start_of(day: date) -> datetime:
    """The instant a day begins in Shanghai."""
    return datetime.combine(day, time(), SHANGHAI)


def local(instant: datetime) -> datetime:
    """An aware instant as Shanghai shows it."""
    if instant.tzinfo is None:
        raise ValueError("naive datetime: an instant must carry its zone")
    return instant.astimezone(SHANGHAI)


@contextmanager
def set_clock(source: Callable[[], datetime]) -> Iterator[None]:
    """Replace the clock (tests, rehearsals)."""
    global _source  # noqa: PLW0603 - the one injectable clock
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
