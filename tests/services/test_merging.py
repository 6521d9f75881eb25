"""Two firms, or two sites of a firm, become one: nothing is lost, nothing doubled, everything points at what stays."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock, merging
from app.core.access.fetch import fetch
from app.core.attachment import Attachment
from app.core.codes import make_credit_code
from app.core.db import current_session, metadata
from app.core.document import IssuedDocument
from app.core.errors import Conflict, Invalid
from app.core.history_entry import HistoryEntry
from app.core.merging import Choice, merge, pointers
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import CheckState, SiteState
from app.models.care import Caretaker
from app.models.check import DailyCheck
from app.models.director import DirectorDecision
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Person
from app.prover.making import Maker, Place
from app.services.ledger import Wanted, Which, entries
from tests.support.house import A, House

GROWS = {"history_entry", "history_link", "history_head", "search_gram", "sign_in_session"}
NEW_CODE, OLD_CODE = make_credit_code(90_003, "92"), make_credit_code(90_004, "92")


def firm(house: House, name: str, **more: Any) -> int:
    with house.acting("neiqin-a"):
        return save(Enterprise(name=name, state="正常", **more), Verb.CREATE, accepted=frozenset({"accept-name"})).id


def site(house: House, firm_key: int, name: str, **more: Any) -> int:
    ticks = frozenset({"accept-name", "accept-licence_no"})
    with house.acting("neiqin-a"):
        owner = fetch(Enterprise, firm_key)
        made = Site(enterprise=owner, name=name, kind="餐饮服务企业", lines=4, state="正常", **more)
        return save(made, Verb.CREATE, accepted=ticks).id


def appointed(house: House, firm_key: int, person: int, **more: Any) -> int:
    with house.acting("neiqin-a"):
        owner = fetch(Enterprise, firm_key)
        post = Appointment(person=fetch(Person, person), enterprise=owner, role="食品安全员", **more)
        return save(post, Verb.CREATE).id


def seen(house: House, model: Any, *keys: int) -> tuple[int, int]:
    with house.system() as session:
        versions = [session.get_one(model, key).version for key in keys]
    return versions[0], versions[1]


def become_one(house: House, model: Any, kept: int, gone: int, *taken: str, who: str = "suo-a") -> dict[str, int]:
    choice = Choice(frozenset(taken), frozenset(), "重复录入", seen(house, model, kept, gone))
    with house.acting(who):
        return merge(fetch(model, kept, Verb.UPDATE), fetch(model, gone, Verb.UPDATE), choice)


def counted(house: House) -> dict[str, int]:
    with house.system() as session:
        return {name: int(session.connection().scalar(select(func.count()).select_from(table)) or 0)
                for name, table in metadata.tables.items() if name not in GROWS}  # fmt: skip


def pointing(house: House, model: Any, key: int) -> dict[str, int]:
    """table.column → how many rows hold the key, told by the tables alone: foreign keys and the scope's columns."""
    own, found = model.__table__, {}
    scope = f"{model.__firm_key__}_id"
    with house.system() as session:
        for table in metadata.tables.values():
            for column in table.columns:
                if (column.references(own.c.id) or column.name == scope) and table.name != "issued_document":
                    rows = session.connection().scalar(select(func.count()).where(column == key))
                    found[f"{table.name}.{column.name}"] = int(rows or 0)
    return found


def hang_everything_on(house: House, model: Any, key: int) -> int:
    """A row of every entity that can point at this one, made from the models."""
    with house.system() as session, unit_of_work():
        place = Place("A", house.offices[A], house.offices[A], 4)
        maker = Maker(session)
        made = 0
        for cls, name in pointers(model):
            if cls.__table__.columns[name].foreign_keys and cls is not model:
                held = session.scalar(select(func.count(cls.id)).where(getattr(cls, name) == key))
                if not held:  # what saving the row has made is there already, and may be there only once
                    maker.make(cls, place, **{name: key})
                made += 1
    return made


@pytest.mark.parametrize("model", [Enterprise, Site])
def test_everything_that_points_at_the_one_points_at_the_other(house: House, model: Any) -> None:
    one = firm(house, "甲饭店")
    kept = one if model is Enterprise else site(house, one, "一店")
    gone = firm(house, "乙饭店") if model is Enterprise else site(house, one, "二店")
    assert hang_everything_on(house, model, gone) >= 5
    before, counts = pointing(house, model, gone), counted(house)
    held = pointing(house, model, kept)

    moved = become_one(house, model, kept, gone)

    assert sum(before.values()) > 0
    after = pointing(house, model, gone)
    assert {name: rows for name, rows in after.items() if rows} == {}
    now = pointing(house, model, kept)
    merged = f"{model.__tablename__}.merged_into_id"
    assert {name: now[name] - held[name] for name in before} == before | {merged: 1}
    assert counted(house) == counts
    assert sum(moved.values()) >= sum(rows for name, rows in before.items() if not name.endswith("merged_into_id"))


def test_the_values_that_were_chosen_hold_and_the_code_stays_unique(house: House) -> None:
    kept = firm(house, "甲饭店", code=NEW_CODE, phone="04751234567")
    gone = firm(house, "乙饭店", code=OLD_CODE, legal_person="白音")
    branch = firm(house, "甲饭店分店", head_code=OLD_CODE)
    become_one(house, Enterprise, kept, gone, "code", "legal_person")
    with house.system() as session:
        one, other = session.get_one(Enterprise, kept), session.get_one(Enterprise, gone)
        assert (one.name, one.code, one.legal_person, one.phone) == ("甲饭店", OLD_CODE, "白音", "04751234567")
        assert (other.state, other.merged_into_id, other.code) == (SiteState.MERGED, kept, OLD_CODE)
        assert session.get_one(Enterprise, branch).head_code == OLD_CODE
    with house.acting("neiqin-a"), pytest.raises(Refused):
        save(Enterprise(name="丙饭店", code=OLD_CODE, state="正常"), Verb.CREATE)
    assert firm(house, "丁饭店", code=NEW_CODE) > 0, "the code that nobody took is free"


def test_two_appointments_of_one_person_become_one(small: House) -> None:
    kept, gone = firm(small, "甲饭店"), firm(small, "乙饭店")
    with small.acting("neiqin-a"):
        person = save(Person(name="其木格"), Verb.CREATE).id
    start = clock.today() - timedelta(days=300)
    first = appointed(small, kept, person, date_from=start + timedelta(days=100), document="任命〔2026〕1号")
    appointed(small, gone, person, date_from=start, date_to=start + timedelta(days=200), document="任命〔2025〕9号")
    appointed(small, gone, person, date_from=date(2020, 1, 1), date_to=date(2020, 12, 31))
    moved = become_one(small, Enterprise, kept, gone)
    assert (moved["Appointment"], moved["Appointment folded"]) == (1, 1)
    with small.system() as session:
        posts = session.scalars(select(Appointment).where(Appointment.person_id == person)).all()
        told = sorted((one.date_from, one.date_to) for one in posts if one.date_to is not None)
        assert [one.enterprise_id for one in posts] == [kept, kept]
        assert told == [(date(2020, 1, 1), date(2020, 12, 31))], "days that do not meet stay apart"
        joined = session.get_one(Appointment, first)
        assert (joined.date_from, joined.date_to, joined.document) == (start, None, "任命〔2026〕1号；任命〔2025〕9号")


def test_one_record_a_day_and_one_decision_hold(house: House) -> None:
    one = firm(house, "甲饭店")
    kept, gone = site(house, one, "一店"), site(house, one, "二店", meals=5)
    place = Place("A", house.offices[A], house.offices[A], 4)
    today = clock.today()
    with house.system() as session, unit_of_work():
        maker = Maker(session)
        live = {key: maker.make(DailyCheck, place, site_id=key, check_date=today, state=CheckState.SUBMITTED).id
                for key in (kept, gone)}  # fmt: skip
    become_one(house, Site, kept, gone)
    with house.system() as session:
        states = {key: session.get_one(DailyCheck, check).state for key, check in live.items()}
        assert states == {kept: CheckState.SUBMITTED, gone: CheckState.WITHDRAWN}
        standing = select(DirectorDecision).where(DirectorDecision.site_id == kept, DirectorDecision.date_to.is_(None))
        assert len(session.scalars(standing).all()) == 1


def test_one_person_answers_for_the_site_that_stays(house: House) -> None:
    one = firm(house, "甲饭店")
    kept, gone = site(house, one, "一店"), site(house, one, "二店")
    began = clock.today() - timedelta(days=9)
    with house.acting("suo-a"), unit_of_work(Verb.CREATE):
        for place, who in ((kept, "yuan-a"), (gone, "suo-a")):
            save(Caretaker(site_id=place, account_id=house.accounts[who], date_from=began), Verb.CREATE)
    become_one(house, Site, kept, gone)
    with house.system() as session:
        rows = session.scalars(select(Caretaker).where(Caretaker.site_id == kept)).unique()
        told = {row.account_id: row.date_to for row in rows}
    assert told == {house.accounts["yuan-a"]: None, house.accounts["suo-a"]: clock.today() - timedelta(days=1)}


def test_a_firm_is_counted_once_in_the_ledgers_of_any_day(small: House) -> None:
    kept, gone = firm(small, "甲饭店"), firm(small, "乙饭店")
    site(small, kept, "一店")
    site(small, gone, "二店")
    become_one(small, Enterprise, kept, gone)
    with small.acting("suo-a"):
        listed = {one.id for which in (Which.A, Which.B) for one in entries(Wanted(which, clock.today()))}
    assert kept in listed
    assert gone not in listed


def test_papers_and_history_stay_as_they_are(small: House) -> None:
    kept, gone = firm(small, "甲饭店"), firm(small, "乙饭店")
    with small.system() as session, unit_of_work():
        maker, place = Maker(session), Place("A", small.offices[A], small.offices[A], 4)
        paper = maker.make(IssuedDocument, place, entity="Enterprise", row_id=gone).id
        scan = maker.make(Attachment, place, entity="Enterprise", row_id=gone).id
    with small.system() as session:
        earlier = {one.id: one.body for one in session.scalars(select(HistoryEntry))}
    become_one(small, Enterprise, kept, gone)
    with small.system() as session:
        assert session.get_one(IssuedDocument, paper).row_id == gone
        assert session.get_one(Attachment, scan).row_id == kept
        assert {one.id: one.body for one in session.scalars(select(HistoryEntry)) if one.id in earlier} == earlier
        mine = (HistoryEntry.entity == "Enterprise", HistoryEntry.summary.contains("合并"))
        told = session.scalars(select(HistoryEntry).where(*mine))
        assert {one.row_id for one in told} >= {kept, gone}


def test_who_merges_second_is_told(house: House) -> None:
    kept, gone, third = firm(house, "甲饭店"), firm(house, "乙饭店"), firm(house, "丙饭店")
    versions = {pair: seen(house, Enterprise, *pair) for pair in ((kept, gone), (gone, kept), (third, gone))}
    went: list[tuple[int, int]] = []
    refused: list[Exception] = []

    def go(pair: tuple[int, int]) -> None:
        with house.acting("suo-a"):
            try:
                one, other = (fetch(Enterprise, key, Verb.UPDATE) for key in pair)
                merge(one, other, Choice(frozenset(), frozenset(), "重复", versions[pair]))
                went.append(pair)
            except Conflict as error:
                refused.append(error)

    threads = [threading.Thread(target=go, args=(pair,)) for pair in versions]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(went) == 1, "each of the three needs a row that one of the others has changed"
    assert len(refused) == 2


def test_what_breaks_in_the_middle_leaves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, gone = firm(house, "甲饭店"), firm(house, "乙饭店")
    hang_everything_on(house, Enterprise, gone)
    before, counts = pointing(house, Enterprise, gone), counted(house)

    def break_off(*_rows: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(merging._afters, Enterprise, break_off)  # as a kill would: after all was moved
    with pytest.raises(KeyboardInterrupt):
        become_one(house, Enterprise, kept, gone)
    assert pointing(house, Enterprise, gone) == before
    assert counted(house) == counts
    with house.system() as session:
        assert session.get_one(Enterprise, gone).merged_into_id is None


def test_sites_of_two_firms_are_not_one(small: House) -> None:
    one, other = site(small, firm(small, "甲饭店"), "一店"), site(small, firm(small, "乙饭店"), "二店")
    with pytest.raises(Conflict, match="不同主体"):
        become_one(small, Site, one, other)
    with pytest.raises(Invalid):
        become_one(small, Site, one, one)


def test_what_was_merged_is_read_and_never_written(house: House) -> None:
    kept, gone = firm(house, "甲饭店"), firm(house, "乙饭店")
    become_one(house, Enterprise, kept, gone)
    with house.acting("suo-a"):
        row = fetch(Enterprise, gone)
        assert row.merged_into.id == kept
        row.name = "丙饭店"
        with pytest.raises(Refused, match="尚未保存"):
            save(row, Verb.UPDATE)
    with house.acting("neiqin-a"), pytest.raises(Conflict, match="已并入"):
        owner = fetch(Enterprise, gone)
        save(Site(enterprise=owner, name="三店", kind="餐饮服务企业", lines=4, state="正常"), Verb.CREATE)
    with pytest.raises(Conflict):
        become_one(house, Enterprise, gone, firm(house, "丁饭店"))
    with house.acting("suo-a"):
        assert current_session().get(Enterprise, gone) is not None
