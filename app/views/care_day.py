"""当日责任人: who answered for a site or a firm on a day, on both sides."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy import or_, select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.fab.cells import date_text, label_of, said
from app.core.fab.declaration import Answer, expose
from app.core.fab.gate import needs
from app.core.fab.listing import loading, row_of
from app.core.fab.naming import shown
from app.core.screen import Action, ChildTable, ColumnHead
from app.core.verbs import Verb
from app.data.enums import AppointmentRole, CareRole
from app.models.care import Caretaker
from app.models.director import DirectorDecision
from app.models.enterprise import Site
from app.models.personnel import Appointment
from app.services.care import on_day
from app.services.vacancy import stood

FIRST = date(1990, 1, 1)


class DayScreens:
    """`/<key>/day?day=` of a site and of a firm."""

    model: Any
    route_base: str
    title: ClassVar[Any]

    @expose("/<int:key>/day")
    @needs(Verb.READ)
    def day_page(self, key: int) -> Answer:
        """Who answered that day: today without one; one that is no day, or is to come, is said beside the field."""
        row = fetch(self.model, key)
        day, error = _asked()
        tables = [] if error else _tables(row, day)
        page = render_template(
            "entity/day.html", title=_("当日责任人：%(name)s", name=str(row)), tables=tables, error=error,
            typed=request.args.get("day", "")[:40] if error else day.isoformat(), today=clock.today(),
            day=date_text(day), lacking=[] if error else _lacking(tables, _director_due(row, day)),
            crumbs_of=[(self.title, f"{self.route_base}/"), (str(row), f"{self.route_base}/{key}")],
        )  # fmt: skip
        return (page, 422) if error else page


def day_action(base: str, key: int) -> Action:
    """The button on the record's page."""
    return Action(_("当日责任人"), f"{base}/{key}/day", "plain")


def _asked() -> tuple[date, str]:
    """The day of the address, and what is wrong with it."""
    text, today = request.args.get("day", "").strip(), clock.today()
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        return today, _("请按 年-月-日 填写日期，例如 2026-11-23。")
    return day, "" if FIRST <= day <= today else _("请填今天或以前的日期。")


def _tables(row: Any, day: date) -> list[ChildTable]:
    """The bureau's side, for who may read it; the firm's side."""
    of_site = isinstance(row, Site)
    found = []
    if current_access().may("Caretaker", Verb.READ):
        about = Caretaker.site_id == row.id if of_site else Caretaker.enterprise_id == row.id
        names = ["role", "account", *([] if of_site else ["site"]), "date_from", "date_to"]
        found.append(_table(Caretaker, _("监管责任人"), on_day(day, about), names))
    if current_access().may("Appointment", Verb.READ):
        names = ["role", "person", *([] if of_site else ["site"]), "full_time", "date_from", "date_to"]
        found.append(_table(Appointment, _("企业责任人"), _appointments(row, day), names))
    return found


def _appointments(row: Any, day: date) -> list[Appointment]:
    of_site = isinstance(row, Site)
    firm = row.enterprise_id if of_site else row.id
    places = [or_(Appointment.site_id.is_(None), Appointment.site_id == row.id)] if of_site else []
    asked = select(Appointment).where(Appointment.enterprise_id == firm, *places, Appointment.in_force(day))
    order = [str(one) for one in AppointmentRole]
    rows = current_session().scalars(asked.order_by(Appointment.id).options(*loading(Appointment, ["person", "site"])))
    return sorted(rows.unique(), key=lambda one: order.index(one.role) if one.role in order else len(order))


def _table(model: Any, label: str, rows: list[Any], names: list[str]) -> ChildTable:
    names = shown(model, names)
    heads = [ColumnHead(name, label_of(model, name)) for name in names]
    return ChildTable(label, heads, [row_of(one, names) for one in rows], empty_text=_("没有，或您无权查看。"))


def _director_due(row: Any, day: date) -> bool:
    """Whether the site, or some site of the firm, had to have a 食品安全总监 that day, as far as one sees."""
    one = DirectorDecision
    about = one.site_id == row.id if isinstance(row, Site) else one.enterprise_id == row.id
    due = select(one.id).where(about, one.must, stood(one, day)).limit(1)
    return current_session().scalar(due) is not None


def _lacking(tables: list[ChildTable], director: bool) -> list[str]:
    """Roles that nobody had that day, as far as one sees; a director only where one was due."""
    there = {row.cells[0].text for table in tables for row in table.rows}
    wanted = [CareRole.PRINCIPAL] if current_access().may("Caretaker", Verb.READ) else []
    due = [AppointmentRole.DIRECTOR] if director else []
    roles = [*wanted, AppointmentRole.PRINCIPAL, *due, AppointmentRole.OFFICER]
    return [said(one) for one in roles if said(one) not in there]
