"""The worker: huey only wakes it; the truth is the Job table, swept at the start and every minute."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask
from huey import RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer

from app.config import Settings
from app.core import attachment, jobs
from app.core.importing.run import forget_old
from app.core.signin import sessions

log = logging.getLogger(__name__)


def bell(settings: Settings) -> Any:
    """The queue that carries "there is a job": a file beside the database, or Redis."""
    if settings.redis_url:
        return RedisHuey("shouze", url=settings.redis_url, immediate=False)
    return SqliteHuey("shouze", filename=str(settings.data_dir / "bell.db"), immediate=False, fsync=False)


def install(app: Flask, settings: Settings) -> Any:
    """Make the queue ring after each commit that wrote a job. Returns the huey with its tasks."""
    huey = bell(settings)

    @huey.task()  # type: ignore[untyped-decorator]
    def run(job_id: int) -> None:
        with app.app_context():
            jobs.run_job(job_id)

    @huey.periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
    def sweep() -> None:
        with app.app_context():
            jobs.sweep()
            sessions.sweep()

    @huey.periodic_task(crontab(minute="7"))  # type: ignore[untyped-decorator]
    def tidy() -> None:
        with app.app_context():
            jobs.ask_daily()

    @huey.periodic_task(crontab(minute="23"))  # type: ignore[untyped-decorator]
    def sweep_files() -> None:
        with app.app_context():
            attachment.sweep()
            forget_old()

    def ring(job_id: int) -> None:
        try:
            run(job_id)
        except Exception:
            log.exception("the bell did not ring; the sweep will find job %s", job_id)

    jobs.wake[:] = [ring]
    huey.sweep_now, huey.tidy_now, huey.files_now = sweep, tidy, sweep_files
    return huey


def serve(app: Flask, settings: Settings) -> None:
    """Run until killed: finish what a crash left, then wait for the bell."""
    huey = install(app, settings)
    with app.app_context():
        jobs.ask_daily()
        found = jobs.sweep()
        log.info("worker started; %s jobs finished from before", found)
    # two: a paper does not wait for a long export
    Consumer(huey, workers=2, worker_type="thread", initial_delay=0.05, backoff=1.2, max_delay=0.3,
             check_worker_health=True).run()  # fmt: skip
