"""The form for a new place of business, which points at one of 5,000 firms, beside stock FAB, Django admin and
Flask-Admin."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import pages
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Milliseconds, statements, bytes. The peers' drop-downs hold every firm: their default."""
    found = pages.measure(rig, scale, "form", scale.firms)
    ours, peers = found["ours"], [(found[name], name) for name in pages.PEERS]
    for name in pages.PEERS:
        yield pages.line("form", "server time", "ms", found, "cpu", name, most=15)
    for peer, name in peers:
        yield Line("form", "statements", "", ours["statements"], peer["statements"], name)
    for peer, name in peers:
        yield Line("form", "page", "KB", ours["bytes"] / 1024, peer["bytes"] / 1024, name, most=30)
    for peer, name in peers:
        yield Line("form", "page, gzipped", "KB", ours["gzipped"] / 1024, peer["gzipped"] / 1024, name)
