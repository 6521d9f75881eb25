"""`shouze retention`: what is past its days goes, nothing else; the chain stays verifiable from its checkpoint on."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from app.cli import main
from app.config import Settings
from app.core import anchors, clock, retention
from app.core.entity import registry
from app.core.errors import ConfigurationError
from app.core.history import record, verify
from app.core.history_entry import HistoryCheckpoint, HistoryEntry, HistoryHead, HistoryLink
from app.core.importing.part import ImportPart
from app.core.importing.run import ImportRun, RunState
from app.core.jobfile import JobFile
from app.core.jobs import Job, JobState, enqueue
from app.core.message import Message, notify
from app.core.receipt import Receipt
from app.core.retain import Retain
from app.core.saved import BulkRun
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import HolidayKind
from app.factory import build
from app.models.enterprise import Site
from app.models.holiday import Holiday
from tests.support.house import A, B, House
from tests.support.tampering import unguarded

LATER = timedelta(days=1_100)


@contextmanager
def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> Iterator[None]:
    """Some days on."""
    now = clock.now()
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: now + by)
        yield


def rename(house: House, name: str, *, both: bool = False) -> None:
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, name) as session:
        for key in (house.site_of(A), house.site_of(A, 1))[: 2 if both else 1]:
            session.get_one(Site, key).name = name


def seqs(house: House, office: int) -> list[int]:
    with house.system() as session:
        mine = HistoryEntry.office_id == office
        return list(session.scalars(select(HistoryEntry.seq).where(mine).order_by(HistoryEntry.seq)))


def broken(house: House) -> list[Any]:
    with house.app.app_context():
        return list(verify())


def pruned(house: House, **options: Any) -> retention.Pruned:
    with house.app.app_context():
        return retention.prune(**options)


def test_old_entries_go_behind_a_sealed_checkpoint_and_the_chain_stays_whole(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = house.offices[A]
    rename(house, "一起", both=True)
    old = seqs(house, office)[-1]
    with later(monkeypatch, LATER):
        rename(house, "之后")
        told = pruned(house)
        assert told.refused == []
        assert told.counts["history"] >= old
        assert seqs(house, office) == [old + 1]
        assert broken(house) == []
        with house.system() as session:
            point = session.scalars(select(HistoryCheckpoint).where(HistoryCheckpoint.office_id == office)).one()
            assert point.seq == old
            gone = HistoryLink.office_id == office, HistoryLink.seq <= old
            assert session.scalars(select(HistoryLink.id).where(*gone)).all() == []
            last = session.scalars(select(HistoryEntry).order_by(HistoryEntry.id.desc()).limit(1)).one()
            assert "按期清理" in last.summary and last.office_id == 0
        assert pruned(house).counts["history"] <= 1, "only what was the newest of no office's chain until just now"
        assert seqs(house, office) == [old + 1]
        rename(house, "再往后")
        assert broken(house) == []
    with later(monkeypatch, LATER * 2):
        assert pruned(house).counts["history"] >= 1
        assert len(seqs(house, office)) == 1, "the newest entry of a chain always stays"
        assert broken(house) == []


def test_a_dry_run_counts_the_same_and_deletes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {office: seqs(house, office) for office in (house.offices[A], house.offices[B])}
    with later(monkeypatch, LATER):
        counted = pruned(house, dry_run=True)
        assert {office: seqs(house, office) for office in before} == before
        assert pruned(house).counts == counted.counts
    assert counted.counts["history"] > 5


def test_nothing_that_is_younger_goes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with later(monkeypatch, timedelta(days=1_090)):
        told = pruned(house)
    assert told.counts["history"] == 0
    assert seqs(house, house.offices[A])[0] == 1


def test_a_broken_chain_is_left_as_it_is_for_who_looks_into_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    office, table = house.offices[A], HistoryEntry.__table__
    with house.system() as session:
        connection = unguarded(session)
        mine = (table.c.office_id == office) & (table.c.seq == 3)
        connection.execute(update(table).where(mine).values(summary="改过"))
        session.commit()
    with later(monkeypatch, LATER):
        told = pruned(house)
    assert len(told.refused) == 1 and f"office {office} entry 3" in told.refused[0]
    assert seqs(house, office)[0] == 1
    assert seqs(house, house.offices[B])[0] > 1


def test_a_chain_whose_last_past_entry_is_missing_is_left_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    office, table = house.offices[A], HistoryEntry.__table__
    old = seqs(house, office)[-1]
    with later(monkeypatch, LATER):
        rename(house, "之后")
        with house.system() as session:
            unguarded(session).execute(table.delete().where((table.c.office_id == office) & (table.c.seq == old)))
            session.commit()
        told = pruned(house)
    assert [line for line in told.refused if f"office {office} entry {old}" in line]
    assert seqs(house, office)[0] == 1


@pytest.mark.parametrize("what", ["seal", "gone", "hash", "further"])
def test_a_checkpoint_that_was_touched_is_found(house: House, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    office, table = house.offices[A], HistoryCheckpoint.__table__
    with later(monkeypatch, LATER):
        rename(house, "一")
        rename(house, "二")
        pruned(house)
        rename(house, "三")
        with house.system() as session:
            connection = unguarded(session)
            mine = table.c.office_id == office
            values = {"seal": {"seal": "0" * 64}, "hash": {"hash": "1" * 64}, "further": {"seq": table.c.seq + 1}}
            act = table.delete().where(mine) if what == "gone" else update(table).where(mine).values(values[what])
            connection.execute(act)
            session.commit()
        assert [one.office_id for one in broken(house)] == [office]


def test_the_database_lets_nothing_go_above_a_checkpoint(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with later(monkeypatch, LATER):
        rename(house, "一")
        pruned(house)
    for model in (HistoryEntry, HistoryCheckpoint, HistoryHead):
        with house.system() as session:
            connection = session.connection(execution_options={"shouze_write": True})
            with pytest.raises(DBAPIError, match="append-only"):
                connection.execute(model.__table__.delete())
            session.rollback()


def test_a_checkpoint_agrees_with_the_files_of_the_days(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.system():
        path = anchors.anchor()
        content = path.read_bytes()
    with later(monkeypatch, LATER):
        rename(house, "一")
        pruned(house)
        path.write_bytes(content)  # its heads lie before every checkpoint now
        assert broken(house) == []
        assert pruned(house).counts["anchors"] == 1
        assert not path.exists()
        assert broken(house) == []


# -- what entities declare ---------------------------------------------------------------------------------------------


def counts(house: House, *models: Any) -> list[int]:
    with house.system() as session:
        return [int(session.scalar(select(func.count(model.id))) or 0) for model in models]


def leave_things(house: House) -> None:
    """One of each, as the days leave them: read and unread messages, ended and waiting jobs, receipts, an import."""
    account = house.accounts["yuan-a"]
    with house.system() as session, unit_of_work():
        notify(account, "读过")
        notify(account, "没读过")
        done = enqueue("render", "test:done", account_id=account, title="做完的", document_id=1)
        kept = enqueue("render", "test:kept", account_id=account, title="还没做", document_id=1)
        session.add(Receipt(account_id=account, client_id="c" * 20, digest="0", row_public_id="r"))
        session.add(BulkRun(account_id=account, key="k" * 24, entity="Site", act="x", digest=""))
        run = ImportRun(account_id=account, entity="Site", file_name="x.xlsx", sha256="0", stored="none",
                        state=RunState.DONE, done_at=clock.now())  # fmt: skip
        session.add(ImportPart(run=run, number=0, undo="旧的姓名"))
        session.add(JobFile(job_id=done, stored="x", name="x", mimetype="x", size=1, sha256="0", until=clock.now(),
                            removed_at=clock.now()))  # fmt: skip
        session.flush()
        connection = session.connection()
        messages, jobs = Message.__table__, Job.__table__
        connection.execute(update(messages).where(messages.c.title == "读过").values(read_at=clock.now()))
        connection.execute(update(jobs).where(jobs.c.id == done).values(state=JobState.DONE))
        assert kept != done


def test_each_kind_of_rest_goes_after_its_days_and_what_is_open_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = (Receipt, BulkRun, JobFile)
    before = counts(house, *models)
    leave_things(house)
    with later(monkeypatch, timedelta(days=3)):
        assert pruned(house).counts["ImportPart.undo"] == 1
    with house.system() as session:
        assert session.scalars(select(ImportPart)).one().undo is None
    with later(monkeypatch, timedelta(days=29)):
        pruned(house)
    assert counts(house, *models) == [count + 1 for count in before]
    with later(monkeypatch, timedelta(days=200)):
        told = pruned(house, dry_run=True).counts
        assert pruned(house).counts["Receipt"] == told["Receipt"] == 1
    assert counts(house, *models) == before
    with house.system() as session:
        assert session.scalars(select(Message.title).where(Message.account_id == house.accounts["yuan-a"])).all() == [
            "没读过"
        ]
        jobs = session.scalars(select(Job.unique_key).where(Job.unique_key.like("test:%"))).all()
    assert jobs == ["test:kept"]
    assert broken(house) == []


def test_what_other_rows_point_at_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_things(house)
    monkeypatch.setattr(JobFile, "__retain__", ())
    with later(monkeypatch, timedelta(days=200)):
        pruned(house)
    with house.system() as session:
        assert "test:done" in session.scalars(select(Job.unique_key)).all()


def test_rows_with_a_history_of_their_own_leave_an_entry_when_they_go(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Personal data past its period: an entity declares it, the chain tells that it went."""
    with house.system() as session, unit_of_work(Verb.CREATE):
        for row in session.scalars(select(Holiday)):
            session.delete(row)
        session.flush()
        session.add(Holiday(date=clock.today(), name="过期的一天", kind=HolidayKind.HOLIDAY, region="某地"))
    monkeypatch.setattr(Holiday, "__retain__", (Retain(30, "made_at"),))
    with later(monkeypatch, timedelta(days=31)):
        assert pruned(house).counts["Holiday"] >= 1
    with house.system() as session:
        assert session.scalars(select(Holiday.name)).all() == []
        bodies = session.scalars(select(HistoryEntry.body).where(HistoryEntry.entity == "Holiday")).all()
    assert any('"-"' in body and "过期的一天" in body for body in bodies)
    assert broken(house) == []


def test_every_rule_names_columns_that_are_there() -> None:
    for model in registry().values():
        for rule in model.__retain__:
            for name in (rule.since, *rule.clear):
                assert name in model.__table__.columns, (model, name)  # type: ignore[attr-defined]  # every entity has one
            assert all(model.__table__.columns[name].nullable for name in rule.clear), model  # type: ignore[attr-defined]


# -- how long ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [179, 0, -1])
def test_less_than_half_a_year_is_refused_at_the_start(tmp_path: Path, days: int) -> None:
    with pytest.raises(ConfigurationError, match=f"SHOUZE_HISTORY_DAYS is {days}.*180"):
        build(Settings(data_dir=tmp_path, testing=True, history_days=days))


def test_half_a_year_is_kept_to_the_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = house.app.extensions["shouze_settings"]
    monkeypatch.setitem(house.app.extensions, "shouze_settings", dataclasses.replace(settings, history_days=180))
    with later(monkeypatch, timedelta(days=179)):
        assert pruned(house).counts["history"] == 0
    with later(monkeypatch, timedelta(days=181)):
        rename(house, "后来")
        assert pruned(house).counts["history"] > 0


def test_the_command_counts_and_says_what_it_left(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = small.app.test_cli_runner()
    with small.app.app_context():
        record(Verb.READ, "很久以前")
    with later(monkeypatch, LATER):
        told = runner.invoke(main, ["retention", "--dry-run"])
        assert told.exit_code == 0, told.output
        assert "history: " in told.output and "nothing was deleted" in told.output
        done = runner.invoke(main, ["retention"])
    assert done.exit_code == 0
    assert told.output.splitlines()[0] == done.output.splitlines()[0] != "history: 0"


def test_it_is_put_once_a_day_with_the_other_daily_work(small: House) -> None:
    from app.core.jobs import ask_daily

    with small.app.app_context():
        ask_daily()
        ask_daily()
    with small.system() as session:
        kinds = Counter(session.scalars(select(Job.kind)))
    assert {kinds["anchor"], kinds["retention"], kinds["tidy-files"]} == {1}
