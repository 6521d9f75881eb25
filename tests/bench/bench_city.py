"""Lists and ledgers of a city's register, 300,000 firms on PostgreSQL, as `register` has them on SQLite."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.bench_register import lines
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """The middle and the worst of all lists and of the ledgers; statements of the worst page."""
    times = scale.city // scale.firms
    yield from lines("city", rig.side("ours_many:OursMany", folder=rig.place("ours"), firms=scale.firms, times=times))
