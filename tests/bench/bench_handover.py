"""A chief hands 10,000 drafts of one inspector to another in one act: how long that has the write lock."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Seconds of the act, which is one transaction, and statements of it."""
    side = rig.side("ours_handover:OursHandover", folder=rig.place("ours"), rows=200, views=0)
    found = side.call("hand_over", rows=scale.ledger)
    assert found["moved"] == scale.ledger
    yield Line("handover", f"{scale.ledger:,} rows in one act", "s", found["time"][1] / 1000, raw=found)
    yield Line("handover", "same, on the clock", "s", found["time"][0] / 1000)
    yield Line("handover", "longest write transaction", "s", max(cpu for _wall, cpu in found["locks"]) / 1000)
    yield Line("handover", "statements", "", found["statements"])
    yield Line("handover", "peak memory of the process", "MB", found["peak"])
