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
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.lines import line_text
from app.data.enums import AppointmentRole
from app.models.area import Area
from app.models.director import DirectorDecision
from app.models.enterprise import Enterprise, Site
from app.models.lines import BITS
from app.models.personnel import Appointment, Person

CHUNK = 500


class Which(StrEnum):
    """Which list: the two ledgers, and the firms that lack somebody."""

    A = "a"
    B = "b"
    GAP = "gap"


@dataclass(frozen=True)
class Wanted:
    """What a ledger is asked for: all but `which` and `day` narrow it."""

    which: Which
    day: date
    office_id: int | None = None
    line: int = 0
    kind: str = ""
    area_id: int | None = None


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

    def named(self, role: AppointmentRole) -> str:
        """Who holds a post, or 未配备."""
        return "、".join(self.people.get(role, [])) or str(_("未配备"))

    @property
    def voluntary(self) -> bool:
        """Has a director without having to."""
        return not self.must and AppointmentRole.DIRECTOR in self.people

    @property
    def gap(self) -> list[str]:
        """What the firm lacks, in words."""
        lacks = [str(_("应配总监未配"))] if self.must and AppointmentRole.DIRECTOR not in self.people else []
        return lacks + ([] if AppointmentRole.OFFICER in self.people else [str(_("未配安全员"))])


def _must(day: date) -> ColumnElement[bool]:
    """Whether some site of the firm had to have a director on the day."""
    one = DirectorDecision
    stood = and_(one.date_from <= day, or_(one.date_to.is_(None), one.date_to >= day))
    return exists().where(one.enterprise_id == Enterprise.id, one.must, stood)


def _held(role: AppointmentRole, day: date) -> ColumnElement[bool]:
    return exists().where(Appointment.enterprise_id == Enterprise.id, *_in_force(role, day))


def _in_force(role: AppointmentRole, day: date) -> tuple[ColumnElement[bool], ...]:
    until = or_(Appointment.date_to.is_(None), Appointment.date_to >= day)
    return Appointment.role == role, Appointment.date_from <= day, until


def _firms(wanted: Wanted) -> Any:
    """Key and answers of each firm in being on the day that the request asks for, whichever ledger it is in."""
    day = wanted.day
    begun = clock.start_of(day + timedelta(days=1))
    statement = select(
        Enterprise.id,
        _must(day).label("must"),
        _held(AppointmentRole.DIRECTOR, day).label("director"),
        _held(AppointmentRole.OFFICER, day).label("officer"),
    ).where(Enterprise.made_at < begun, or_(Enterprise.ended_on.is_(None), Enterprise.ended_on > day))
    if wanted.office_id:
        offices = current_access().subtree(wanted.office_id)
        statement = statement.where(Enterprise.office_id.in_(sorted(offices)))
    if wanted.line:
        statement = statement.where(Enterprise.lines.bitwise_and(wanted.line) != 0)
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
    return select(firms.c.id, firms.c.must).where(in_it).order_by(firms.c.id)


def size(wanted: Wanted) -> int:
    """How many lines the list has."""
    return int(current_session().scalar(select(func.count()).select_from(_chosen(wanted).subquery())) or 0)


def entries(wanted: Wanted, offset: int = 0, limit: int | None = None) -> Iterator[Entry]:
    """The lines in the order the firms were entered, five hundred at a time: four statements a piece."""
    last, left, first = 0, limit, True
    while left is None or left > 0:
        firms = _chosen(wanted).subquery()
        piece = select(firms.c.id, firms.c.must).where(firms.c.id > last).order_by(firms.c.id)
        piece = piece.offset(offset if first else 0).limit(min(CHUNK, left) if left is not None else CHUNK)
        rows = current_session().execute(piece).all()
        if not rows:
            return
        yield from _filled(rows, wanted.day)
        last, first = rows[-1].id, False
        left = left - len(rows) if left is not None else None


def _filled(rows: Sequence[Any], day: date) -> Iterator[Entry]:
    session, must = current_session(), {row.id: bool(row.must) for row in rows}
    offices = current_access().offices
    found: dict[int, Entry] = {}
    for firm in session.execute(
        select(Enterprise.id, Enterprise.name, Enterprise.code, Enterprise.office_id, Enterprise.lines,
               Enterprise.state).where(Enterprise.id.in_(must)).order_by(Enterprise.id)
    ):  # fmt: skip
        unit = offices.get(firm.office_id)
        found[firm.id] = Entry(firm.id, firm.name, firm.code or "", unit.name if unit else "", must[firm.id],
                               line_text(firm.lines), firm.state)  # fmt: skip
    places = select(Site.enterprise_id, Site.kind, Area.name).outerjoin(Area, Site.area_id == Area.id)
    for key, kind, area in session.execute(places.where(Site.enterprise_id.in_(must)).order_by(Site.id)):
        _add(found[key].kinds, str(_(kind)))
        _add(found[key].areas, area)
    for role in AppointmentRole:
        names = select(Appointment.enterprise_id, Person.name).join(Person, Appointment.person_id == Person.id)
        names = names.where(Appointment.enterprise_id.in_(must), *_in_force(role, day)).order_by(Appointment.id)
        for key, name in session.execute(names):
            _add(found[key].people.setdefault(role, []), name)
    yield from found.values()


def _add(names: list[str], name: str | None) -> None:
    if name and name not in names:
        names.append(name)
