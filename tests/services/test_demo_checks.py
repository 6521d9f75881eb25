"""What the demo dates back, and what it must not date ahead."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from app.core import clock
from app.services import demo_checks

DAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("begun", "day", "told"),
    [
        ("2026-11-25 00:20", date(2026, 11, 24), "2026-11-24 09:00"),
        ("2026-11-25 00:20", DAY, "2026-11-25 00:20"),
        ("2026-11-25 16:20", DAY, "2026-11-25 09:00"),
    ],
)
def test_a_demo_begun_at_night_is_nowhere_ahead_of_its_clock(begun: str, day: date, told: str) -> None:
    instant, expected = (datetime.fromisoformat(one).replace(tzinfo=clock.SHANGHAI) for one in (begun, told))
    with clock.set_clock(lambda: instant), demo_checks._on(day):
        assert clock.now() == expected
