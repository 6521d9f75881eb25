"""From a fresh process to an application with 60 screens, on a database that exists, beside the peers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.bench.measure import cpu
from tests.bench.pages import NAMES, PEERS, TARGETS
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line

STARTS = {"ours": "starts:Ours", "FAB": "starts:Fab", "Django": "starts:Django",
          "Flask-Admin": "starts:FlaskAdmin"}  # fmt: skip


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Milliseconds with every import, and statements. FAB's stock setting writes missing permissions at each start."""
    folders = {name: rig.place(name) for name in NAMES}
    sides = [rig.side(TARGETS[name], folder=folders[name], rows=5, views=scale.views) for name in NAMES]
    for side in sides:
        side.ask("ready")
    for side in sides:
        side.answer()
    rig.close()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    for _turn in range(scale.starts):
        for name, target in STARTS.items():
            side = rig.side(target, folder=folders[name], views=scale.views)
            found[name].append(side.call("start"))
            rig.close()
    making = {name: cpu([one["making"] for one in all_]) for name, all_ in found.items()}
    whole = {name: cpu([_sum(one) for one in all_]) for name, all_ in found.items()}
    for peer in PEERS:
        yield Line(
            "start", "fresh process, imports included", "ms", whole["ours"], whole[peer], peer, most=1000, raw=found
        )
    for peer in PEERS:
        yield Line("start", "making the application alone", "ms", making["ours"], making[peer], peer)
    for peer in PEERS:
        ours, theirs = (found[name][0]["statements"] for name in ("ours", peer))
        yield Line("start", "statements", "", ours, theirs, peer, most=0)


def _sum(one: dict[str, Any]) -> list[float]:
    return [a + b for a, b in zip(one["imports"], one["making"], strict=True)]
