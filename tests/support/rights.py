"""Words for truth tables of access: who, what, which verb, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.access.policy import Grant, grants
from app.core.entity import Entity
from app.core.errors import Forbidden, NotFound
from app.core.office import AccessRole, Account, Assignment, Family, Posting
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import InspectionKind, InspectionSelection, NoticeState, SiteKind
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from app.models.lines import Line
from app.models.personnel import Appointment, Person
from app.models.rectification import Notice
from tests.support.house import A, B, House

MAY, READS, NOTHING = "may", "reads only", "sees nothing"
R, W = Verb.READ, Verb.UPDATE
CATERING, MAKING = int(Line.CATERING), int(Line.PRODUCTION)
CODES = {"A": A, "B": B, "bureau": "150525", "city": "1505"}
What = tuple[type[Entity], int]


def outcome(house: House, who: str, what: What, verb: Verb) -> str:
    """May: the act goes on. Reads only: 403. Sees nothing: 404, as if there were no such row."""
    cls, key = what
    with house.acting(who):
        try:
            fetch(cls, key, verb)
        except Forbidden:
            return READS
        except NotFound:
            return NOTHING
    return MAY


def scene(house: House) -> dict[str, What]:
    """Of each station (A, B) and line (catering, making): a firm, its site, a visit and a notice, both drafts."""
    found: dict[str, What] = {}
    with house.system() as session, unit_of_work():
        for station in "AB":
            for word, line in (("catering", CATERING), ("making", MAKING)):
                made = _firm(house, station, word, line)
                session.add_all(made.values())
                session.flush()
                made |= _work(house, station, made["site"])
                session.add_all(made.values())
                session.flush()
                found |= {f"{station} {word} {name}": (type(row), row.id) for name, row in made.items()}
    return found


def _firm(house: House, station: str, word: str, line: int) -> dict[str, Any]:
    office = house.offices[CODES[station]]
    name = f"{station}站{word}店"
    firm = Enterprise(name=name, office_id=office, lines=line)
    site = Site(enterprise=firm, name=name, kind=SiteKind.CATERER, lines=line, office_id=office)
    return {"firm": firm, "site": site}


def _work(house: House, station: str, site: Any) -> dict[str, Any]:
    name, tail = site.name, station.lower()
    visit = Inspection(
        site=site, date=clock.today(), kind=InspectionKind.ROUTINE, selection=InspectionSelection.PLAN, summary=name,
        inspector_id=house.accounts[f"yuan-{tail}"], co_inspector_id=house.accounts[f"suo-{tail}"],
    )  # fmt: skip
    notice = Notice(site=site, party=name, conduct=name, immediate=True, drafter_id=house.accounts[f"yuan-{tail}"])
    return {"visit": visit, "notice": notice}


def role(house: House, code: str, given: Iterable[Grant], family: Family = Family.BUSINESS, **columns: Any) -> None:
    """A further role."""
    with house.system() as session, unit_of_work():
        session.add(AccessRole(code=code, name=code, family=family, rank=1, grants=grants(given), **columns))


def post(
    house: House, who: str, code: str, station: str, *, lines: int = 0, since: int = -1, until: int | None = None
) -> int:
    """A further posting, from a day to a day counted from today."""
    today = clock.today()
    with house.system() as session, unit_of_work():
        key = session.scalars(select(AccessRole.id).where(AccessRole.code == code)).one()
        one = Posting(
            account_id=house.accounts[who], office_id=house.offices[CODES.get(station, station)], role_id=key,
            lines=lines, date_from=today + timedelta(since),
            date_to=None if until is None else today + timedelta(until),
        )  # fmt: skip
        session.add(one)
        session.flush()
        return one.id


def unpost(house: House, who: str) -> None:
    """End all that somebody holds."""
    with house.system() as session, unit_of_work():
        for one in session.scalars(select(Posting).where(Posting.account_id == house.accounts[who])):
            session.delete(one)


def put_to(house: House, who: str, what: What, since: int = 0, until: int | None = None) -> None:
    """An assignment, from a day to a day counted from today."""
    cls, key = what
    with house.system() as session, unit_of_work():
        row: Any = session.get_one(cls, key)
        today = clock.today()
        session.add(Assignment(
            account_id=house.accounts[who], entity=cls.__name__, row_id=key, site_id=row.site_id,
            enterprise_id=row.enterprise_id, date_from=today + timedelta(since),
            date_to=None if until is None else today + timedelta(until),
        ))  # fmt: skip


def appoint(
    house: House,
    who: str,
    firm: What,
    duty: str,
    *,
    site: What | None = None,
    since: int = -1,
    until: int | None = None,
) -> None:
    """Somebody of a firm holds a duty there, from a day to a day counted from today."""
    today = clock.today()
    with house.system() as session, unit_of_work():
        person = session.scalars(select(Person).where(Person.account_id == house.accounts[who])).one()
        session.add(Appointment(
            person=person, enterprise_id=firm[1], site_id=site[1] if site else None, role=duty,
            date_from=today + timedelta(since), date_to=None if until is None else today + timedelta(until),
        ))  # fmt: skip


def change(house: House, what: What, **values: Any) -> None:
    """The system changes a row."""
    cls, key = what
    with house.system() as session, unit_of_work():
        row = session.get_one(cls, key)
        for name, value in values.items():
            setattr(row, name, value)


def link(house: House, *usernames: str) -> None:
    """These accounts are one person's."""
    with house.system() as session, unit_of_work():
        rows = list(session.scalars(select(Account).where(Account.username.in_(usernames))))
        for row in rows:
            row.person_key = rows[0].person_key


SERVED, TO_SIGN = NoticeState.DELIVERED, NoticeState.TO_SIGN
