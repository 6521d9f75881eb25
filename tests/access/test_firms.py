"""Firms' people: exactly theirs, over stations; a headquarters its stores; a school its contractor's canteen."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.access.masking import covers
from app.core.codes import make_credit_code
from app.core.db import current_session
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.check import RiskList
from app.models.enterprise import Enterprise, Site
from app.models.licence import Closure
from app.models.personnel import Appointment, Person
from tests.support.house import House
from tests.support.imports import page
from tests.support.rights import MAKING, MAY, NOTHING, READS, R, W, What, appoint, change, outcome, post, scene

PRINCIPAL, OFFICER = "主要负责人", "食品安全员"
HEAD, STORE, CANTEEN = "A catering", "B catering", "B making"


def a_list(house: House, firm: What) -> What:
    """A firm's own risk list, a draft."""
    with house.system() as session, unit_of_work():
        row = RiskList(title="本单位清单", line="食品生产", enterprise=session.get_one(Enterprise, firm[1]))
        session.add(row)
        session.flush()
        return RiskList, row.id


# where firm-a holds what besides his own firm, and what he may do to a draft list there
DUTIES = [
    # 主要负责人 puts lists in force, where he is that
    (PRINCIPAL, ("firm_principal",), Verb.CONFIRM, MAY),
    (PRINCIPAL, ("firm_principal",), W, MAY),
    # an officer there: the principal's role of elsewhere does not reach it
    (OFFICER, ("firm_principal",), Verb.CONFIRM, READS),
    (OFFICER, ("firm_principal",), W, READS),
    (OFFICER, ("firm_principal", "firm_officer"), W, MAY),
    (OFFICER, ("firm_principal", "firm_officer"), Verb.CONFIRM, READS),
    (None, ("firm_principal",), R, NOTHING),
]


@pytest.mark.parametrize(("duty", "roles", "verb", "expected"), DUTIES)
def test_a_role_writes_where_its_duty_is_held(
    house: House, duty: str | None, roles: tuple[str, ...], verb: Verb, expected: str
) -> None:
    rows = scene(house)
    other = rows["B making firm"]
    if duty:
        appoint(house, "firm-a", other, duty)
    for code in set(roles) - {"firm_principal"}:
        post(house, "firm-a", code, "B")
    assert outcome(house, "firm-a", a_list(house, other), verb) == expected


def test_one_person_of_several_firms_sees_exactly_those(house: House) -> None:
    rows = scene(house)
    with house.acting("firm-a"):
        own = set(current_session().scalars(select(Enterprise.id)))
    appoint(house, "firm-a", rows["A making firm"], OFFICER)
    appoint(house, "firm-a", rows["B catering firm"], OFFICER)
    appoint(house, "firm-a", rows["B making firm"], OFFICER, until=-1)
    with house.acting("firm-a"):
        session = current_session()
        mine = own | {rows["A making firm"][1], rows["B catering firm"][1]}
        assert set(session.scalars(select(Enterprise.id))) == mine
        assert set(session.scalars(select(Site.enterprise_id))) <= mine
        assert set(session.scalars(select(Appointment.enterprise_id))) == mine
    shown = page(house.client("firm-a").get("/enterprises/"))
    assert "A站making店" in shown and "B站catering店" in shown and "B站making店" not in shown


def chain(house: House) -> dict[str, What]:
    """A's catering firm is the headquarters of B's, and the school in which B's making firm keeps a canteen."""
    rows = scene(house)
    code = make_credit_code(900_001)
    change(house, rows[f"{HEAD} firm"], code=code)
    change(house, rows[f"{STORE} firm"], head_code=code)
    change(house, rows[f"{CANTEEN} site"], host_code=code)
    with house.system() as session, unit_of_work():
        keeper = session.get_one(Enterprise, rows[f"{CANTEEN} firm"][1])
        other = Site(enterprise=keeper, name="另一处", kind="承包经营企业", lines=MAKING, office_id=keeper.office_id)
        session.add(other)
        session.flush()
        rows["elsewhere site"] = (Site, other.id)
        for name, site in (("store", rows[f"{STORE} site"]), ("canteen", rows[f"{CANTEEN} site"]),
                           ("elsewhere", rows["elsewhere site"])):  # fmt: skip
            closed = Closure(site=session.get_one(Site, site[1]), kind="停业", date_from=clock.today(), reason=name)
            session.add(closed)
            session.flush()
            rows[f"{name} record"] = (Closure, closed.id)
        rows["keeper's list"] = (RiskList, _list(session, keeper))
        rows["store's list"] = (RiskList, _list(session, session.get_one(Enterprise, rows[f"{STORE} firm"][1])))
        for name, firm in (("store's officer", rows[f"{STORE} firm"]), ("keeper's officer", rows[f"{CANTEEN} firm"])):
            person = Person(name=name, office_id=keeper.office_id)
            session.add(Appointment(person=person, enterprise_id=firm[1], role=OFFICER, date_from=clock.today()))
            session.flush()
            rows[name] = (Person, person.id)
    appoint(house, "firm-a", rows[f"{HEAD} firm"], PRINCIPAL)
    return rows


def _list(session: Any, firm: Enterprise) -> int:
    row = RiskList(title="本单位清单", line="食品生产", enterprise=firm)
    session.add(row)
    session.flush()
    return row.id


# what the headquarters' (and school's) principal may with what
ALONG = [
    ("B catering firm", R, MAY),
    ("B catering firm", W, READS),
    ("B catering site", R, MAY),
    ("store record", R, MAY),
    ("store record", W, READS),
    ("store's list", R, MAY),
    ("store's list", W, READS),
    ("store's list", Verb.CONFIRM, READS),
    ("store's officer", R, MAY),
    ("B catering visit", R, NOTHING),
    ("B catering notice", R, NOTHING),  # a draft
    # of the contractor: the canteen and its name, nothing it does elsewhere or as a whole
    ("B making site", R, MAY),
    ("B making site", W, READS),
    ("B making firm", R, MAY),
    ("canteen record", R, MAY),
    ("elsewhere site", R, NOTHING),
    ("elsewhere record", R, NOTHING),
    ("keeper's list", R, NOTHING),
    ("keeper's officer", R, NOTHING),
]


def test_a_headquarters_reads_its_stores_and_a_school_its_canteen(house: House) -> None:
    rows = chain(house)
    found = [(what, verb, outcome(house, "firm-a", rows[what], verb)) for what, verb, _expected in ALONG]
    assert found == ALONG


def test_a_served_notice_of_a_store_is_read_by_its_headquarters(house: House) -> None:
    rows = chain(house)
    change(house, rows["B catering notice"], state="已送达")
    assert outcome(house, "firm-a", rows["B catering notice"], R) == MAY


def test_telephones_of_stores_are_masked_for_the_headquarters(house: House) -> None:
    rows = chain(house)
    with house.acting("firm-a") as access:
        assert covers(access, current_session().get(Enterprise, rows["A catering firm"][1]))
        assert not covers(access, current_session().get(Enterprise, rows["B catering firm"][1]))


def test_stores_read_nothing_of_their_headquarters_and_a_site_alone_reads_no_stores(house: House) -> None:
    rows = chain(house)
    appoint(house, "firm-b", rows["B catering firm"], PRINCIPAL)
    assert outcome(house, "firm-b", rows["A catering firm"], R) == NOTHING
    appoint(house, "firm-b", rows["A catering firm"], PRINCIPAL, site=rows["A catering site"])
    assert outcome(house, "firm-b", rows["A catering firm"], R) == MAY
    assert outcome(house, "firm-b", rows["B making site"], R) == NOTHING


def test_the_code_of_a_headquarters_is_checked_and_tells_nothing(house: House) -> None:
    rows = scene(house)
    key = rows["A catering firm"][1]
    with house.system() as session:
        firm = session.get_one(Enterprise, key)
        form = {"name": firm.name, "state": firm.state, "version": firm.version}
    client = house.client("neiqin-a")
    wrong = client.post(f"/enterprises/{key}/edit", data=form | {"head_code": "91150525MA0000000X"})
    assert wrong.status_code == 422
    unknown = client.post(f"/enterprises/{key}/edit", data=form | {"head_code": make_credit_code(900_002)})
    assert unknown.status_code == 302, "whether such a firm exists is not said"


def test_a_firms_people_do_not_name_their_own_headquarters(house: House) -> None:
    with house.acting("firm-a") as access:
        assert not access.may("Enterprise", W) and not access.may("Site", W)
