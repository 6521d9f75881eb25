"""History: one entry a transaction and office, chained; any change, gap or rewrite is found; cost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from app.core.access.context import current_access
from app.core.db import current_session
from app.core.history import HistoryEntry, HistoryHead, record, verify
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from app.models.personnel import Person
from tests.support.house import A, House
from tests.support.tampering import unguarded


def newest(house: House, office: int) -> HistoryEntry:
    with house.system() as session:
        found = session.scalars(
            select(HistoryEntry).where(HistoryEntry.office_id == office).order_by(HistoryEntry.seq.desc()).limit(1)
        ).one()
        session.expunge_all()
    return found


def broken(house: House) -> list[tuple[int, int]]:
    with house.app.app_context():
        return [(one.office_id, one.seq) for one in verify()]


def test_a_save_is_one_entry_with_old_and_new_values_and_who(house: House) -> None:
    site, office = house.site_of(A), house.offices[A]
    with house.system() as session:
        count = session.scalar(select(func.count(HistoryEntry.id)).where(HistoryEntry.office_id == office))
        old = session.get_one(Site, site).name
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "更名") as session:
        session.get_one(Site, site).name = "新名字"
    entry = newest(house, office)
    body = json.loads(entry.body)
    assert body["actor"] == [house.accounts["yuan-a"], "包文斌"]
    assert (body["verb"], body["reason"], body["root"]) == ("update", "更名", ["Site", site])
    assert ["Site", site, "~", {"name": [old, "新名字"]}] in body["changes"]
    with house.system() as session:
        after = session.scalar(select(func.count(HistoryEntry.id)).where(HistoryEntry.office_id == office))
    assert after == (count or 0) + 1


def test_a_rolled_back_change_leaves_no_entry(house: House) -> None:
    site, office = house.site_of(A), house.offices[A]
    before = newest(house, office).seq
    with house.acting("yuan-a"), pytest.raises(ZeroDivisionError), unit_of_work() as session:
        session.get_one(Site, site).name = "没有发生"
        session.flush()
        raise ZeroDivisionError
    assert newest(house, office).seq == before
    assert broken(house) == []


def test_parts_are_in_the_history_of_their_whole(house: House) -> None:
    with house.acting("yuan-a"):
        visit = current_session().scalars(select(Inspection).where(Inspection.state == "已完成")).first()
        assert visit is not None
        entry = newest(house, house.offices[A])
    with house.system() as session:
        entries = session.scalars(
            select(HistoryEntry).where(HistoryEntry.entity == "Inspection", HistoryEntry.row_id == visit.id)
        ).all()
    changed = {change[0] for one in entries for change in json.loads(one.body)["changes"]}
    assert {"Inspection", "Finding"} <= changed
    assert entry.hash


def test_secrets_are_not_in_history(house: House) -> None:
    from app.core.codes import make_mobile

    mobile = make_mobile(777)
    with house.acting("neiqin-a"):
        save(Person(name="保密人", mobile=mobile), Verb.CREATE)
    assert mobile not in newest(house, house.offices[A]).body


def test_the_demo_house_has_whole_chains(house: House) -> None:
    assert broken(house) == []


@pytest.mark.parametrize("what", ["body", "actor", "hash", "gone", "tail", "inserted", "head", "swapped"])
def test_any_tampering_is_found(house: House, what: str) -> None:
    office = house.offices[A]
    with house.system() as session:
        entries = session.scalars(
            select(HistoryEntry).where(HistoryEntry.office_id == office).order_by(HistoryEntry.seq)
        ).all()
        assert len(entries) > 5
        third, last = entries[2], entries[-1]
        _tamper(unguarded(session), what, third, last)
        session.commit()
    assert [one[0] for one in broken(house)] == [office]


def _tamper(connection: Any, what: str, third: HistoryEntry, last: HistoryEntry) -> None:
    table, heads = HistoryEntry.__table__, HistoryHead.__table__
    at = table.c.id == third.id
    values: dict[str, Any] = {
        "body": {"body": third.body.replace("office", "offlce", 1)},
        "actor": {"actor_id": 999_999},
        "hash": {"hash": "0" * 64},
    }
    if what in values:
        connection.execute(update(table).where(at).values(values[what]))
    elif what == "gone":
        connection.execute(delete(table).where(at))
    elif what == "tail":
        connection.execute(delete(table).where(table.c.id == last.id))
    elif what == "head":
        connection.execute(update(heads).where(heads.c.office_id == third.office_id).values(seq=last.seq + 1))
    elif what == "swapped":
        connection.execute(update(table).where(at).values(body=last.body, hash=last.hash))
    else:
        copied = {c.name: getattr(last, c.name) for c in table.columns if c.name not in {"id", "public_id"}}
        connection.execute(table.insert().values(copied | {"seq": last.seq + 1}))


def test_a_save_costs_three_statements_more(house: House) -> None:
    """Design §9: at most 3 extra statements a transaction."""
    site = house.site_of(A)
    with house.acting("yuan-a"):
        current_access()
        with house.statements() as told, unit_of_work() as session:
            session.get_one(Site, site).name = "计数"
    of_history = [one for one in told if "history_" in one]
    assert len(of_history) == 3, of_history


def test_what_is_recorded_apart_survives_a_rollback(house: House) -> None:
    office = house.offices[A]
    with house.acting("yuan-a"):
        record(Verb.READ, "被拒绝", office_id=office, path="/sites/1")
    body = json.loads(newest(house, office).body)
    assert (body["reason"], body["facts"]) == ("被拒绝", {"path": "/sites/1"})
    assert broken(house) == []


def test_an_import_of_thousands_of_rows_makes_entries_of_a_readable_size(house: House) -> None:
    with house.system() as session:
        with unit_of_work(Verb.IMPORT, "大批"):
            session.add_all(Enterprise(name=f"批量{n}", office_id=house.offices[A]) for n in range(1100))
        sizes = [
            len(json.loads(body)["changes"])
            for body in session.scalars(
                select(HistoryEntry.body).where(HistoryEntry.verb == "import").order_by(HistoryEntry.id.desc()).limit(3)
            )
        ]
    assert sorted(sizes) == [100, 500, 500]
    assert broken(house) == []
