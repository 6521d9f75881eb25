"""Export of a list "as seen": small ones at once, larger ones as a job of the person.

A file is written whole before a byte of it leaves: an error is a page and not half a file, its length is known, and no
transaction is held open by a slow line.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import IO, Any

from flask import current_app, flash, redirect, request
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session, is_sqlite
from app.core.errors import Conflict, Invalid
from app.core.fab import listing
from app.core.fab.cells import said
from app.core.fab.declaration import Answer, Declaration, expose
from app.core.fab.download import download
from app.core.fab.extract import Extract
from app.core.fab.gate import needs
from app.core.history import record
from app.core.jobfile import result_file
from app.core.jobs import JOBS_URL, Final, Job, JobState, enqueue, job, tick
from app.core.tables import CSV_TYPE, XLSX_TYPE, Table, write_csv, write_xlsx
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.writing import unit_of_work

MOST_XLSX = 50_000  # rows: more than a person works through, and what a workbook opens with
MOST_OPEN = 5  # exports of one person that wait or run
FORMATS = {"xlsx": (XLSX_TYPE, write_xlsx, 500), "csv": (CSV_TYPE, write_csv, 5_000)}
NOT_ARGUMENTS = {"page", "size", "csrf_token", "format"}
_views: dict[str, ExportScreens] = {}  # route base → its view, for the worker; the same in every application


class ExportScreens(Declaration):
    """`/export`."""

    @expose("/export", methods=["POST"])
    @needs(Verb.EXPORT)
    def export(self) -> Answer:
        """The list as its address has it, as a file; or a job that will make it."""
        format_ = request.form.get("format", "")
        if format_ not in FORMATS:
            raise Invalid(_("请选择导出 Excel 或 CSV。"))
        args = {name: value for name, value in request.args.items() if name not in NOT_ARGUMENTS}
        query, _names, filters, _order = self.list_query(args)
        if query.strays:
            told = "；".join(said_filters(query, filters))
            raise Invalid(_("筛选条件里有不存在的值，没有导出：%(what)s", what=told))
        direct = current_app.extensions["shouze_settings"].export_direct_rows
        count = self.extract(args).count(max(direct, MOST_XLSX if format_ == "xlsx" else 0))
        if format_ == "xlsx" and count > MOST_XLSX:
            text = _("超过 %(n)s 条，Excel 文件装不下，请导出 CSV，或先缩小筛选范围。", n=f"{MOST_XLSX:,}")
            flash(text, "warning")
            return redirect(self.list_query(args, f"{self.route_base}/")[0].url())
        return self._at_once(args, format_) if count <= direct else self._as_job(args, format_)

    def extract(self, args: Mapping[str, str]) -> Extract:
        """The rows and columns that these list arguments show, of those one may export."""
        query, names, filters, _order = self.list_query(args)
        return Extract(self.model, names, listing.build_query(query, filters))

    def export_url(self, query: listing.ListQuery) -> str | None:
        """Where the list's export is, with the same arguments; None to those who may not."""
        if not current_access().may(self.entity_name, Verb.EXPORT):
            return None
        _path, mark, arguments = query.url().partition("?")
        return f"{self.route_base}/export{mark}{arguments}"

    def _at_once(self, args: Mapping[str, str], format_: str) -> Answer:
        out = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it is sent
        try:
            write(self, args, format_, out)
        except BaseException:
            out.close()
            raise
        return download(out, FORMATS[format_][0], file_name(self, format_))

    def _as_job(self, args: Mapping[str, str], format_: str) -> Answer:
        title = _("导出%(what)s（%(format)s）", what=said(self.title), format=format_.upper())
        arguments = {"view": self.route_base, "args": dict(args), "format_": format_, "lang": str(get_locale())}
        return later("export", title, arguments)


def later(kind: str, title: str, arguments: dict[str, Any]) -> Answer:
    """Put the job that makes a file for this person, unless the same waits or runs, and lead to the jobs."""
    with unit_of_work(Verb.EXPORT, ""):
        if not _asked_already(kind, arguments):
            enqueue(kind, f"{kind}:{public_id()}", account_id=current_access().person.id, title=title, **arguments)
    flash(_("内容较多，正在后台导出，完成后会通知您。"), "info")
    return redirect(JOBS_URL)


def _asked_already(kind: str, arguments: dict[str, Any]) -> bool:
    """Whether the same export waits or runs (a second click). Raises Conflict when too many do."""
    open_ = Job.state.in_([JobState.WAITING, JobState.RUNNING])
    rows = current_session().scalars(select(Job).where(Job.kind == kind, open_)).all()
    if any(row.arguments == arguments for row in rows):
        return True
    if len(rows) >= MOST_OPEN:
        raise Conflict(_("您已有 %(n)s 个导出在进行，请等它们完成。", n=len(rows)))
    return False


def register(view: ExportScreens) -> None:
    """Tell the worker which view answers for a route base."""
    _views[view.route_base] = view


@job("export")
def export_job(view: str, args: dict[str, str], format_: str) -> None:
    """The same list again, with the postings of this moment; the file goes to the account that asked."""
    screens = _views[view]
    if not current_access().may(screens.entity_name, Verb.EXPORT):
        raise Final(_("您的角色没有这项权限。"))
    if format_ == "xlsx" and screens.extract(args).count(MOST_XLSX) > MOST_XLSX:
        raise Final(_("超过 %(n)s 条，Excel 文件装不下，请导出 CSV，或先缩小筛选范围。", n=f"{MOST_XLSX:,}"))
    with result_file(file_name(screens, format_), FORMATS[format_][0]) as out:
        write(screens, args, format_, out)


def write(view: ExportScreens, args: Mapping[str, str], format_: str, out: IO[bytes]) -> int:
    """Write the file and record in history who took out what. Returns the number of rows."""
    _type, writer, size = FORMATS[format_]
    session = current_session()
    steady()
    try:
        query, names, filters, _order = view.list_query(args)
        extract = Extract(view.model, names, listing.build_query(query, filters))
        narrowed, total = said_filters(query, filters), extract.count()

        def told(rows: int) -> None:
            tick(rows * 100 // max(total, 1))

        tick(0)
        table = Table(
            said(view.title),
            note(narrowed, total, starred=extract.starred),
            extract.columns,
            extract.chunks(size),
            told,
        )
        rows = writer(table, out)
    finally:
        session.rollback()
    facts: dict[str, Any] = {"entity": view.entity_name, "format": format_, "filter": "；".join(narrowed), "rows": rows}
    record(Verb.EXPORT, "导出", office_id=current_access().person.office_id, **facts)
    return rows


def steady() -> None:
    """One snapshot for counting and reading. SQLite's transactions are that anyway."""
    session = current_session()
    session.rollback()
    if not is_sqlite(session.connection()):
        session.rollback()
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def said_filters(query: listing.ListQuery, filters: list[str]) -> list[str]:
    """Search and filters in force, in words."""
    found = [_("查找：%(q)s", q=query.text)] if query.text else []
    return found + [str(one.label) for one in listing.filter_boxes(query, filters)[1]]


def note(narrowed: list[str], total: int, *, starred: bool = False) -> str:
    """The line under the title: filter, when, by whom, how many; and that numbers are written in part only."""
    person = current_access().person
    chief = current_access().chief_posting
    who = f"{person.name}（{said(chief.title)}）" if chief else person.name
    what = "；".join(narrowed) or _("无")
    at = f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"
    line = _("筛选：%(what)s　时间：%(at)s　导出人：%(who)s　共 %(n)s 条", what=what, at=at, who=who, n=f"{total:,}")
    return f"{line}　{_('电话、证件号码已打星号')}" if starred else str(line)


def file_name(view: ExportScreens, format_: str) -> str:
    """The title and the minute."""
    return f"{said(view.title)}-{clock.local(clock.now()):%Y%m%d-%H%M}.{format_}"
