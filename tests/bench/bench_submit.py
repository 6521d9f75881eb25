"""Eight threads saving inspections through the service layer on SQLite, beside stock FAB's way of saving."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.bench.measure import percentile
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Rate, slowest twentieth, errors. Each save of ours reads who is acting, checks and writes history."""
    found: dict[str, dict[str, Any]] = {}
    for name, target in (("ours", "ours_submit:OursSubmit"), ("FAB", "peer_fab:Fab")):
        # one after the other: they would take each other's processor and disk
        side = rig.side(target, folder=rig.place(name), rows=200, views=scale.views if name == "ours" else 5)
        found[name] = side.call("submit", seconds=scale.seconds, threads=scale.threads)
        rig.close()
    ours, fab = found["ours"], found["FAB"]
    yield Line("submit", "saved a second", "", _rate(ours), _rate(fab), "FAB", least=30, raw=found)
    yield Line("submit", "p95, on the clock", "ms", percentile(ours["took"], 0.95), percentile(fab["took"], 0.95),
               "FAB", most=500)  # fmt: skip
    yield Line("submit", "errors", "", ours["errors"], fab["errors"], "FAB", most=0)


def _rate(found: dict[str, Any]) -> float:
    return float((len(found["took"]) - found["errors"]) / found["seconds"])
