"""Who lacks how many training hours this year, and who has an exam to repeat."""

from __future__ import annotations

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext

from app.core import clock
from app.core.access.context import current_access
from app.core.access.veil import concealed
from app.core.errors import Forbidden, Invalid
from app.core.fab.cells import date_text, said
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import needs
from app.core.screen import Cell
from app.core.tables import TableColumn
from app.core.verbs import Verb
from app.models.personnel import Appointment, Person
from app.models.training import Exam, Training
from app.services.training_hours import Hours, Wanted, hours, part_year, size, waiting_retakes, year_hours
from app.views.report_page import (
    MOST_ROWS,
    SIZE,
    Choice,
    ReportScreen,
    number,
    office,
    office_choice,
    page_number,
    workbook,
)

BASE = "/training-hours/"
TITLE = lazy_gettext("培训学时")
MADE_OF = ((Training, ("hours", "date", "person")), (Appointment, ("person", "role", "date_from")), (Person, ("name",)))
EXAMINED = ("person", "result", "date", "role")
EARLIEST = 2015  # years that may be asked for


class TrainingHoursView(Page):
    """/training-hours/: of a year."""

    route_base = "/training-hours"
    default_view = "report"
    title = lazy_pgettext("list", "培训学时")
    icon = "clock"
    task = ("people", 7)
    entity_name = "Training"

    @expose("/")
    @needs(Verb.READ)
    def report(self) -> Answer:
        """A page of the people, or those with an exam to repeat."""
        if request.args.get("which") == "retakes":
            return render_template("report.html", screen=_retakes())
        wanted, page = _wanted(), page_number()
        rows = hours(wanted, (page - 1) * SIZE, SIZE)
        everybody = Wanted(wanted.year, wanted.office_id, lacking=False)
        screen = ReportScreen(
            title=TITLE, subtitle=_subtitle(wanted.year), base=BASE, heads=_heads(),
            rows=[_cells(one) for one in rows], total=size(wanted), page=page,
            choices=[_years(wanted.year), *office_choice(wanted.office_id), _lacking(wanted)],
            figures=[(_("在岗"), size(everybody)), (_("学时不足"), size(Wanted(wanted.year, wanted.office_id)))],
            tabs=_tabs(retakes=False), empty=_("没有学时不足的人。"),
            may_export=current_access().may("Training", Verb.EXPORT),
        )  # fmt: skip
        return render_template("report.html", screen=screen)

    @expose("/export", methods=["POST"])
    @needs(Verb.EXPORT)
    def export(self) -> Answer:
        """The same list as a workbook."""
        wanted = _wanted()
        rows = [[one.name, "、".join(one.firms), one.due, one.done, one.lacks] for one in hours(wanted, 0, MOST_ROWS)]
        kinds = ("text", "text", "number", "number", "number")
        columns = [TableColumn(label, kind) for label, kind in zip(_heads(), kinds, strict=True)]
        return workbook(f"{TITLE}{wanted.year}", _subtitle(wanted.year), columns, rows)


def _wanted() -> Wanted:
    """What the address asks for. Raises Invalid; Forbidden to whom a column it is made of is hidden."""
    if any(concealed(model, name) for model, names in MADE_OF for name in names):
        raise Forbidden(_("您可以查看，但不能进行这项操作。"))
    this = clock.today().year
    year, every = number("year", this, most=this), request.args.get("who", "")
    if year < EARLIEST or every not in {"", "all"}:
        raise Invalid(_("地址里的条件不对。"))
    return Wanted(year, office(), lacking=not every)


def _subtitle(year: int) -> str:
    told = _("%(year)s 年，总监和安全员每人 %(n)s 学时", year=year, n=year_hours())
    share = _("年中任职的按在岗天数折算") if part_year() else _("年中任职的不折算")
    return str(_("%(told)s，%(share)s；只算您能查看的记录。", told=told, share=share))


def _heads() -> list[str]:
    return [_("姓名"), _("单位"), _("应学"), _("已学"), _("还差")]


def _cells(one: Hours) -> list[Cell]:
    tone = "danger" if one.lacks else "success"
    return [Cell("link", one.name, url=f"/people/{one.id}"), Cell("text", "、".join(one.firms)),
            Cell("number", f"{one.due:g}"), Cell("number", f"{one.done:g}"),
            Cell("number", f"{one.lacks:g}", tone=tone)]  # fmt: skip


def _years(chosen: int) -> Choice:
    this = clock.today().year
    return Choice("year", _("年度"), str(chosen), [(str(one), str(one)) for one in range(this, this - 5, -1)])


def _lacking(wanted: Wanted) -> Choice:
    options = [("", str(_("学时不足"))), ("all", str(_("全部")))]
    return Choice("who", _("看哪些"), "" if wanted.lacking else "all", options)


def _tabs(*, retakes: bool) -> list[tuple[str, str, bool]]:
    return [(_("学时"), BASE, not retakes), (_("待补考"), f"{BASE}?which=retakes", retakes)]


def _retakes() -> ReportScreen:
    """Who has an exam to repeat, who waits longest first."""
    if not current_access().may("Exam", Verb.READ) or any(concealed(Exam, name) for name in EXAMINED):
        raise Forbidden(_("您可以查看，但不能进行这项操作。"))
    found = waiting_retakes(SIZE)
    rows = [[Cell("link", str(one.person or ""), url=f"/exams/{one.id}"), Cell("text", said(one.role)),
             Cell("date", date_text(one.date)), Cell("text", said(one.result), tone="danger"),
             Cell("number", str(one.attempt))] for one in found]  # fmt: skip
    return ReportScreen(
        title=TITLE, subtitle=_("考核不合格或缺考、还没有补考的"), base=BASE,
        heads=[_("姓名"), _("岗位"), _("考核日期"), _("结果"), _("第几次")], rows=rows, total=len(rows), page=1,
        choices=[], tabs=_tabs(retakes=True), empty=_("没有等着补考的人。"),
    )  # fmt: skip
