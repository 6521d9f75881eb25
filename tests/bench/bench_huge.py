"""Lists of 10,000,000 inspections on PostgreSQL, as `big` has them on SQLite; the server's processor time counts."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.bench_big import lines
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """The middle and the worst of all combinations; statements of the worst page."""
    side = rig.side("ours_huge:OursHuge", folder=rig.place("ours"), rows=200, views=0)
    side.call("grow", rows=scale.huge)
    yield from lines("huge", side)
