"""Lists of 2,000,000 inspections: every declared filter and order, for a busy office, a quiet one, and all."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """The middle and the worst of all combinations; statements of the worst page."""
    side = rig.side("ours_big:OursBig", folder=rig.place("ours"), rows=200, views=0)
    side.call("grow", rows=scale.big)
    for who in ("busy", "quiet", "all"):
        found = side.call("lists", who=who)
        worst = max(found, key=lambda one: one["ms"])
        middle = sorted(one["ms"] for one in found)[len(found) // 2]
        yield Line("big", f"{who}: middle of {len(found)} lists", "ms", middle, most=30, raw={"all": found})
        yield Line("big", f"{who}: worst, {worst['what']}", "ms", worst["ms"], most=30)
        yield Line("big", f"{who}: statements", "", max(one["statements"] for one in found), most=10)
