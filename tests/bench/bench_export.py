"""An inspector takes out the station's list: 50,000 firms as a workbook, 1,000,000 as CSV, memory the same for both."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.scale import Scale
from tests.bench.side import Rig
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """Seconds and megabytes; the tutorials' way beside the workbook."""
    small, large = rig.place("small"), rig.place("large")
    for folder, rows in ((small, scale.workbook), (large, scale.csv)):
        assert rig.side("exports:Ours", folder=folder, rows=rows).call("ready") == rows
        rig.close()
    xlsx = rig.side("exports:Export", folder=small).call("write", format_="xlsx")
    rig.close()
    naive = rig.side("exports:Naive", folder=small).call("write")
    rig.close()
    csv = rig.side("exports:Export", folder=large).call("write", format_="csv")
    assert (xlsx["rows"], csv["rows"]) == (scale.workbook, scale.csv)
    raw = {"xlsx": xlsx, "naive": naive, "csv": csv}
    name = "openpyxl"
    yield Line("export", f"XLSX, {xlsx['rows']:,} rows", "s", xlsx["time"][1] / 1000, naive["time"][1] / 1000, name,
               most=10, raw=raw)  # fmt: skip
    yield Line("export", "same, on the clock", "s", xlsx["time"][0] / 1000, naive["time"][0] / 1000, name)
    yield Line("export", "same, peak memory", "MB", xlsx["peak"], naive["peak"], name, most=150)
    yield Line("export", f"CSV, {csv['rows']:,} rows", "s", csv["time"][1] / 1000, most=10)
    yield Line("export", "same, on the clock", "s", csv["time"][0] / 1000)
    yield Line("export", "same, peak memory", "MB", csv["peak"], most=150)
