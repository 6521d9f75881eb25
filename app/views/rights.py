"""权限变动报告: on the screen, as a workbook, on paper."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from itertools import groupby
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_pgettext

from app.core import clock
from app.core.access.context import current_access
from app.core.cells import parse_date
from app.core.errors import Invalid
from app.core.fab.cells import date_text, datetime_text, said
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.download import download
from app.core.fab.gate import needs
from app.core.history import record
from app.core.screen import Field
from app.core.tables import XLSX_TYPE, Table, TableColumn, at_once, write_xlsx
from app.core.verbs import Verb
from app.services.rights import LONGEST_SPAN, Shift, What, shifts
from app.views.role_book import note

DEFAULT_DAYS = 30
TONES = {What.BEGAN: "success", What.ENDED: "warning", What.DELETED: "danger"}


class RightsView(Page):
    """What changed about rights between two days, for auditors and administrators of the offices."""

    route_base = "/rights-report"
    default_view = "report"
    entity_name = "Posting"
    title = lazy_pgettext("list", "权限变动")
    icon = "history"
    task = ("office", 7)
    nav_verb = Verb.PRINT

    @expose("/")
    @needs(Verb.PRINT)
    def report(self) -> Answer:
        """The report of the days asked for; of the last thirty when none are."""
        first, last, errors = _days()
        found = shifts(first, last) if not errors else []
        if not errors:  # what is on the screen can be on paper
            told: dict[str, Any] = {"entity": "Posting", "filter": f"{first} – {last}", "rows": len(found)}
            record(Verb.PRINT, "打开权限变动报告", office_id=current_access().person.office_id, **told)
        offices = groupby(found, key=lambda one: one.office)
        groups = [(office, [_shown(one) for one in rows]) for office, rows in offices]
        page = render_template(
            "rights.html", fields=_fields(errors), groups=groups,
            total=len(found), asked=not errors, first=first.isoformat(), last=last.isoformat(),
            delegations=current_access().may("Delegation", Verb.READ),
            takes=current_access().may("Posting", Verb.EXPORT),
        )  # fmt: skip
        return page, 422 if errors else 200

    @expose("/book", methods=["POST"])
    @needs(Verb.EXPORT)
    def book(self) -> Answer:
        """The same as a workbook."""
        first, last, errors = _days()
        if errors:
            raise Invalid(" ".join(errors.values()))
        out = BytesIO()
        rows = write_xlsx(_sheet(shifts(first, last), first, last), out)
        facts: dict[str, Any] = {"entity": "Posting", "format": "xlsx", "filter": f"{first} – {last}", "rows": rows}
        record(Verb.EXPORT, "导出权限变动报告", office_id=current_access().person.office_id, **facts)
        return download(out, XLSX_TYPE, f"{_('权限变动报告')}-{first}-{last}.xlsx")


def _days() -> tuple[date, date, dict[str, str]]:
    """The two days asked for, and what is wrong with them by field."""
    today, errors = clock.today(), dict[str, str]()
    days = {"from": today - timedelta(days=DEFAULT_DAYS), "to": today}
    for name in days:
        if told := request.values.get(name, "").strip():
            try:
                day = parse_date(told)
            except ValueError:
                day = None
            if day is None or not 1900 <= day.year <= 2200:
                errors[name] = _("请填写日期，例如 2026-11-23。")
            else:
                days[name] = day
    if not errors and days["from"] > days["to"]:
        errors["to"] = _("不能早于开始日期。")
    if not errors and (days["to"] - days["from"]).days > LONGEST_SPAN:
        errors["to"] = _("一次最多看 %(n)s 天。", n=LONGEST_SPAN)
    return days["from"], days["to"], errors


def _fields(errors: dict[str, str]) -> list[Field]:
    first, last, _errors = _days()
    told = {"from": first.isoformat(), "to": last.isoformat()}
    return [
        Field(f"r-{name}", name, label, "date", request.values.get(name, "") or told[name], required=True,
              errors=[errors[name]] if name in errors else [])
        for name, label in (("from", _("自")), ("to", _("至")))
    ]  # fmt: skip


def _shown(one: Shift) -> dict[str, Any]:
    return {"person": one.person or "—", "subject": one.subject, "what": said(one.what),
            "tone": TONES.get(one.what, "info"),
            "day": date_text(one.day), "detail": one.detail, "by": one.by, "reason": one.reason,
            "at": datetime_text(one.at) if one.at is not None else ""}  # fmt: skip


def _sheet(found: list[Shift], first: date, last: date) -> Table:
    heads = [
        (_("机构"), "text"), (_("人员或角色"), "text"), (_("对象"), "text"), (_("变动"), "text"), (_("日期"), "date"),
        (_("内容"), "text"), (_("经办人"), "text"), (_("登记时间"), "datetime"), (_("理由"), "text"),
    ]  # fmt: skip
    rows = [
        (one.office, one.person, one.subject, said(one.what), one.day, one.detail, one.by,
         clock.local(one.at).replace(tzinfo=None) if one.at is not None else None, one.reason)
        for one in found
    ]  # fmt: skip
    columns = [TableColumn(str(label), kind) for label, kind in heads]
    what = _("自 %(a)s 至 %(b)s，共 %(n)s 项", a=first.isoformat(), b=last.isoformat(), n=len(rows))
    return Table(str(_("权限变动报告")), note(what), columns, at_once(rows))
