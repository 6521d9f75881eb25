"""Screens of 人员变动: filled in on a phone with a photo of the signed paper, judged by the station."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy import select

from app.core import clock
from app.core.attachment import Attachments
from app.core.db import current_session
from app.core.fab.forming import BoundForm, Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.data.people import ChangeKind
from app.models.personnel import Appointment
from app.models.staff_change import StaffChange

WHAT = ["kind", "enterprise", "site", "role", "predecessor", "date_from", "date_to"]
WHO = ["person", "name", "id_card", "mobile", "full_time", "document", "note"]
MOST_OFFERED = 50


class StaffChangeView(EntityView):
    """人员变动: 任命, 临时代班, 离任."""

    datamodel = AppInterface(StaffChange)
    route_base = "/staff-changes"
    title = lazy_pgettext("list", "人员变动")
    icon = "people"
    task = ("people", 3)
    description = _("单位报的任命和离任由监管所核对后生效；临时代班由单位自己办，到期自动终止。")
    list_columns = ["name", "kind", "role", "enterprise", "date_from", "date_to", "term", "state"]
    order_columns = ["kind", "role", "date_from", "state"]
    list_filters = ["state", "kind", "role", "date_from", "enterprise"]
    default_order = "-id"
    form_parts = [Part(_("变动"), WHAT), Part(_("接任或代班的人"), WHO, help=_("离任的不用填。"))]
    then = ("report", _("报送"), _("存草稿"))
    show_parts = [
        (_("变动"), [*WHAT, "term"]),
        (_("接任或代班的人"), WHO),
        (_("报送和办结"), ["reported_at", "decided_at", "appointment", "passed"]),
    ]
    attachments = Attachments(_("任命书照片"), _("签字的任命书；离任的附说明。"), 6)

    def _then(self) -> str:
        """A stand-in begins at once; what else is reported waits for the station."""
        step = super()._then()
        return "stand_in" if step and request.form.get("kind") == ChangeKind.STAND_IN else step

    def blank(self) -> Any:
        """From today on, unless the address says otherwise."""
        row = super().blank()
        row.date_from = row.date_from or clock.today()
        return row

    def prepare(self, bound: BoundForm) -> None:
        """The firm's own people to choose from."""
        posts = current_session().scalars(
            select(Appointment).where(Appointment.in_force(clock.today())).order_by(Appointment.id).limit(MOST_OFFERED)
        )
        offered = list(posts.unique())
        bound.form.predecessor.offered = [one for one in offered if not one.stand_in]
        bound.form.person.offered = list({one.person_id: one.person for one in offered}.values())
