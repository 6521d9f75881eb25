"""双台账 and the gap list on screen, as a workbook and as a PDF: the same question, the same counts in all three."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.errors import Forbidden, Invalid
from app.core.fab.cells import date_text, said
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import signed_in
from app.core.lines import line_choices
from app.core.verbs import Verb
from app.data.enums import AppointmentRole, SiteKind
from app.models.area import Area
from app.services.ledger import Wanted, Which, counts, entries, size
from app.views.ledger_export import FORMATS, TITLES, figures, give, said_by_line

SIZE = 50
LONGEST_VACANCY = 36_500  # days that may be asked for
TABS = {Which.A: lazy_gettext("总监台账"), Which.B: lazy_gettext("安全员台账"), Which.GAP: lazy_gettext("应配未配")}


class LedgerView(Page):
    """/ledgers/: which, and as of which day."""

    route_base = "/ledgers"
    default_view = "ledger"
    title = lazy_pgettext("list", "双台账")
    icon = "book"
    task = ("firms", 1)
    entity_name = "Enterprise"

    @expose("/")
    @signed_in
    def ledger(self) -> Answer:
        """One of the three lists, a page of it."""
        wanted = _wanted()
        page, total = _page(), size(wanted)
        rows = list(entries(wanted, offset=(page - 1) * SIZE, limit=SIZE))
        return render_template(
            "ledger.html", title=TITLES[wanted.which], wanted=wanted, rows=rows, total=total, page=page,
            first=(page - 1) * SIZE, pages=max(1, -(-total // SIZE)), figures=figures(counts(wanted)),
            by_line=said_by_line(wanted),
            tabs=[(which, label, _url(which=which, page=None)) for which, label in TABS.items()],
            offices=_offices(), lines=line_choices(), kinds=[(kind, said(kind)) for kind in SiteKind],
            areas=_areas(), roles=AppointmentRole,
            day=date_text(wanted.day), url=_url, today=clock.today(), may_export=_may_export(),
        )  # fmt: skip

    @expose("/export", methods=["POST"])
    @signed_in
    def export(self) -> Answer:
        """The same list as a workbook or a PDF."""
        if not _may_export():
            raise Forbidden(_("您可以查看，但不能进行这项操作。"))
        format_ = request.form.get("format", "")
        if format_ not in FORMATS:
            raise Invalid(_("请选择导出 Excel 或 PDF。"))
        return give(_wanted(), format_)


def _may_export() -> bool:
    return current_access().may("Enterprise", Verb.EXPORT)


def _wanted() -> Wanted:
    """What the address asks for; what is unknown or of the future is refused."""
    args = request.args
    try:
        which = Which(args.get("which") or Which.A)
        day = date.fromisoformat(args["day"]) if args.get("day") else clock.today()
        office, line, area, vacant = (_number(args.get(name, "")) for name in ("office", "line", "area", "vacant"))
    except ValueError as error:
        raise Invalid(_("地址里的条件不对。")) from error
    kind, order = args.get("kind", ""), args.get("order", "")
    known = {bit for bit, _name in line_choices()}
    if day > clock.today() or day.year < 1900 or (kind and kind not in set(SiteKind)):
        raise Invalid(_("地址里的条件不对。"))
    if (office and office not in current_access().offices) or (line and str(line) not in known):
        raise Invalid(_("地址里的条件不对。"))
    if vacant > LONGEST_VACANCY or order not in {"", "longest"}:
        raise Invalid(_("地址里的条件不对。"))
    return Wanted(which, day, office or None, line, kind, area or None, vacant, order == "longest")


def _number(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(text)
    return int(text or 0)


def _page() -> int:
    try:
        return min(max(1, _number(request.args.get("page", "1"))), 100_000)
    except ValueError as error:
        raise Invalid(_("地址里的条件不对。")) from error


def _url(**changes: Any) -> str:
    args = {name: value for name, value in request.args.items() if value} | changes
    kept = {name: str(value) for name, value in args.items() if value not in (None, "")}
    return f"/ledgers/?{urlencode(kept)}" if kept else "/ledgers/"


def _offices() -> list[tuple[int, str]]:
    access = current_access()
    reached = {unit for held in access.postings for unit in access.subtree(held.office_id)}
    return [(unit.id, unit.name) for unit in sorted(access.offices.values(), key=lambda one: one.path)
            if unit.id in reached or len(reached) == 1]  # fmt: skip


def _areas() -> list[tuple[int, str]]:
    return [(key, name) for key, name in current_session().execute(select(Area.id, Area.name).order_by(Area.code))]
