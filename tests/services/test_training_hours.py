"""Who lacks how many of the forty hours; retakes are a chain with a mark of the post; which papers a firm lacks."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from app.core import clock
from app.core.db import current_session
from app.core.saving import Refused, save
from app.core.setting import BureauSetting
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import AppointmentRole, ExamResult, TrainingKind
from app.data.people import PolicyKind, PolicyState
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment, Person
from app.models.policy_document import PolicyDocument
from app.models.training import Exam, Training
from app.services import policy_document
from app.services.training_hours import Wanted, hours, size, waiting_retakes
from tests.support.house import House

OFFICER = AppointmentRole.OFFICER
THIS = clock.today().year


def post(house: House, who: str, name: str, begins: date) -> int:
    """Somebody in post at a firm of whoever enters him."""
    with house.acting(who), unit_of_work(Verb.CREATE) as session:
        firm = session.scalars(select(Enterprise).order_by(Enterprise.id)).unique().first()
        person = save(Person(name=name), Verb.CREATE)
        save(Appointment(person=person, enterprise=firm, role=OFFICER, date_from=begins), Verb.CREATE)
        return person.id


def taught(house: House, who: str, person: int, amount: float, day: date | None = None) -> None:
    with house.acting(who), unit_of_work(Verb.CREATE) as session:
        firm = session.scalars(select(Enterprise).order_by(Enterprise.id)).unique().first()
        save(Training(person=session.get_one(Person, person), enterprise=firm, date=day or clock.today(),
                      hours=Decimal(str(amount)), topic="法规", kind=TrainingKind.INTERNAL), Verb.CREATE)  # fmt: skip


def confirm(house: House, key: str, value: str) -> None:
    """The bureau decides."""
    with house.system() as session:
        stood = session.scalars(select(BureauSetting).where(BureauSetting.key == key)).one()
        one, state = stood.id, stood.state
    if state == "已确认":
        with house.acting("ju"):
            run(current_session().get_one(BureauSetting, one), "reopen", reason="改")
    with house.acting("fagui"), unit_of_work(Verb.UPDATE) as session:
        row = session.get_one(BureauSetting, one)
        row.value = value
        save(row, Verb.UPDATE)
    with house.acting("ju"):
        run(current_session().get_one(BureauSetting, one), "confirm")


def year_of(house: House, who: str, person: int, **more: Any) -> Any:
    with house.acting(who):
        found = hours(Wanted(THIS, lacking=False, **more))
        return next((one for one in found if one.id == person), None)


def test_forty_hours_less_what_was_learnt_this_year(house: House) -> None:
    person = post(house, "neiqin-a", "学员甲", date(THIS - 2, 1, 1))
    taught(house, "neiqin-a", person, 10.5)
    taught(house, "neiqin-a", person, 8, date(THIS - 1, 6, 1))
    one = year_of(house, "suo-a", person)
    assert (one.due, one.done, one.lacks) == (40, 10.5, 29.5)
    for _day in range(3):
        taught(house, "neiqin-a", person, 10)
    assert year_of(house, "suo-a", person).lacks == 0
    with house.acting("suo-a"):
        assert person not in {one.id for one in hours(Wanted(THIS))}
        assert size(Wanted(THIS)) == len(hours(Wanted(THIS)))
        order = [one.lacks for one in hours(Wanted(THIS))]
        assert order == sorted(order, reverse=True)
    assert year_of(house, "suo-b", person) is None  # the other station's people are not even counted


def test_a_part_of_the_year_owes_a_part_once_the_bureau_says_so(house: House) -> None:
    begins = clock.today() - timedelta(days=9)
    person = post(house, "neiqin-a", "新来的", begins)
    confirm(house, "training.part_year", "0")
    assert year_of(house, "suo-a", person).due == 40
    confirm(house, "training.part_year", "1")
    confirm(house, "training.hours", "60")
    left = (date(THIS, 12, 31) - begins).days + 1
    days = (date(THIS, 12, 31) - date(THIS, 1, 1)).days + 1
    assert year_of(house, "suo-a", person).due == round(60 * left / days, 1)


def test_the_page_and_its_workbook_say_the_same(small: House) -> None:
    person = post(small, "neiqin-a", "学员乙", date(THIS - 1, 1, 1))
    taught(small, "neiqin-a", person, 1.5)
    client = small.client("suo-a")
    page = client.get("/training-hours/").get_data(as_text=True)
    assert "学员乙" in page and "38.5" in page
    answer = client.post("/training-hours/export")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))
    assert any(row[0] == "学员乙" and float(row[4]) == 38.5 for row in rows)
    assert "学员乙" not in small.client("suo-b").get("/training-hours/?who=all").get_data(as_text=True)
    assert "学员乙" not in small.client("firm-b").get("/training-hours/?who=all").get_data(as_text=True)
    assert small.client("firm-a").post("/training-hours/export").status_code == 403
    assert small.client("admin").get("/training-hours/").status_code == 403


@pytest.mark.parametrize("bad", ["year=x", "year=9999", "year=1", "office=999999", "who=some", "page=x"])
def test_nonsense_is_refused(small: House, bad: str) -> None:
    assert small.client("suo-a").get(f"/training-hours/?{bad}").status_code in {400, 404, 422}


def exam(house: House, person: int, score: int | None, retake_of: int | None = None) -> Exam:
    with house.acting("neiqin-a"), unit_of_work(Verb.CREATE) as session:
        firm = session.scalars(select(Enterprise).order_by(Enterprise.id)).unique().first()
        first = session.get_one(Exam, retake_of) if retake_of else None
        one = Exam(person=session.get_one(Person, person), enterprise=firm, role=OFFICER, date=clock.today(),
                   score=None if score is None else Decimal(score), retake_of=first)  # fmt: skip
        save(one, Verb.CREATE)
        session.refresh(one)
        session.expunge(one)
        return one


def test_attempts_are_a_chain_under_the_mark_of_the_post(house: House) -> None:
    person = post(house, "neiqin-a", "考生", date(THIS - 1, 1, 1))
    confirm(house, "exam.pass_mark", "90")
    first = exam(house, person, 80)
    assert (first.result, first.attempt, first.pass_mark) == (ExamResult.FAILED, 1, 90)
    with house.acting("suo-a"):
        assert first.id in {one.id for one in waiting_retakes(50)}
    assert "考生" in house.client("suo-a").get("/training-hours/?which=retakes").get_data(as_text=True)
    confirm(house, "exam.pass_mark.officer", "60")
    second = exam(house, person, 50, first.id)
    assert (second.result, second.attempt, second.pass_mark) == (ExamResult.RETAKE_FAILED, 2, 60)
    with pytest.raises(Refused) as refused:
        exam(house, person, 99, first.id)
    assert set(refused.value.fields) == {"retake_of"}
    third = exam(house, person, 60, second.id)
    assert (third.result, third.attempt) == (ExamResult.RETAKE_PASSED, 3)
    with house.acting("suo-a"):
        assert not {first.id, second.id} & {one.id for one in waiting_retakes(50)}


# -- 制度档案 ----------------------------------------------------------------------------------------------------------


def paper(house: House, who: str, kind: str, state: str = PolicyState.SIGNED, **more: Any) -> int:
    with house.acting(who), unit_of_work(Verb.CREATE) as session:
        firm = session.scalars(select(Enterprise).order_by(Enterprise.id)).unique().first()
        facts = {"made_on": None if state == PolicyState.NONE else clock.today()} | more
        return save(PolicyDocument(enterprise=firm, kind=kind, state=state, **facts), Verb.CREATE).id


def gaps(house: House, who: str, kind: str = "") -> dict[str, list[str]]:
    with house.acting(who):
        found = policy_document.lacking(policy_document.Wanted(kind=kind))
        assert policy_document.size(policy_document.Wanted(kind=kind)) == len(found)
        return {one.name: one.kinds for one in found}


def test_a_firm_lacks_what_it_has_not_told_and_what_it_says_it_has_not(house: House) -> None:
    with house.acting("firm-a"):
        name = str(current_session().scalars(select(Enterprise.name).order_by(Enterprise.id)).first())
    every = [kind.value for kind in PolicyKind]
    with house.system() as session, unit_of_work(Verb.DELETE):
        for old in session.scalars(select(PolicyDocument)).unique():  # what the demo has
            session.delete(old)
    assert gaps(house, "suo-a")[name] == every == gaps(house, "firm-a")[name]
    assert name not in gaps(house, "suo-b")
    paper(house, "firm-a", PolicyKind.RISKS)
    paper(house, "firm-a", PolicyKind.DUTY, PolicyState.NONE)
    assert gaps(house, "suo-a")[name] == [one for one in every if one != PolicyKind.RISKS]
    assert name not in gaps(house, "suo-a", PolicyKind.RISKS) and name in gaps(house, "suo-a", PolicyKind.DUTY)
    with house.acting("firm-a"), unit_of_work(Verb.UPDATE) as session:
        row = session.scalars(select(PolicyDocument).where(PolicyDocument.kind == PolicyKind.DUTY)).one()
        row.state, row.made_on = PolicyState.WRITTEN, clock.today()
        save(row, Verb.UPDATE)
    for kind in PolicyKind:
        if kind not in {PolicyKind.RISKS, PolicyKind.DUTY}:
            paper(house, "firm-a", kind)
    assert name not in gaps(house, "suo-a")


@pytest.mark.parametrize(
    ("field", "state", "day"),
    [("made_on", PolicyState.SIGNED, None), ("made_on", PolicyState.NONE, 0), ("made_on", PolicyState.WRITTEN, 1),
     ("state", "丢了", 0)],
)  # fmt: skip
def test_a_paper_that_contradicts_itself_is_refused(small: House, field: str, state: str, day: int | None) -> None:
    made_on = None if day is None else clock.today() + timedelta(days=day)
    with pytest.raises(Refused) as refused:
        paper(small, "firm-a", PolicyKind.SYSTEM, state, made_on=made_on)
    assert field in refused.value.fields


def test_a_paper_is_entered_once_and_by_its_own_side_only(small: House) -> None:
    one = paper(small, "firm-a", PolicyKind.SYSTEM)
    with pytest.raises(Refused) as refused:
        paper(small, "firm-a", PolicyKind.SYSTEM)
    assert set(refused.value.fields) == {"kind"}
    for who in ("suo-b", "firm-b"):
        assert small.client(who).get(f"/policy-documents/{one}").status_code == 404
    page = small.client("suo-a").get("/policy-gaps/").get_data(as_text=True)
    assert "制度缺项" in page
    assert small.client("suo-a").post("/policy-gaps/export").status_code == 200
    assert small.client("suo-a").get("/policy-gaps/?kind=x").status_code in {400, 422}
    with small.system() as session:
        firm = session.get_one(PolicyDocument, one).enterprise_id
    assert "食品安全管理制度" in small.client("firm-a").get(f"/enterprises/{firm}").get_data(as_text=True)
