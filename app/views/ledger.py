"""双台账 and the gap list on screen, as a workbook and as a PDF: the same question, the same counts in all three."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request, send_file
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
from app.core.history import record
from app.core.jobfile import attachment
from app.core.lines import line_choices, line_text
from app.core.pdf.pool import render_in_pool
from app.core.setting import confirmed, installation_flag
from app.core.tables import XLSX_TYPE, Chunk, Table, TableColumn, write_xlsx
from app.core.verbs import Verb
from app.data.enums import AppointmentRole, SiteKind
from app.models.area import Area
from app.models.setting import BUREAU, DEMO
from app.services.ledger import Counts, Entry, Wanted, Which, by_line, counts, entries, size

SIZE = 50
MOST_PDF = 1_000  # rows: a table this long takes seconds to lay out; longer ones go as a workbook
TITLES = {
    Which.A: lazy_gettext("配备食品安全总监、食品安全员企业台账"),
    Which.B: lazy_gettext("配备食品安全员企业台账"),
    Which.GAP: lazy_gettext("应配未配企业清单"),
}
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
            first=(page - 1) * SIZE, pages=max(1, -(-total // SIZE)), figures=_figures(counts(wanted)),
            by_line=_by_line(wanted),
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
        wanted, format_ = _wanted(), request.form.get("format", "")
        if format_ not in {"xlsx", "pdf"}:
            raise Invalid(_("请选择导出 Excel 或 PDF。"))
        content, kind = (_workbook(wanted), XLSX_TYPE) if format_ == "xlsx" else (_paper(wanted), "application/pdf")
        name = f"{TITLES[wanted.which]}{wanted.day:%Y%m%d}.{format_}"
        record(Verb.EXPORT, "导出台账", office_id=current_access().person.office_id, name=name, day=wanted.day)
        answer = send_file(io.BytesIO(content), mimetype=kind)
        answer.headers["Content-Disposition"] = attachment(name)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _may_export() -> bool:
    return current_access().may("Enterprise", Verb.EXPORT)


def _wanted() -> Wanted:
    """What the address asks for; what is unknown or of the future is refused."""
    args = request.args
    try:
        which = Which(args.get("which") or Which.A)
        day = date.fromisoformat(args["day"]) if args.get("day") else clock.today()
        office, line, area = (_number(args.get(name, "")) for name in ("office", "line", "area"))
    except ValueError as error:
        raise Invalid(_("地址里的条件不对。")) from error
    kind = args.get("kind", "")
    known = {bit for bit, _name in line_choices()}
    if day > clock.today() or day.year < 1900 or (kind and kind not in set(SiteKind)):
        raise Invalid(_("地址里的条件不对。"))
    if (office and office not in current_access().offices) or (line and str(line) not in known):
        raise Invalid(_("地址里的条件不对。"))
    return Wanted(which, day, office or None, line, kind, area or None)


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


def _figures(found: Counts) -> list[tuple[str, int]]:
    return [
        (_("主体"), found.firms),
        (_("应配总监"), found.must),
        (_("已配"), found.directors),
        (_("未配"), found.no_director),
        (_("自愿配备"), found.voluntary),
        (_("已配安全员"), found.officers),
        (_("未配安全员"), found.no_officer),
    ]


def _by_line(wanted: Wanted) -> str:
    """Each line's firms in words. Their sum may be more than the total, which counts a firm once."""
    told = "　".join(f"{line_text(bit)} {firms}" for bit, firms in by_line(wanted))
    return str(_("按条线：%(told)s（兼营的在各条线都计，合计只计一次）", told=told))


def _offices() -> list[tuple[int, str]]:
    access = current_access()
    reached = {unit for held in access.postings for unit in access.subtree(held.office_id)}
    return [(unit.id, unit.name) for unit in sorted(access.offices.values(), key=lambda one: one.path)
            if unit.id in reached or len(reached) == 1]  # fmt: skip


def _areas() -> list[tuple[int, str]]:
    return [(key, name) for key, name in current_session().execute(select(Area.id, Area.name).order_by(Area.code))]


def _columns(which: Which) -> list[tuple[str, str]]:
    """Head and kind of each column, as the office prints it."""
    heads = [(_("序号"), "number"), (_("单位名称"), "text"), (_("统一社会信用代码"), "code"), (_("条线"), "text"),
             (_("主体类型"), "text"), (_("所属苏木乡镇"), "text"), (_("监管所"), "text"),
             (_("主要负责人"), "text")]  # fmt: skip
    heads += [(_("食品安全总监"), "text"), (_("食品安全员"), "text")]
    return [*heads, (_("缺什么") if which is Which.GAP else _("备注"), "text")]


def _line(number: int, entry: Entry) -> list[str]:
    note = "；".join(entry.gap) or (str(_("自愿配备")) if entry.voluntary else "")
    director = entry.named(AppointmentRole.DIRECTOR)
    if not entry.must and not entry.voluntary:
        director = "—"
    return [str(number), entry.name, entry.code, entry.lines, "、".join(entry.kinds), "、".join(entry.areas),
            entry.office, entry.named(AppointmentRole.PRINCIPAL), director, entry.named(AppointmentRole.OFFICER),
            note]  # fmt: skip


def _note(wanted: Wanted) -> str:
    unit = current_access().offices[wanted.office_id].name if wanted.office_id else _unit()
    told = "；".join(f"{label} {figure}" for label, figure in _figures(counts(wanted)))
    return str(_("单位：%(unit)s　截至 %(day)s　共 %(n)s 户　%(told)s", unit=unit, day=wanted.day.isoformat(),
                 n=size(wanted), told=f"{told}；{_by_line(wanted)}"))  # fmt: skip


def _unit() -> str:
    held = current_access().chief_posting
    return current_access().offices[held.office_id].name if held else ""


def _workbook(wanted: Wanted) -> bytes:
    def chunks() -> Iterator[Chunk]:
        lines = [_line(number, entry) for number, entry in enumerate(entries(wanted), 1)]
        for start in range(0, len(lines), 500):
            yield [list(column) for column in zip(*lines[start : start + 500], strict=True)]

    out = io.BytesIO()
    columns = [TableColumn(label, "text" if kind == "number" else kind) for label, kind in _columns(wanted.which)]
    write_xlsx(Table(str(TITLES[wanted.which]), _note(wanted), columns, chunks()), out)
    return out.getvalue()


def _paper(wanted: Wanted) -> bytes:
    if size(wanted) > MOST_PDF:
        raise Invalid(_("超过 %(n)s 户，请先选一个单位或苏木乡镇。", n=MOST_PDF))
    context = {
        "bureau": confirmed(BUREAU)[0].get(BUREAU) or _unit(), "demo": bool(installation_flag(DEMO)),
        "title": str(TITLES[wanted.which]), "note": _note(wanted),
        "heads": [label for label, _kind in _columns(wanted.which)],
        "lines": ["\n".join(_line(number, entry)) for number, entry in enumerate(entries(wanted), 1)],
        "made": clock.today().isoformat(),
    }  # fmt: skip
    return render_in_pool("ledger", context, timeout=120)
