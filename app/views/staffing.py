"""What a firm's page tells of its posts: who holds them, for how long one has been vacant, what may be printed."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.fetch import may
from app.core.db import current_session
from app.core.fab.cells import full_date, said
from app.core.fab.show_view import ShowScreens
from app.core.screen import Cell, Fact, FactGroup, ShowScreen
from app.core.verbs import Verb
from app.data.enums import AppointmentRole
from app.data.people import ChangeState
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment, Person
from app.models.staff_change import StaffChange
from app.services import vacancy
from app.services.firm_papers import tells_posts
from app.views.firm_papers import paper_links


class Staffing(ShowScreens):
    """Adds the sections to the page of an enterprise."""

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """The record's page with who holds which post, and the papers, for who may print."""
        screen: ShowScreen = super().show_screen(row, revealed=revealed)
        told = tells_posts(row)
        if told:
            screen.sections.insert(1, FactGroup(_("人员配备"), _posts(row)))
        if may(row, Verb.PRINT):
            screen.sections.append(FactGroup(_("单位文书"), paper_links(row, named=told)))
        return screen


def _posts(firm: Enterprise) -> list[Fact]:
    today = clock.today()
    lacking = vacancy.vacancies([firm.id], today).get(firm.id, {})
    facts = []
    for role in AppointmentRole:
        names = select(Person.name).join(Appointment, Appointment.person_id == Person.id).where(
            Appointment.enterprise_id == firm.id, *vacancy.in_force(role, today)).order_by(Appointment.id)  # fmt: skip
        told = "、".join(dict.fromkeys(current_session().scalars(names)))
        if (open_one := lacking.get(role)) is not None:
            words = _("空缺 %(n)s 天（自%(day)s起）", n=open_one.days, day=full_date(open_one.since))
            facts.append(Fact(said(role), Cell("text", words, tone="danger")))
        elif told:
            facts.append(Fact(said(role), Cell("text", told)))
    return [*facts, *_stand_ins(firm, today), *_reported(firm)]


def _stand_ins(firm: Enterprise, today: date) -> list[Fact]:
    rows = select(Appointment).where(Appointment.enterprise_id == firm.id, *vacancy.stands_in(today))
    return [Fact(_("临时代班"), Cell("link", _("%(who)s，到 %(day)s", who=str(one), day=full_date(one.date_to)),
                                     url=f"/appointments/{one.id}", tone="warning"))
            for one in current_session().scalars(rows.order_by(Appointment.id)).unique() if one.date_to]  # fmt: skip


def _reported(firm: Enterprise) -> list[Fact]:
    """Reported, and by nobody confirmed."""
    rows = select(StaffChange).where(StaffChange.enterprise_id == firm.id, StaffChange.state == ChangeState.REPORTED)
    return [Fact(_("已报待核"), Cell("link", str(one), url=f"/staff-changes/{one.id}", tone="warning"))
            for one in current_session().scalars(rows.order_by(StaffChange.id)).unique()]  # fmt: skip
