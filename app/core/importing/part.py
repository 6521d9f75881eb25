"""The parts of an import: so many rows of its file, written by one short transaction each.

A part is a row of its own, written with the rows of the file that it stands for: none is written twice, whoever was
killed when, and what was made and changed lies sealed on it until it is taken back. Between two parts everybody else
gets a turn.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TypeVar

from flask_babel import gettext as _
from sqlalchemy import JSON, ForeignKey, Integer, UniqueConstraint, select
from sqlalchemy.orm import Mapped, relationship

from app.core.db import current_session, is_sqlite
from app.core.entity import BigId, Entity, column
from app.core.importing.run import ImportRun
from app.core.retain import Retain
from app.core.types import Encrypted

T = TypeVar("T")
SIZE = 100  # rows of one transaction: a fifth of a second
BREATH = 0.1  # seconds: SQLite's busy handler sleeps as long at a time, so who waits for the lock finds it free


class ImportPart(Entity):
    """One committed part of an import. `undo` seals what it made and changed, with the values from before; `told` is
    what taking it back has found: rows that were left, and versions that came back."""

    __tablename__ = "import_part"
    __label__ = "导入的一段"
    __part_of__ = "run"
    __history__ = False
    # what would take the import back holds people's old values, and is of no use after the day for that
    __retain__ = (Retain(2, "made_at", clear=("undo",)), Retain(30, "made_at"))
    __table_args__ = (UniqueConstraint("run_id", "number"),)

    run_id: Mapped[int] = column("导入", BigId, ForeignKey("import_run.id"), nullable=False)
    number: Mapped[int] = column("第几段", Integer, nullable=False)
    made: Mapped[int] = column("新建", Integer, nullable=False, default=0)
    changed: Mapped[int] = column("修改", Integer, nullable=False, default=0)
    written: Mapped[list[list[Any]]] = column("写入的记录", JSON, nullable=False, default=list)
    undo: Mapped[str | None] = column("撤销用", Encrypted("import_run.undo"), secret=True)
    told: Mapped[dict[str, Any]] = column("撤销的结果", JSON, nullable=False, default=dict)

    run: Mapped[ImportRun] = relationship(ImportRun)

    def __str__(self) -> str:
        return str(_("第 %(n)s 段", n=self.number + 1))


def in_parts(lines: Sequence[T]) -> list[Sequence[T]]:
    """The lines of a file, part by part; the same at each reading."""
    return [lines[start : start + SIZE] for start in range(0, len(lines), SIZE)]


def parts_of(run: ImportRun) -> list[ImportPart]:
    """What is written of a run, in order."""
    mine = select(ImportPart).where(ImportPart.run_id == run.id).order_by(ImportPart.number)
    return list(current_session().scalars(mine))


def breathe() -> None:
    """Let the others write, between two units of work. SQLite has one lock for all, and no queue for it."""
    if is_sqlite(current_session().connection()):
        time.sleep(BREATH)
