"""The clock of vacant posts: which posts a firm must fill, since when nobody holds them. Nothing is counted on store.

A 食品安全员 is due everywhere, a 食品安全总监 where some site must have one. All criteria are about `Enterprise`, as of
a day, so that a past day's answer can be asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from app.core.db import current_session
from app.core.sqldays import local_day, plus_days
from app.data.enums import AppointmentRole
from app.models.director import DirectorDecision
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment

DUE = (AppointmentRole.DIRECTOR, AppointmentRole.OFFICER)


@dataclass(frozen=True)
class Vacancy:
    """A post that must be filled and is not, since a day; `days` counts that day."""

    role: AppointmentRole
    since: date
    day: date

    @property
    def days(self) -> int:
        """How long, at least one."""
        return (self.day - self.since).days + 1


def must(day: date) -> ColumnElement[bool]:
    """Whether some site of the firm had to have a director on the day."""
    one = DirectorDecision
    return exists().where(one.enterprise_id == Enterprise.id, one.must, stood(one, day))


def stood(one: Any, day: Any) -> ColumnElement[bool]:
    """Whether a dated row held on a day."""
    return and_(one.date_from <= day, or_(one.date_to.is_(None), one.date_to >= day))


def in_force(role: AppointmentRole, day: date) -> tuple[ColumnElement[bool], ...]:
    """Appointments to a post on a day; a stand-in does not fill it."""
    return Appointment.role == role, Appointment.in_force(day), Appointment.stand_in.is_(False)


def stands_in(day: date) -> tuple[ColumnElement[bool], ...]:
    """Stand-ins of a day."""
    return Appointment.stand_in.is_(True), Appointment.date_from <= day, Appointment.date_to >= day


def held(role: AppointmentRole, day: date) -> ColumnElement[bool]:
    """Whether the firm had somebody in the post on the day."""
    return exists().where(Appointment.enterprise_id == Enterprise.id, *in_force(role, day))


def vacant(role: AppointmentRole, day: date) -> ColumnElement[bool]:
    """Whether the post had to be filled and was not."""
    empty = ~held(role, day)
    return and_(must(day), empty) if role is AppointmentRole.DIRECTOR else empty


def since(role: AppointmentRole, day: date) -> ColumnElement[date]:
    """The first day of the vacancy of a post that is vacant on the day: means nothing for one that is not.

    The day after the last holder's last, but not before the post was due: for a director when the sites first had to
    have one without a break, for an officer when the firm was entered, if nobody ever held it.
    """
    left = plus_days(_last_day(role, day), literal(1))
    if role is not AppointmentRole.DIRECTOR:
        return func.coalesce(left, local_day(Enterprise.made_at))
    due = _due_since(day)
    return case((left > due, left), else_=due)


def _last_day(role: AppointmentRole, day: date) -> Any:
    mine = (Appointment.enterprise_id == Enterprise.id, Appointment.role == role, Appointment.date_from <= day,
            Appointment.stand_in.is_(False))  # fmt: skip
    return select(func.max(Appointment.date_to)).where(*mine).correlate(Enterprise).scalar_subquery()


def _due_since(day: date) -> Any:
    """The newest day on which a duty began that did not stand the day before, by whichever site of the firm."""
    one, before = aliased(DirectorDecision), aliased(DirectorDecision)
    eve = plus_days(one.date_from, literal(-1))
    went_on = exists().where(before.enterprise_id == one.enterprise_id, before.must, stood(before, eve))
    mine = (one.enterprise_id == Enterprise.id, one.must, one.date_from <= day, ~went_on)
    return select(func.max(one.date_from)).where(*mine).correlate(Enterprise).scalar_subquery()


def vacant_since(role: AppointmentRole, day: date) -> ColumnElement[date | None]:
    """The first day of the vacancy; NULL for a post that is filled or need not be."""
    return case((vacant(role, day), since(role, day)), else_=None)


def vacant_for(days: int, day: date) -> ColumnElement[bool]:
    """Whether some post has been vacant for at least so many days."""
    first = day - timedelta(days=days - 1)
    return or_(*(and_(vacant(role, day), since(role, day) <= first) for role in DUE))


def longest(day: date) -> ColumnElement[date]:
    """By what firms are put in the order of their longest vacancy; those without one come last."""
    director, officer = (func.coalesce(vacant_since(role, day), date.max) for role in DUE)
    return case((director < officer, director), else_=officer)


def vacancies(firms: list[int], day: date) -> dict[int, dict[AppointmentRole, Vacancy]]:
    """The vacant posts of these firms on a day: one statement."""
    columns = (vacant_since(role, day) for role in DUE)
    found: dict[int, dict[AppointmentRole, Vacancy]] = {}
    for key, *days in current_session().execute(select(Enterprise.id, *columns).where(Enterprise.id.in_(firms))):
        told = zip(DUE, days, strict=True)
        found[key] = {role: Vacancy(role, first, day) for role, first in told if first is not None}
    return found
