"""Screens of inspections; findings are rows inside the form."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _

from app.core import clock
from app.core.access.context import current_access
from app.core.attachment import Attachments
from app.core.db import current_session
from app.core.fab import fields
from app.core.fab.converter import AppForm
from app.core.fab.forming import Part, RowsOf
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children
from app.core.fab.view import EntityView
from app.core.office import Account
from app.core.screen import Action
from app.core.verbs import Verb
from app.models.inspection import DONE, Inspection


class SealForm(AppForm):
    """What 封存 asks."""

    until = fields.Moment(_("封存至"), description=_("到这一刻自动启封；不填，由检查人员到现场时启封。"))


HEAD = ["site", "date", "kind", "selection", "unannounced", "place", "inspector", "co_inspector"]
SEALING = ["sealed", "sealed_until", "approver_id"]


class InspectionView(EntityView):
    """检查: one visit, two inspectors, what was found."""

    datamodel = AppInterface(Inspection)
    route_base = "/inspections"
    title = lazy_pgettext("list", "检查记录")
    icon = "clipboard"
    task = ("inspection", 1)
    list_columns = ["site", "date", "kind", "unannounced", "inspector", "result", "state"]
    order_columns = ["date", "kind", "result", "state"]
    list_filters = ["state", "kind", "result", "site", "inspector", "date", "selection", "unannounced"]
    default_order = "-date"
    form_parts = [
        Part(_("检查"), HEAD),
        Part(_("发现的问题"), [], [RowsOf("findings", ["fact", "demand", "key_item"], _("加一个问题"))]),
        Part(_("结果"), ["result", "summary"]),
    ]
    show_parts = [(_("检查"), [*HEAD, "handler"]), (_("结果"), ["result", "summary"]), (_("封存"), SEALING)]
    attachments = Attachments(_("现场照片和材料"), _("完成检查以后不能再加、再删。"), most=40)
    children = [Children("findings", ["fact", "demand", "key_item"])]
    asks = {"seal": (SealForm, ["until"])}

    def blank(self) -> Any:
        """Today, by whoever writes it."""
        row = super().blank()
        row.date = row.date or clock.today()
        person = current_access().person
        if row.inspector is None and person.certificate_no:
            row.inspector = current_session().get(Account, person.id)
        return row

    def extra_actions(self, row: Any) -> list[Action]:
        """From a finished record that found something, a notice."""
        able = row.state == DONE and row.findings and current_access().may("Notice", Verb.CREATE)
        url = f"/notices/add?inspection={row.id}"
        return [Action(gettext("起草责令改正通知书"), url, "primary")] if able else []
