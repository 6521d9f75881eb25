"""A Chinese word of two characters among 100,000 firms, beside the peers' own search boxes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import pages
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Milliseconds and statements of the whole list page that answers."""
    found = pages.measure(rig, scale, "search", scale.searched)
    for peer in pages.PEERS:
        yield pages.line("search", "two characters, page", "ms", found, "cpu", peer, most=50)
    for peer in pages.PEERS:
        yield Line("search", "statements", "", found["ours"]["statements"], found[peer]["statements"], peer, most=8)
    rig.close()
    side = rig.side("ours_big:OursSearch", folder=rig.place("words"), rows=scale.searched, views=0)
    for word, (ms, total) in side.call("words").items():
        yield Line("search", f"“{word}”, {total} found", "ms", ms, most=50)
