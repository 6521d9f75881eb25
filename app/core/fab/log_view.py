"""The page of one entry of the log: who, when, from where, what it is about, and its changes field by field."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.entity import registry
from app.core.fab import trail
from app.core.fab.cells import base_of, label_of, said
from app.core.fab.log_filters import record_label
from app.core.fab.view import EntityView
from app.core.screen import Action, Cell, Fact, FactGroup, ShowScreen
from app.core.verbs import Verb

FACTS = {
    "path": "地址", "why": "原因", "username": "登录名", "address": "来源地址", "act": "操作", "keys": "记录号",
    "format": "格式", "filter": "筛选条件", "rows": "行数", "entity": "对象", "file": "文件", "name": "文件名",
    "number": "文号", "paper": "文书", "column": "项目", "site": "经营场所", "to": "移交给",
    "day": "日期", "moved": "移交条数", "reason": "原因", "method": "方式", "status": "结果码",
}  # fmt: skip


class LogView(EntityView):
    """Screens of `HistoryEntry`: read, searched, exported; written by nobody."""

    def show_screen(self, row: Any, *, revealed: frozenset[str] = frozenset()) -> ShowScreen:
        """The facts of the entry, then what changed."""
        screen = super().show_screen(row, revealed=revealed)
        screen.title, screen.flat = _("日志 %(number)s", number=str(row)), True
        screen.sections[0].facts[0].cell.text = f"{clock.local(row.at):%Y-%m-%d %H:%M:%S}"  # to the second
        body = json.loads(row.body)
        if row.entity:
            cell = Cell("text", record_label(row.entity, row.row_id))
            screen.sections[0].facts.append(Fact(said("记录"), cell))
        if facts := _facts(body):
            screen.sections.append(FactGroup(_("细节"), facts))
        event, more = trail.entry_event(row, part := _part())
        screen.history = [event] if event.changes else []
        if more:
            screen.history_url = f"{self.route_base}/{row.id}?part={part + 1}#history"
        return screen

    def extra_actions(self, row: Any) -> list[Any]:
        """To the record, for who may read it; to all entries about it."""
        if not row.entity or not row.row_id:
            return []
        about = urlencode({"row_id": f"{row.entity} {row.row_id}"})
        found = [Action(_("这条记录的全部日志"), f"{self.route_base}/?{about}")]
        if (url := _record_url(row.entity, row.row_id)) is not None:
            found.insert(0, Action(_("打开这条记录"), url))
        return found


def _part() -> int:
    """Which part of a long entry is asked for, from 0."""
    told = request.args.get("part", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 6 else 0


def _record_url(entity: str, key: int) -> str | None:
    """Where the record is, if it has a page and the reader may read it."""
    model, base = registry().get(entity), base_of(entity)
    if model is None or base is None or not current_access().may(model.policy_name(), Verb.READ):
        return None
    there = current_session().scalar(select(model.id).where(model.id == key))
    return f"{base}/{key}" if there is not None else None


def _facts(body: dict[str, Any]) -> list[Fact]:
    """What an entry without changes says of itself."""
    told = body.get("facts", {})
    return [
        Fact(_label(name), Cell("text", _fact(body, name, value)), len(str(value)) > 40)
        for name, value in told.items()
        if value not in (None, "", [])
    ]


def _label(name: str) -> str:
    return said(FACTS[name]) if name in FACTS else {"sha256": "SHA-256"}.get(name, name)


def _fact(body: dict[str, Any], name: str, value: Any) -> str:
    model = registry().get(body["root"][0])
    if name == "column":  # once kept by its name, now in words
        known = model is not None and str(value) in inspect(model).columns
        return label_of(model, str(value)) if model is not None and known else said(value)
    if name == "entity":
        return record_label(str(value), None)
    return "、".join(str(one) for one in value) if isinstance(value, list) else str(value)
