"""Makes `ledger-200.xlsx`, byte for byte the same each time: `python -m tests.data.make_samples`.

Bad files (zip bombs, macros, passwords) are made by the tests that need them and never stored.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from app.services.demo_firms import ledger_rows, make_firms
from app.services.ledger_file import write_ledger

FIRMS, SEED = 200, 20261123
TARGET = Path(__file__).with_name("ledger-200.xlsx")
_TIMES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def sample() -> bytes:
    """The sample workbook: 200 made-up firms."""
    stream = io.BytesIO()
    write_ledger(stream, (row for firm in make_firms(FIRMS, SEED) for row in ledger_rows(firm)))
    return without_times(stream.getvalue())


def without_times(workbook: bytes) -> bytes:
    """The same workbook as if written at the beginning of 2026: openpyxl and zip both note the time."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            member = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _TIMES.sub(b"2026-01-01T00:00:00Z", content)
            new.writestr(member, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


if __name__ == "__main__":
    TARGET.write_bytes(sample())
