"""What history costs a save: the same form posted with and without it, by turns."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.measure import cpu, wall
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Statements and milliseconds of an HTTP save."""
    side = rig.side("ours:Ours", folder=rig.place("ours"), rows=scale.firms, views=scale.views)
    found = side.call("saves", count=scale.saves)
    on, off = (len(found["statements"][name]) for name in ("on", "off"))
    yield Line("history", "extra statements a save", "", on - off, off, "in all without", most=3, raw=found)
    yield Line("history", "save", "ms", cpu(found["on"]), cpu(found["off"]), "without", most_ratio=1.1)
    yield Line("history", "save, on the clock", "ms", wall(found["on"]), wall(found["off"]), "without")
