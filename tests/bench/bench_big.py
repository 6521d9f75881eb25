"""Lists of 2,000,000 inspections: every declared filter and order, for a busy office, a quiet one, and all."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.scale import Scale
from tests.bench.side import Rig, Side
from tests.bench.table import Line

BAR = 30
WHO = ("busy", "quiet", "all")


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """The middle and the worst of all combinations; statements of the worst page."""
    side = rig.side("ours_big:OursBig", folder=rig.place("ours"), rows=200, views=0)
    side.call("grow", rows=scale.big)
    yield from lines("big", side)


def lines(name: str, side: Side) -> Iterator[Line]:
    """What three people wait for."""
    for who in WHO:
        found = side.call("lists", who=who)
        worst = max(found, key=lambda one: one["ms"])
        slow = sum(one["ms"] > BAR for one in found)
        middle = sorted(one["ms"] for one in found)[len(found) // 2]
        yield Line(name, f"{who}: middle of {len(found)} lists", "ms", middle, most=BAR, raw={"all": found})
        yield Line(name, f"{who}: worst, {worst['what']}", "ms", worst["ms"], most=BAR)
        yield Line(name, f"{who}: lists over {BAR} ms", "", slow, most=0)
        yield Line(name, f"{who}: statements", "", max(one["statements"] for one in found), most=10)
