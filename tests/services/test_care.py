"""监管责任人: one 主管 a day, who may be one, what has begun stays, what goes to a successor, what lists say."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import Conflict, Invalid, NotFound, ShouzeError
from app.core.handover import Handover
from app.core.moving import Parcel
from app.core.office import Account, Leaving, Posting
from app.core.open_work import kinds, left_by, open_rows
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import CareRole, SiteState
from app.models.care import Caretaker
from app.models.enterprise import Enterprise, Site
from app.models.precinct import Precinct
from app.services.care import assign, divide, on_day, without
from app.services.handover import end_posting, hand_over
from tests.services.test_handover import posting_of, second_inspector
from tests.support.house import A, B, House
from tests.support.rights import MAY, NOTHING, READS, outcome

P, H = CareRole.PRINCIPAL, CareRole.ASSISTANT


def days(n: int) -> date:
    return clock.today() + timedelta(days=n)


def put(house: House, site: int, principal: str | None, *helpers: str, when: int = 0, who: str = "suo-a",
        instead: bool = False) -> None:  # fmt: skip
    keys = [house.accounts[one] for one in helpers]
    with house.acting(who), unit_of_work():
        assign(site, days(when), house.accounts[principal] if principal else None, keys, instead=instead)


def told(house: House, site: int) -> list[tuple[str, str, int, int | None]]:
    """(role, username, from, to) of all charges of a site, days counted from today."""
    with house.system() as session:
        rows = session.execute(
            select(Caretaker.role, Account.username, Caretaker.date_from, Caretaker.date_to)
            .join(Account, Caretaker.account_id == Account.id)
            .where(Caretaker.site_id == site)
            .order_by(Caretaker.date_from, Caretaker.id)
        ).all()
    today = clock.today()
    return [(role, name, (a - today).days, (b - today).days if b else None) for role, name, a, b in rows]


# -- one at a time ----------------------------------------------------------------------------------------------------


def test_a_new_principal_ends_the_one_before_and_helpers_add_up(house: House) -> None:
    second_inspector(house)
    site = house.site_of(A)
    put(house, site, "yuan-a", when=-10)
    put(house, site, "yuan-c", "yuan-a", "suo-a", when=-3)
    assert told(house, site) == [
        (P, "yuan-a", -10, -4), (P, "yuan-c", -3, None), (H, "yuan-a", -3, None), (H, "suo-a", -3, None),
    ]  # fmt: skip
    put(house, site, None, "suo-a", instead=True)
    assert told(house, site)[2:] == [(H, "yuan-a", -3, -1), (H, "suo-a", -3, None)]
    with pytest.raises(Conflict):
        put(house, site, "yuan-c", "suo-a")
    put(house, site, "suo-a")
    assert told(house, site)[1:] == [
        (P, "yuan-c", -3, -1), (H, "yuan-a", -3, -1), (H, "suo-a", -3, -1), (P, "suo-a", 0, None),
    ], "who becomes 主管 helps no more"  # fmt: skip


def test_on_no_day_are_there_two_principals(house: House) -> None:
    """Today's is put right on the same day; one who is to come later stands in the way of nothing but his days."""
    second_inspector(house)
    site = house.site_of(A)
    put(house, site, "yuan-a")
    put(house, site, "yuan-c")
    assert told(house, site) == [(P, "yuan-c", 0, None)]
    put(house, site, "suo-a", when=7)
    assert told(house, site) == [(P, "yuan-c", 0, 6), (P, "suo-a", 7, None)]
    with pytest.raises(Refused) as caught:
        put(house, site, "yuan-a", when=3)
    assert "date_from" in caught.value.fields
    for day in (-1, 0, 6, 7, 400):
        with house.acting("suo-a"):
            found = on_day(days(day), Caretaker.site_id == site)
        assert len(found) == (0 if day < 0 else 1)


def test_two_at_once_leave_one_principal(house: House) -> None:
    second_inspector(house)
    site, errors = house.site_of(A), []
    start = threading.Barrier(2)

    def one(name: str, who: str) -> None:
        start.wait(10)
        try:
            put(house, site, name, who=who)
        except ShouzeError as error:
            errors.append(error)

    both = [threading.Thread(target=one, args=args) for args in (("yuan-a", "suo-a"), ("yuan-c", "neiqin-a"))]
    for each in both:
        each.start()
    for each in both:
        each.join(30)
    rows = told(house, site)
    assert [row[0] for row in rows] == [P] and rows[0][3] is None
    assert rows[0][1] in {"yuan-a", "yuan-c"}, errors


# -- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["yuan-b", "neiqin-a", "ju", "firm-a", "admin"])
def test_only_who_may_inspect_there_is_put_in_charge(small: House, name: str) -> None:
    site = small.site_of(A)
    with pytest.raises((Refused, Invalid)):
        put(small, site, name)
    assert told(small, site) == []


def test_a_posting_that_is_over_or_of_another_line_is_none(small: House) -> None:
    site = small.site_of(A)
    with small.system() as session, unit_of_work():
        posting = session.get_one(Posting, posting_of(small, "yuan-a"))
        posting.lines = 1 << 30
    with pytest.raises(Refused):
        put(small, site, "yuan-a")
    with small.system() as session, unit_of_work():
        posting = session.get_one(Posting, posting_of(small, "yuan-a"))
        posting.lines, posting.ended_at = 0, clock.now()
    with pytest.raises(Refused):
        put(small, site, "yuan-a")


def test_what_has_begun_is_ended_not_rewritten(small: House) -> None:
    second_inspector(small)
    site = small.site_of(A)
    put(small, site, "yuan-a", when=-5)
    with small.system() as session:
        key = session.scalars(select(Caretaker.id)).one()
    for change in ({"account": "yuan-c"}, {"role": H}, {"date_from": days(-9)}, {"date_from": days(1)}):
        with small.acting("suo-a"), pytest.raises(Refused) as caught, unit_of_work():
            row = fetch(Caretaker, key, Verb.UPDATE)
            for name, value in change.items():
                setattr(
                    row, name, current_session().get_one(Account, small.accounts[value]) if name == "account" else value
                )  # type: ignore[index]
            save(row, Verb.UPDATE)
        assert set(caught.value.fields) == set(change)
    for wrong in (days(-6), date(1, 1, 1)):
        with small.acting("suo-a"), pytest.raises(Refused), unit_of_work():
            row = fetch(Caretaker, key, Verb.UPDATE)
            row.date_to = wrong
            save(row, Verb.UPDATE)
    with small.acting("suo-a"), unit_of_work():
        row = fetch(Caretaker, key, Verb.UPDATE)
        row.date_to = days(-1)
        save(row, Verb.UPDATE)
    assert told(small, site) == [(P, "yuan-a", -5, -1)]


def test_a_site_that_is_no_more_and_a_foreign_one_get_nobody(small: House) -> None:
    site, foreign = small.site_of(A), small.site_of(B)
    with small.system() as session, unit_of_work():
        session.get_one(Site, site).state = SiteState.DEREGISTERED
    with pytest.raises(Conflict):
        put(small, site, "yuan-a")
    with pytest.raises(NotFound):
        put(small, foreign, "yuan-b")
    assert told(small, foreign) == []


ACCESS = [
    ("suo-a", Verb.READ, MAY), ("suo-a", Verb.UPDATE, MAY), ("neiqin-a", Verb.UPDATE, MAY),
    ("yuan-a", Verb.READ, MAY), ("yuan-a", Verb.UPDATE, READS), ("ju", Verb.READ, MAY), ("ju", Verb.UPDATE, READS),
    ("suo-b", Verb.READ, NOTHING), ("yuan-b", Verb.READ, NOTHING), ("firm-a", Verb.READ, NOTHING),
    ("admin", Verb.READ, NOTHING), ("suo-a", Verb.DELETE, READS),
]  # fmt: skip


def test_who_reads_and_keeps_them(house: House) -> None:
    site = house.site_of(A)
    put(house, site, "yuan-a")
    with house.acting("neiqin-a"), unit_of_work():
        precinct = save(Precinct(name="孟和街"), Verb.CREATE).id
    with house.system() as session:
        key = session.scalars(select(Caretaker.id)).one()
    got = [(who, verb, outcome(house, who, (Caretaker, key), verb)) for who, verb, _said in ACCESS]
    assert got == ACCESS
    mine = [one for one in ACCESS if one[1] is not Verb.DELETE]
    assert [(who, verb, outcome(house, who, (Precinct, precinct), verb)) for who, verb, _said in mine] == mine


# -- 片区 --------------------------------------------------------------------------------------------------------------


def test_a_site_takes_a_precinct_of_its_own_station_only(house: House) -> None:
    site = house.site_of(A)
    with house.acting("suo-b"), unit_of_work():
        foreign = save(Precinct(name="八仙筒东"), Verb.CREATE).id
    with house.acting("suo-a"), unit_of_work():
        own = save(Precinct(name="孟和街"), Verb.CREATE).id
        divide(fetch(Site, site, Verb.UPDATE), own)
    with house.acting("suo-a"), pytest.raises(NotFound), unit_of_work():
        divide(fetch(Site, site, Verb.UPDATE), foreign)
    with house.acting("suo-a"), pytest.raises((Refused, Conflict)), unit_of_work():
        save(Precinct(name="孟和街"), Verb.CREATE)
    with house.system() as session:
        assert session.get_one(Site, site).precinct_id == own


# -- hand-over --------------------------------------------------------------------------------------------------------


def _charges(house: House, posting: int, receiver: str) -> list[Parcel]:
    left = left_by(posting)
    assert left is not None
    kind = next(one for one in kinds() if one.cls is Caretaker)
    return [Parcel(kind, house.accounts[receiver], tuple(open_rows(kind, left)))]


def test_charges_go_to_the_successor_from_today_on(house: House) -> None:
    """What began earlier ends yesterday and begins anew; what begins today or later goes over as it is."""
    second_inspector(house)
    sites = [house.site_of(A, n) for n in range(3)]
    for site, when in zip(sites, (-20, 0, 5), strict=True):
        put(house, site, "yuan-a", when=when)
    put(house, sites[1], None, "yuan-c")
    with house.acting("admin"):
        ended = end_posting(posting_of(house, "yuan-a"), Leaving.TRANSFERRED, "调往八仙筒所")
    assert ended.open_rows >= 3
    with house.acting("suo-a"):
        posting = posting_of(house, "yuan-a")
        made = hand_over(posting, _charges(house, posting, "yuan-c"), reason="接替包文斌")
        assert [(one.total, one.kept) for one in made] == [(3, 0)]
    assert told(house, sites[0]) == [(P, "yuan-a", -20, -1), (P, "yuan-c", 0, None)]
    assert (P, "yuan-c", 0, None) in told(house, sites[1])
    assert told(house, sites[2]) == [(P, "yuan-c", 5, None)]
    with house.acting("yuan-c"), unit_of_work():
        run(fetch(Handover, made[0].id), "refuse", reason="管不过来")
    assert [told(house, site)[-1][1] for site in sites[::2]] == ["suo-a", "suo-a"]
    with house.system() as session:
        per_day = select(func.count(Caretaker.id)).where(Caretaker.role == P, Caretaker.date_to.is_(None))
        assert session.scalar(per_day) == 3


def test_who_may_not_inspect_takes_over_no_charge(small: House) -> None:
    put(small, small.site_of(A), "yuan-a", when=-20)
    with small.acting("suo-a"):
        posting = posting_of(small, "yuan-a")
        with pytest.raises(Invalid):
            hand_over(posting, _charges(small, posting, "neiqin-a"), reason="接替")


# -- lists ------------------------------------------------------------------------------------------------------------


def test_lists_say_who_answers_and_for_what_nobody_does(small: House) -> None:
    first, second = small.site_of(A), small.site_of(A, 1)
    put(small, first, "yuan-a", "suo-a")
    with small.acting("suo-a"):
        lacking = set(current_session().scalars(select(Site.id).where(without(clock.today()))))
        site = fetch(Site, first)
        assert site.care == "包文斌（协管 苏日娜）"
        assert fetch(Enterprise, site.enterprise_id).care == site.care
        assert fetch(Site, second).care is None
    assert first not in lacking and second in lacking


def test_a_bad_argument_is_refused_with_a_message(small: House) -> None:
    wrong: list[tuple[int | None, date]] = [(None, clock.today()), (10**15, clock.today())]
    for account, day in wrong:
        with small.acting("suo-a"), pytest.raises(Invalid), unit_of_work():
            assign(small.site_of(A), day, account)
    site: Any = small.site_of(A)
    for bad in (date(1, 1, 1), date(9999, 12, 31)):
        with small.acting("suo-a"), pytest.raises(Refused), unit_of_work():
            assign(site, bad, small.accounts["yuan-a"])
    assert told(small, site) == []
