"""Risk grades: what is current follows from the history, line by line; a grade that is typed on the site begins one."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core import clock
from app.core.db import current_session
from app.core.saving import Check, column_problems, on_save
from app.core.verbs import Verb
from app.core.writing import perform
from app.data.enums import Line, RiskGrade
from app.models.enterprise import Site
from app.models.grading import RiskGrading, SiteNote
from app.models.lines import BITS

# the highest score of each grade (食品生产经营风险分级管理办法); above the last it is D
BOUNDS = ((Decimal(30), RiskGrade.A), (Decimal(45), RiskGrade.B), (Decimal(60), RiskGrade.C))
MOST_SCORE = 110  # 100, and what is added for what a firm did


def grade_of(score: Decimal) -> RiskGrade:
    """The grade that a score stands for."""
    return next((grade for most, grade in BOUNDS if score <= most), RiskGrade.D)


def lines_of(site: Site) -> list[Line]:
    """The site's lines as words, in their order."""
    return [word for word, bit in BITS.items() if (site.lines or 0) & bit]


@on_save(RiskGrading)
def check_grading(one: RiskGrading, check: Check) -> None:
    """A line of the site, not of the future; a score that says another grade is asked about. The site shows it."""
    today = clock.today()
    if one.date_from and one.date_from > today:
        check.error("date_from", _("评定日期不能晚于今天。"))
    if one.score is not None and not 0 <= one.score <= MOST_SCORE:
        check.error("score", _("分值须在 0 到 %(n)s 之间。", n=MOST_SCORE))
    elif one.score is not None and one.grade and one.grade != grade_of(one.score):
        check.doubt("grade", _("按分值应为 %(grade)s 级；依规定调整的请打勾。", grade=grade_of(one.score).value))
    one.year = one.year or (one.date_from.year if one.date_from else None)
    if one.year is not None and not 2000 <= one.year <= today.year:
        check.error("year", _("年度不对。"))
    if one.site is None or not one.line or not one.grade:
        return
    if one.line not in lines_of(one.site):
        check.error("line", _("这个场所没有这条业务线。"))
    if one.date_from and not check.errors and not check.doubts and show(one.site, [one]):
        perform(one.site, Verb.UPDATE, one)


@on_save(SiteNote)
def check_note(one: SiteNote, check: Check) -> None:
    """Of today or before."""
    if one.date and one.date > clock.today():
        check.error("date", _("评价日期不能晚于今天。"))


@on_save(Site)
def grade_site(site: Site, check: Check) -> None:
    """A grade typed on the site (a form, an import) is one of each of its lines from today on; else the history's."""
    if check.errors or not site.lines or any(column_problems(site)):  # nothing may be written for a row that is wrong
        return
    begun: list[RiskGrading] = []
    if site.risk_grade and inspect(site).attrs.risk_grade.history.has_changes():
        today, current = clock.today(), _current(site, [])
        for line in lines_of(site):
            stood = current.get(line)
            if stood is None or stood.grade != site.risk_grade:
                fresh = RiskGrading(site=site, line=line, grade=site.risk_grade, date_from=today, year=today.year,
                                    basis=str(_("登记时填写")))  # fmt: skip
                perform(fresh, Verb.CREATE, site)
                current_session().add(fresh)
                begun.append(fresh)
    show(site, begun)


def show(site: Site, pending: Iterable[RiskGrading]) -> bool:
    """Site.risk_grade is the gravest of its lines' current grades, Site.grades tells them all. Whether that changed."""
    current = _current(site, pending)
    if not current:
        return False
    told = [(line, current[line].grade) for line in lines_of(site) if line in current]
    shown = (max((grade for _line, grade in told), default=None), "，".join(f"{line} {grade}" for line, grade in told))
    if shown == (site.risk_grade, site.grades):
        return False
    site.risk_grade, site.grades = shown
    return True


def _current(site: Site, pending: Iterable[RiskGrading]) -> dict[str, RiskGrading]:
    """The latest of each line; of one day the last entered."""
    rows = [*pending]
    if site.id:
        with current_session().no_autoflush:
            stored = current_session().scalars(select(RiskGrading).where(RiskGrading.site_id == site.id))
            rows += [one for one in stored if one not in rows]
    rows.sort(key=lambda one: (one.date_from, one.id or 2**62))
    return {one.line: one for one in rows}
