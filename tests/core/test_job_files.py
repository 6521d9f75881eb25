"""Long jobs: progress, cancel, one file for the account that asked, gone after seven days."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.core import clock, jobs
from app.core.db import current_session
from app.core.jobfile import KEPT, JobFile, attachment, clean_name, folder, result_file
from app.core.jobs import Job, JobState
from app.core.message import Message
from app.core.writing import unit_of_work
from tests.support.house import House

Steps = list[Callable[[], None]]


@pytest.fixture
def steps(house: House, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """A kind of job that writes ten lines to a file, ticking after each; what stands here happens at each tick."""
    told: Steps = []
    monkeypatch.setattr(jobs, "TICK", 0.0)

    def write() -> None:
        with result_file("报表/二〇二六.csv", "text/csv") as out:
            for number in range(10):
                out.write(f"{number}\n".encode())
                jobs.tick(number * 10)
                for step in told:
                    step()

    monkeypatch.setitem(jobs._handlers, "ten", write)
    with house.app.app_context():
        jobs.sweep()
        for path in folder().iterdir():
            path.unlink()
    return told


def ask(house: House, username: str | None = "yuan-a", kind: str = "ten") -> int:
    with house.system(), unit_of_work():
        return jobs.enqueue(kind, f"{kind}:{clock.now()}", title="十行", lang="zh",
                            account_id=house.accounts[username] if username else None)  # fmt: skip


def run(house: House, number: int) -> bool:
    with house.app.app_context():
        return jobs.run_job(number)


def files(house: House) -> list[Path]:
    with house.app.app_context():
        return sorted(folder().iterdir())


def row(house: House, number: int) -> Job:
    with house.system() as session:
        found: Job = session.get_one(Job, number)
        return found


def telling(house: House) -> list[str]:
    with house.system() as session:
        return list(session.scalars(select(Message.title).order_by(Message.id)))


def file_url(house: House, number: int) -> str:
    return f"/jobs/{row(house, number).public_id}/file"


def test_a_file_is_there_when_the_job_is_done(house: House, steps: Steps) -> None:
    number = ask(house)
    seen: list[int] = []
    steps.append(lambda: seen.append(row(house, number).progress))
    assert run(house, number)
    assert seen == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
    done = row(house, number)
    assert (done.state, done.progress, done.attempts) == (JobState.DONE, 100, 1)
    (path,) = files(house)
    assert path.stat().st_mode & 0o077 == 0, "nobody else on the machine reads it"
    with house.system() as session:
        kept = session.scalars(select(JobFile)).one()
    content = path.read_bytes()
    assert (kept.size, kept.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert telling(house) == ["完成：十行"]
    page = house.client("yuan-a").get("/jobs/").get_data(as_text=True)
    assert "十行" in page and "完成" in page and "下载" in page


def test_only_the_account_that_asked_gets_it(house: House, steps: Steps) -> None:
    number = ask(house)
    run(house, number)
    url = file_url(house, number)
    for other in ("suo-a", "yuan-b", "ju", "admin", "audit", "firm-a"):
        client = house.client(other)
        assert client.get(url).status_code == 404
        assert client.post(url.replace("/file", "/cancel")).status_code == 404
        assert "十行" not in client.get("/jobs/").get_data(as_text=True)
        assert client.get("/jobs/status").json == {"jobs": [], "open": []}
    answer = house.client("yuan-a").get(url, buffered=True)
    assert answer.status_code == 200 and answer.data.startswith(b"0\n1\n")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "%E6%8A%A5%E8%A1%A8_" in answer.headers["Content-Disposition"], "a slash in a name is no folder"
    assert house.client().get(url).status_code == 302


def test_a_running_job_is_cancelled_and_leaves_nothing(house: House, steps: Steps) -> None:
    number = ask(house)
    ticks: list[int] = []

    def cancel_at_the_third() -> None:
        ticks.append(1)
        if len(ticks) == 3:
            url = f"/jobs/{row(house, number).public_id}/cancel"
            with ThreadPoolExecutor(1) as other:  # a request of its own: not inside the worker's context
                assert other.submit(lambda: house.client("yuan-a").post(url)).result().status_code == 302

    steps.append(cancel_at_the_third)
    assert not run(house, number)
    assert len(ticks) == 3, "it stops at the next tick"
    assert files(house) == []
    assert row(house, number).state == JobState.CANCELLED
    assert telling(house) == []
    assert not run(house, number)
    with house.app.app_context():
        assert number not in jobs.pending()
    again = house.client("yuan-a").post(f"/jobs/{row(house, number).public_id}/cancel")
    assert again.status_code == 409


def test_a_waiting_job_is_cancelled_at_once(house: House, steps: Steps) -> None:
    number = ask(house)
    house.client("yuan-a").post(f"/jobs/{row(house, number).public_id}/cancel")
    assert not run(house, number)
    assert files(house) == []


def test_a_killed_worker_leaves_one_file_after_the_rerun(house: House, steps: Steps) -> None:
    number = ask(house)

    class Killed(BaseException):
        """What takes the process away: no handler runs."""

    def die() -> None:
        raise Killed

    steps.append(die)
    with pytest.raises(Killed):
        run(house, number)
    assert row(house, number).state == JobState.RUNNING and len(files(house)) == 1, "half a file lies there"
    steps.clear()
    assert not run(house, number), "its heartbeat is fresh: it may still live"
    silent(house, number)
    with house.app.app_context():
        assert jobs.pending() == [number]
        assert jobs.sweep() == 1
    assert len(files(house)) == 1 and files(house)[0].stat().st_size == 20
    assert telling(house) == ["完成：十行"]


def silent(house: House, number: int) -> None:
    with house.system() as session, unit_of_work():
        at = clock.now() - jobs.STALE_AFTER - timedelta(seconds=1)
        session.connection().execute(update(Job.__table__).where(Job.__table__.c.id == number).values(heartbeat=at))


def test_a_worker_taken_for_dead_cannot_finish(house: House, steps: Steps) -> None:
    """The first run hangs, the second takes over and finishes; when the first wakes up it stops."""
    number = ask(house)
    inner: list[bool] = []

    def take_over() -> None:
        steps.clear()
        silent(house, number)
        inner.append(run(house, number))

    steps.append(take_over)
    assert not run(house, number)
    assert inner == [True]
    assert len(files(house)) == 1 and telling(house) == ["完成：十行"]
    assert house.client("yuan-a").get(file_url(house, number), buffered=True).status_code == 200


def test_a_failing_job_tells_once_and_leaves_nothing(house: House, steps: Steps) -> None:
    number = ask(house)

    def fail() -> None:
        raise KeyError("inside")

    steps.append(fail)
    for _turn in range(jobs.MAX_ATTEMPTS + 2):
        assert not run(house, number)
    assert files(house) == [] and row(house, number).attempts == jobs.MAX_ATTEMPTS
    assert telling(house) == ["没有完成：十行"]
    page = house.client("yuan-a").get("/messages/").get_data(as_text=True)
    assert "inside" not in page and "请告诉系统管理员" in page


def test_a_final_refusal_is_not_tried_again(house: House, steps: Steps) -> None:
    number = ask(house)

    def refuse() -> None:
        raise jobs.Final("没有权限")

    steps.append(refuse)
    assert not run(house, number)
    with house.app.app_context():
        assert number not in jobs.pending()
    page = house.client("yuan-a").get("/messages/").get_data(as_text=True)
    assert "没有权限" in page


def test_files_are_gone_after_seven_days(house: House, steps: Steps) -> None:
    number = ask(house)
    run(house, number)
    url = file_url(house, number)
    later = clock.now() + KEPT - timedelta(minutes=1)
    with clock.set_clock(lambda: later):
        tidy(house)
        assert house.client("yuan-a").get(url, buffered=True).status_code == 200
    later += timedelta(days=1)
    with clock.set_clock(lambda: later):
        assert house.client("yuan-a").get(url, buffered=True).status_code == 404, "its days are over, swept or not"
        tidy(house)
        assert files(house) == []
        page = house.client("yuan-a").get("/jobs/").get_data(as_text=True)
        assert "文件已到期删除" in page and url not in page


def tidy(house: House) -> None:
    with house.app.app_context():
        jobs.ask_daily()
        jobs.sweep()


def test_the_sweep_takes_what_a_dead_run_left_and_nothing_fresh(house: House, steps: Steps) -> None:
    with house.app.app_context():
        old, fresh = folder() / "dead.run", folder() / "live.run"
    for path in (old, fresh):
        path.write_bytes(b"x")
    past = clock.now().timestamp() - 2 * 86400
    os.utime(old, (past, past))
    tidy(house)
    assert files(house) == [fresh]


def test_a_tick_outside_a_job_and_inside_a_unit_does_nothing(house: House) -> None:
    with house.system(), unit_of_work():
        jobs.tick(50)
        with pytest.raises(LookupError):
            jobs.running_job()


def test_system_jobs_are_nobodys(house: House, steps: Steps) -> None:
    number = ask(house, None)
    assert run(house, number)
    for username in ("admin", "yuan-a"):
        assert "十行" not in house.client(username).get("/jobs/").get_data(as_text=True)
        assert house.client(username).get(file_url(house, number)).status_code == 404
    with house.acting("admin"):
        assert current_session().scalars(select(Job).where(Job.id == number)).all() == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("检查/复查.xlsx", "检查_复查.xlsx"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a"b\r\nX: y.csv', "a_b__X_ y.csv"),
        ("长" * 300 + ".csv", "长" * 115 + ".csv"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_names_of_files_stay_names(name: str, kept: str) -> None:
    assert clean_name(name) == kept
    header = attachment(name)
    assert header.isascii() and "\n" not in header and '"' not in header
    assert "/" not in header
