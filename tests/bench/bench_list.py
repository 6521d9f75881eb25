"""The list page of 20,000 firms with 60 screens in the navigation, beside stock FAB, Django admin and Flask-Admin."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import pages
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Milliseconds, statements, bytes."""
    found = pages.measure(rig, scale, "list", scale.rows)
    ours, kb = found["ours"], 1024
    peers = [(found[name], name) for name in pages.PEERS]
    yield pages.line("list", "server time", "ms", found, "cpu", "FAB", most=12, most_ratio=1 / 3)
    yield pages.line("list", "server time", "ms", found, "cpu", "Django", most=12, most_ratio=2 / 3)
    yield pages.line("list", "server time", "ms", found, "cpu", "Flask-Admin", most=12)
    for peer, name in peers:
        yield Line("list", "statements", "", ours["statements"], peer["statements"], name, most=8)
    for peer, name in peers:
        yield Line("list", "page, gzipped", "KB", ours["gzipped"] / kb, peer["gzipped"] / kb, name, most=60)
    for peer, name in peers:
        yield Line("list", "first load, page + css + js", "KB", ours["first"] / kb, peer["first"] / kb, name, most=200)
    for peer, name in peers:
        yield Line("list", "first load, gzipped", "KB", ours["first_gzipped"] / kb, peer["first_gzipped"] / kb, name)
