"""Jobs: a row written in the business transaction; the worker is only woken, and sweeps for what was missed.

A job runs as the account that asked for it, with the postings of the moment it runs; a job without an account is a
system job and runs unscoped. Handlers are idempotent: a crash runs them again. Long ones call `tick`: it writes
progress and heartbeat, and stops a job that was cancelled. The run that holds a job is told by its attempt: a worker
that was taken for dead and comes back can neither finish nor fail it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import JSON, Index, Integer, String, Text, event, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session

from app.core import clock
from app.core.access.context import acting
from app.core.db import AppSession, current_session, is_sqlite, unscoped
from app.core.entity import BigId, Entity, Scope, column
from app.core.errors import ShouzeError, WriteOutsideUnit
from app.core.message import notify
from app.core.retain import Retain
from app.core.types import UtcDateTime
from app.core.writing import current_unit, unit_of_work

log = logging.getLogger(__name__)
STALE_AFTER = timedelta(minutes=3)
MAX_ATTEMPTS = 5
TICK = 1.0  # seconds between two heartbeats
JOBS_URL = "/jobs/"
SETTLED = 100  # the progress of a job whose work is committed
FOR_US = {"lang", "page"}  # arguments that no handler gets


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "等待"
    RUNNING = "进行中"
    DONE = "完成"
    FAILED = "失败"
    CANCELLED = "已取消"


class Job(Entity):
    """One piece of work to do; `unique_key` makes asking twice one job."""

    __tablename__ = "job"
    __label__ = "后台任务"
    __scope__ = Scope.OWN
    __history__ = False
    __retain__ = (Retain(90, "made_at", states=(JobState.DONE, JobState.CANCELLED, JobState.FAILED)),)
    __table_args__ = (
        Index("ix_job_state_heartbeat", "state", "heartbeat"),
        Index("ix_job_account_id_id", "account_id", "id"),
    )

    kind: Mapped[str] = column("种类", String(40), nullable=False)
    title: Mapped[str] = column("任务", String(120), nullable=False, default="")
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
_daily: list[str] = []
wake: list[Callable[[int], None]] = []  # the worker's doorbell, set at start-up; none in tests and commands


def job(kind: str, *, daily: bool = False) -> Callable[[Handler], Handler]:
    """Register what a kind of job does: `handler(**arguments)`. A `daily` one is put once a day by the worker."""

    def decorate(function: Handler) -> Handler:
        _handlers[kind] = function
        if daily and kind not in _daily:
            _daily.append(kind)
        return function

    return decorate


def ask_daily() -> None:
    """Put what is done once a day, however often it is asked for (unscoped)."""
    with unscoped("worker: daily"), unit_of_work():
        for kind in _daily:
            enqueue(kind, f"{kind}:{clock.today().isoformat()}")


def enqueue(kind: str, unique_key: str, *, account_id: int | None = None, title: Any = "", **arguments: Any) -> int:
    """Write a job in the unit of work in force; it is rung after the commit. Returns its key.

    The same `unique_key` again gives the job that is already there. `title` is what its account sees of it on /jobs/
    and in messages; an argument `lang` is the language it speaks, `page` the address where its outcome is seen.
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
            "title": str(title)[:120],
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


@dataclass
class Running:
    """The job that is running here. `at_end` runs inside the transaction that marks it done, `undo` when it is not.

    note: what the message about its end says besides.
    """

    job_id: int
    attempt: int
    kind: str
    arguments: dict[str, Any]
    account_id: int | None
    public_id: str
    title: str
    told: float = float("-inf")
    url: str = ""
    note: str = ""
    at_end: list[Callable[[], None]] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)

    def page(self) -> str:
        """Where the person is led when it is over."""
        return self.url or str(self.arguments.get("page") or JOBS_URL)

    def mine(self) -> tuple[Any, ...]:
        """Criteria that hold while this very run has the job: not cancelled, not taken over by another worker."""
        table = Job.__table__
        return (table.c.id == self.job_id, table.c.state == JobState.RUNNING, table.c.attempts == self.attempt)


class Cancelled(Exception):
    """The job was cancelled, or another worker has taken it over: stop, leave nothing."""


class Final(ShouzeError):
    """A job that can't be done, however often it is tried; the message says why."""


_running: ContextVar[Running | None] = ContextVar("running job", default=None)


def running_job() -> Running:
    """The job that runs here. Raises LookupError outside one."""
    found = _running.get()
    if found is None:
        raise LookupError("no job is running here")
    return found


def tick(percent: int | None = None) -> None:
    """Say that the job lives, and how far it is; call it often, it writes every TICK seconds at most.

    A short transaction of its own. Raises Cancelled. Outside a job, and inside a unit of work on SQLite (where nobody
    else can write), it does nothing.
    """
    running = _running.get()
    if running is None or time.monotonic() - running.told < TICK:
        return
    if current_unit() is not None and is_sqlite(current_session().connection()):
        return
    running.told = time.monotonic()
    values: dict[str, Any] = {"heartbeat": clock.now()}
    if percent is not None:
        values["progress"] = min(max(percent, 0), 99)
    with unscoped("job heartbeat", quiet=True) as session, unit_of_work():
        told = session.connection().execute(update(Job.__table__).where(*running.mine()).values(values))
    if told.rowcount != 1:
        raise Cancelled


def settle(percent: int = SETTLED) -> None:
    """Called last in the unit of work that does what the job is for: it stands or falls with it.

    Raises Cancelled, which takes it all back, when the job is this run's no more; once committed, the job can't be
    cancelled, unless this was only a part of it (`percent`). Outside a job it does nothing.
    """
    running = _running.get()
    if running is not None:
        settled = update(Job.__table__).where(*running.mine()).values(progress=percent, heartbeat=clock.now())
        if current_session().connection().execute(settled).rowcount != 1:
            raise Cancelled


def cancelled_by_person() -> bool:
    """Whether the job that runs here was cancelled, rather than taken over by another worker."""
    with unscoped("was the job cancelled", quiet=True) as session:
        table = Job.__table__
        state = session.connection().scalar(select(table.c.state).where(table.c.id == running_job().job_id))
    return bool(state == JobState.CANCELLED)


@contextmanager
def apart() -> Iterator[None]:
    """What is done inside is no part of the job that runs here: it goes on to its end, cancelled or not."""
    token = _running.set(None)
    try:
        yield
    finally:
        _running.reset(token)


def run_job(job_id: int) -> bool:
    """Take and run one job. False when another worker has it, it is done, or it did not succeed."""
    running = _take(job_id)
    if running is None:
        return False
    token = _running.set(running)
    try:
        with _as_whom(running), force_locale(running.arguments.get("lang", "zh")):
            _handlers[running.kind](**{name: value for name, value in running.arguments.items() if name not in FOR_US})
            _finish(running)
    except Cancelled:
        log.info("job %s was cancelled", job_id)
        _undo(running)
        return False
    except Exception as error:
        log.exception("job %s failed", job_id)
        _undo(running)
        _fail(running, error)
        return False
    finally:
        _running.reset(token)
    return True


def _as_whom(running: Running) -> AbstractContextManager[Any]:
    if running.account_id is None:
        return unscoped(f"job {running.kind}")
    return acting(running.account_id)


def _undo(running: Running) -> None:
    for step in running.undo:
        step()


def _open(at: datetime) -> Any:
    """Jobs that may be taken: they wait, failed but may be tried again, or their worker has gone silent."""
    table = Job.__table__
    return or_(
        table.c.state == JobState.WAITING,
        (table.c.state == JobState.FAILED) & (table.c.attempts < MAX_ATTEMPTS),
        (table.c.state == JobState.RUNNING) & (table.c.heartbeat < at - STALE_AFTER),
    )


def _take(job_id: int) -> Running | None:
    """Claim by one conditional update, so that two workers never run the same job at once."""
    table, at = Job.__table__, clock.now()
    with unscoped("take job", quiet=True) as session, unit_of_work():
        claimed = session.connection().execute(
            update(table)
            .where(table.c.id == job_id, _open(at))
            .values(state=JobState.RUNNING, heartbeat=at, attempts=table.c.attempts + 1, progress=0)
        )
        if claimed.rowcount != 1:
            return None
        wanted = (table.c.id, table.c.attempts, table.c.kind, table.c.arguments, table.c.account_id,
                  table.c.public_id, table.c.title)  # fmt: skip
        return Running(*session.connection().execute(select(*wanted).where(table.c.id == job_id)).one())


def _finish(running: Running) -> None:
    """Done: its state, what it leaves and the message about it, in one transaction. Raises Cancelled."""
    values = {"state": JobState.DONE, "error": "", "heartbeat": clock.now(), "progress": 100}
    with unscoped("finish job", quiet=True) as session, unit_of_work():
        done = session.connection().execute(update(Job.__table__).where(*running.mine()).values(values))
        if done.rowcount != 1:
            raise Cancelled
        for step in running.at_end:
            step()
        if running.account_id is not None and running.title:
            text = _("可以下载了，保留 7 天。") if running.url else ""
            notify(running.account_id, _("完成：%(what)s", what=running.title), f"{text}{running.note}", running.page())


def _fail(running: Running, error: Exception) -> None:
    """Failed: tried again until MAX_ATTEMPTS, unless it is final; the person is told the last time."""
    why = str(error) if isinstance(error, ShouzeError) else type(error).__name__
    last = isinstance(error, Final) or running.attempt >= MAX_ATTEMPTS
    values: dict[str, Any] = {"state": JobState.FAILED, "error": why, "heartbeat": clock.now()}
    if last:
        values["attempts"] = MAX_ATTEMPTS
    with unscoped("fail job", quiet=True) as session, unit_of_work():
        told = session.connection().execute(update(Job.__table__).where(*running.mine()).values(values))
        if told.rowcount == 1 and last and running.account_id is not None and running.title:
            bug = _("系统出了问题，请再试一次；一直这样，请告诉系统管理员。")
            told_why = why if isinstance(error, ShouzeError) else bug
            notify(running.account_id, _("没有完成：%(what)s", what=running.title), told_why, running.page())


def cancel(job_id: int, account_id: int) -> bool:
    """Cancel one's own job, in the unit of work in force. A running one stops at its next `tick`.

    False when it is over already, or somebody else's.
    """
    table = Job.__table__
    unfinished = or_(
        table.c.state.in_([JobState.WAITING, JobState.RUNNING]),
        (table.c.state == JobState.FAILED) & (table.c.attempts < MAX_ATTEMPTS),
    )
    mine = (table.c.id == job_id, table.c.account_id == account_id, unfinished, table.c.progress < SETTLED)
    done = current_session().connection().execute(update(table).where(*mine).values(state=JobState.CANCELLED))
    return int(done.rowcount) == 1


def pending() -> list[int]:
    """Jobs that wait, failed but may be tried again, or whose worker has gone silent."""
    table, at = Job.__table__, clock.now()
    with unscoped("sweep jobs", quiet=True) as session:
        rows = session.connection().execute(select(table.c.id).where(_open(at)).order_by(table.c.id))
        return [row.id for row in rows]


def sweep() -> int:
    """Run everything pending; what a killed worker left behind too. Returns how many were run."""
    return sum(run_job(job_id) for job_id in pending())
