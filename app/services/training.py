"""Trainings and examinations: who they are about, and when an examination is passed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.db import current_session
from app.core.pinyin import search_key
from app.core.saving import Check, on_save
from app.data.enums import AppointmentRole, ExamResult
from app.models import setting
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment, Person
from app.models.training import Exam, Training
from app.services.setting import confirmed_number

LONGEST_DAY = 24
FAILED = (ExamResult.FAILED, ExamResult.ABSENT, ExamResult.RETAKE_FAILED)


def posts(person: Person, firm: Enterprise, day: date) -> set[str]:
    """What a person is at a firm on a day."""
    rows = current_session().scalars(
        select(Appointment.role).where(
            Appointment.person_id == person.id, Appointment.enterprise_id == firm.id, Appointment.in_force(day)
        )
    )  # fmt: skip
    return set(rows)


@on_save(Training)
def check_training(one: Training, check: Check) -> None:
    """Held already, for somebody in office at the firm; no day has more hours than it has."""
    if one.date and one.date > clock.today():
        check.error("date", _("培训日期不能晚于今天。"))
    if one.hours is not None and not 0 < one.hours <= LONGEST_DAY:
        check.error("hours", _("学时须大于 0，一次不超过 %(n)s；多天的培训请分天登记。", n=LONGEST_DAY))
    if one.person is not None and one.enterprise is not None:
        one.search_text = search_key(f"{one.person.name}{one.enterprise.name}")
        if one.date and not posts(one.person, one.enterprise, one.date):
            check.error("person", _("这个人当天在所选主体没有任职。"))


@on_save(Exam)
def check_exam(one: Exam, check: Check) -> None:
    """Held already, in the post examined; the result follows from the score and the bureau's pass mark."""
    if one.date and one.date > clock.today():
        check.error("date", _("考核日期不能晚于今天。"))
    if one.person is not None and one.enterprise is not None:
        one.search_text = search_key(f"{one.person.name}{one.enterprise.name}")
        if one.date and one.role and one.role not in posts(one.person, one.enterprise, one.date):
            check.error("role", _("这个人当天在所选主体不担任这个岗位。"))
    _check_retake(one, check)
    _judge(one, check)


def _check_retake(one: Exam, check: Check) -> None:
    first = one.retake_of
    one.attempt = 1 if first is None else first.attempt + 1
    if first is None:
        return
    if _retaken(first, one):
        check.error("retake_of", _("那次考核已经补考过，请选最近的一次。"))
    if first.id == one.id or (one.person is not None and first.person_id != one.person.id):
        check.error("retake_of", _("补考须是同一个人的。"))
    elif first.result not in FAILED:
        check.error("retake_of", _("那次考核已经合格，不用补考。"))
    elif one.date and one.date < first.date:
        check.error("date", _("补考不能早于原来的考核。"))


def _retaken(first: Exam, besides: Exam) -> bool:
    """Whether another exam repeats this one already: attempts are a chain, not a tree."""
    others = select(Exam.id).where(Exam.retake_of_id == first.id, Exam.id != (besides.id or 0))
    return current_session().scalar(others.limit(1)) is not None


def pass_mark(role: str) -> int | None:
    """The mark of a post, or of all posts; None while the bureau has confirmed neither."""
    found = confirmed_number(setting.PASS_MARK_OF[AppointmentRole(role)])
    return found if found is not None else confirmed_number(setting.PASS_MARK)


def _judge(one: Exam, check: Check) -> None:
    """The result; the pass mark in force is kept with it, so that a later one changes nothing."""
    if one.score is None:
        one.result, one.pass_mark = ExamResult.ABSENT, None
        return
    if not 0 <= one.score <= 100:
        check.error("score", _("得分须在 0 到 100 之间。"))
        return
    if one.role not in set(AppointmentRole):
        return
    mark = one.pass_mark if one.pass_mark is not None else pass_mark(one.role)
    if mark is None:
        check.error("score", _("合格线还没有由本局确认，不能登记得分；请在“本局设定”中确认。"))
        return
    one.pass_mark = Decimal(mark)
    passed, again = one.score >= one.pass_mark, one.retake_of is not None
    words = {(True, False): ExamResult.PASSED, (False, False): ExamResult.FAILED,
             (True, True): ExamResult.RETAKE_PASSED, (False, True): ExamResult.RETAKE_FAILED}  # fmt: skip
    one.result = words[passed, again]
