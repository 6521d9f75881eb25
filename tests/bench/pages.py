"""The sides that serve pages, measured together."""

from __future__ import annotations

from typing import Any

from tests.bench.measure import cpu, in_turn, wall
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line

TARGETS = {
    "ours": "ours:Ours", "FAB": "peer_fab:Fab", "Django": "peer_django:Django",
    "Flask-Admin": "peer_flask_admin:FlaskAdmin",
}  # fmt: skip
NAMES = tuple(TARGETS)
PEERS = NAMES[1:]


def measure(rig: Rig, scale: Scale, page: str, rows: int) -> dict[str, dict[str, Any]]:
    """Set the sides up at once, weigh the page of each, then time them in turn."""
    sides = {
        name: rig.side(target, folder=rig.place(f"{page}-{name}"), rows=rows, views=scale.views)
        for name, target in TARGETS.items()
    }
    for side in sides.values():
        side.ask("ready")
    stand = {name: side.answer() for name, side in sides.items()}
    for name, what in stand.items():
        assert what == {"rows": rows, "views": scale.views}, (name, what)
    found = {name: side.call("weigh", page=page) for name, side in sides.items()}
    times = in_turn(sides, scale.rounds, "requests", page=page, count=scale.requests)
    for name, samples in times.items():
        found[name] |= {"cpu": cpu(samples), "wall": wall(samples), "requests": len(samples)}
    rig.close()
    return found


def line(
    benchmark: str, what: str, unit: str, found: dict[str, dict[str, Any]], key: str, peer: str, **bars: float
) -> Line:  # fmt: skip
    """A line of ours beside one peer, with everything measured of both kept for the JSON file."""
    raw = {"ours": found["ours"], peer: found[peer]}
    return Line(benchmark, what, unit, found["ours"][key], found[peer][key], peer, raw=raw, **bars)
