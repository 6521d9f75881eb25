"""The two ledgers and the gap: which firms must have a 食品安全总监, whom they have, who is lacking (seed 二).

Ledger A holds the firms that must have a director, ledger B all others; each firm in being is in exactly one. A
firm with nobody is in its ledger as 未配备. Everything is asked as of a day:
a past day's ledger can be printed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, null, or_, select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.predicate import answered_for
from app.core.db import current_session
from app.core.lines import line_text
from app.core.verbs import Verb
from app.data.enums import AppointmentRole
from app.data.people import ChangeKind
from app.models.area import Area
from app.models.enterprise import Enterprise, Site
from app.models.lines import BITS
from app.models.personnel import Appointment, Person
from app.models.staff_change import StaffChange
from app.services import vacancy
from app.services.vacancy import Vacancy

CHUNK = 500


class Which(StrEnum):
    """Which list: the two ledgers, and the firms that lack somebody."""

    A = "a"
    B = "b"
    GAP = "gap"


@dataclass(frozen=True)
class Wanted:
    """What a ledger is asked for: all but `which` and `day` narrow it.

    vacant: at least so many days without somebody in a post; longest: in the order of the longest vacancy.
    """

    which: Which
    day: date
    office_id: int | None = None
    line: int = 0
    kind: str = ""
    area_id: int | None = None
    vacant: int = 0
    longest: bool = False


@dataclass(frozen=True)
class Counts:
    """应配 and 已配 of directors, 自愿配备 beside them, 已配 of officers; over what the ledger is asked for."""

    firms: int = 0
    must: int = 0
    directors: int = 0
    voluntary: int = 0
    officers: int = 0
    lacking: int = 0

    @property
    def no_director(self) -> int:
        """应配未配."""
        return self.must - self.directors

    @property
    def no_officer(self) -> int:
        """未配食品安全员."""
        return self.firms - self.officers


@dataclass
class Entry:
    """A firm's line."""

    id: int
    name: str
    code: str
    office: str
    must: bool
    lines: str
    state: str
    kinds: list[str] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    people: dict[str, list[str]] = field(default_factory=dict)
    vacancies: dict[AppointmentRole, Vacancy] = field(default_factory=dict)
    stand_ins: dict[str, list[str]] = field(default_factory=dict)
    reported: dict[str, list[str]] = field(default_factory=dict)

    def named(self, role: AppointmentRole) -> str:
        """Who holds a post, or 未配备; who stands in is told apart."""
        told = "、".join(self.people.get(role, [])) or str(_("未配备"))
        if not (names := self.stand_ins.get(role)):
            return told
        return str(_("%(told)s（代班：%(names)s）", told=told, names="、".join(names)))

    @property
    def voluntary(self) -> bool:
        """Has a director without having to."""
        return not self.must and AppointmentRole.DIRECTOR in self.people

    @property
    def gap(self) -> list[str]:
        """What the firm lacks and for how long, in words."""
        words = {AppointmentRole.DIRECTOR: _("应配总监未配"), AppointmentRole.OFFICER: _("未配安全员")}
        return [self._gap(words[role], one) for role, one in self.vacancies.items()]

    def _gap(self, what: str, one: Vacancy) -> str:
        """A vacancy with its days; who was reported and is not yet accepted is named as that."""
        told = str(_("%(what)s（空缺 %(n)s 天）", what=what, n=one.days))
        names = "、".join(self.reported.get(one.role, []))
        return str(_("%(told)s，已报待核：%(names)s", told=told, names=names)) if names else told


def _firms(wanted: Wanted) -> Any:
    """Key and answers of each firm in being on the day that the request asks for, whichever ledger it is in."""
    day = wanted.day
    begun = clock.start_of(day + timedelta(days=1))
    statement = select(
        Enterprise.id,
        vacancy.must(day).label("must"),
        vacancy.held(AppointmentRole.DIRECTOR, day).label("director"),
        vacancy.held(AppointmentRole.OFFICER, day).label("officer"),
        (vacancy.longest(day) if wanted.longest else null()).label("since"),
    ).where(Enterprise.made_at < begun, or_(Enterprise.ended_on.is_(None), Enterprise.ended_on > day))
    statement = statement.where(answered_for(current_access(), Enterprise, Enterprise.__name__, Verb.READ))
    if wanted.office_id:
        offices = current_access().subtree(wanted.office_id)
        statement = statement.where(Enterprise.office_id.in_(sorted(offices)))
    if wanted.line:
        statement = statement.where(Enterprise.lines.bitwise_and(wanted.line) != 0)
    if wanted.vacant:
        statement = statement.where(vacancy.vacant_for(wanted.vacant, day))
    narrow = [Site.kind == wanted.kind] if wanted.kind else []
    narrow += [Site.area_id == wanted.area_id] if wanted.area_id else []
    if narrow:
        statement = statement.where(exists().where(Site.enterprise_id == Enterprise.id, *narrow))
    return statement


def counts(wanted: Wanted) -> Counts:
    """The figures over both ledgers, of the firms the person may see: one statement."""
    firms = _firms(wanted).subquery()
    both = and_(firms.c.must, firms.c.director)
    free = and_(~firms.c.must, firms.c.director)
    row = current_session().execute(
        select(func.count(), *(func.coalesce(func.sum(case((one, 1), else_=0)), 0) for one in (
            firms.c.must, both, free, firms.c.officer, _lacks(firms))))
    ).one()  # fmt: skip
    return Counts(*(int(value) for value in row))


def by_line(wanted: Wanted) -> list[tuple[int, int]]:
    """Of the firms the ledger is asked for, how many are in each line: one in two lines counts under both."""
    firms = _firms(wanted).subquery()
    lines = select(Enterprise.lines).where(Enterprise.id == firms.c.id).scalar_subquery()
    held = [func.coalesce(func.sum(case((lines.bitwise_and(bit) != 0, 1), else_=0)), 0) for bit in BITS.values()]
    row = current_session().execute(select(*held).select_from(firms)).one()
    return list(zip(BITS.values(), (int(value) for value in row), strict=True))


def _lacks(firms: Any) -> ColumnElement[bool]:
    return or_(and_(firms.c.must, ~firms.c.director), ~firms.c.officer)


def _chosen(wanted: Wanted) -> Select[Any]:
    firms = _firms(wanted).subquery()
    in_it = {Which.A: firms.c.must, Which.B: ~firms.c.must, Which.GAP: _lacks(firms)}[wanted.which]
    return select(firms.c.id, firms.c.must, firms.c.since).where(in_it)


def size(wanted: Wanted) -> int:
    """How many lines the list has."""
    return int(current_session().scalar(select(func.count()).select_from(_chosen(wanted).subquery())) or 0)


def entries(wanted: Wanted, offset: int = 0, limit: int | None = None) -> Iterator[Entry]:
    """The lines in the order the firms were entered, or of their vacancies, five hundred at a time."""
    last, left = None, limit
    while left is None or left > 0:
        firms = _chosen(wanted).subquery()
        order = (firms.c.since, firms.c.id) if wanted.longest else (firms.c.id,)
        piece = select(firms.c.id, firms.c.must, firms.c.since).order_by(*order)
        piece = piece.where(_behind(firms, wanted, last)) if last is not None else piece.offset(offset)
        rows = current_session().execute(piece.limit(min(CHUNK, left) if left is not None else CHUNK)).all()
        if not rows:
            return
        yield from _filled(rows, wanted.day)
        last = rows[-1]
        left = left - len(rows) if left is not None else None


def _behind(firms: Any, wanted: Wanted, last: Any) -> ColumnElement[bool]:
    """The lines after one, in the order asked for."""
    later: ColumnElement[bool] = firms.c.id > last.id
    return or_(firms.c.since > last.since, and_(firms.c.since == last.since, later)) if wanted.longest else later


def _filled(rows: Sequence[Any], day: date) -> Iterator[Entry]:
    session, must = current_session(), {row.id: bool(row.must) for row in rows}
    offices = current_access().offices
    by_id: dict[int, Entry] = {}
    for firm in session.execute(
        select(Enterprise.id, Enterprise.name, Enterprise.code, Enterprise.office_id, Enterprise.lines,
               Enterprise.state).where(Enterprise.id.in_(must))
    ):  # fmt: skip
        unit = offices.get(firm.office_id)
        by_id[firm.id] = Entry(firm.id, firm.name, firm.code or "", unit.name if unit else "", must[firm.id],
                               line_text(firm.lines), firm.state)  # fmt: skip
    found = {row.id: by_id[row.id] for row in rows}
    for key, lacking in vacancy.vacancies(list(must), day).items():
        found[key].vacancies = lacking
    places = select(Site.enterprise_id, Site.kind, Area.name).outerjoin(Area, Site.area_id == Area.id)
    for key, kind, area in session.execute(places.where(Site.enterprise_id.in_(must)).order_by(Site.id)):
        _add(found[key].kinds, str(_(kind)))
        _add(found[key].areas, area)
    for role in AppointmentRole:
        names = select(Appointment.enterprise_id, Person.name).join(Person, Appointment.person_id == Person.id)
        names = names.where(Appointment.enterprise_id.in_(must), *vacancy.in_force(role, day)).order_by(Appointment.id)
        for key, name in session.execute(names):
            _add(found[key].people.setdefault(role, []), name)
    _add_told(found, day)
    yield from found.values()


def _add_told(found: dict[int, Entry], day: date) -> None:
    """Stand-ins, and new holders that were reported but not judged at the end of the day."""
    session, night = current_session(), clock.start_of(day + timedelta(days=1))
    names = select(Appointment.enterprise_id, Appointment.role, Person.name)
    names = names.join(Person, Appointment.person_id == Person.id).where(*vacancy.stands_in(day))
    for key, role, name in session.execute(names.where(Appointment.enterprise_id.in_(found)).order_by(Appointment.id)):
        _add(found[key].stand_ins.setdefault(role, []), name)
    waits = or_(StaffChange.decided_at.is_(None), StaffChange.decided_at >= night)
    told = select(StaffChange.enterprise_id, StaffChange.role, StaffChange.name).where(
        StaffChange.kind == ChangeKind.APPOINT, StaffChange.reported_at < night, waits,
        StaffChange.enterprise_id.in_(found))  # fmt: skip
    for key, role, name in session.execute(told.order_by(StaffChange.id)):
        _add(found[key].reported.setdefault(role, []), name)


def _add(names: list[str], name: str | None) -> None:
    if name and name not in names:
        names.append(name)
