"""The day's record: by which edition, signed by whom, whole or not, late, transcribed, corrected, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core import clock
from app.core.access.fetch import may
from app.core.db import current_session
from app.core.errors import AccessRefused, Conflict, Forbidden, Invalid
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import CheckState, ItemResult
from app.models.check import CheckProblem, DailyCheck
from app.models.enterprise import Site
from app.models.personnel import Appointment, Person
from app.services.check import signers
from app.services.risk_list import daily_items, list_in_force
from tests.support.house import A, House


def own_site() -> Site:
    """The site of the firm in context."""
    return current_session().scalars(select(Site).order_by(Site.id)).unique().first()  # type: ignore[return-value]


def record(site: Site, day: date | None = None, **more: Any) -> DailyCheck:
    """A record in which all is met."""
    day = day or clock.today()
    edition = list_in_force(site, day)
    assert edition is not None
    row = DailyCheck(site=site, check_date=day, person=next(iter(signers(site, day)), None), **more)
    row.answers = {item.code: {"choice": ItemResult.MET} for item in daily_items(edition)}
    return row


@contextmanager
def on(day: date, hour: int = 9) -> Iterator[None]:
    """As on another day."""
    instant = datetime.combine(day, time(hour), clock.SHANGHAI)
    with clock.set_clock(lambda: instant):
        yield


def problems(error: Any) -> set[str]:
    return set(error.value.fields)


# -- a good day -------------------------------------------------------------------------------------------------------


def test_a_day_without_problems_is_a_record_and_says_zero_risk(house: House) -> None:
    with house.acting("firm-a"):
        row = run(save(record(own_site()), Verb.CREATE), "submit")
        assert (row.state, row.zero_risk, row.late, row.transcribed) == (CheckState.SUBMITTED, True, False, False)
        assert row.problems == [] and row.submitted_at is not None and row.post == "食品安全员"
        assert row.unit == own_site().name
        key = row.id
    with house.acting("suo-a"):
        seen = current_session().get_one(DailyCheck, key)
        assert seen.office_id == house.offices[A] and seen.enterprise_id == seen.site.enterprise_id
        assert str(seen.summary).startswith("符合")


def test_what_is_not_met_or_does_not_apply_gets_a_row_each_and_only_that(house: House) -> None:
    with house.acting("firm-a"):
        row = record(own_site(), reported_to="主要负责人")
        first, second = list(row.results)[:2]
        answers = row.answers
        answers[first] = {"choice": "不符合", "note": "有一箱过期", "measure": "已下架", "responsible": "店长"}
        answers[second] = {"choice": "不适用", "reason": "本店不经营"}
        row.answers = answers
        row = run(save(row, Verb.CREATE), "submit")
        assert [(one.code, one.result, one.note) for one in row.problems] == [
            (first, "不符合", "有一箱过期"), (second, "不适用", "本店不经营")
        ]  # fmt: skip
        assert row.problems[0].item.code == first and not row.zero_risk and row.reported_at is not None
        assert len(row.results) == len(daily_items(row.risk_list))
        assert row.answers[second] == {"choice": "不适用", "reason": "本店不经营"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"choice": "不符合", "note": "", "measure": "改"}, "存在的问题"),
        ({"choice": "不符合", "note": "坏", "measure": ""}, "防范措施"),
        ({"choice": "不适用", "reason": ""}, "不适用的理由"),
        ({"choice": ""}, "还没有选择"),
    ],
)
def test_a_record_is_whole_before_it_is_submitted(small: House, answer: dict[str, str], told: str) -> None:
    with small.acting("firm-a"):
        row = record(own_site(), reported_to="总监")
        code = next(iter(row.results))
        row.answers = row.answers | {code: answer}
        saved = save(row, Verb.CREATE)
        with pytest.raises(Invalid) as refused:
            run(saved, "submit")
        assert told in str(refused.value.fields[f"answers.{code}"])
        assert current_session().get_one(DailyCheck, saved.id).state == CheckState.DRAFT


def test_whom_a_problem_was_reported_to_is_asked(small: House) -> None:
    with small.acting("firm-a"):
        row = record(own_site())
        code = next(iter(row.results))
        row.answers = row.answers | {code: {"choice": "不符合", "note": "坏", "measure": "修"}}
        with pytest.raises(Invalid) as refused:
            run(save(row, Verb.CREATE), "submit")
        assert problems(refused) == {"reported_to"}


def test_items_the_list_does_not_have_and_endless_words_are_refused(small: House) -> None:
    with small.acting("firm-a"):
        row = record(own_site())
        code = next(iter(row.results))
        row.answers = row.answers | {"X99": {"choice": "符合"}, code: {"choice": "不符合", "note": "长" * 10_000}}
        with pytest.raises(Refused) as refused:
            save(row, Verb.CREATE)
        assert problems(refused) == {"answers", f"answers.{code}"}


# -- who --------------------------------------------------------------------------------------------------------------


def test_only_an_officer_or_director_in_office_that_day_may_be_the_inspector(house: House) -> None:
    with house.acting("firm-a") as access:
        principal = current_session().scalars(select(Person).where(Person.account_id == access.person.id)).one()
        row = record(own_site())
        row.person = principal
        with pytest.raises(Refused) as refused:
            save(row, Verb.CREATE)
        assert problems(refused) == {"person"}


def test_an_officer_who_left_yesterday_signs_nothing_today(house: House) -> None:
    with house.acting("suo-a"):
        site = current_session().get_one(Site, house.site_of(A))
        officer = next(iter(signers(site, clock.today())))
        with unit_of_work(Verb.UPDATE) as session:
            for post in session.scalars(select(Appointment).where(Appointment.person_id == officer.id)):
                post.date_to = clock.today() - timedelta(days=1)
        assert officer not in signers(site, clock.today())
        assert officer in signers(site, clock.today() - timedelta(days=1))


def test_the_station_reads_and_only_the_clerk_transcribes(house: House) -> None:
    site_id = house.site_of(A, skip=3)
    with house.acting("yuan-a"):
        with pytest.raises(AccessRefused):
            save(record(current_session().get_one(Site, site_id)), Verb.CREATE)
        current_session().rollback()
    with house.acting("neiqin-a"):
        row = run(save(record(current_session().get_one(Site, site_id)), Verb.CREATE), "submit")
        assert row.transcribed and "代录" in row.marks.text


def test_a_draft_is_finished_by_the_side_that_began_it(house: House) -> None:
    with house.acting("firm-a"):
        key = save(record(own_site()), Verb.CREATE).id
    with house.acting("neiqin-a"):
        draft = current_session().get_one(DailyCheck, key)
        with pytest.raises(Conflict):
            run(draft, "submit")
        draft = current_session().get_one(DailyCheck, key)
        with pytest.raises(Refused), unit_of_work(Verb.UPDATE):
            draft.reported_to = "别人"
            save(draft, Verb.UPDATE)


def test_another_firm_neither_sees_nor_fills(house: House) -> None:
    with house.acting("firm-a"):
        key, site_id = save(record(own_site()), Verb.CREATE).id, own_site().id
    with house.acting("firm-b"):
        assert current_session().get(DailyCheck, key) is None
        assert current_session().scalar(select(CheckProblem.id).where(CheckProblem.check_id == key)) is None
        assert current_session().get(Site, site_id) is None
    with house.acting("suo-b"):
        assert current_session().get(DailyCheck, key) is None


# -- when -------------------------------------------------------------------------------------------------------------


def test_yesterday_is_a_late_entry_and_says_why(house: House) -> None:
    yesterday = clock.today() - timedelta(days=1)
    with house.acting("firm-b"):
        site = own_site()
        for row in current_session().scalars(select(DailyCheck).where(DailyCheck.check_date == yesterday)):
            assert row.late and "补录" in row.marks.text
    with house.acting("neiqin-a"):
        site = current_session().get_one(Site, house.site_of(A, skip=4))
        row = save(record(site, yesterday), Verb.CREATE)
        with pytest.raises(Invalid) as refused:
            run(row, "submit")
        assert problems(refused) == {"late_reason"}


def test_a_firm_may_be_a_day_late_and_no_more(house: House) -> None:
    with house.acting("firm-a"):
        site = own_site()
        with pytest.raises(Refused) as refused:
            save(record(site, clock.today() - timedelta(days=10), late_reason="忘了"), Verb.CREATE)
        assert "补录期限" in str(refused.value.fields["check_date"])
        with pytest.raises(Refused) as refused:
            save(record(site, clock.today() + timedelta(days=1)), Verb.CREATE)
        assert "晚于今天" in str(refused.value.fields["check_date"])


def test_a_draft_left_until_tomorrow_is_late(house: House) -> None:
    today = clock.today()
    with house.acting("firm-a"):
        key = save(record(own_site()), Verb.CREATE).id
    with on(today + timedelta(days=1)), house.acting("firm-a"):
        row = current_session().get_one(DailyCheck, key)
        with pytest.raises(Invalid):
            run(row, "submit")
        row = current_session().get_one(DailyCheck, key)
        with unit_of_work(Verb.UPDATE):
            row.late_reason = "昨天停电"
            save(row, Verb.UPDATE)
        assert run(current_session().get_one(DailyCheck, key), "submit").late


def test_the_day_is_shanghais_whatever_the_device_says(house: House) -> None:
    late_evening = datetime(2026, 11, 24, 17, 0, tzinfo=clock.now().tzinfo)  # 01:00 of the 25th in Shanghai
    with clock.set_clock(lambda: late_evening), house.acting("firm-a"):
        row = save(record(own_site(), device_date=date(2020, 1, 1)), Verb.CREATE)
        assert row.check_date == date(2026, 11, 25) and row.device_date == date(2020, 1, 1)


# -- once a day -------------------------------------------------------------------------------------------------------


def test_one_record_a_site_and_day(house: House) -> None:
    with house.acting("firm-a"):
        run(save(record(own_site()), Verb.CREATE), "submit")
        with pytest.raises(Refused) as refused:
            save(record(own_site()), Verb.CREATE)
        assert problems(refused) == {"check_date"}


def test_the_database_itself_keeps_one_live_record(house: House) -> None:
    with house.acting("firm-a"):
        row = run(save(record(own_site()), Verb.CREATE), "submit")
        facts = (row.site_id, row.check_date, row.person_id, row.risk_list_id)
    with house.system() as session, pytest.raises(IntegrityError), unit_of_work(Verb.CREATE):
        site_id, day, person_id, list_id = facts
        site = session.get_one(Site, site_id)
        session.add(DailyCheck(site=site, check_date=day, person_id=person_id, risk_list_id=list_id,
                               state=CheckState.SUBMITTED))  # fmt: skip
        session.flush()


def test_a_submitted_record_is_nobodys_to_change_or_delete(house: House) -> None:
    with house.acting("firm-a"):
        key = run(save(record(own_site()), Verb.CREATE), "submit").id
    for username in ("firm-a", "suo-a", "neiqin-a", "ju"):
        with house.acting(username):
            row = current_session().get_one(DailyCheck, key)
            assert not may(row, Verb.UPDATE) and not may(row, Verb.DELETE)
            with pytest.raises(AccessRefused), unit_of_work(Verb.UPDATE) as session:
                row.results = {}
                session.flush()
            current_session().rollback()


def test_a_mistake_is_corrected_by_a_second_record_and_the_first_stays(house: House) -> None:
    with house.acting("firm-a"):
        old = run(save(record(own_site()), Verb.CREATE), "submit")
        new = record(own_site(), corrects=old, reported_to="总监")
        code = next(iter(new.results))
        new.answers = new.answers | {code: {"choice": "不符合", "note": "漏写", "measure": "补上"}}
        saved = save(new, Verb.CREATE)
        with pytest.raises(Invalid) as refused:
            run(saved, "submit")
        assert problems(refused) == {"late_reason"}
        saved = current_session().get_one(DailyCheck, saved.id)
        with unit_of_work(Verb.UPDATE):
            saved.late_reason = "看错了"
            save(saved, Verb.UPDATE)
        run(current_session().get_one(DailyCheck, saved.id), "submit")
        states = dict(current_session().execute(
            select(DailyCheck.id, DailyCheck.state).where(DailyCheck.check_date == clock.today())
        ).all())  # fmt: skip
        assert states == {old.id: CheckState.CORRECTED, saved.id: CheckState.SUBMITTED}
        assert not current_session().get_one(DailyCheck, saved.id).late, "the first was on time, and so is the day"
        with pytest.raises(Refused):
            save(record(own_site(), corrects=current_session().get_one(DailyCheck, old.id)), Verb.CREATE)


def test_the_station_takes_a_record_back_with_a_reason_and_the_day_is_open_again(house: House) -> None:
    with house.acting("firm-a"):
        key = run(save(record(own_site()), Verb.CREATE), "submit").id
    with house.acting("neiqin-a"), pytest.raises(Forbidden):
        run(current_session().get_one(DailyCheck, key), "withdraw", reason="不实")
    with house.acting("suo-a"):
        with pytest.raises(Invalid):
            run(current_session().get_one(DailyCheck, key), "withdraw")
        run(current_session().get_one(DailyCheck, key), "withdraw", reason="现场核实与记录不符")
    with house.acting("firm-a"):
        assert current_session().get_one(DailyCheck, key).state == CheckState.WITHDRAWN
        again = run(save(record(own_site()), Verb.CREATE), "submit")
        assert again.state == CheckState.SUBMITTED


def test_a_draft_may_be_deleted_by_its_firm(house: House) -> None:
    with house.acting("firm-a"):
        row = record(own_site())
        code = next(iter(row.results))
        row.answers = row.answers | {code: {"choice": "不适用", "reason": "无"}}
        key = save(row, Verb.CREATE).id
        with unit_of_work(Verb.DELETE) as session:
            session.delete(session.get_one(DailyCheck, key))
        assert current_session().get(DailyCheck, key) is None
