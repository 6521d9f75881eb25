"""Files that jobs leave for the account that asked: stored under a random name, gone after seven days.

A file is written as the job runs and appears only with the transaction that marks the job done; of a run that was
cancelled, failed or died nothing stays.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import quote

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, String, insert, select, update
from sqlalchemy.orm import Mapped, relationship

from app.core import clock
from app.core.db import current_session
from app.core.entity import BigId, Entity, column
from app.core.errors import NotFound
from app.core.jobs import Job, Running, job, running_job
from app.core.retain import Retain
from app.core.types import UtcDateTime, public_id
from app.core.writing import unit_of_work

KEPT = timedelta(days=7)
ORPHANED = timedelta(days=1)  # a file that no row names is the rest of a dead run


class JobFile(Entity):
    """One file of one job. `stored` is its name on disk, `name` what the person gets it as."""

    __tablename__ = "job_file"
    __label__ = "任务文件"
    __part_of__ = "job"
    __history__ = False
    __retain__ = (Retain(83, "removed_at"),)  # the file itself was kept for seven days

    job_id: Mapped[int] = column("任务", BigId, ForeignKey("job.id"), nullable=False, unique=True)
    stored: Mapped[str] = column("存放名", String(60), nullable=False)
    name: Mapped[str] = column("文件名", String(200), nullable=False)
    mimetype: Mapped[str] = column("类型", String(100), nullable=False)
    size: Mapped[int] = column("字节数", BigInteger, nullable=False)
    sha256: Mapped[str] = column("SHA-256", String(64), nullable=False)
    until: Mapped[datetime] = column("保留至", UtcDateTime, nullable=False, index=True)
    removed_at: Mapped[datetime | None] = column("删除时间", UtcDateTime)

    job: Mapped[Job] = relationship()


def folder() -> Path:
    """Where job files lie; readable by the server's own user only."""
    found: Path = current_app.extensions["shouze_settings"].data_dir / "results"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


@contextmanager
def result_file(name: str, mimetype: str) -> Iterator[IO[bytes]]:
    """A file to write inside a job: it becomes the job's one result when the job is done, and is gone otherwise."""
    running = running_job()
    for rest in folder().glob(f"{running.public_id}.*"):
        rest.unlink(missing_ok=True)  # of an attempt that died
    path = folder() / f"{running.public_id}.{public_id()}"
    running.undo.append(partial(path.unlink, missing_ok=True))
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w+b") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())
    running.url = f"/jobs/{running.public_id}/file"
    running.at_end.append(partial(_publish, running, path, clean_name(name), mimetype, digest_of(path)))


def _publish(running: Running, path: Path, name: str, mimetype: str, digest: str) -> None:
    values = {
        "public_id": public_id(), "version": 1, "made_at": clock.now(), "job_id": running.job_id, "stored": path.name,
        "name": name, "mimetype": mimetype, "size": path.stat().st_size, "sha256": digest,
        "until": clock.now() + KEPT,
    }  # fmt: skip
    current_session().connection().execute(insert(JobFile.__table__).values(values))


def digest_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def path_of(file: JobFile) -> Path:
    """Where a file that may be handed out lies. Raises NotFound when its days are over."""
    path = folder() / file.stored
    if file.removed_at is not None or file.until <= clock.now() or not path.is_file():
        raise NotFound(_("这个文件已经删除（只保留 7 天），需要时请重新生成。"))
    return path


def clean_name(name: str) -> str:
    """A file name that every system takes: no slashes, no control characters, at most 120 characters."""
    kept = "".join("_" if char in '\\/:*?"<>|' or not char.isprintable() else char for char in name).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[:115]}.{ending}" if dot and ending.isalnum() and len(ending) <= 5 else kept[:120] or "file"


def attachment(name: str) -> str:
    """The Content-Disposition of a download; Chinese as RFC 6266 has it, plain ASCII for what can't read that."""
    name = clean_name(name)
    ending = name.rpartition(".")[2] if "." in name else ""
    plain = f"download.{ending}" if ending.isascii() and ending.isalnum() else "download"
    return f"attachment; filename={plain}; filename*=UTF-8''{quote(name, safe='')}"


@job("tidy-files", daily=True)
def tidy_files() -> None:
    """Delete files whose days are over, and what dead runs left behind."""
    session, table = current_session(), JobFile.__table__
    over = session.execute(
        select(table.c.id, table.c.stored).where(table.c.removed_at.is_(None), table.c.until <= clock.now())
    ).all()
    session.rollback()
    for _key, stored in over:
        (folder() / stored).unlink(missing_ok=True)
    with unit_of_work():
        gone = update(table).where(table.c.id.in_([key for key, _stored in over])).values(removed_at=clock.now())
        session.connection().execute(gone)
        kept = set(session.connection().scalars(select(table.c.stored).where(table.c.removed_at.is_(None))))
    for path in folder().iterdir():
        touched = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if path.name not in kept and touched < clock.now() - ORPHANED:
            path.unlink(missing_ok=True)
