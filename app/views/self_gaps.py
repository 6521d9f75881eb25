"""自查缺项: the firms that owe a 落实自查表."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import render_template, request
from flask_babel import gettext, lazy_pgettext

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
from app.data.people import Occasion
from app.models.enterprise import Enterprise
from app.models.self_assessment import SelfAssessment
from app.services.self_gaps import Owed, Terms, Wanted, owed, size, terms
from app.views.report_page import MOST_ROWS, SIZE, Choice, ReportScreen, office, office_choice, page_number, workbook

BASE, FORMS = "/self-assessment-gaps/", "/self-assessments"
MADE_OF = ("occasion", "year", "state", "enterprise")


class SelfAssessmentGapView(Page):
    """/self-assessment-gaps/: which firms owe which one."""

    route_base = BASE.rstrip("/")
    default_view = "report"
    title = lazy_pgettext("list", "自查缺项")
    icon = "clock"
    task = ("people", 13)
    entity_name = "SelfAssessment"

    @expose("/")
    @needs(Verb.READ)
    def report(self) -> Answer:
        """A page of them, the longest overdue first."""
        wanted, by, page = _wanted(), terms(), page_number()
        screen = ReportScreen(
            title=gettext("自查缺项"), subtitle=_subtitle(by), base=BASE, heads=_heads(),
            rows=[_cells(one) for one in owed(wanted, by, (page - 1) * SIZE, SIZE)], total=size(wanted, by), page=page,
            choices=[*_choices(), *office_choice(wanted.office_id)], empty=gettext("没有缺项的单位。"),
            may_export=current_access().may("SelfAssessment", Verb.EXPORT),
        )  # fmt: skip
        return render_template("report.html", screen=screen)

    @expose("/export", methods=["POST"])
    @needs(Verb.EXPORT)
    def export(self) -> Answer:
        """The same list as a workbook."""
        wanted, by = _wanted(), terms()
        rows = [[one.name, one.office, which(one), one.due, state_of(one)[0], began(one)]
                for one in owed(wanted, by, 0, MOST_ROWS)]  # fmt: skip
        kinds = ("text", "text", "text", "date", "text", "text")
        columns = [TableColumn(label, kind) for label, kind in zip(_heads(), kinds, strict=True)]
        return workbook(gettext("自查缺项"), _subtitle(by), columns, rows)


def _wanted() -> Wanted:
    """What the address asks for. Raises Invalid; Forbidden to whom a column it is made of is hidden."""
    if not open_to_person():
        raise Forbidden(gettext("您可以查看，但不能进行这项操作。"))
    of, when = request.args.get("of", ""), request.args.get("when", "")
    if of not in dict(_which()) or when not in dict(_whens()):
        raise Invalid(gettext("地址里的条件不对。"))
    year = int(of) if of.isdigit() else None
    return Wanted(office(), of == "joining" if of else None, year, when == "late" if when else None)


def open_to_person() -> bool:
    """Whether the person sees everything that the list is made of."""
    hidden = any(concealed(SelfAssessment, name) for name in MADE_OF) or concealed(Enterprise, "name")
    return not hidden and current_access().may("Enterprise", Verb.READ)


def _which() -> list[tuple[str, str]]:
    this = clock.today().year
    years = [(str(year), gettext("%(year)s 年度自查", year=year)) for year in (this, this - 1)]
    return [("", gettext("全部")), ("joining", said(Occasion.JOINING)), *years]


def _whens() -> list[tuple[str, str]]:
    return [("", gettext("全部")), ("late", gettext("逾期")), ("open", gettext("待做"))]


def _choices() -> list[Choice]:
    asked = request.args
    return [Choice("of", gettext("自查表"), asked.get("of", ""), _which()),
            Choice("when", gettext("情况"), asked.get("when", ""), _whens())]  # fmt: skip


def _subtitle(by: Terms) -> str:
    text: str = gettext("还没有提交自查表的单位：入网自查在登记后 %(n)s 天内，年度自查在每年 %(m)s 月 %(d)s 日前",
                   n=by.days, m=by.month, d=by.day)  # fmt: skip
    return text


def _heads() -> list[str]:
    return [gettext("单位名称"), gettext("监管所"), gettext("自查表"), gettext("应完成日期"), gettext("情况"),
            gettext("进度")]  # fmt: skip


def which(one: Owed) -> str:
    """What is owed: 入网, or the year's."""
    if one.occasion is Occasion.JOINING:
        return said(one.occasion)
    return str(gettext("%(year)s 年度自查", year=one.year))


def form_of(one: Owed) -> str:
    """Where it is filled in: the one that was begun, or a new one."""
    if one.began:
        return f"{FORMS}/{one.began[0]}/edit"
    return f"{FORMS}/add?{urlencode({'enterprise': one.firm, 'occasion': one.occasion, 'year': one.year})}"


def state_of(one: Owed) -> tuple[str, str]:
    """Late or still in time, in words, with its tone."""
    if one.days_late:
        return gettext("逾期 %(n)s 天", n=one.days_late), "danger"
    return gettext("待做"), "info"


def began(one: Owed) -> str:
    """How far it has come."""
    return said(one.began[1]) if one.began else gettext("未填")


def _cells(one: Owed) -> list[Cell]:
    text, tone = state_of(one)
    return [
        Cell("link", one.name, url=f"/enterprises/{one.firm}"), Cell("text", one.office), Cell("text", which(one)),
        Cell("date", date_text(one.due)), Cell("flag", text, tone=tone),
        Cell("link", began(one), url=f"{FORMS}/{one.began[0]}") if one.began else Cell("text", began(one)),
    ]  # fmt: skip
