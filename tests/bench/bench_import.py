"""A ledger of 10,000 firms read, checked and compared, nothing written; beside openpyxl merely loading the file."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Seconds, memory, and whether each cell that was spoilt is named."""
    file = str(rig.folder / "ledger.xlsx")
    spoilt = rig.side("ledger:Maker").call("make", file=file, rows=scale.ledger)
    rig.close()
    ours = rig.side("ledger:Ours", folder=rig.place("ours")).call("dry_run", file=file, spoilt=spoilt)
    rig.close()
    naive = rig.side("ledger:Naive").call("load", file=file)
    raw = {"ours": ours, "openpyxl": naive}
    yield Line("import", f"{ours['rows']:,} rows, dry run", "s", ours["time"][1] / 1000, naive["time"][1] / 1000,
               "openpyxl load", most=10, raw=raw)  # fmt: skip
    yield Line("import", "same, on the clock", "s", ours["time"][0] / 1000, naive["time"][0] / 1000, "openpyxl load")
    yield Line("import", "peak memory of the process", "MB", ours["peak"], naive["peak"], "openpyxl load")
    yield Line("import", "spoilt cells named", "", ours["named"], ours["spoilt"], "spoilt", least=ours["spoilt"])
