"""What the system knows beside the points of a 落实自查表: a reminder while it is filled in, nothing that decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select

from app.core import clock
from app.core.access.veil import concealed
from app.core.db import current_session
from app.core.entity import Entity
from app.data.enums import AppointmentRole, CheckState
from app.data.people import PolicyKind, PolicyState
from app.models.check import DailyCheck
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment
from app.models.policy_document import PolicyDocument
from app.models.training import Training
from app.services.training_hours import Wanted, hours, year_hours

DAYS = 30  # of daily records that are counted
PAPERS = {"1": (PolicyKind.SYSTEM, PolicyKind.DUTY), "3": (PolicyKind.DIRECTOR, PolicyKind.OFFICER),
          "4": (PolicyKind.RISKS,), "12": (PolicyKind.INCIDENTS,)}  # fmt: skip
Facts = dict[str, str]
SEEN: tuple[tuple[type[Entity], tuple[str, ...]], ...] = (
    (Appointment, ("role", "person", "enterprise", "date_from", "date_to", "stand_in")),
    (PolicyDocument, ("kind", "state", "enterprise")),
    (DailyCheck, ("check_date", "site", "state")),
    (Training, ("hours", "date", "person")),
)


def known_facts(firm: Enterprise) -> Facts:
    """Point → what the rows say that the person sees; nothing of what is made of columns that are hidden."""
    makers: tuple[Callable[[Enterprise, date], Facts], ...] = (_posts, _papers, _records, _hours)
    found: Facts = {}
    for make, (model, names) in zip(makers, SEEN, strict=True):
        if not any(concealed(model, name) for name in names):
            found |= make(firm, clock.today())
    return found


def _posts(firm: Enterprise, day: date) -> Facts:
    one = Appointment
    counted = select(one.role, func.count(one.person_id.distinct())).where(
        one.enterprise_id == firm.id, one.in_force(day), one.stand_in.is_(False)
    )
    held: dict[str, int] = dict(current_session().execute(counted.group_by(one.role)).all())
    told = [_("%(what)s %(n)s 人", what=_(role.value), n=held.get(role, 0)) for role in AppointmentRole]
    return {"2": _("、").join(told)}


def _papers(firm: Enterprise, _day: date) -> Facts:
    one = PolicyDocument
    rows = current_session().execute(select(one.kind, one.state).where(one.enterprise_id == firm.id))
    there: dict[str, str] = dict(rows.all())
    return {
        code: _("、").join(f"{_(kind.value)} {_(there.get(kind, PolicyState.NONE))}" for kind in kinds)
        for code, kinds in PAPERS.items()
    }


def _records(firm: Enterprise, day: date) -> Facts:
    one, since = DailyCheck, day - timedelta(days=DAYS)
    mine = (one.enterprise_id == firm.id, one.check_date > since, one.state == CheckState.SUBMITTED)
    days = current_session().scalar(select(func.count(one.check_date.distinct())).where(*mine)) or 0
    return {"5": _("近 %(days)s 天有日检查记录的 %(n)s 天", days=DAYS, n=days)}


def _hours(firm: Enterprise, day: date) -> Facts:
    people = hours(Wanted(day.year, lacking=False, enterprise_id=firm.id))
    told = [_("%(name)s %(n)s 学时", name=one.name, n=f"{one.done:g}") for one in people]
    return {"9": _("今年%(who)s（全年应 %(n)s 学时）", who=_("、").join(told), n=year_hours())} if told else {}
