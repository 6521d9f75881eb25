"""Screens of what the bureau decides: settings, citations, opening numbers."""

from __future__ import annotations

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _

from app.core.document import NumberSequence
from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.core.setting import BureauSetting
from app.models.citation import LegalCitation


class BureauSettingView(EntityView):
    """本局设定: nothing unconfirmed reaches a legal paper."""

    datamodel = AppInterface(BureauSetting)
    route_base = "/bureau-settings"
    title = lazy_pgettext("list", "本局设定")
    icon = "settings"
    task = ("settings", 1)
    description = _("没有确认的内容不会印到文书上。")
    list_columns = ["name", "value", "state", "confirmed_at"]
    list_filters = ["state"]
    default_order = "id"
    form_parts = [Part(_("设定"), ["value"])]
    show_parts = [(_("设定"), ["name", "help", "value", "state", "confirmed_at"])]


class LegalCitationView(EntityView):
    """法律条款."""

    datamodel = AppInterface(LegalCitation)
    route_base = "/citations"
    title = lazy_pgettext("list", "法律条款")
    icon = "book"
    task = ("settings", 2)
    list_columns = ["title", "article", "paragraph", "item", "purposes", "confirmed", "valid_to"]
    order_columns = ["title", "valid_to"]
    list_filters = ["confirmed", "purposes", "valid_from", "valid_to"]
    default_order = "id"
    form_parts = [
        Part(_("条款"), ["key", "title", "short", "order_no", "article", "paragraph", "item"]),
        Part(_("内容"), ["summary", "purposes", "valid_from", "valid_to", "confirmed"]),
    ]
    show_parts = [
        (_("条款"), ["title", "short", "order_no", "article", "paragraph", "item"]),
        (_("内容"), ["summary", "purposes", "valid_from", "valid_to", "confirmed"]),
    ]

    def lookup_sub(self, row: LegalCitation) -> str:
        """What the article says, and whether it can be cited."""
        return row.summary if row.confirmed else str(gettext("（未核对原文）%(text)s", text=row.summary))


class NumberSequenceView(EntityView):
    """文号序列: continues a year that began on paper."""

    datamodel = AppInterface(NumberSequence)
    route_base = "/numbers"
    title = lazy_pgettext("list", "文号")
    icon = "hash"
    task = ("settings", 3)
    list_columns = ["code", "year", "opening", "last"]
    list_filters = ["code", "year"]
    form_parts = [Part(_("文号"), ["code", "year", "opening"], help=_("年度中途启用时，填写下一个要用的号。"))]
    show_parts = [(_("文号"), ["code", "year", "opening", "last"])]
