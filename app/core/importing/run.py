"""An import as it is remembered: who brought which file for which entity, what came of it; and where its file lies.

A run belongs to its account alone (`Scope.OWN`). History holds what an import changed, under the verb IMPORT; the run
itself is a worksheet and has none.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.core import clock
from app.core.entity import BigId, Entity, Scope, column
from app.core.retain import Retain
from app.core.types import UtcDateTime

KEPT_FOR = timedelta(days=7)
UNDO_WITHIN = timedelta(days=1)


class RunState(StrEnum):
    """Where an import stands."""

    OPEN = "待对应"
    TRIED = "已试导入"
    WRITING = "写入中"
    DONE = "已导入"
    UNDOING = "撤销中"
    UNDONE = "已撤销"


class ImportRun(Entity):
    """One file brought in for one entity. What it has written is told by its parts (`importing.part`)."""

    __tablename__ = "import_run"
    __label__ = "导入"
    __scope__ = Scope.OWN
    __history__ = False
    __retain__ = (Retain(365, "made_at"),)

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), nullable=False, index=True)
    entity: Mapped[str] = column("对象", String(60), nullable=False)
    file_name: Mapped[str] = column("文件名", String(200), nullable=False)
    sha256: Mapped[str] = column("校验", String(64), nullable=False)
    stored: Mapped[str] = column("存放", String(40), nullable=False)
    sheet: Mapped[str] = column("工作表", String(100), nullable=False, default="")
    heading: Mapped[int] = column("表头行", Integer, nullable=False, default=0)
    mapping: Mapped[list[str]] = column("列对应", JSON, nullable=False, default=list)
    erase: Mapped[bool] = column("空白也清除", Boolean, nullable=False, default=False)
    state: Mapped[str] = column("状态", String(10), choices=RunState, nullable=False, default=RunState.OPEN)
    made: Mapped[int] = column("新建", Integer, nullable=False, default=0)
    changed: Mapped[int] = column("修改", Integer, nullable=False, default=0)
    same: Mapped[int] = column("不变", Integer, nullable=False, default=0)
    wrong: Mapped[int] = column("有误", Integer, nullable=False, default=0)
    result: Mapped[dict[str, Any]] = column("结果", JSON, nullable=False, default=dict)
    tried_at: Mapped[datetime | None] = column("试导入时间", UtcDateTime)
    done_at: Mapped[datetime | None] = column("导入时间", UtcDateTime)
    undone_at: Mapped[datetime | None] = column("撤销时间", UtcDateTime)

    def __str__(self) -> str:
        return self.file_name

    def undoable(self) -> bool:
        """Whether there is something to take back: written in part, or wholly within the last day."""
        recent = self.done_at is not None and clock.now() - self.done_at <= UNDO_WITHIN
        return self.half() or (self.state == RunState.DONE and recent)

    def half(self) -> bool:
        """Whether it is written, or taken back, in part only."""
        return self.state in {RunState.WRITING, RunState.UNDOING}


class ImportMapping(Entity):
    """What an account's headings meant the last time, by entity: {folded heading: field, "" for not wanted}."""

    __tablename__ = "import_mapping"
    __label__ = "列对应"
    __scope__ = Scope.OWN
    __history__ = False
    __table_args__ = (UniqueConstraint("account_id", "entity"),)

    account_id: Mapped[int] = column("人员", BigId, ForeignKey("account.id"), nullable=False)
    entity: Mapped[str] = column("对象", String(60), nullable=False)
    headings: Mapped[dict[str, str]] = column("列对应", JSON, nullable=False, default=dict)


# -- files ------------------------------------------------------------------------------------------------------------


def folder() -> Path:
    """Where uploads lie: under the data directory, for the owner of the process only."""
    found: Path = current_app.extensions["shouze_settings"].data_dir / "imports"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def keep(data: bytes) -> str:
    """Store an upload under a random name; returns the name."""
    name = secrets.token_hex(16)
    _write(folder() / name, data)
    return name


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)


def content(run: ImportRun) -> bytes | None:
    """The file that was uploaded; None once it is gone, or when it is not the one any more."""
    try:
        data = (folder() / run.stored).read_bytes()
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == run.sha256 else None


def keep_outcome(run: ImportRun, findings: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    """Store beside its file what a trial found wrong, and what would happen to each row."""
    told = {"findings": findings, "rows": rows}
    _write(folder() / f"{run.stored}.json", json.dumps(told, ensure_ascii=False, default=str).encode())


def outcome(run: ImportRun) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The last trial's findings and rows, in the order of the file; nothing once the files are gone."""
    try:
        found = json.loads((folder() / f"{run.stored}.json").read_bytes())
    except FileNotFoundError:
        return [], []
    if isinstance(found, list):  # a trial of the edition before this one
        return found, []
    return found["findings"], found["rows"]


def forget(name: str) -> None:
    """Delete the files of a run that is finished with."""
    for path in (folder() / name, folder() / f"{name}.json"):
        with suppress(FileNotFoundError):
            path.unlink()


def forget_old() -> int:
    """Delete every upload older than seven days, whatever became of its run; how many files. For a daily sweep."""
    last = (clock.now() - KEPT_FOR).timestamp()
    old = [path for path in folder().iterdir() if path.stat().st_mtime < last]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
