"""日志: what happened, for the auditor."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.fab.interface import AppInterface
from app.core.fab.log_view import LogView
from app.core.history_entry import HistoryEntry


class HistoryEntryView(LogView):
    """Every write, sign-in, export, print, full view and denied try of all offices."""

    datamodel = AppInterface(HistoryEntry)
    route_base = "/log"
    title = lazy_pgettext("list", "日志")
    icon = "history"
    task = ("audit", 1)
    description = _("谁、什么时候、从哪里、做了什么。日志只能查看和导出，不能修改和删除。")
    list_columns = ["at", "actor_name", "kind", "summary", "verb", "entity", "row_id", "result", "address", "office"]
    extra_columns = ["seq"]
    list_filters = ["actor", "office", "kind", "verb", "result", "entity", "row_id", "address", "at"]
    order_columns = ["at"]
    default_order = "-at"
    show_parts = [
        (_("日志"), ["at", "actor_name", "address", "kind", "verb", "result", "summary"]),
        (_("校验"), ["office", "seq", "hash"]),
    ]
