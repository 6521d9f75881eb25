"""The generic import of 10,000 firms by its pages: columns, trial, writing; beside openpyxl merely loading the file."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Seconds of a trial with and without bad rows, of the writing and of a second trial; whether all bad rows are
    named; memory."""
    file = str(rig.folder / "firms.xlsx")
    bad = rig.side("rows:Maker").call("make", file=file, rows=scale.ledger)
    rig.close()
    ours = rig.side("rows:Ours", folder=rig.place("ours")).call("bring", file=file)
    rig.close()
    naive = rig.side("ledger:Naive").call("load", file=file)
    raw = {"ours": ours, "openpyxl": naive}
    peer = naive["time"][1] / 1000, "openpyxl load"
    yield Line("rows", f"{scale.ledger:,} rows, trial", "s", ours["trial"][1] / 1000, *peer, most=10, raw=raw)
    yield Line("rows", "same, on the clock", "s", ours["trial"][0] / 1000, naive["time"][0] / 1000, "openpyxl load")
    yield Line("rows", "bad rows named", "", ours["wrong"], bad, "bad", least=bad)
    yield Line("rows", "writing the good ones", "s", ours["write"][1] / 1000)
    yield Line("rows", "trial of what is there already", "s", ours["again"][1] / 1000, most=10)
    yield Line("rows", "taking it back", "s", ours["undo"][1] / 1000)
    yield Line("rows", "marked workbook", "s", ours["marked"][1] / 1000)
    for what, spans in ours["locks"].items():
        yield Line("rows", f"{what}: longest write transaction", "ms", max(cpu for _wall, cpu in spans), most=500)
        yield Line("rows", f"{what}: same, on the clock", "ms", max(wall for wall, _cpu in spans))
        yield Line("rows", f"{what}: write transactions", "", len(spans))
    yield Line("rows", "statements of the trial", "", ours["statements"])
    yield Line("rows", "peak memory of the process", "MB", ours["peak"], naive["peak"], "openpyxl load")
