"""Jobs: a row written in the business transaction; the worker is only woken, and sweeps for what was missed.

A job runs as the account that asked for it, with the postings of the moment it runs; a job without an account is a
system job and runs unscoped. Handlers are idempotent: a crash runs them again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, Integer, String, Text, event, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session

from app.core import clock
from app.core.access.context import acting
from app.core.db import AppSession, current_session, unscoped
from app.core.entity import BigId, Entity, column
from app.core.errors import ShouzeError, WriteOutsideUnit
from app.core.types import UtcDateTime
from app.core.writing import current_unit, unit_of_work

log = logging.getLogger(__name__)
STALE_AFTER = timedelta(minutes=3)
MAX_ATTEMPTS = 5


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "等待"
    RUNNING = "进行中"
    DONE = "完成"
    FAILED = "失败"


class Job(Entity):
    """One piece of work to do; `unique_key` makes asking twice one job."""

    __tablename__ = "job"
    __label__ = "后台任务"
    __history__ = False
    __table_args__ = (Index("ix_job_state_heartbeat", "state", "heartbeat"),)

    kind: Mapped[str] = column("种类", String(40), nullable=False)
    arguments: Mapped[dict[str, Any]] = column("参数", JSON, nullable=False, default=dict)
    account_id: Mapped[int | None] = column("人员", BigId)
    unique_key: Mapped[str] = column("唯一键", String(120), unique=True, nullable=False)
    state: Mapped[str] = column("状态", String(10), choices=JobState, nullable=False, default=JobState.WAITING)
    progress: Mapped[int] = column("进度", Integer, nullable=False, default=0)
    attempts: Mapped[int] = column("次数", Integer, nullable=False, default=0)
    heartbeat: Mapped[datetime | None] = column("最近活动", UtcDateTime)
    error: Mapped[str] = column("错误", Text, nullable=False, default="")


Handler = Callable[..., None]
_handlers: dict[str, Handler] = {}
wake: list[Callable[[int], None]] = []  # the worker's doorbell, set at start-up; none in tests and commands


def job(kind: str) -> Callable[[Handler], Handler]:
    """Register what a kind of job does: `handler(**arguments)`."""

    def decorate(function: Handler) -> Handler:
        _handlers[kind] = function
        return function

    return decorate


def enqueue(kind: str, unique_key: str, *, account_id: int | None = None, **arguments: Any) -> int:
    """Write a job in the unit of work in force; it is rung after the commit. Returns its key.

    The same `unique_key` again gives the job that is already there.
    """
    session = current_session()
    if current_unit(session) is None:
        raise WriteOutsideUnit("enqueue() needs a unit of work")
    connection, table = session.connection(), Job.__table__
    found = connection.scalar(select(table.c.id).where(table.c.unique_key == unique_key))
    if found is None:
        values = {
            "kind": kind,
            "arguments": arguments,
            "unique_key": unique_key,
            "account_id": account_id,
            "version": 1,
        }
        key = connection.execute(insert(table).values(values)).inserted_primary_key
        assert key is not None
        found = key[0]
    session.info.setdefault("rung", []).append(found)
    return int(found)


@event.listens_for(AppSession, "after_commit")
def _ring(session: Session) -> None:
    for job_id in session.info.pop("rung", []):
        for bell in wake:
            bell(job_id)


@event.listens_for(AppSession, "after_rollback")
def _unring(session: Session) -> None:
    session.info.pop("rung", None)


def run_job(job_id: int) -> bool:
    """Take and run one job. False when another worker has it, or it is done."""
    taken = _take(job_id)
    if taken is None:
        return False
    kind, arguments, account_id = taken
    try:
        if account_id is None:
            with unscoped(f"job {kind}"):
                _handlers[kind](**arguments)
        else:
            with acting(account_id):
                _handlers[kind](**arguments)
    except Exception as error:
        log.exception("job %s failed", job_id)
        message = str(error) if isinstance(error, ShouzeError) else type(error).__name__
        _mark(job_id, JobState.FAILED, message)
        return False
    _mark(job_id, JobState.DONE)
    return True


def _take(job_id: int) -> tuple[str, dict[str, Any], int | None] | None:
    """Claim by one conditional update, so that two workers never run the same job at once."""
    table, at = Job.__table__, clock.now()
    open_ = or_(
        table.c.state == JobState.WAITING,
        (table.c.state == JobState.FAILED) & (table.c.attempts < MAX_ATTEMPTS),
        (table.c.state == JobState.RUNNING) & (table.c.heartbeat < at - STALE_AFTER),
    )
    with unscoped("take job", quiet=True) as session, unit_of_work():
        claimed = session.connection().execute(
            update(table)
            .where(table.c.id == job_id, open_)
            .values(state=JobState.RUNNING, heartbeat=at, attempts=table.c.attempts + 1)
        )
        if claimed.rowcount != 1:
            return None
        row = (
            session.connection()
            .execute(select(table.c.kind, table.c.arguments, table.c.account_id).where(table.c.id == job_id))
            .one()
        )
    return row.kind, row.arguments, row.account_id


def _mark(job_id: int, state: JobState, error: str = "") -> None:
    table = Job.__table__
    with unscoped("mark job", quiet=True) as session, unit_of_work():
        values = {"state": state, "error": error, "heartbeat": clock.now()}
        session.connection().execute(update(table).where(table.c.id == job_id).values(values))


def pending() -> list[int]:
    """Jobs that wait, failed but may be tried again, or whose worker has gone silent."""
    table, at = Job.__table__, clock.now()
    with unscoped("sweep jobs", quiet=True) as session:
        rows = session.connection().execute(
            select(table.c.id)
            .where(
                or_(
                    table.c.state == JobState.WAITING,
                    (table.c.state == JobState.FAILED) & (table.c.attempts < MAX_ATTEMPTS),
                    (table.c.state == JobState.RUNNING) & (table.c.heartbeat < at - STALE_AFTER),
                )
            )
            .order_by(table.c.id)
        )
        return [row.id for row in rows]


def sweep() -> int:
    """Run everything pending; what a killed worker left behind too. Returns how many were run."""
    return sum(run_job(job_id) for job_id in pending())
