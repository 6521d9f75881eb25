"""Imports of many rows: tried, written and taken back in the background, with a way to stop them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.core import clock, jobs
from app.core.fab import import_job
from app.core.importing import act
from app.core.jobs import Job, JobState
from app.core.message import Message
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise
from tests.support.house import House
from tests.support.imports import Desk, firm_rows, firms_file, page
from tests.views.test_import import IMPORTED, count, firm, grant

ROWS = firm_rows(8)


@pytest.fixture(autouse=True)
def _small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_job.MOST_DIRECT == 1_000
    monkeypatch.setattr(import_job, "MOST_DIRECT", 5)
    monkeypatch.setattr(jobs, "TICK", 0.0)


def drain(house: House) -> None:
    with house.app.app_context():
        jobs.sweep()


def asked(house: House) -> list[Job]:
    with house.system() as session:
        return list(session.scalars(select(Job).where(Job.kind == "import").order_by(Job.id)))


def tried(house: House, rows: Any = None) -> Desk:
    """A file of many rows, with its trial done in the background."""
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file(rows or ROWS))
    assert desk.attempt().location == desk.url
    drain(house)
    assert desk.kept().state == "已试导入"
    return desk


def test_many_rows_are_tried_written_and_taken_back_in_the_background(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file(ROWS))
    assert desk.attempt().location == desk.url
    told = desk.result()
    assert "正在后台进行" in told and 'href="/jobs/"' in told and "<progress" in told and "写入 " not in told
    assert desk.client.get(f"{desk.url}/columns").location == desk.url
    for tail in ("/columns", "/discard"):
        answer = desk.client.post(f"{desk.url}{tail}")
        assert answer.status_code == 409 and "正在后台处理" in page(answer), tail
    assert desk.counts() == (0, 0, 0, 0)
    drain(house)
    assert desk.counts() == (8, 0, 0, 0) and "写入 8 条" in desk.result()
    assert f'href="{desk.url}"' in page(desk.client.get("/jobs/"))
    for _press in range(2):
        assert desk.write().status_code == 302
    assert [one.arguments["what"] for one in asked(house)] == ["try", "write"], "pressed twice it is written once"
    assert count(house, Enterprise, IMPORTED) == 0 and desk.undo().status_code == 409
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 8 and "写入的记录" in desk.result()
    assert desk.undo().status_code == 302 and count(house, Enterprise, IMPORTED) == 8
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 0 and "全部撤销" in desk.result()
    with house.system() as session:
        assert {one.state for one in asked(house)} == {JobState.DONE}
        links = session.scalars(select(Message.url).where(Message.account_id == house.accounts["neiqin-a"])).all()
        assert links.count(desk.url) == 3


def test_few_rows_are_done_at_once(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.through(firms_file(ROWS[:5]))
    assert count(house, Enterprise, IMPORTED) == 5 and asked(house) == []


def test_a_missing_tick_is_told_at_once(house: House) -> None:
    desk = tried(house, [*ROWS, ("", *ROWS[0][1:])])
    answer = desk.write()
    assert answer.status_code == 422 and "1 行有误" in page(answer)
    assert len(asked(house)) == 1


@pytest.mark.parametrize("when", ["before it begins", "while it reads"])
def test_a_cancelled_one_leaves_nothing(house: House, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = tried(house)
    desk.write()
    key = re.search(r'action="(/jobs/[\w-]+/cancel)"', desk.result())
    assert key
    other = house.client("neiqin-a")
    if when == "before it begins":
        assert other.post(key[1]).status_code == 302
        drain(house)
    else:
        read = act.read_lines

        def stopped(*args: Any, **kwargs: Any) -> Any:
            with house.system() as session, unit_of_work(Verb.VOID):
                session.execute(update(Job).where(Job.state == JobState.RUNNING).values(state=JobState.CANCELLED))
            return read(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(act, "read_lines", stopped)
            drain(house)
    assert asked(house)[-1].state == JobState.CANCELLED
    assert count(house, Enterprise, IMPORTED) == 0 and desk.kept().state == "已试导入"
    assert "写入 8 条" in desk.result(), "and can be written after all"
    desk.write()
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 8


def test_what_changed_meanwhile_is_told_and_tried_again(house: House) -> None:
    desk = tried(house)
    desk.write()
    Desk(house, "suo-a").through(firms_file(ROWS[3:4]))
    drain(house)
    told = desk.result()
    assert "有了变化" in told and f'action="{desk.url}/again"' in told and "写入 8 条" not in told
    assert count(house, Enterprise, IMPORTED) == 1
    desk.client.post(f"{desk.url}/again")
    drain(house)
    told = desk.result()
    assert "有了变化" not in told and desk.counts() == (7, 0, 1, 0)
    desk.write()
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 8


def test_without_the_right_it_is_not_done(house: House) -> None:
    desk = tried(house)
    desk.write()
    grant(house, "clerk", lambda grants: grants["Enterprise"].pop("import"))
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 0
    assert (asked(house)[-1].state, asked(house)[-1].error) == (JobState.FAILED, "您的角色没有这项权限。")


def test_killed_after_writing_it_is_not_written_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = tried(house)
    desk.write()

    def die(_running: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_finish", die)
        with pytest.raises(KeyboardInterrupt):
            drain(house)
    assert count(house, Enterprise, IMPORTED) == 8
    name = asked(house)[-1].public_id
    assert desk.client.post(f"/jobs/{name}/cancel").status_code == 409, "what is written can't be cancelled"
    later = clock.now() + timedelta(minutes=4)
    with clock.set_clock(lambda: later):
        drain(house)
    assert asked(house)[-1].state == JobState.DONE and firm(house, ROWS[0][1]).version == 1
    assert count(house, Enterprise, IMPORTED) == 8


def test_headings_alone_are_called_that_in_the_background_too(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file([("", "", "", "", "", "", "x")] * 9))
    desk.attempt(["name", "code", "", "", "", "", ""])
    drain(house)
    answer = desk.client.get(desk.url, follow_redirects=True)
    assert "没有数据" in page(answer) and answer.request.path.endswith("/columns")
