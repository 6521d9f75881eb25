"""Screens of 从业禁止: the bureau's own, firms see only that a post has to be ended."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.models.personnel import Ban

WHOM = ["person", "kind", "date_from", "date_to"]
BASIS = ["basis", "decision", "authority"]


class BanView(EntityView):
    """从业禁止: for five years or for life, by which decision."""

    datamodel = AppInterface(Ban)
    route_base = "/bans"
    title = lazy_pgettext("list", "从业禁止")
    icon = "stop"
    task = ("people", 4)
    description = _("按身份证号认人：在别处登记的同一个人也不能任职，正在任职的会提醒管辖他的监管所。")
    list_columns = ["person", "kind", "date_from", "date_to", "decision", "standing", "state"]
    order_columns = ["kind", "date_from", "date_to", "state"]
    list_filters = ["state", "kind", "date_from", "date_to"]
    default_order = "-date_from"
    form_parts = [Part(_("禁止"), WHOM), Part(_("依据"), BASIS)]
    show_parts = [(_("禁止"), [*WHOM, "standing"]), (_("依据"), BASIS)]
