"""A long import is written part by part: others save meanwhile, a killed one goes on, and it is whole or not at all."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from app.core import clock, jobs
from app.core.codes import make_credit_code
from app.core.db import AppSession, db
from app.core.fab import import_job
from app.core.history import HistoryEntry, verify
from app.core.importing import act, part
from app.core.importing.lines import NEW, Line
from app.core.importing.part import ImportPart
from app.core.importing.rehearsal import Claims
from app.core.jobs import Job, JobState
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from tests.support.house import A, House
from tests.support.imports import Desk, firm_rows, firms_file, page, workbook
from tests.views.test_import import IMPORTED, count, firm, grant
from tests.views.test_import_job import asked, drain, tried

ROWS = firm_rows(8)
PARTS = [3, 3, 2]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a part, and more than five rows are a job."""
    monkeypatch.setattr(part, "SIZE", 3)
    monkeypatch.setattr(part, "BREATH", 0.0)
    monkeypatch.setattr(import_job, "MOST_DIRECT", 5)
    monkeypatch.setattr(jobs, "TICK", 0.0)


def parts(house: House) -> list[ImportPart]:
    with house.system() as session:
        return list(session.scalars(select(ImportPart).order_by(ImportPart.number)))


def codes(house: House) -> Counter[str | None]:
    with house.system() as session:
        return Counter(session.scalars(select(Enterprise.code).where(IMPORTED)))


def let_go(house: House) -> None:
    """No connection of this process is left for a child to share."""
    with house.app.app_context():
        db.session.remove()
        db.engine.dispose()


def killed(house: House, what: Callable[[], Any], when: str, at: int) -> None:
    """Do it in a process that is gone at the `at`-th event of writing or undoing; a savepoint's end is a commit too."""
    let_go(house)
    child = os.fork()
    if child == 0:
        try:
            seen = [0]

            def die(session: Any, *_context: Any) -> None:
                unit = session.info.get("unit")
                if unit is not None and unit.reason in {"文件导入", "撤销导入"}:
                    seen[0] += 1
                    if seen[0] == at:
                        os._exit(9)

            event.listen(AppSession, when, die)
            what()
        finally:
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9, "killed where it was meant to be"


def go_on(house: House) -> None:
    """The worker's sweep, once the dead one has been silent for long enough."""
    later = clock.now() + timedelta(minutes=4)
    with clock.set_clock(lambda: later):
        drain(house)


def test_while_thousands_are_written_others_save(house: House) -> None:
    """2,000 rows are twenty transactions; a colleague saves one firm after the other all the time, and each is kept."""
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file(firm_rows(2_000, 20_000)))
    desk.attempt()
    drain(house)
    assert desk.counts() == (2_000, 0, 0, 0) and len(desk.kept().result["plan"]) == 20
    desk.write()
    over, saved, wrong, seen = threading.Event(), [], [], set()

    def keep_saving() -> None:
        with house.acting("suo-a"):
            while not over.is_set():
                name = f"随手登记的店{len(saved)}"
                try:
                    save(Enterprise(name=name, code=make_credit_code(90_000 + len(saved))), Verb.CREATE)
                except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
                    wrong.append(repr(error))
                saved.append(name)
                seen.add(count(house, ImportPart))

    colleague = threading.Thread(target=keep_saving)
    colleague.start()
    drain(house)
    over.set()
    colleague.join()
    assert wrong == [] and count(house, Enterprise, Enterprise.name.like("随手登记的店%")) == len(saved)
    assert len(seen & set(range(1, 20))) >= 3, "saved between one part and the next"
    assert asked(house)[-1].state == JobState.DONE and count(house, Enterprise, IMPORTED) == 2_000
    assert [one.made for one in parts(house)] == [100] * 20
    with house.app.app_context():
        assert list(verify()) == []


@pytest.mark.usefixtures("short")
def test_each_part_is_a_transaction_with_its_history(house: House) -> None:
    desk = tried(house, ROWS)
    entries = HistoryEntry.verb == Verb.IMPORT, HistoryEntry.office_id == house.offices[A]
    before = count(house, HistoryEntry, *entries)
    desk.write()
    drain(house)
    assert [one.made for one in parts(house)] == PARTS and len(set(codes(house))) == 8
    assert count(house, HistoryEntry, *entries) - before == len(PARTS) + 1, "and one that names the file"
    assert "写入的记录" in desk.result() and len(desk.kept().result["written"]) == 8
    desk.undo()
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 0 and parts(house) == []
    assert "全部撤销" in desk.result()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("when", "at"), [("after_flush", 3), ("after_commit", 1), ("after_commit", 2), ("before_commit", 3)]
)
def test_killed_in_the_middle_it_goes_on(house: House, when: str, at: int) -> None:
    desk = tried(house, ROWS)
    desk.write()

    def work() -> None:
        drain(house)

    killed(house, work, when, at)
    half = count(house, Enterprise, IMPORTED)
    assert half < 8 and half == sum(one.made for one in parts(house))
    go_on(house)
    assert codes(house) == Counter(dict.fromkeys((row[1] for row in ROWS), 1)), "none twice, none lost"
    assert [one.made for one in parts(house)] == PARTS and desk.kept().state == "已导入"
    assert asked(house)[-1].state == JobState.DONE
    desk.undo()
    go_on(house)
    assert count(house, Enterprise, IMPORTED) == 0 and desk.kept().state == "已撤销"


@pytest.mark.usefixtures("short")
def test_killed_rows_that_nothing_identifies_come_once(house: House) -> None:
    """Inspections have no key: only the parts say which of them are there already."""
    grant(house, "inspector", lambda grants: grants["Inspection"].update({"import": [["subtree", None]]}))
    with house.system() as session:
        place = session.get_one(Site, house.site_of(A))
        site = place.licence_no or place.name
        before = count(house, Inspection)
    head = ["经营场所", "检查日期", "检查类型", "选取方式", "检查地点", "检查人员", "协同检查人员", "检查结果"]
    row = [site, clock.today(), "日常监督检查", "计划指定", "现场", "yuan-a", "suo-a", "符合"]
    mapping = ["site", "date", "kind", "selection", "place", "inspector", "co_inspector", "result"]
    desk = Desk(house, "yuan-a", "/inspections")
    desk.upload(workbook(head, *[row] * 7))
    desk.attempt(mapping)
    drain(house)
    desk.write()
    killed(house, lambda: drain(house), "after_commit", 2)
    go_on(house)
    assert count(house, Inspection) == before + 7
    assert [one.made for one in parts(house)] == [3, 3, 1]


def stopped_after(monkeypatch: pytest.MonkeyPatch, number: int, then: Callable[[], Any]) -> None:
    """Something happens between part `number` and the next one."""
    real = act._write_part

    def written(*args: Any) -> None:
        real(*args)
        if args[-1] == number:
            then()

    monkeypatch.setattr(act, "_write_part", written)


def cancel(house: House) -> None:
    with house.system() as session, unit_of_work(Verb.VOID):
        session.execute(update(Job).where(Job.state == JobState.RUNNING).values(state=JobState.CANCELLED))


@pytest.mark.usefixtures("short")
def test_cancelled_in_the_middle_nothing_is_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    Desk(house, "neiqin-a").through(firms_file([(*ROWS[0][:4], "原来的地址", "正常")]))
    desk = tried(house, ROWS)
    desk.write()
    with monkeypatch.context() as patch:
        stopped_after(patch, 1, lambda: cancel(house))
        drain(house)
    assert asked(house)[-1].state == JobState.CANCELLED
    assert count(house, Enterprise, IMPORTED) == 1 and firm(house, ROWS[0][1]).address == "原来的地址"
    assert desk.kept().state == "已试导入" and len(parts(house)) == 1, "that of the first file"
    assert desk.client.post(f"{desk.url}/again").status_code == 302, "one row has another version now: tried again"
    drain(house)
    desk.write()
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 8 and firm(house, ROWS[0][1]).address == ROWS[0][4]
    with house.app.app_context():
        assert list(verify()) == []


@pytest.mark.usefixtures("short")
def test_a_row_that_appears_in_the_middle_takes_all_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = tried(house, ROWS)
    desk.write()
    with monkeypatch.context() as patch:
        stopped_after(patch, 0, lambda: Desk(house, "suo-a").through(firms_file(ROWS[7:])))
        drain(house)
    assert asked(house)[-1].state == JobState.FAILED
    assert set(codes(house)) == {ROWS[7][1]}, "the colleague's alone"
    told = desk.result()
    assert "有了变化" in told and f'action="{desk.url}/again"' in told
    desk.client.post(f"{desk.url}/again")
    drain(house)
    assert desk.counts() == (7, 0, 1, 0)


@pytest.mark.usefixtures("short")
def test_what_was_touched_in_the_middle_stays_and_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody edits a row of the first part before the third turns out not to be as tried."""
    desk = tried(house, ROWS)
    desk.write()

    def meddle() -> None:
        with house.system() as session, unit_of_work():
            session.scalars(select(Enterprise).where(Enterprise.code == ROWS[0][1])).one().note = "后来改的"
        Desk(house, "suo-a").through(firms_file(ROWS[7:]))

    with monkeypatch.context() as patch:
        stopped_after(patch, 1, meddle)
        drain(house)
    assert set(codes(house)) == {ROWS[0][1], ROWS[7][1]}
    assert desk.kept().state == "已撤销"
    assert ROWS[0][0] in desk.result() and "导入之后又被改过" in desk.result()


@pytest.mark.usefixtures("short")
def test_what_stopped_for_good_is_gone_on_with_or_taken_back(house: House) -> None:
    """The worker died in the middle each time: the page says how far it came, and offers both ways."""
    desk = tried(house, ROWS)
    desk.write()
    killed(house, lambda: drain(house), "after_commit", 2)
    with house.system() as session, unit_of_work(Verb.VOID):
        session.execute(update(Job).where(Job.state == JobState.RUNNING).values(state=JobState.FAILED, attempts=5))
    for _turn in ("gone on with", "taken back"):
        told = desk.result()
        assert "写到一半停下了，已写入 3 条" in told and "接着写入" in told and f"{desk.url}/undo" in told
        assert desk.client.post(f"{desk.url}/discard").status_code == 409
        if _turn == "taken back":
            desk.undo()
        else:
            desk.write()
            killed(house, lambda: drain(house), "before_commit", 1)
            with house.system() as session, unit_of_work(Verb.VOID):
                gone = update(Job).where(Job.state == JobState.RUNNING)
                session.execute(gone.values(state=JobState.FAILED, attempts=5))
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 0 and desk.kept().state == "已试导入"
    desk.write()
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 8, "as tried"


@pytest.mark.usefixtures("short")
def test_an_undoing_that_is_killed_goes_on(house: House) -> None:
    desk = tried(house, ROWS)
    desk.write()
    drain(house)
    desk.undo()
    killed(house, lambda: drain(house), "after_commit", 2)
    assert count(house, Enterprise, IMPORTED) == 6 and desk.kept().state == "撤销中"
    with house.system() as session, unit_of_work(Verb.VOID):
        session.execute(update(Job).where(Job.state == JobState.RUNNING).values(state=JobState.FAILED, attempts=5))
    told = desk.result()
    assert "撤销到一半停下了：3 段里撤销了 1 段" in told and "接着撤销" in told and "接着写入" not in told
    assert desk.write().status_code == 409
    desk.undo()
    drain(house)
    assert count(house, Enterprise, IMPORTED) == 0 and "全部撤销" in desk.result()


@pytest.mark.usefixtures("short")
def test_rows_of_one_key_in_two_parts_are_one_too_many(house: House) -> None:
    desk = tried(house, [*ROWS, (f"{ROWS[0][0]}另", *ROWS[0][1:])])
    assert desk.counts() == (8, 0, 0, 1)
    assert "与第 2 行重复" in page(desk.client.get(desk.url))


def test_what_the_table_keeps_unique_is_kept_over_all_parts(house: House) -> None:
    """Each part of a trial is rolled back, so the database does not remember what an earlier one has claimed."""
    claims, code = Claims(Enterprise), make_credit_code(7_700)
    lines = [Line(number, verdict=NEW) for number in (2, 3, 4)]
    wanted = [("甲店", code, "正常"), ("乙店", code, "正常"), ("丙店", code, "注销")]
    with house.acting("neiqin-a"):
        for line, (name, number, state) in zip(lines, wanted, strict=True):
            with pytest.raises(RuntimeError), unit_of_work(Verb.IMPORT) as session:
                line.row = Enterprise(name=name, code=number, state=state)
                session.add(line.row)
                session.flush()
                claims.judge([line])
                raise RuntimeError
    assert [line.verdict for line in lines] == [NEW, "wrong", NEW], "who is deregistered holds no code"
    assert [text for _name, text in lines[1].problems] == ["与第 2 行重复。"]
    assert count(house, Enterprise, Enterprise.code == code) == 0
