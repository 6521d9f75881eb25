"""Assignment: who is put to a row reads it, its site and its firm, on its days; who is lent writes that row only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import AccessRefused, Forbidden
from app.core.office import Account, Assignment
from app.core.saving import save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import InspectionResult
from app.models.enterprise import Site
from app.models.inspection import Finding, Inspection
from tests.support.house import House
from tests.support.rights import MAY, NOTHING, READS, R, W, change, outcome, put_to, scene

# yuan-b is put to a visit of A: from which day to which, counted from today; does that count today?
DAYS = [
    ((0, None), MAY),
    ((-3, 0), MAY),
    ((0, 0), MAY),
    ((-3, -1), NOTHING),
    ((1, None), NOTHING),
]

# what the lent inspector does to what
LENT = [
    ("A catering visit", R, MAY),
    ("A catering visit", W, MAY),
    ("A catering visit", Verb.COMPLETE, MAY),
    ("A catering visit", Verb.VOID, READS),
    ("A catering visit", Verb.SEAL, READS),
    ("A catering visit", Verb.EXPORT, READS),
    ("A catering site", R, MAY),
    ("A catering site", W, READS),
    ("A catering firm", R, MAY),
    ("A catering firm", W, READS),
    ("A catering firm", Verb.REVEAL, READS),
    ("A catering notice", R, NOTHING),
    ("A making visit", R, NOTHING),
    ("A making site", R, NOTHING),
]


@pytest.mark.parametrize(("days", "expected"), DAYS)
def test_an_assignment_counts_on_its_days(house: House, days: tuple[int, int | None], expected: str) -> None:
    rows = scene(house)
    put_to(house, "yuan-b", rows["A catering visit"], *days)
    found = [outcome(house, "yuan-b", rows[f"A catering {what}"], R) for what in ("visit", "site", "firm")]
    assert found == [expected] * 3


def test_what_a_lent_inspector_may(house: House) -> None:
    rows = scene(house)
    put_to(house, "yuan-b", rows["A catering visit"])
    assert [(what, verb, outcome(house, "yuan-b", rows[what], verb)) for what, verb, _word in LENT] == LENT


def test_who_is_named_as_inspector_from_another_station_is_lent_until_the_visit_is_done(house: House) -> None:
    rows = scene(house)
    key = rows["A catering visit"][1]
    with house.acting("suo-a"):
        visit = fetch(Inspection, key)
        with unit_of_work():
            visit = fetch(Inspection, key, W)
            visit.co_inspector = current_session().get_one(Account, house.accounts["yuan-b"])
            save(visit, W)
    with house.acting("yuan-b"):
        with unit_of_work():
            visit = fetch(Inspection, key, W)
            visit.findings = [Finding(fact="冷藏柜无温度计", demand="配备温度计")]
            visit.result = InspectionResult.BASIC
            save(visit, W)
        run(fetch(Inspection, key), "complete")
        with pytest.raises(Forbidden):
            fetch(Inspection, key, W)
    assert ends(house, key) == [clock.today()]
    with on_day(1):
        assert outcome(house, "yuan-b", rows["A catering visit"], R) == NOTHING


def on_day(number: int) -> Any:
    instant = clock.now() + timedelta(days=number)
    return clock.set_clock(lambda: instant)


def ends(house: House, key: int) -> list[Any]:
    with house.system() as session:
        mine = (Assignment.row_id == key) & (Assignment.entity == "Inspection")
        return list(session.scalars(select(Assignment.date_to).where(mine)))


def test_who_is_named_no_longer_is_lent_no_longer_and_ones_own_people_never_were(house: House) -> None:
    rows = scene(house)
    visit = rows["A catering visit"]
    assert ends(house, visit[1]) == []
    change(house, visit, co_inspector_id=house.accounts["yuan-b"])
    assert outcome(house, "yuan-b", visit, W) == MAY
    change(house, visit, co_inspector_id=house.accounts["suo-a"])
    assert outcome(house, "yuan-b", visit, R) == NOTHING
    change(house, visit, co_inspector_id=house.accounts["yuan-b"])
    assert outcome(house, "yuan-b", visit, W) == MAY
    with on_day(62):
        assert outcome(house, "yuan-b", visit, R) == NOTHING, "sixty days at most"


# where the lent inspector tries to take the visit: to a site of his own station, or of the lender's
def test_a_lent_inspector_takes_the_visit_nowhere(house: House) -> None:
    rows = scene(house)
    put_to(house, "yuan-b", rows["A catering visit"])
    key = rows["A catering visit"][1]
    for site in ("B catering site", "A making site"):
        with house.acting("yuan-b"), pytest.raises(AccessRefused), unit_of_work() as session:
            session.get_one(Inspection, key).site_id = rows[site][1]
    with house.system() as session:
        assert session.get_one(Inspection, key).site_id == rows["A catering site"][1]


def test_a_draft_put_to_another_site_is_about_that_sites_firm(house: House) -> None:
    rows = scene(house)
    key = rows["A catering visit"][1]
    with house.acting("yuan-a"), unit_of_work():
        visit = fetch(Inspection, key, W)
        visit.site = fetch(Site, rows["A making site"][1])
        save(visit, W)
    with house.system() as session:
        visit, site = session.get_one(Inspection, key), session.get_one(Site, rows["A making site"][1])
        assert (visit.enterprise_id, visit.site_id, visit.lines) == (site.enterprise_id, site.id, site.lines)


def test_an_assignment_shows_one_row_in_lists(house: House) -> None:
    rows = scene(house)
    with house.acting("yuan-b"):
        before = current_session().scalar(select(func.count(Inspection.id)))
    put_to(house, "yuan-b", rows["A catering visit"])
    with house.acting("yuan-b"):
        assert current_session().scalar(select(func.count(Inspection.id))) == (before or 0) + 1
