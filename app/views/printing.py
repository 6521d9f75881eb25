"""Papers of many rows as one PDF: a job of the person, which says which rows were left out and why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import ShouzeError
from app.core.fab.declaration import Answer
from app.core.fab.export_view import later
from app.core.history import record
from app.core.jobfile import result_file
from app.core.jobs import Final, job, running_job, tick
from app.core.pdf.errors import PdfError
from app.core.pdf.join import bind
from app.core.pdf.pool import render_in_pool
from app.core.setting import installation_flag
from app.core.verbs import Verb
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment
from app.models.setting import DEMO
from app.reports.firm_paper import TITLES
from app.reports.handover.record import printable
from app.services import firm_file_print, firm_papers
from app.services.firm_file import Period

PDF = "application/pdf"
# what the papers are called on screens; on paper they keep their Chinese titles
NAMED = {"letter": lazy_gettext("任命书"), "director": lazy_gettext("食品安全总监职责"),
         "officer": lazy_gettext("食品安全员守则"), "posts": lazy_gettext("岗位责任表"),
         "board": lazy_gettext("公示牌")}  # fmt: skip
MOST_FIRMS = 200
MOST_TOLD = 5  # rows that the message names; the last sheet has all
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sheet:
    """What came of a row: its pages, or why there are none; what stands in its history."""

    name: str
    content: bytes = b""
    why: str = ""
    row: Any = None
    what: str = ""


# -- 一企一档 ---------------------------------------------------------------------------------------------------------


def files_later(keys: list[int], *, date_from: date, date_to: date, parts: list[str]) -> Answer:
    """The files of these firms as a job."""
    arguments = {"keys": keys, "first": date_from.isoformat(), "last": date_to.isoformat(), "parts": parts}
    title = _("打印一企一档（%(n)s 户）", n=len(keys))
    return later("firm-file", title, arguments | {"lang": str(get_locale())})


@job("firm-file")
def firm_files(keys: list[int], first: str, last: str, parts: list[str]) -> None:
    """The same, with the postings of this moment."""
    period = Period(date.fromisoformat(first), date.fromisoformat(last))
    name = f"一企一档-{len(keys)}户-{first}至{last}.pdf"
    _print_all(Enterprise, keys, lambda firm: file_of(firm, period, parts), name)


def file_of(firm: Enterprise, period: Period, parts: list[str]) -> tuple[bytes, str]:
    """A firm's file, and what its history says of the printing."""
    return firm_file_print.paper(firm_file_print.read(firm, period, parts)), firm_file_print.told(period)


# -- the firm's own papers --------------------------------------------------------------------------------------------


def papers_later(kind: str) -> Callable[..., Answer]:
    """The act that prints one of the five papers for many rows."""

    def give(keys: list[int]) -> Answer:
        title = _("打印%(what)s（%(n)s 份）", what=NAMED[kind], n=len(keys))
        return later("firm-papers", title, {"paper": kind, "keys": keys, "lang": str(get_locale())})

    return give


@job("firm-papers")
def firm_papers_job(paper: str, keys: list[int]) -> None:
    """One paper for each row."""
    model = Appointment if paper in firm_papers.OF_A_POST else Enterprise
    name = f"{TITLES[paper]}-{len(keys)}份-{clock.today():%Y%m%d}.pdf"
    _print_all(model, keys, lambda row: _paper_of(row, paper), name)


def _paper_of(row: Any, kind: str) -> tuple[bytes, str]:
    context = firm_papers.OF_A_POST[kind](row) if kind in firm_papers.OF_A_POST else firm_papers.OF_A_FIRM[kind](row)
    current_session().rollback()
    return render_in_pool("firm_paper", context), f"打印{TITLES[kind]}"


# -- many -------------------------------------------------------------------------------------------------------------


def _print_all(model: type[Entity], keys: list[int], draw: Callable[[Any], tuple[bytes, str]], name: str) -> None:
    """One PDF of all rows that can be printed, then the list of those that can't."""
    if not current_access().may(model.policy_name(), Verb.PRINT):
        raise Final(_("您的角色没有这项权限。"))
    sheets = list(_sheets(model, keys, draw))
    went, failed = [one for one in sheets if not one.why], [one for one in sheets if one.why]
    if not went:
        raise Final(_("没有一份能打印：%(why)s", why=_reasons(failed)))
    with result_file(name, PDF) as out:
        rest = [(_("没有打印的"), _left_out(failed))] if failed else []
        bind([*((one.name, one.content) for one in went), *rest], name.removesuffix(".pdf"), out)
    if failed:
        running_job().note = _("有 %(n)s 份没有打印：%(why)s", n=len(failed), why=_reasons(failed))
    for one in went:
        record(Verb.PRINT, one.what, office_id=one.row.made_office_id, about=one.row, name=one.name)


def _sheets(model: type[Entity], keys: list[int], draw: Callable[[Any], tuple[bytes, str]]) -> Iterator[Sheet]:
    for done, key in enumerate(keys):
        tick(done * 95 // len(keys))
        yield _sheet(model, key, draw)
        current_session().rollback()


def _sheet(model: type[Entity], key: int, draw: Callable[[Any], tuple[bytes, str]]) -> Sheet:
    """A row's pages; whatever stops it stops this row alone."""
    name = _("编号 %(n)s", n=key)
    try:
        row: Any = fetch(model, key, Verb.PRINT)
        name = printable(str(row), 120)
        content, what = draw(row)
    except ShouzeError as error:
        return Sheet(name, why=str(error))
    except PdfError:
        log.exception("a paper of %s %s", model.__name__, key)
        return Sheet(name, why=_("排版没有完成，请单独打印再试。"))
    return Sheet(name, content, row=row, what=what)


def _reasons(failed: list[Sheet]) -> str:
    told = "；".join(_("%(name)s（%(why)s）", name=one.name, why=one.why) for one in failed[:MOST_TOLD])
    return told + (_(" 等，见文件最后一页。") if len(failed) > MOST_TOLD else "")


def _left_out(failed: list[Sheet]) -> bytes:
    lines = [{"cells": f"{number}\n{printable(one.name, 120)}\n{printable(one.why, 200)}", "more": []}
             for number, one in enumerate(failed, 1)]  # fmt: skip
    table = {"label": "", "facts": False, "heads": ["序号", "名称", "原因"], "lines": lines, "note": ""}
    return render_in_pool("firm_file", {
        "bureau": "", "firm": "没有打印的清单", "made": clock.today().isoformat(),
        "demo": bool(installation_flag(DEMO)),
        "facts": [], "contents": [], "sections": [{"label": "没有打印的", "tables": [table]}],
    })  # fmt: skip
