"""Screens of firms and their sites."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.showing import Children
from app.core.fab.view import EntityView
from app.models.enterprise import Enterprise, Site


class EnterpriseView(EntityView):
    """主体: found by name, pinyin initials or code."""

    datamodel = AppInterface(Enterprise)
    route_base = "/enterprises"
    title = lazy_pgettext("list", "主体")
    icon = "building"
    task = ("firms", 1)
    description = _("一个统一社会信用代码一个主体，可以有多个经营场所。")
    list_columns = ["name", "code", "legal_person", "phone", "address", "state"]
    order_columns = ["name", "code", "state"]
    list_filters = ["state", "org_form"]
    default_order = "-made_at"
    form_parts = [
        Part(_("主体"), ["name", "code", "org_form", "legal_person", "phone", "address", "state"]),
        Part(_("其他"), ["note"]),
    ]
    show_parts = [
        (_("主体"), ["name", "code", "org_form", "legal_person", "phone", "address", "state"]),
        (_("其他"), ["note", "office_id"]),
    ]
    children = [Children("sites", ["name", "kind", "address", "risk_grade", "state"], add="enterprise")]

    def lookup_sub(self, row: Any) -> str:
        """Code and address tell firms of one name apart."""
        return " · ".join(part for part in (row.code, row.address) if part)


class SiteView(EntityView):
    """经营场所: where the firm works; inspections and notices belong here."""

    datamodel = AppInterface(Site)
    route_base = "/sites"
    title = lazy_pgettext("list", "经营场所")
    icon = "store"
    task = ("firms", 2)
    list_columns = ["name", "enterprise", "kind", "area", "lines", "risk_grade", "state"]
    order_columns = ["name", "kind", "risk_grade", "state"]
    list_filters = ["kind", "risk_grade", "state", "licence_until"]
    default_order = "-made_at"
    form_parts = [
        Part(_("场所"), ["enterprise", "name", "area", "address", "kind", "lines", "risk_grade", "state"]),
        Part(_("许可"), ["licence_kind", "licence_no", "licence_until"]),
    ]
    show_parts = [
        (_("场所"), ["name", "enterprise", "area", "address", "kind", "lines", "risk_grade", "state"]),
        (_("许可"), ["licence_kind", "licence_no", "licence_until"]),
    ]

    def lookup_sub(self, row: Any) -> str:
        """Kind and address tell sites apart."""
        return " · ".join(part for part in (row.kind, row.address) if part)
