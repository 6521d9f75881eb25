"""每日食品安全检查记录: who may sign, by which edition, what a whole record holds, late ones, corrections."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect, or_, select

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.db import current_session
from app.core.errors import Conflict, Invalid
from app.core.office import Family
from app.core.saving import Check, column_problems, on_save
from app.core.verbs import Verb
from app.core.workflow import handles, lock
from app.core.writing import perform
from app.data.enums import AppointmentRole, CheckState, ItemResult
from app.models import setting
from app.models.check import CheckProblem, DailyCheck
from app.models.enterprise import Site
from app.models.personnel import Appointment, Person
from app.services.risk_list import daily_items, list_in_force
from app.services.setting import confirmed_number

SIGNERS = (AppointmentRole.OFFICER, AppointmentRole.DIRECTOR)
DEFAULT_GRACE = 1  # days, until the bureau confirms its own number; the rule itself names none


def signers(site: Site, day: date) -> dict[Person, str]:
    """Who may sign a record of a site on a day, and as what: 食品安全员 first, then 食品安全总监."""
    rows = current_session().execute(
        select(Person, Appointment.role)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(
            Appointment.enterprise_id == site.enterprise_id,
            or_(Appointment.site_id.is_(None), Appointment.site_id == site.id),
            Appointment.role.in_(SIGNERS), Appointment.in_force(day),
        )
        .order_by(Person.id)
    )  # fmt: skip
    found: dict[Person, str] = {}
    for person, role in sorted(rows, key=lambda row: SIGNERS.index(row.role)):
        found.setdefault(person, role)
    return found


def grace() -> int:
    """Days after the day within which a firm may still write its record."""
    found = confirmed_number(setting.CHECK_GRACE)
    return DEFAULT_GRACE if found is None else found


def by_firm() -> bool:
    """Whether the person in context writes for a firm; the office (and the system) transcribes."""
    return has_access_context() and current_access().person.family == Family.FIRM


# -- saving -----------------------------------------------------------------------------------------------------------


@on_save(DailyCheck)
def check_daily(row: DailyCheck, check: Check) -> None:
    """The edition of the day, a signer in office, no second record; only what is written is judged, the rest waits."""
    if row.site is None or row.check_date is None:
        check.error("site", _("请选择经营场所和检查日期。"))
        return
    if row.id is None:
        _begin(row, check)
    elif _moved(row):
        check.error("check_date", _("场所和日期不能改；请删去草稿，另填一份。"))
    elif row.transcribed == by_firm():
        check.error("person", _("这份草稿由另一方起草，请由起草的一方完成。"))
    _check_day(row, check)
    _check_signer(row, check)
    _check_answers(row, check)
    row.zero_risk = ItemResult.NOT_MET not in row.results.values()
    row.search_text = row.site.search_text


def _begin(row: DailyCheck, check: Check) -> None:
    row.unit, row.transcribed, row.results = row.site.name, not by_firm(), row.results or {}
    if row.corrects is not None:
        _begin_correction(row, check)
    else:
        if (edition := list_in_force(row.site, row.check_date)) is not None:
            row.risk_list = edition
        if taken(row):
            check.error("check_date", _("这个场所这一天已有记录或草稿；填错的，请从原记录点“更正”。"))
    if row.risk_list is None:
        check.error("check_date", _("这一天没有生效的风险管控清单。"))


def _begin_correction(row: DailyCheck, check: Check) -> None:
    """The same site, day and edition as the record it puts right."""
    assert row.corrects is not None
    row.risk_list = row.corrects.risk_list
    if row.corrects.state != CheckState.SUBMITTED:
        check.error("corrects", _("只能更正已提交的记录。"))
    if (row.corrects.site_id, row.corrects.check_date) != (row.site.id, row.check_date):
        check.error("corrects", _("更正的须是同一场所、同一天的记录。"))
    if taken(row, (CheckState.DRAFT,)):
        check.error("corrects", _("这个场所这一天已有一份草稿。"))


def taken(row: DailyCheck, states: tuple[str, ...] = (CheckState.DRAFT, CheckState.SUBMITTED)) -> bool:
    """Whether another record of the site and day is in one of these states."""
    others = select(DailyCheck.id).where(
        DailyCheck.site_id == row.site.id, DailyCheck.check_date == row.check_date, DailyCheck.state.in_(states),
        DailyCheck.id != (row.id or 0),
    )  # fmt: skip
    return current_session().scalar(others.limit(1)) is not None


def _moved(row: DailyCheck) -> bool:
    state: Any = inspect(row)
    return any(
        state.attrs[name].history.has_changes() for name in ("site", "site_id", "check_date", "corrects", "corrects_id")
    )


def _check_day(row: DailyCheck, check: Check) -> None:
    """Today, or a day within the grace for firms; a correction may come later, a station may transcribe later."""
    today = clock.today()
    if row.check_date > today:
        check.error("check_date", _("检查日期不能晚于今天。"))
    elif by_firm() and row.corrects is None and row.check_date < today - timedelta(days=grace()):
        check.error("check_date", _("已过补录期限（%(n)s 天），请联系监管所。", n=grace()))


def _check_signer(row: DailyCheck, check: Check) -> None:
    able = signers(row.site, row.check_date)
    if row.person is not None and row.person not in able:
        check.error("person", _("检查当天在这个场所没有食品安全员或食品安全总监的任职。"))
    row.post = able.get(row.person, "")


def _check_answers(row: DailyCheck, check: Check) -> None:
    items = {item.code: item for item in daily_items(row.risk_list)} if row.risk_list is not None else {}
    unknown = sorted(set(row.results) - set(items)) if items else []
    if unknown:
        check.error("answers", _("清单里没有这些项目：%(codes)s", codes=_("、").join(unknown[:5])))
    order = {code: number for number, code in enumerate(items, 1)}
    for problem in row.problems:
        if problem.code in items:
            problem.item, problem.position = items[problem.code], order[problem.code]
        for name, why in column_problems(problem):
            if name != "code":
                check.error(f"answers.{problem.code}", why)


# -- the steps --------------------------------------------------------------------------------------------------------


@handles(DailyCheck, "submit")
def submit(row: DailyCheck, **_inputs: Any) -> None:
    """A whole record, once a site and day; what it corrects stays, marked 已更正."""
    lock(row.site)
    if row.transcribed == by_firm():
        raise Conflict(_("这份草稿由另一方起草，请由起草的一方完成。"))
    late = clock.today() > row.check_date
    must_be_whole(row, late)
    if row.corrects is not None:
        late = row.corrects.late
        _supersede(row)
    elif taken(row, (CheckState.SUBMITTED,)):
        raise Conflict(_("这个场所这一天的记录已经提交。"))
    row.submitted_at, row.late = clock.now(), late
    row.reported_at = row.submitted_at if row.reported_to else None


def _supersede(row: DailyCheck) -> None:
    assert row.corrects is not None
    old = lock(row.corrects)
    if old.state != CheckState.SUBMITTED:
        raise Conflict(_("只能更正已提交的记录。"))
    old.state = CheckState.CORRECTED
    perform(old, Verb.SUBMIT, row)
    current_session().flush()  # the old record leaves the day before the new one takes it


def must_be_whole(row: DailyCheck, late: bool) -> None:
    """Every daily item answered; 不符合 with problem and measure and whom it was reported to; 不适用 with why.

    Raises Invalid by field, Conflict where the person may not read the edition it is filled by.
    """
    if row.risk_list is None:
        raise Conflict(_("您看不到这份记录所用的风险管控清单，不能提交。"))
    errors: dict[str, str] = {}
    check = Check()
    _check_day(row, check)
    _check_signer(row, check)
    errors |= check.errors
    if (late or row.corrects is not None) and not row.late_reason.strip():
        errors["late_reason"] = _("请写明更正的理由。") if row.corrects is not None else _("请写明补录的理由。")
    for item in daily_items(row.risk_list):
        if item.code not in row.results:
            errors[f"answers.{item.code}"] = _("还没有选择结果。")
    for problem in row.problems:
        if why := _lacking(problem):
            errors[f"answers.{problem.code}"] = why
    if not row.zero_risk and not row.reported_to.strip():
        errors["reported_to"] = _("有不符合项，请填写报给了谁。")
    if errors:
        raise Invalid(_("有内容需要改正，尚未保存。"), errors)


def _lacking(problem: CheckProblem) -> str:
    if problem.result == ItemResult.NOT_APPLICABLE:
        return "" if problem.note.strip() else str(_("请写明不适用的理由。"))
    if not problem.note.strip():
        return str(_("请写明存在的问题。"))
    return "" if problem.measure.strip() else str(_("请写明采取的防范措施。"))
