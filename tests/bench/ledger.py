"""Sides of the import: who makes the file, who reads it. Each imports what it needs: memory is measured."""

from __future__ import annotations

from typing import Any

from tests.bench.measure import peak_rss, timed

EVERY = 100  # each so many rows one code is spoilt


class Maker:
    """Writes the ledger."""

    def make(self, file: str, rows: int) -> list[str]:
        """The ledger of `rows` made-up firms, the credit code spoilt in each hundredth; returns the spoilt codes."""
        from dataclasses import replace
        from datetime import date
        from itertools import islice
        from pathlib import Path

        from app.services.demo_firms import ledger_rows, make_firms
        from app.services.ledger_file import write_ledger

        firms = make_firms(rows, 1, date(2026, 11, 20))
        made = list(islice((row for firm in firms for row in ledger_rows(firm)), rows))
        for n in range(EVERY - 1, rows, EVERY):
            made[n] = replace(made[n], code=_spoilt(made[n].code, n))
        write_ledger(Path(file), made)
        return [row.code for row in made[EVERY - 1 :: EVERY]]


def _spoilt(code: str, number: int) -> str:
    """A code with a wrong last digit; a firm without a code gets one that is too short."""
    return code[:-1] + ("1" if code[-1] != "1" else "2") if code else f"9115{number:08d}"


class Ours:
    """Checks it against a new database."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def dry_run(self, file: str, spoilt: list[str]) -> dict[str, Any]:
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
        named = {str(one.value) for one in report.problems if one.severity == "error"}
        return {
            "time": time, "peak": peak_rss(), "before": before, "rows": report.rows, "spoilt": len(spoilt),
            "named": len(named & set(spoilt)), "problems": len(report.problems),
        }  # fmt: skip


class Naive:
    """Loads it the way openpyxl's tutorial does and touches each cell; checks nothing."""

    def load(self, file: str) -> dict[str, Any]:
        """Seconds and memory."""

        def read() -> None:
            from openpyxl import load_workbook

            sheet = load_workbook(file).worksheets[0]
            assert sum(cell.value is not None for row in sheet.iter_rows() for cell in row)

        return {"time": timed(read), "peak": peak_rss()}
