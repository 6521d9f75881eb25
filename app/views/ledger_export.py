"""双台账 as a workbook and on paper: short ones at once, longer ones as a job of the person."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from typing import IO, Any

from flask import current_app
from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.fab.declaration import Answer
from app.core.fab.download import download
from app.core.fab.export_view import later, steady
from app.core.history import record
from app.core.jobfile import result_file
from app.core.jobs import Final, job, tick
from app.core.lines import line_text
from app.core.pdf.join import join
from app.core.pdf.pool import render_pieces
from app.core.setting import confirmed, installation_flag
from app.core.tables import XLSX_TYPE, Chunk, Table, TableColumn, write_xlsx
from app.core.verbs import Verb
from app.data.enums import AppointmentRole
from app.models.setting import BUREAU, DEMO
from app.reports.ledger import MOST as PIECE
from app.services.ledger import Counts, Entry, Wanted, Which, by_line, counts, entries, size

TITLES = {
    Which.A: lazy_gettext("配备食品安全总监、食品安全员企业台账"),
    Which.B: lazy_gettext("配备食品安全员企业台账"),
    Which.GAP: lazy_gettext("应配未配企业清单"),
}
FORMATS = {"xlsx": XLSX_TYPE, "pdf": "application/pdf"}


def give(wanted: Wanted, format_: str) -> Answer:
    """The list as a file; one that takes longer than a person waits comes as a job."""
    direct = PIECE if format_ == "pdf" else current_app.extensions["shouze_settings"].export_direct_rows
    if size(wanted) > direct:
        title = _("导出%(what)s（%(format)s）", what=TITLES[wanted.which], format=format_.upper())
        args = {**vars(wanted), "day": wanted.day.isoformat()}
        return later("ledger", title, {"args": args, "format_": format_, "lang": str(get_locale())})
    out = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it is sent
    try:
        write(wanted, format_, out)
    except BaseException:
        out.close()
        raise
    return download(out, FORMATS[format_], file_name(wanted, format_))


def file_name(wanted: Wanted, format_: str) -> str:
    """The title and the day it tells of."""
    return f"{TITLES[wanted.which]}{wanted.day:%Y%m%d}.{format_}"


@job("ledger")
def ledger_job(args: dict[str, Any], format_: str) -> None:
    """The same list, with the postings of this moment."""
    if not current_access().may("Enterprise", Verb.EXPORT):
        raise Final(_("您的角色没有这项权限。"))
    wanted = Wanted(**{**args, "which": Which(args["which"]), "day": date.fromisoformat(args["day"])})
    with result_file(file_name(wanted, format_), FORMATS[format_]) as out:
        write(wanted, format_, out)


def write(wanted: Wanted, format_: str, out: IO[bytes]) -> None:
    """Write the file, and in history who took it out. What is read is read in one snapshot, before anything is made."""
    steady()
    note, lines = _note(wanted), [_line(number, entry) for number, entry in enumerate(entries(wanted), 1)]
    current_session().rollback()
    if format_ == "xlsx":
        columns = [TableColumn(label, "text" if kind == "number" else kind) for label, kind in _columns(wanted.which)]
        write_xlsx(Table(str(TITLES[wanted.which]), note, columns, _chunks(lines)), out)
    else:
        out.write(join(_pieces(wanted, note, lines), str(TITLES[wanted.which])))
    name = file_name(wanted, format_)
    record(
        Verb.EXPORT, "导出台账", office_id=current_access().person.office_id, name=name, day=wanted.day, rows=len(lines)
    )


def _chunks(lines: list[list[str]]) -> Iterator[Chunk]:
    for start in range(0, len(lines), 500):
        yield [list(column) for column in zip(*lines[start : start + 500], strict=True)]


def _pieces(wanted: Wanted, note: str, lines: list[list[str]]) -> Iterator[bytes]:
    """The pages, a piece after the other; a job tells how far it is."""
    context = {
        "bureau": confirmed(BUREAU)[0].get(BUREAU) or _unit(), "demo": bool(installation_flag(DEMO)),
        "title": str(TITLES[wanted.which]), "note": note,
        "heads": [label for label, _kind in _columns(wanted.which)], "made": clock.today().isoformat(),
    }  # fmt: skip
    starts = range(0, max(len(lines), 1), PIECE)
    told = (
        context | {"lines": ["\n".join(line) for line in lines[start : start + PIECE]], "first": start == 0,
                   "last": start == starts[-1]}
        for start in starts
    )  # fmt: skip
    for done, piece in enumerate(render_pieces("ledger", told), 1):
        tick(done * 100 // (len(starts) + 1))
        yield piece


def figures(found: Counts) -> list[tuple[str, int]]:
    """The counts with their words, as screen, workbook and paper say them."""
    return [
        (_("主体"), found.firms),
        (_("应配总监"), found.must),
        (_("已配"), found.directors),
        (_("未配"), found.no_director),
        (_("自愿配备"), found.voluntary),
        (_("已配安全员"), found.officers),
        (_("未配安全员"), found.no_officer),
    ]


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
    told = "；".join(f"{label} {figure}" for label, figure in figures(counts(wanted)))
    return str(_("单位：%(unit)s　截至 %(day)s　共 %(n)s 户　%(told)s", unit=unit, day=wanted.day.isoformat(),
                 n=size(wanted), told=f"{told}；{said_by_line(wanted)}"))  # fmt: skip


def said_by_line(wanted: Wanted) -> str:
    """Each line's firms in words. Their sum may be more than the total, which counts a firm once."""
    told = "　".join(f"{line_text(bit)} {firms}" for bit, firms in by_line(wanted))
    return str(_("按条线：%(told)s（兼营的在各条线都计，合计只计一次）", told=told))


def _unit() -> str:
    held = current_access().chief_posting
    return current_access().offices[held.office_id].name if held else ""
