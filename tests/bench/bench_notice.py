"""The notice (two pages, Chinese) as the workers print it, beside WeasyPrint used the plain way."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.measure import cpu, wall
from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line

ROUNDS = 3


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Cold and warm milliseconds, bytes, papers a second of two workers."""
    ours, naive = rig.side("papers:Ours"), rig.side("papers:Naive")
    source = ours.call("source")
    first = {"ours": ours.call("first"), "naive": naive.call("first", **source)}
    yield Line("notice", "fresh process, first paper", "ms", first["ours"]["time"][1], first["naive"]["time"][1],
               "naive", most=1000, raw=first)  # fmt: skip
    plain: dict[str, list[list[float]]] = {"ours": [], "naive": []}
    papers: list[list[float]] = []
    for _round in range(ROUNDS):
        plain["ours"] += ours.call("papers", count=scale.papers, archive=False)
        plain["naive"] += naive.call("papers", count=scale.papers, archive=False)
        papers += ours.call("papers", count=scale.papers, archive=True)
    yield Line("notice", "warm, plain PDF", "ms", cpu(plain["ours"]), cpu(plain["naive"]), "naive", most=90,
               most_ratio=0.4, raw=plain)  # fmt: skip
    yield Line("notice", "warm, PDF/A-3a with its data", "ms", cpu(papers), cpu(plain["naive"]), "naive, plain",
               most=110, raw={"ours": papers})  # fmt: skip
    yield Line("notice", "same, on the clock", "ms", wall(papers), wall(plain["naive"]), "naive, plain")
    sizes = {"ours": ours.call("size"), "naive": naive.call("size")}
    yield Line("notice", "PDF/A-3a", "KB", sizes["ours"]["bytes"] / 1024, sizes["naive"]["bytes"] / 1024,
               "naive, plain", most=240, raw=sizes)  # fmt: skip
    rig.close()
    pool = rig.side("papers:Pool").call("throughput", count=scale.pool_papers)
    yield Line("notice", "a second, two workers, on the clock", "", pool["rate"], least=18, raw=pool)
    yield Line("notice", "pages", "", sizes["ours"]["pages"], sizes["naive"]["pages"], "naive")
