"""What the scope predicate adds to a statement: the same one in the request's session and in an unscoped one."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.measure import median
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line

WHAT = {
    "page": "added to a list's 25 rows",
    "row": "added to one row by its key",
    "first": "added to a request's first statement",
}


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Milliseconds added; the first statement of a request also builds every entity's criterion."""
    side = rig.side("ours:Ours", folder=rig.place("ours"), rows=scale.rows, views=scale.views)
    found = side.call("predicate", count=scale.statements)
    for key, what in WHAT.items():
        added = median(on[1] - off[1] for on, off in found[key])
        plain = median(off[1] for _on, off in found[key])
        most = None if key == "first" else 0.5
        yield Line("predicate", what, "ms", added, plain, "without", most=most, raw={"pairs": found[key]})
