"""落实自查表: what may be written when, when one is whole, and what confirming and returning mean."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import String, inspect, select

from app import data
from app.core import clock
from app.core.codes import INVISIBLE
from app.core.db import current_session
from app.core.errors import Invalid
from app.core.merging import when_merged
from app.core.message import notify
from app.core.pinyin import search_key
from app.core.saving import Check, on_save, text_problem
from app.core.workflow import handles, lock
from app.core.writing import current_unit
from app.data.people import AssessmentState, PointAnswer
from app.models.self_assessment import EDITION, SelfAssessment

LONGEST = String(300)  # of the words beside an answer
FURTHEST = (AssessmentState.CONFIRMED, AssessmentState.SUBMITTED, AssessmentState.RETURNED, AssessmentState.DRAFT)
FIXED = ("enterprise", "enterprise_id", "occasion", "year")


# -- saving -----------------------------------------------------------------------------------------------------------


@on_save(SelfAssessment)
def check_assessment(one: SelfAssessment, check: Check) -> None:
    """One a firm, occasion and year; only what is written is judged, open points may wait until it is submitted."""
    if one.enterprise is None or not one.occasion or one.year is None:
        return
    if one.id is None:
        _begin(one, check)
    elif _moved(one):
        check.error("occasion", _("单位、情形和年度不能改；请删去草稿，另填一份。"))
    _check_answers(one, check)
    one.not_done = list(one.results.values()).count(PointAnswer.NOT_DONE)
    one.search_text = search_key(one.enterprise.name)


def _begin(one: SelfAssessment, check: Check) -> None:
    this = clock.today().year
    one.edition, one.unit, one.results, one.notes = EDITION, one.enterprise.name, one.results or {}, one.notes or {}
    if one.year not in {this - 1, this}:
        check.error("year", _("只能填写今年或上一年的。"))
    lock(one.enterprise)  # two at once: the second finds the first
    mine = (SelfAssessment.enterprise_id == one.enterprise.id, SelfAssessment.occasion == one.occasion,
            SelfAssessment.year == one.year, SelfAssessment.state != AssessmentState.VOID)  # fmt: skip
    if current_session().scalar(select(SelfAssessment.id).where(*mine).limit(1)) is not None:
        check.error("occasion", _("这个单位这一年的这份自查表已经有了，请在原来的那份上填写。"))


def _moved(one: SelfAssessment) -> bool:
    state: Any = inspect(one)
    return any(state.attrs[name].history.has_changes() for name in FIXED)


def _check_answers(one: SelfAssessment, check: Check) -> None:
    known = {point.code for point in data.self_points(one.edition)}
    if unknown := sorted(set(one.results) - known):
        check.error("answers", _("自查表里没有这些项目：%(codes)s", codes=_("、").join(unknown[:5])))
    seen = {code: text.translate(INVISIBLE).strip() for code, text in one.notes.items()}
    if seen != one.notes:
        one.notes = {code: text for code, text in seen.items() if text}
    for code, text in one.notes.items():
        if why := text_problem(text, LONGEST):
            check.error(f"answers.{code}", why)


# -- the steps --------------------------------------------------------------------------------------------------------


@handles(SelfAssessment, "submit")
def submit(one: SelfAssessment, **_inputs: Any) -> None:
    """The whole of it, by the firm."""
    must_be_whole(one)
    one.submitted_at, one.decided_at = clock.now(), None


def must_be_whole(one: SelfAssessment) -> None:
    """Every point answered; 未落实 says what is done until when, 不适用 says why. Raises Invalid, point by point."""
    errors: dict[str, str] = {}
    asked = {PointAnswer.NOT_DONE: _("请写明怎么改、什么时候完成。"),
             PointAnswer.NOT_APPLICABLE: _("请写明不适用的理由。")}  # fmt: skip
    for point in data.self_points(one.edition):
        given = one.results.get(point.code)
        if given is None:
            errors[f"answers.{point.code}"] = _("还没有选择结果。")
        elif given in asked and not one.notes.get(point.code):
            errors[f"answers.{point.code}"] = asked[PointAnswer(given)]
    if errors:
        raise Invalid(_("有内容需要改正，尚未保存。"), errors)


@handles(SelfAssessment, "confirm")
def confirm(one: SelfAssessment, **_inputs: Any) -> None:
    """The station stands behind it; what it once found different has been put right."""
    one.decided_at, one.differs = clock.now(), ""
    _tell(one, _("落实自查表已确认：%(what)s", what=str(one)))


@handles(SelfAssessment, "return")
def send_back(one: SelfAssessment, **_inputs: Any) -> None:
    """What differs stands on the table itself, above the points that the firm answers again."""
    unit = current_unit()
    one.decided_at, one.differs = clock.now(), unit.reason if unit is not None else ""
    _tell(one, _("落实自查表被退回：%(what)s", what=str(one)))


@handles(SelfAssessment, "void")
def void(one: SelfAssessment, **_inputs: Any) -> None:
    """The firm learns that it has another one to fill in."""
    one.decided_at = clock.now()
    _tell(one, _("落实自查表已作废：%(what)s", what=str(one)))


def _tell(one: SelfAssessment, text: str) -> None:
    if one.made_by_id is not None:
        notify(one.made_by_id, text, "", f"/self-assessments/{one.id}")


@when_merged(SelfAssessment)
def same_year(name: str, rows: list[SelfAssessment], others: list[SelfAssessment]) -> dict[Any, Any]:
    """One a firm, occasion and year: the one that has come further, else that of the firm that stays."""
    taken = {(one.occasion, one.year): one for one in others if one.state != AssessmentState.VOID}
    for row in rows if name == "enterprise_id" else []:
        other = taken.get((row.occasion, row.year))
        if other is None or row.state == AssessmentState.VOID:
            continue
        further = FURTHEST.index(AssessmentState(row.state)) < FURTHEST.index(AssessmentState(other.state))
        (other if further else row).state = AssessmentState.VOID
    return {}
