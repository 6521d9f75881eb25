"""Jobs: written with the business transaction, run once, taken up again after a crash."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.core import clock, jobs
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.errors import NoContext, WriteOutsideUnit
from app.core.writing import unit_of_work
from tests.support.house import House


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A kind of job that tells what it was given."""
    told: list[Any] = []
    monkeypatch.setitem(jobs._handlers, "tell", lambda **arguments: told.append(arguments))
    monkeypatch.setitem(jobs._handlers, "who", lambda: told.append(current_access().person.username))
    return told


def drain(house: House) -> None:
    with house.app.app_context():
        jobs.sweep()


def ask(house: House, kind: str, key: str, **arguments: Any) -> int:
    with house.system(), unit_of_work():
        return jobs.enqueue(kind, key, **arguments)


def test_a_job_is_run_once(house: House, ran: list[Any]) -> None:
    drain(house)
    number = ask(house, "tell", "once", word="你好")
    with house.app.app_context():
        assert jobs.run_job(number) and not jobs.run_job(number)
        assert jobs.pending() == []
    assert ran == [{"word": "你好"}]


def test_asking_twice_is_one_job(house: House, ran: list[Any]) -> None:
    assert ask(house, "tell", "same", n=1) == ask(house, "tell", "same", n=2)


def test_a_job_needs_the_business_transaction(house: House) -> None:
    with house.system(), pytest.raises(WriteOutsideUnit):
        jobs.enqueue("tell", "stray")


def test_a_rolled_back_transaction_leaves_no_job_and_rings_no_bell(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(jobs, "wake", [rung.append])
    with house.system() as session:
        with pytest.raises(ZeroDivisionError), unit_of_work():
            jobs.enqueue("tell", "gone")
            raise ZeroDivisionError
        assert session.scalar(select(jobs.Job.id).where(jobs.Job.unique_key == "gone")) is None
        assert rung == []
        with unit_of_work():
            number = jobs.enqueue("tell", "there")
            assert rung == [], "the bell rings after the commit, never before"
    assert rung == [number]


def test_eight_workers_run_it_once(house: House, ran: list[Any]) -> None:
    number = ask(house, "tell", "race")
    barrier = threading.Barrier(8)

    def take(_: int) -> bool:
        with house.app.app_context():
            barrier.wait()
            return jobs.run_job(number)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1
    assert len(ran) == 1


def test_a_job_runs_as_its_account_with_todays_postings(house: House, ran: list[Any]) -> None:
    ask(house, "who", "as", account_id=house.accounts["yuan-a"])
    drain(house)
    assert ran == ["yuan-a"]


def test_what_a_killed_worker_left_is_taken_up_again(house: House, ran: list[Any]) -> None:
    drain(house)
    number = ask(house, "tell", "killed")
    table = jobs.Job.__table__
    with house.system() as session, unit_of_work():
        silent = clock.now() - jobs.STALE_AFTER - timedelta(seconds=1)
        session.connection().execute(update(table).where(table.c.id == number).values(state="进行中", heartbeat=silent))
    with house.app.app_context():
        assert jobs.pending() == [number]
        assert jobs.sweep() == 1
    assert len(ran) == 1


def test_a_failing_job_is_tried_again_and_then_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    drain(house)
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise NoContext("不行")

    monkeypatch.setitem(jobs._handlers, "fail", fail)
    number = ask(house, "fail", "failing")
    for _ in range(jobs.MAX_ATTEMPTS + 3):
        drain(house)
    assert len(tries) == jobs.MAX_ATTEMPTS
    with house.system():
        row = current_session().get_one(jobs.Job, number)
        assert (row.state, row.error) == ("失败", "不行")
