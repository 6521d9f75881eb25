"""The clock of vacant posts: counted from rows, as of any day; on the page, in the ledger, as filter and order."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import AppointmentRole
from app.models.director import DirectorDecision
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Person
from app.services.ledger import Wanted, Which, counts, entries, size
from app.services.vacancy import vacancies
from tests.support.house import House

D, O = AppointmentRole.DIRECTOR, AppointmentRole.OFFICER  # noqa: E741 - as short as D


def canteen(house: House, name: str, meals: int = 900) -> int:
    with house.acting("neiqin-a"):
        firm = save(Enterprise(name=name, state="正常"), Verb.CREATE)
        site = Site(enterprise=firm, name=f"{name}食堂", kind="学校食堂", lines=4, meals=meals, state="正常")
        save(site, Verb.CREATE)
        return firm.id


def held(house: House, firm: int, role: str, begins: int, ends: int | None) -> None:
    """Somebody held a post from so many days ago to so many days ago."""
    today = clock.today()
    with house.acting("neiqin-a"), unit_of_work(Verb.CREATE) as session:
        post = Appointment(
            person=save(Person(name=f"乌云{begins}"), Verb.CREATE), enterprise=session.get_one(Enterprise, firm),
            role=role, date_from=today - timedelta(days=begins),
            date_to=None if ends is None else today - timedelta(days=ends),
        )  # fmt: skip
        save(post, Verb.CREATE)


def due_since(house: House, firm: int, *spans: tuple[int, int | None, bool]) -> None:
    """What was decided of the firm's one site: (from, to, must), in days ago."""
    today = clock.today()
    with house.system() as session, unit_of_work(Verb.UPDATE):
        now = (DirectorDecision.enterprise_id == firm, DirectorDecision.date_to.is_(None))
        stood = session.scalars(select(DirectorDecision).where(*now)).unique().one()
        begins, _ends, stood.must = spans[-1]
        stood.date_from = today - timedelta(days=begins)
        for first, last, must in spans[:-1]:
            assert last is not None
            session.add(DirectorDecision(
                site=stood.site, must=must, cause="数字变化", date_from=today - timedelta(days=first),
                date_to=today - timedelta(days=last)))  # fmt: skip


def clocks(house: House, firm: int, day: date | None = None) -> dict[Any, int]:
    with house.acting("suo-a"):
        found = vacancies([firm], day or clock.today()).get(firm, {})
        return {role: one.days for role, one in found.items()}


def test_the_clock_runs_from_the_day_after_the_last_holder_left(house: House) -> None:
    firm = canteen(house, "大沁他拉第九小学")
    due_since(house, firm, (300, None, True))
    assert clocks(house, firm) == {D: 301, O: 1}
    held(house, firm, D, 250, 100)
    held(house, firm, D, 90, 11)
    held(house, firm, O, 400, 2)
    assert clocks(house, firm) == {D: 11, O: 2}
    assert clocks(house, firm, clock.today() - timedelta(days=95)) == {D: 5}
    held(house, firm, D, 3, None)
    assert clocks(house, firm) == {O: 2}


def test_a_duty_that_began_anew_begins_the_clock_anew(house: House) -> None:
    firm = canteen(house, "大沁他拉第十小学")
    held(house, firm, O, 400, None)
    due_since(house, firm, (300, 201, True), (200, 101, False), (100, 51, True), (50, None, True))
    assert clocks(house, firm) == {D: 101}
    held(house, firm, D, 290, 250)
    assert clocks(house, firm) == {D: 101}
    due_since(house, firm, (50, None, False))
    assert clocks(house, firm) == {}


def test_the_gap_list_tells_filters_and_orders_by_it(house: House) -> None:
    short, long = canteen(house, "短缺小学"), canteen(house, "长缺小学")
    for firm, days in ((short, 10), (long, 40)):
        held(house, firm, D, 300, days)
        held(house, firm, O, 300, None)
        due_since(house, firm, (300, None, True))
    today = clock.today()
    with house.acting("suo-a"):
        mine = [one.id for one in entries(Wanted(Which.GAP, today, longest=True)) if one.id in {short, long}]
        assert mine == [long, short]
        paged = [next(entries(Wanted(Which.GAP, today, longest=True), offset=n, limit=1)).id
                 for n in range(size(Wanted(Which.GAP, today)))]  # fmt: skip
        assert paged == [one.id for one in entries(Wanted(Which.GAP, today, longest=True))]
        for days, expected in ((10, {short, long}), (11, {long}), (40, {long}), (41, set())):
            asked = Wanted(Which.GAP, today, vacant=days)
            found = {one.id for one in entries(asked)}
            assert found & {short, long} == expected
            assert counts(asked).lacking == size(asked) == len(found)
    page = house.client("suo-a").get("/ledgers/?which=gap&vacant=20&order=longest").get_data(as_text=True)
    assert "应配总监未配（空缺 40 天）" in page
    assert "短缺小学" not in page


def test_the_firms_page_says_who_and_for_how_long(small: House) -> None:
    firm = canteen(small, "空缺小学")
    held(small, firm, D, 30, 7)
    held(small, firm, O, 30, None)
    due_since(small, firm, (30, None, True))
    page = small.client("suo-a").get(f"/enterprises/{firm}").get_data(as_text=True)
    assert "空缺 7 天" in page and "乌云30" in page
    assert small.client("suo-b").get(f"/enterprises/{firm}").status_code == 404


def test_who_reads_one_site_only_is_told_nothing_of_the_whole_firm(small: House) -> None:
    """To him the officer of another site would look missing."""
    with small.system() as session:
        account = small.accounts["firm-a"]
        firm = session.scalar(select(Appointment.enterprise_id).join(Person).where(Person.account_id == account))
    assert firm is not None
    assert "人员配备" in small.client("firm-a").get(f"/enterprises/{firm}").get_data(as_text=True)
    with small.system() as session, unit_of_work(Verb.UPDATE):
        for post in session.scalars(select(Appointment).join(Person).where(Person.account_id == account)).unique():
            post.site = session.scalars(select(Site).where(Site.enterprise_id == post.enterprise_id)).first()
        whole = session.get_one(Enterprise, firm)
        session.add(Appointment(person=Person(name="外场所安全员", office_id=whole.office_id), enterprise=whole, role=O,
                                date_from=clock.today()))  # fmt: skip
    page = small.client("firm-a").get(f"/enterprises/{firm}")
    assert page.status_code == 200 and "人员配备" not in page.get_data(as_text=True)


@pytest.mark.parametrize("bad", ["vacant=x", "vacant=-1", "vacant=99999999", "order=shortest"])
def test_nonsense_is_refused(small: House, bad: str) -> None:
    assert small.client("suo-a").get(f"/ledgers/?which=gap&{bad}").status_code in {400, 404, 422}
