"""Our side of the export: the firms of one station written to a file as the worker would, and who else does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.measure import peak_rss, timed

FIRST = 20_000  # firms made one by one; the others are copies


class Ours:
    """A station with `rows` firms and an inspector who takes them all out."""

    def __init__(self, folder: str, rows: int) -> None:
        from tests.bench.ours import application, fill

        self.folder, self.rows = folder, rows
        self.app = application(folder, 0)
        with self.app.app_context():
            fill(min(rows, FIRST))
            copy_until(rows)

    def ready(self) -> int:
        """How many stand there."""
        return self.rows


def copy_until(rows: int) -> None:
    """Double the firms until there are `rows`: making each by itself would take longer than all that is measured."""
    from sqlalchemy import func, insert, literal, null, select

    from app.core.db import unscoped
    from app.models.enterprise import Enterprise

    table = Enterprise.__table__
    own = {"code": null(), "public_id": func.hex(func.randomblob(11))}
    names = [column.name for column in table.columns if column.name != "id"]
    with unscoped("bench") as session:
        connection = session.connection(execution_options={"shouze_write": True})
        while (there := connection.scalar(select(func.count()).select_from(table)) or 0) < rows:
            copied = [own.get(name, table.c[name]) for name in names if name != "name"]
            source = select(*copied, (table.c.name + literal(f"{there}")).label("name")).limit(rows - there)
            connection.execute(insert(table).from_select([n for n in names if n != "name"] + ["name"], source))
        session.commit()


class Export:
    """In a process of its own, whose memory is only the export's: the list's own query, predicate and cells."""

    def __init__(self, folder: str) -> None:
        from app.serve import settle
        from tests.bench.ours import application

        self.folder = Path(folder)
        self.app = application(folder, 0)
        settle()

    def write(self, format_: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        """Milliseconds, rows, bytes, peak memory in MB, and the memory there was before."""
        from sqlalchemy import select

        from app.core.access.context import acting
        from app.core.db import unscoped
        from app.core.fab import export_view
        from app.core.office import Account

        view = export_view._views["/enterprises"]
        target = self.folder / f"out.{format_}"
        with self.app.app_context():
            with unscoped("bench") as session:
                one = session.scalars(select(Account.id).where(Account.username == "one")).one()
            before, kept = peak_rss(), []
            with acting(one), target.open("wb") as out:
                time = timed(lambda: kept.append(export_view.write(view, query or {}, format_, out)))
        size = target.stat().st_size
        target.unlink()
        return {"time": time, "rows": kept[0], "bytes": size, "peak": peak_rss(), "before": before}


class Naive:
    """The way of the tutorials: all rows as objects, a workbook in memory."""

    def __init__(self, folder: str) -> None:
        from tests.bench.ours import application

        self.folder = Path(folder)
        self.app = application(folder, 0)

    def write(self) -> dict[str, Any]:
        """An XLSX of every firm; no predicate, no head, no formula defused."""

        def run() -> None:
            from openpyxl import Workbook
            from sqlalchemy import select

            from app.core.db import unscoped
            from app.models.enterprise import Enterprise

            book = Workbook()
            with unscoped("bench") as session:
                for row in session.scalars(select(Enterprise).order_by(Enterprise.id.desc())).all():
                    book.active.append([row.name, row.code, row.legal_person, row.phone, row.address, row.state])
            book.save(self.folder / "naive.xlsx")

        with self.app.app_context():
            time = timed(run)
        (self.folder / "naive.xlsx").unlink()
        return {"time": time, "peak": peak_rss()}
