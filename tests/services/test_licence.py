"""Licences that run out, closures that must not overlap, trainings and examinations of people in office."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.access.fetch import fetch, may
from app.core.db import current_session
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.saving import EVERYTHING, Refused, save
from app.core.setting import BureauSetting
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import ClosureKind, ClosureState, ExamResult, LicenceKind, TrainingKind
from app.models.check import DailyCheck, RiskList
from app.models.enterprise import Enterprise, Site
from app.models.licence import Closure, Licence
from app.models.personnel import Appointment
from app.models.training import Exam, Training
from app.services.enterprise import transfer_site
from tests.support.house import A, B, House

GOOD = "JY21505250000013"


def site_of(house: House, skip: int = 5) -> Site:
    return current_session().get_one(Site, house.site_of(A, skip=skip))


def licence(site: Site | None, days: int = 400, **more: Any) -> Licence:
    facts = {"kind": LicenceKind.OPERATION, "number": GOOD, "issued": clock.today() - timedelta(days=30)}
    return Licence(**(facts | {"site": site, "valid_to": clock.today() + timedelta(days=days)} | more))


# -- licences ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "tone", "words"),
    [(-1, "danger", "已过期"), (0, "danger", "今天到期"), (30, "danger", "30"), (31, "warning", "31"),
     (90, "warning", "90"), (91, None, "")],
)  # fmt: skip
def test_how_soon_a_licence_runs_out_is_a_coloured_word(small: House, days: int, tone: str | None, words: str) -> None:
    with small.acting("suo-a"):
        told = save(licence(site_of(small), days), Verb.CREATE, accepted=EVERYTHING).expiry
        assert (told.tone if told else None) == tone
        assert words in (told.text if told else "")


def test_the_site_shows_its_newest_licence(house: House) -> None:
    with house.acting("yuan-a"):
        site = site_of(house)
        save(licence(site, 4000), Verb.CREATE, accepted=EVERYTHING)
        save(
            licence(site, 40, number="SC12415052500012", kind=LicenceKind.PRODUCTION), Verb.CREATE, accepted=EVERYTHING
        )
        assert (site.licence_no, site.licence_until) == (GOOD, clock.today() + timedelta(days=4000))


def test_a_wrong_digit_or_a_number_held_elsewhere_needs_a_tick(house: House) -> None:
    with house.acting("suo-b"):
        site = current_session().get_one(Site, house.site_of(B))
        save(licence(site), Verb.CREATE)
    with house.acting("suo-a"):
        with pytest.raises(Refused) as refused:
            save(licence(site_of(house)), Verb.CREATE)
        assert [doubt.name for doubt in refused.value.doubts] == ["accept-number"]
        with pytest.raises(Refused) as refused:
            save(licence(site_of(house), number="JY11105000000001"), Verb.CREATE)
        assert refused.value.doubts
        save(licence(site_of(house)), Verb.CREATE, accepted=frozenset({"accept-number"}))


@pytest.mark.parametrize("wrong", ["holder", "other_firm", "dates", "future"])
def test_a_licence_that_contradicts_itself_is_refused(small: House, wrong: str) -> None:
    with small.acting("suo-a"):
        one = licence(site_of(small))
        if wrong == "holder":
            one = licence(None)
        if wrong == "other_firm":
            mine = one.site.enterprise_id if one.site is not None else 0
            one.enterprise = current_session().scalars(select(Enterprise).where(Enterprise.id != mine)).unique().first()
        if wrong == "dates":
            one.valid_to = clock.today() - timedelta(days=90)
        if wrong == "future":
            one.issued = clock.today() + timedelta(days=1)
        with pytest.raises(Refused) as refused:
            save(one, Verb.CREATE, accepted=EVERYTHING)
        assert refused.value.fields


def test_an_old_licence_is_ended_never_erased(house: House) -> None:
    with house.acting("suo-a"):
        one = save(licence(site_of(house)), Verb.CREATE, accepted=EVERYTHING)
        assert not may(one, Verb.DELETE)
        with pytest.raises(Invalid):
            run(one, "revoke")
        row = run(current_session().get_one(Licence, one.id), "revoke", reason="吊销决定书")
        assert row.state == "已吊销" and row.expiry is None
        with pytest.raises((Conflict, Forbidden)):
            run(row, "replace")


def test_a_firm_reads_its_licences_and_writes_none(house: House) -> None:
    with house.acting("firm-a"):
        own = set(current_session().scalars(select(Enterprise.id)))
        assert set(current_session().scalars(select(Licence.enterprise_id))) <= own
        assert all(not may(one, Verb.UPDATE) for one in current_session().scalars(select(Licence)).unique())


# -- closures ---------------------------------------------------------------------------------------------------------


def closure(site: Site, start: int, end: int | None, **more: Any) -> Closure:
    today = clock.today()
    until = today + timedelta(days=end) if end is not None else None
    return Closure(site=site, kind=ClosureKind.CLOSED, date_from=today + timedelta(days=start), date_to=until,
                   reason="装修", **more)  # fmt: skip


def test_a_firm_declares_and_the_station_confirms(house: House) -> None:
    with house.acting("firm-a"):
        site = current_session().scalars(select(Site)).unique().first()
        assert site is not None
        key = save(closure(site, 100, 110), Verb.CREATE).id
        with pytest.raises(Forbidden):
            run(current_session().get_one(Closure, key), "confirm")
    with house.acting("suo-a"):
        assert run(current_session().get_one(Closure, key), "confirm").state == ClosureState.CONFIRMED
    with house.acting("firm-a"):
        assert not may(current_session().get_one(Closure, key), Verb.UPDATE)


@pytest.mark.parametrize(
    ("start", "end", "fine"), [(20, 30, False), (10, None, False), (5, 15, False), (31, 40, True), (1, 14, True)]
)
def test_closures_of_a_site_do_not_overlap(house: House, start: int, end: int | None, fine: bool) -> None:
    with house.acting("yuan-a"):
        site = site_of(house, skip=3)
        save(closure(site, 15, 30), Verb.CREATE)
        if fine:
            save(closure(site, start, end), Verb.CREATE)
            return
        with pytest.raises(Refused) as refused:
            save(closure(site, start, end), Verb.CREATE)
        assert set(refused.value.fields) == {"date_from"}


def test_a_returned_closure_blocks_nothing_and_dates_are_in_order(house: House) -> None:
    with house.acting("suo-a"):
        site = site_of(house, skip=3)
        run(save(closure(site, 15, 30), Verb.CREATE), "return", reason="日期不对")
        save(closure(site, 20, 25), Verb.CREATE)
        with pytest.raises(Refused) as refused:
            save(closure(site, 60, 50), Verb.CREATE)
        assert "date_to" in refused.value.fields


def test_business_goes_on_earlier_and_late_declarations_show(house: House) -> None:
    with house.acting("suo-a"):
        one = save(closure(site_of(house, skip=3), -3, 30), Verb.CREATE)
        assert one.declared is not None and one.declared.text == "事后申报"
        with pytest.raises(Conflict):
            run(one, "confirm")
        key = one.id
    with house.acting("yuan-a"):
        run(fetch(Closure, key), "confirm")
    with house.acting("suo-a"):
        one = fetch(Closure, key)
        with pytest.raises(Invalid):
            run(one, "reopen", date_to=clock.today() + timedelta(days=31))
        one = current_session().get_one(Closure, one.id)
        assert run(one, "reopen", date_to=clock.today()).date_to == clock.today()


# -- trainings and examinations ---------------------------------------------------------------------------------------


def post_of(house: House) -> Appointment:
    own = select(Appointment).where(Appointment.office_id == house.offices[A], Appointment.role == "食品安全员")
    found = current_session().scalars(own.order_by(Appointment.id.desc())).unique().first()
    assert found is not None
    return found


def training(post: Appointment, **more: Any) -> Training:
    facts = {"enterprise": post.enterprise, "person": post.person, "date": clock.today(), "hours": Decimal("3.5"),
             "topic": "新规定", "kind": TrainingKind.INTERNAL}  # fmt: skip
    return Training(**(facts | more))


def exam(post: Appointment, score: int | None, **more: Any) -> Exam:
    facts = {"enterprise": post.enterprise, "person": post.person, "date": clock.today(), "role": post.role}
    return Exam(**(facts | {"score": None if score is None else Decimal(score)} | more))


def test_hours_of_a_training_are_counted_to_the_half_hour(house: House) -> None:
    with house.acting("suo-a"):
        key = save(training(post_of(house)), Verb.CREATE).id
        current_session().rollback()
        assert current_session().get_one(Training, key).hours == Decimal("3.5")


@pytest.mark.parametrize(
    ("more", "field"),
    [({"hours": Decimal(0)}, "hours"), ({"hours": Decimal(25)}, "hours"), ({"topic": ""}, "topic"),
     ({"date": 1}, "date"), ({"date": -3650}, "person")],
)  # fmt: skip
def test_a_training_that_can_not_have_been_is_refused(small: House, more: dict[str, Any], field: str) -> None:
    """A date is told in days from that of the test: the suite is collected before midnight and may run after it."""
    if "date" in more:
        more = more | {"date": clock.today() + timedelta(days=more["date"])}
    with small.acting("suo-a"):
        with pytest.raises(Refused) as refused:
            save(training(post_of(small), **more), Verb.CREATE)
        assert field in refused.value.fields


@pytest.mark.parametrize(
    ("score", "result"), [(90, ExamResult.PASSED), (89, ExamResult.FAILED), (None, ExamResult.ABSENT)]
)
def test_the_result_follows_from_the_bureaus_pass_mark(house: House, score: int | None, result: str) -> None:
    with house.acting("suo-a"):
        assert save(exam(post_of(house), score), Verb.CREATE).result == result


def test_without_a_confirmed_pass_mark_no_score_is_entered(house: House) -> None:
    with house.system() as session, unit_of_work(Verb.UPDATE):
        session.scalars(select(BureauSetting).where(BureauSetting.key == "exam.pass_mark")).one().state = "待确认"
    with house.acting("suo-a"), pytest.raises(Refused) as refused:
        save(exam(post_of(house), 95), Verb.CREATE)
    assert set(refused.value.fields) == {"score"}


def test_a_retake_is_the_same_persons_after_a_failure(house: House) -> None:
    with house.acting("suo-a"):
        post = post_of(house)
        failed = save(exam(post, 60, date=clock.today() - timedelta(days=9)), Verb.CREATE)
        again = save(exam(post, 50, retake_of=failed), Verb.CREATE)
        assert again.result == ExamResult.RETAKE_FAILED
        passed = save(exam(post, 95, retake_of=again), Verb.CREATE)
        assert passed.result == ExamResult.RETAKE_PASSED
        with pytest.raises(Refused) as refused:
            save(exam(post, 95, retake_of=passed), Verb.CREATE)
        assert set(refused.value.fields) == {"retake_of"}


def test_a_firm_enters_its_trainings_and_only_reads_examinations(house: House) -> None:
    with house.acting("firm-a"):
        firm_id = current_session().scalars(select(Enterprise.id)).first()
        own = select(Appointment).where(Appointment.enterprise_id == firm_id).order_by(Appointment.id)
        post = current_session().scalars(own).unique().first()
        assert post is not None
        assert save(training(post), Verb.CREATE).enterprise_id == firm_id
        assert all(not may(one, Verb.UPDATE) for one in current_session().scalars(select(Exam)).unique())


@pytest.mark.parametrize(
    ("key", "value"), [("exam.pass_mark", "abc"), ("exam.pass_mark", "101"), ("check.grace_days", "-1")]
)
def test_a_setting_that_is_a_number_holds_one(small: House, key: str, value: str) -> None:
    with small.system() as session:
        row = session.scalars(select(BureauSetting).where(BureauSetting.key == key)).one()
        with pytest.raises(Refused), unit_of_work(Verb.UPDATE):
            row.value = value
            save(row, Verb.UPDATE)


# -- moving to another station ----------------------------------------------------------------------------------------


def test_what_a_site_keeps_moves_with_it(house: House) -> None:
    kept = (DailyCheck, RiskList, Licence, Closure)
    with house.acting("firm-a"):
        site = current_session().scalars(select(Site)).unique().first()
        assert site is not None
        save(closure(site, 200, 210), Verb.CREATE)
        site_id, firm_id = site.id, site.enterprise_id
    with house.acting("suo-a"):
        post = (
            current_session().scalars(select(Appointment).where(Appointment.enterprise_id == firm_id)).unique().first()
        )
        assert post is not None
        save(training(post), Verb.CREATE)
        before = {
            cls: current_session().scalar(select(func.count(cls.id)).where(cls.site_id == site_id)) for cls in kept
        }
    assert all(before.values()), before
    with house.app.app_context():
        moved = transfer_site(site_id, house.offices[B], clock.today(), "辖区调整")
    assert all(moved[cls.__name__] >= before[cls] for cls in kept), moved
    assert moved["Training"] >= 1
    with house.acting("suo-b"):
        for cls in kept:
            rows = current_session().scalars(select(cls).where(cls.site_id == site_id)).unique().all()
            assert {row.office_id for row in rows} == {house.offices[B]}
            assert {row.made_office_id for row in rows} == {house.offices[A]}
