"""Screens of risk grades and of the regulator's notes."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.models.grading import RiskGrading, SiteNote

GRADED = ["site", "line", "grade", "score", "year", "date_from", "basis"]
NOTED = ["site", "kind", "text", "date"]


class RiskGradingView(EntityView):
    """风险分级: each line's grades, the latest holds."""

    datamodel = AppInterface(RiskGrading)
    route_base = "/risk-gradings"
    title = lazy_pgettext("list", "风险分级")
    icon = "scale"
    task = ("care", 4)
    list_columns = ["site", "line", "grade", "score", "year", "date_from", "basis"]
    order_columns = ["date_from", "line", "grade", "score", "year"]
    list_filters = ["line", "grade", "year", "date_from"]
    default_order = "-date_from"
    form_parts = [Part(_("风险分级"), GRADED, help=_("每条业务线各评各的；最近一次评定为现行等级。"))]
    show_parts = [(_("风险分级"), GRADED)]


class SiteNoteView(EntityView):
    """监管评价: 管理水平 and 安全状况, dated, for the regulator alone."""

    datamodel = AppInterface(SiteNote)
    route_base = "/site-notes"
    title = lazy_pgettext("list", "监管评价")
    icon = "edit"
    task = ("care", 5)
    list_columns = ["site", "kind", "text", "date"]
    order_columns = ["date", "kind"]
    list_filters = ["kind", "date"]
    default_order = "-date"
    form_parts = [Part(_("监管评价"), NOTED, help=_("只供监管人员查看，企业人员看不到。"))]
    show_parts = [(_("监管评价"), NOTED)]
