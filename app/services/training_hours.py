"""Training hours against those of a year: who lacks how many, and whose failed exam waits for a retake.

食品安全总监 and 食品安全员 in post are counted, with the hours that the reader may see, added up when it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Float, case, cast, func, literal, select
from sqlalchemy.orm import aliased

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.sqldays import days_between
from app.data.enums import AppointmentRole
from app.models import setting
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment, Person
from app.models.training import Exam, Training
from app.services.setting import confirmed_number
from app.services.training import FAILED

TRAINED = (AppointmentRole.DIRECTOR, AppointmentRole.OFFICER)
DEFAULT_HOURS = 40  # of the amended 《规定》, until the bureau confirms
LITTLE = 0.05  # hours: less is rounding


@dataclass(frozen=True)
class Wanted:
    """Which people: in which year, of an office, only those who lack hours, of one firm."""

    year: int
    office_id: int | None = None
    lacking: bool = True
    enterprise_id: int | None = None


@dataclass(frozen=True)
class Hours:
    """A person's year."""

    id: int
    name: str
    firms: list[str]
    due: float
    done: float

    @property
    def lacks(self) -> float:
        """What is still due, in hours."""
        return max(0.0, round(self.due - self.done, 1))


def year_hours() -> int:
    """The hours of a whole year."""
    return confirmed_number(setting.TRAINING_HOURS) or DEFAULT_HOURS


def part_year() -> bool:
    """Whether who came during the year owes a part only: not before the bureau says so."""
    return confirmed_number(setting.TRAINING_PART_YEAR) == 1


def _people(wanted: Wanted) -> Any:
    """Key, due and done of everybody in post at the end of the year, or today in the present one."""
    first, last = date(wanted.year, 1, 1), date(wanted.year, 12, 31)
    day = min(last, clock.today())
    post = Appointment
    posts = select(post.person_id, func.min(post.date_from).label("begins")).where(
        post.role.in_(TRAINED), post.stand_in.is_(False), post.in_force(day)
    )
    if wanted.office_id:
        posts = posts.where(post.office_id.in_(sorted(current_access().subtree(wanted.office_id))))
    if wanted.enterprise_id:
        posts = posts.where(post.enterprise_id == wanted.enterprise_id)
    held = posts.group_by(post.person_id).subquery()
    sums = select(Training.person_id, func.sum(Training.hours).label("hours"))
    taught = sums.where(Training.date >= first, Training.date <= last).group_by(Training.person_id).subquery()
    done = func.coalesce(cast(taught.c.hours, Float), 0.0).label("done")
    due = _due(held.c.begins, first, last).label("due")
    found = select(held.c.person_id.label("id"), due, done).select_from(held)
    found = found.outerjoin(taught, taught.c.person_id == held.c.person_id)
    return found.where(due - done > LITTLE) if wanted.lacking else found


def _due(begins: Any, first: date, last: date) -> Any:
    whole, days = float(year_hours()), (last - first).days + 1
    if not part_year():
        return literal(whole)
    share = cast(days_between(begins, literal(last)) + 1, Float) * (whole / days)
    return case((begins <= first, whole), else_=share)  # who came in an earlier year owes all of it


def size(wanted: Wanted) -> int:
    """How many people the list has."""
    return int(current_session().scalar(select(func.count()).select_from(_people(wanted).subquery())) or 0)


def hours(wanted: Wanted, offset: int = 0, limit: int | None = None) -> list[Hours]:
    """The people, those who lack most first: three statements."""
    people, session = _people(wanted).subquery(), current_session()
    order = ((people.c.due - people.c.done).desc(), people.c.id)
    page = select(people.c.id, people.c.due, people.c.done).order_by(*order).offset(offset).limit(limit)
    rows = session.execute(page).all()
    keys, day = [row.id for row in rows], min(date(wanted.year, 12, 31), clock.today())
    named = session.execute(select(Person.id, Person.name).where(Person.id.in_(keys)))
    names: dict[int, str] = {row.id: row.name for row in named}
    firms: dict[int, list[str]] = {}
    told = select(Appointment.person_id, Enterprise.name).join(Enterprise, Appointment.enterprise_id == Enterprise.id)
    for key, firm in session.execute(told.where(
        Appointment.person_id.in_(keys), Appointment.role.in_(TRAINED), Appointment.in_force(day),
    ).order_by(Appointment.id)):  # fmt: skip
        if firm not in firms.setdefault(key, []):
            firms[key].append(firm)
    return [Hours(row.id, names.get(row.id, ""), firms.get(row.id, []), round(float(row.due), 1),
                  round(float(row.done), 1)) for row in rows]  # fmt: skip


def waiting_retakes(limit: int) -> list[Exam]:
    """Exams that were failed or missed and not repeated, oldest first."""
    again = aliased(Exam)
    repeated = select(again.id).where(again.retake_of_id == Exam.id).exists()
    found = select(Exam).where(Exam.result.in_(FAILED), ~repeated).order_by(Exam.date, Exam.id)
    return list(current_session().scalars(found.limit(limit)).unique())
