"""The auditor's log over a million entries: every filter, text, and walking the chains."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Milliseconds and statements of the slowest page, by filters and by text; entries verified in a second."""
    side = rig.side("ours_log:OursLog", folder=rig.place("ours"), rows=scale.requests, views=0)
    side.call("grow", entries=scale.log)
    found = side.call("log")
    for name, label, most in (("filters", "slowest filter", 250), ("texts", "slowest text", 600)):
        words, slowest, _count = max(found[name], key=lambda one: one[1])
        what = f"{scale.log:,} entries, {label} ({unquote(words) or 'none'})"
        yield Line("log", what, "ms", slowest, most=most, raw=found)
    yield Line("log", "statements", "", max(one[2] for name in found for one in found[name]), most=10)
    seconds, broken = side.call("walk")
    yield Line("log", "entries verified a second", "", scale.log / seconds)
    yield Line("log", "broken chains", "", broken, most=0)
