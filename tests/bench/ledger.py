"""Sides of the import: who makes the file, who reads it. Each imports what it needs: memory is measured."""

from __future__ import annotations

from typing import Any

from tests.bench.measure import peak_rss, timed

EVERY = 100  # each so many rows one code is spoilt
SPOILT = "91150525MA0N8XYZ00"


class Maker:
    """Writes the ledger."""

    def make(self, file: str, rows: int) -> None:
        """The ledger of `rows` made-up firms, a wrong credit code in each hundredth."""
        from dataclasses import replace
        from datetime import date
        from itertools import islice
        from pathlib import Path

        from app.services.demo_firms import ledger_rows, make_firms
        from app.services.ledger_file import write_ledger

        all_rows = islice((row for firm in make_firms(rows, 1, date(2026, 11, 20)) for row in ledger_rows(firm)), rows)
        spoilt = (
            replace(row, code=f"{SPOILT[:11]}{n:05d}AA") if n % EVERY == EVERY - 1 else row
            for n, row in enumerate(all_rows)
        )
        write_ledger(Path(file), spoilt)


class Ours:
    """Checks it against a new database."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def dry_run(self, file: str) -> dict[str, Any]:
        """Seconds, memory and findings."""
        from pathlib import Path

        from app.core.db import unscoped
        from app.services.ledger_import import import_file
        from tests.bench.ours import STATION, application

        app = application(self.folder, 0)
        kept: list[Any] = []
        with app.app_context(), unscoped("bench"):
            before = peak_rss()
            time = timed(lambda: kept.append(import_file(Path(file), STATION, dry_run=True)))
        report = kept[0]
        spoilt = report.rows // EVERY
        named = {one.row for one in report.problems if one.severity == "error" and "AA" in str(one.value)}
        return {"time": time, "peak": peak_rss(), "before": before, "rows": report.rows, "spoilt": spoilt,
                "named": len(named), "problems": len(report.problems)}  # fmt: skip


class Naive:
    """Loads it the way openpyxl's tutorial does and touches each cell; checks nothing."""

    def load(self, file: str) -> dict[str, Any]:
        """Seconds and memory."""

        def read() -> None:
            from openpyxl import load_workbook

            sheet = load_workbook(file).active
            assert sum(cell.value is not None for row in sheet.iter_rows() for cell in row)

        return {"time": timed(read), "peak": peak_rss()}
