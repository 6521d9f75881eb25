"""What firms report of their people: what is checked, and what follows when a station accepts or a stand-in begins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.codes import check_id_card, check_mobile
from app.core.crypto import digest
from app.core.db import current_session
from app.core.errors import Conflict
from app.core.message import notify
from app.core.pinyin import search_key
from app.core.saving import EVERYTHING, Check, checked, on_save
from app.core.verbs import Verb
from app.core.workflow import handles, lock
from app.core.writing import perform
from app.data.enums import CheckState
from app.data.people import ChangeKind
from app.models import setting
from app.models.check import DailyCheck
from app.models.personnel import Appointment, Person
from app.models.staff_change import StaffChange
from app.services.ban import refusal
from app.services.check import SIGNERS
from app.services.setting import confirmed_number

DEFAULT_STAND_IN = 7  # days, until the bureau confirms its own number; no rule names one


def stand_in_days() -> int:
    """The longest a stand-in lasts, however it is cut into pieces."""
    found = confirmed_number(setting.STAND_IN_DAYS)
    return DEFAULT_STAND_IN if found is None else found


# -- saving -----------------------------------------------------------------------------------------------------------


@on_save(StaffChange)
def check_change(one: StaffChange, check: Check) -> None:
    """Who, where, from when, instead of whom; a banned person is refused before anybody looks at the report."""
    if one.site is not None and one.enterprise is not None and one.site.enterprise_id != one.enterprise.id:
        check.error("site", _("这个场所不属于所选主体。"))
    if one.kind == ChangeKind.STAND_IN:
        _check_stand_in(one, check)
    elif one.date_to is not None:
        check.error("date_to", _("只有临时代班填写。"))
    _check_predecessor(one, check)
    if one.kind != ChangeKind.LEAVE:
        _check_holder(one, check)
    elif one.predecessor is not None:
        one.person, one.name, one.id_card, one.mobile = None, one.predecessor.person.name, None, None
    firm = one.enterprise.name if one.enterprise is not None else ""
    one.search_text = search_key(f"{one.name}{firm}")


def _check_stand_in(one: StaffChange, check: Check) -> None:
    most = stand_in_days()
    if one.date_to is None:
        check.error("date_to", _("请填写代班到哪天。"))
        return
    if not one.date_from or one.enterprise is None:
        return
    if one.date_from < clock.today():
        check.error("date_from", _("代班不能从以前的日子开始。"))
    elif one.date_to < one.date_from:
        check.error("date_to", _("不能早于第一天。"))
    elif (one.date_to - _chained(one)).days + 1 > most:
        check.error("date_to", _("临时代班连续不超过 %(n)s 天；更久的请报任命。", n=most))


def _chained(one: StaffChange) -> Any:
    """The first day of the stand-ins of the post that this one would go on from without a day between."""
    posts = current_session().scalars(
        select(Appointment)
        .where(Appointment.enterprise_id == one.enterprise.id, Appointment.role == one.role,
               Appointment.stand_in.is_(True), Appointment.date_to >= one.date_from - timedelta(days=60))
        .order_by(Appointment.date_from.desc())
    ).unique()  # fmt: skip
    first = one.date_from
    for post in posts:
        if post.date_from < first and post.date_to is not None and post.date_to >= first - timedelta(days=1):
            first = post.date_from
    return first


def _check_predecessor(one: StaffChange, check: Check) -> None:
    old = one.predecessor
    if old is None:
        if one.kind == ChangeKind.LEAVE:
            check.error("predecessor", _("请选择离任的人。"))
        return
    if one.enterprise is not None and (old.enterprise_id, old.role) != (one.enterprise.id, one.role):
        check.error("predecessor", _("前任须是本单位同一岗位的人。"))
    elif one.date_from and not (old.date_from < one.date_from and (not old.date_to or old.date_to >= one.date_from)):
        check.error("predecessor", _("这一天的前一天，前任须在岗。"))


def _check_holder(one: StaffChange, check: Check) -> None:
    """A person of the firm's list, or a new one with name, identity card (a ban is found by it) and mobile."""
    if one.person is not None:
        one.name, one.id_card, one.mobile = one.person.name, None, None
        card = one.person.id_card_digest
    else:
        _check_new(one, check)
        card = digest(one.id_card, "person.id_card") if one.id_card else None
    if one.predecessor is not None and one.person is not None and one.predecessor.person_id == one.person.id:
        check.error("person", _("前任和接任不能是同一个人。"))
    if one.date_from and (why := refusal(one.person.id if one.person else None, card, one.date_from, one.date_to)):
        check.error("person" if one.person is not None else "id_card", why)


def _check_new(one: StaffChange, check: Check) -> None:
    if not (one.name or "").strip():
        check.error("name", _("请填写姓名，或选择本单位已登记的人。"))
    if not one.id_card:
        check.error("id_card", _("请填写身份证号。"))
    else:
        card = check_id_card(one.id_card, clock.today())
        one.id_card = card.value
        for text in card.errors:
            check.error("id_card", text)
    if one.mobile:
        mobile = check_mobile(one.mobile)
        one.mobile = mobile.value
        for text in mobile.errors:
            check.error("mobile", text)


# -- the steps --------------------------------------------------------------------------------------------------------


@handles(StaffChange, "report")
def report(one: StaffChange, **_inputs: Any) -> None:
    """From now on it is seen as 已报待核."""
    one.reported_at, one.decided_at = clock.now(), None


@handles(StaffChange, "stand_in")
def stand_in(one: StaffChange, **_inputs: Any) -> None:
    """The firm's own act: the stand-in holds the post from the first day to the last, and is shown as one."""
    check = Check()
    check_change(one, check)
    if check.errors:
        raise Conflict(" ".join(check.errors.values()))
    lock(one.enterprise)
    one.reported_at = clock.now()
    one.appointment = _appoint(one, Verb.SUBMIT)


@handles(StaffChange, "end")
def end(one: StaffChange, **_inputs: Any) -> None:
    """Today is the last day; one that has not begun leaves nothing."""
    one.decided_at, today = clock.now(), clock.today()
    post = lock(one.appointment) if one.appointment is not None else None
    if post is None or (post.date_to is not None and post.date_to <= today):
        return
    perform(post, Verb.END, one)
    if post.date_from > today:
        one.appointment = None
        current_session().delete(post)
    else:
        post.date_to = today


@handles(StaffChange, "accept")
def accept(one: StaffChange, **_inputs: Any) -> None:
    """The new holder is appointed, the old one's post and access end, drafts of daily records go over."""
    one.decided_at = clock.now()
    if one.kind != ChangeKind.LEAVE:
        one.appointment = _appoint(one, Verb.CONFIRM)
    if one.predecessor is not None:
        _end(one, lock(one.predecessor))
    _tell(one, _("人员变动已采纳：%(what)s", what=str(one)))


@handles(StaffChange, "return")
def send_back(one: StaffChange, **_inputs: Any) -> None:
    """The firm reads why in the history, mends it and reports again."""
    one.decided_at = clock.now()
    _tell(one, _("人员变动被退回：%(what)s", what=str(one)))


@handles(StaffChange, "withdraw")
def withdraw(one: StaffChange, **_inputs: Any) -> None:
    """The firm takes it back."""
    one.decided_at = clock.now()


def _tell(one: StaffChange, text: str) -> None:
    if one.made_by_id is not None:
        notify(one.made_by_id, text, "", f"/staff-changes/{one.id}")


def _appoint(one: StaffChange, verb: Verb) -> Appointment:
    """The holder's appointment, and the holder when he is new; in one flush, so that neither stands alone."""
    session, person = current_session(), _holder(one)
    post = Appointment(
        person=person, enterprise=one.enterprise, site=one.site, role=one.role, full_time=one.full_time,
        date_from=one.date_from, date_to=one.date_to, document=one.document,
        stand_in=one.kind == ChangeKind.STAND_IN,
    )  # fmt: skip
    fresh = [person, post] if person.id is None else [post]
    with session.no_autoflush:
        for row in fresh:
            if errors := checked(row, EVERYTHING).errors:
                raise Conflict(" ".join(errors.values()))
            perform(row, verb, one)
        session.add_all(fresh)
    session.flush()
    return post


def _holder(one: StaffChange) -> Person:
    """The person of the list, the one known by the identity card within reach, or a new one."""
    if one.person is not None:
        return one.person
    card = digest(one.id_card, "person.id_card") if one.id_card else ""
    equal = select(Person).where(Person.id_card_digest == card).order_by(Person.id).limit(1)
    known = current_session().scalars(equal).unique().one_or_none() if card else None
    if known is None:
        return Person(name=one.name, id_card=one.id_card, mobile=one.mobile, office_id=one.office_id,
                      made_office_id=one.office_id)  # fmt: skip
    if known.name != one.name:
        raise Conflict(_("这个身份证号登记的姓名是“%(name)s”，与报告不一致，请核对。", name=known.name))
    return known


def _end(one: StaffChange, old: Appointment) -> None:
    """The predecessor's post ends on the eve; signing him out follows from that (services.activation)."""
    last = one.date_from - timedelta(days=1)
    if old.date_to is not None and old.date_to <= last:
        return
    if last < old.date_from:
        raise Conflict(_("前任在这一天之后才任职，请核对。"))
    perform(old, Verb.CONFIRM, one)
    old.date_to = last
    one.passed = _pass_drafts(one, old) if one.appointment is not None and one.role in SIGNERS else 0
    current_session().flush()


def _pass_drafts(one: StaffChange, old: Appointment) -> int:
    """Drafts of days on which the successor holds the post become his; older ones nobody else may sign."""
    post = one.appointment
    assert post is not None
    mine = [DailyCheck.enterprise_id == one.enterprise_id, DailyCheck.person_id == old.person_id,
            DailyCheck.state == CheckState.DRAFT, DailyCheck.check_date >= post.date_from]  # fmt: skip
    if post.site_id is not None:
        mine.append(DailyCheck.site_id == post.site_id)
    rows = current_session().scalars(select(DailyCheck).where(*mine).order_by(DailyCheck.id)).unique().all()
    for row in rows:
        perform(row, Verb.CONFIRM, one)
        row.person, row.post = post.person, post.role
    return len(rows)
