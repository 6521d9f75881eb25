"""落实自查表: sixteen points at joining and yearly, answered by the firm, confirmed or returned by the station."""

from __future__ import annotations

import hashlib
import threading
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app import data
from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import AccessRefused, Conflict, Forbidden, Invalid, Taken
from app.core.merging import Choice, merge
from app.core.saving import Refused, save
from app.core.setting import BureauSetting, SettingState
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.people import AssessmentState, Occasion, PointAnswer
from app.models.enterprise import Enterprise
from app.models.self_assessment import EDITION, SelfAssessment
from app.services.self_gaps import Owed, Wanted, owed, size, terms
from tests.support.house import House

DONE, NOT_DONE, NOT_APPLICABLE = (one.value for one in PointAnswer)
DIGEST = "dbc66804"  # of the first edition's words
THIS = clock.today().year


def firm_of(house: House, who: str = "firm-a") -> int:
    with house.acting(who):
        return current_session().scalars(select(Enterprise.id).order_by(Enterprise.id)).all()[0]


def answers(**others: dict[str, str]) -> dict[str, dict[str, str]]:
    """All sixteen points 已落实, but for those told as p5=…"""
    every = {one.code: {"choice": DONE} for one in data.self_points(EDITION)}
    return every | {name.removeprefix("p"): one for name, one in others.items()}


def written(
    house: House, who: str = "firm-a", occasion: str = Occasion.YEARLY, year: int = THIS,
    given: dict[str, dict[str, str]] | None = None,
) -> int:  # fmt: skip
    with house.acting(who):
        firm = current_session().scalars(select(Enterprise).order_by(Enterprise.id)).unique().first()
        row = SelfAssessment(enterprise=firm, occasion=occasion, year=year)
        row.answers = answers() if given is None else given
        return save(row, Verb.CREATE).id


def take(house: House, who: str, key: int, step: str, reason: str = "") -> None:
    with house.acting(who):
        run(fetch(SelfAssessment, key), step, reason=reason)


def state(house: House, key: int) -> str:
    with house.system() as session:
        return session.get_one(SelfAssessment, key).state


def posted(**more: str) -> dict[str, str]:
    """What a phone sends: every point 已落实 unless told otherwise."""
    every = {f"answers-{one.code}": DONE for one in data.self_points(EDITION)}
    return every | {"occasion": Occasion.YEARLY.value, "year": str(THIS), "then": "submit"} | more


# -- the points -------------------------------------------------------------------------------------------------------


def test_sixteen_points_in_our_words_with_a_source_only_where_one_was_found() -> None:
    points = data.self_points(EDITION)
    assert [one.code for one in points] == [str(number) for number in range(1, 17)]
    assert all(bool(one.basis) == one.tag.startswith("F:") and one.hint for one in points)
    assert {one.code for one in points if one.basis} == {"2", "5", "9", "10", "11", "12", "13", "15"}


def test_an_edition_that_was_answered_by_never_changes() -> None:
    told = "\n".join(f"{one.code} {one.text}" for one in data.self_points(1))
    assert hashlib.sha256(told.encode()).hexdigest()[:8] == DIGEST, "other words are another edition"


# -- filling in and judging -------------------------------------------------------------------------------------------


def test_a_firm_answers_on_its_phone_and_the_station_confirms(small: House) -> None:
    firm, client = firm_of(small), small.client("firm-a")
    page = client.get(f"/self-assessments/add?enterprise={firm}&year={THIS}").get_data(as_text=True)
    assert "看什么" in page and "系统记录：" in page and "依据：食品安全法第135条。" in page
    sent = posted(enterprise=str(firm)) | {"answers-5": NOT_DONE, "answers-16": ""}
    answer = client.post("/self-assessments/add", data=sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "请写明怎么改、什么时候完成。" in page and "还没有选择结果。" in page
    sent |= {"answers-16": NOT_APPLICABLE, "answers-16-reason": "没有被查过。"}
    sent |= {"answers-5-plan": "本月底前补上记录制度。"}
    answer = client.post("/self-assessments/add", data=sent)
    assert answer.status_code == 302, answer.get_data(as_text=True)[-2000:]
    key = int(answer.headers["Location"].rsplit("/", 1)[1])
    with small.acting("suo-a"):
        row = fetch(SelfAssessment, key)
        assert (row.state, row.not_done, row.edition) == (AssessmentState.SUBMITTED, 1, EDITION)
        assert row.notes == {"5": "本月底前补上记录制度。", "16": "没有被查过。"}
    station = small.client("suo-a")
    assert "待确认的落实自查表" in station.get("/").get_data(as_text=True)
    assert "本月底前补上记录制度。" in station.get(f"/self-assessments/{key}").get_data(as_text=True)
    assert "未落实 1" in station.get(f"/enterprises/{firm}").get_data(as_text=True)
    take(small, "suo-a", key, "confirm")
    for who in ("firm-a", "suo-a"):  # confirmed, it is closed
        assert small.client(who).post(f"/self-assessments/{key}/edit", data=posted()).status_code == 403
    with pytest.raises(AccessRefused):
        mend(small, key)


def mend(house: House, key: int, **points: dict[str, str]) -> None:
    with house.acting("firm-a"), unit_of_work(Verb.UPDATE):
        row = fetch(SelfAssessment, key)
        row.answers = answers(**points)
        save(row, Verb.UPDATE)


def test_only_a_whole_one_is_submitted_and_each_open_point_is_named(small: House) -> None:
    given = answers(p3={"choice": NOT_DONE}, p4={"choice": NOT_APPLICABLE, "reason": "\u200b "}, p7={"choice": ""})
    key = written(small, given=given)
    with pytest.raises(Invalid) as refused:
        take(small, "firm-a", key, "submit")
    assert set(refused.value.fields) == {"answers.3", "answers.4", "answers.7"}
    assert state(small, key) == AssessmentState.DRAFT


@pytest.mark.parametrize(
    ("given", "field"),
    [({"17": {"choice": DONE}}, "answers"), ({"3": {"choice": NOT_DONE, "plan": "改" * 301}}, "answers.3"),
     ({"3": {"choice": NOT_DONE, "plan": "改\ue000"}}, "answers.3")],
)  # fmt: skip
def test_what_no_point_asks_and_what_nobody_can_read_is_refused(small: House, given: Any, field: str) -> None:
    with pytest.raises(Refused) as refused:
        written(small, given=given)
    assert set(refused.value.fields) == {field}


def test_what_differs_is_said_in_words_and_the_firm_answers_again(small: House) -> None:
    key = written(small)
    take(small, "firm-a", key, "submit")
    with pytest.raises(Invalid):
        take(small, "neiqin-a", key, "return")
    with pytest.raises(Taken):
        take(small, "firm-a", key, "submit")  # the second click
    take(small, "neiqin-a", key, "return", "第 5 项与日检查记录不符。")
    page = small.client("firm-a").get(f"/self-assessments/{key}/edit").get_data(as_text=True)
    assert "监管所退回：第 5 项与日检查记录不符。" in page
    assert f"/self-assessments/{key}/edit" in small.client("firm-a").get("/").get_data(as_text=True)
    mend(small, key, p5={"choice": NOT_DONE, "plan": "补齐。"})
    take(small, "firm-a", key, "submit")
    take(small, "suo-a", key, "confirm")
    with small.acting("firm-a"):
        row = fetch(SelfAssessment, key)
        assert (row.not_done, row.differs, row.state) == (1, "", AssessmentState.CONFIRMED)


def test_the_firm_neither_confirms_nor_does_another_station_or_firm_see_it(small: House) -> None:
    key = written(small)
    take(small, "firm-a", key, "submit")
    for who, step in (("firm-a", "confirm"), ("ju", "confirm"), ("yuan-a", "submit")):
        with pytest.raises((Forbidden, Taken)):
            take(small, who, key, step)
    for who in ("suo-b", "firm-b"):
        assert small.client(who).get(f"/self-assessments/{key}").status_code == 404
    assert small.client("ju").get(f"/self-assessments/{key}").status_code == 200


# -- one a firm, occasion and year ------------------------------------------------------------------------------------


def test_there_is_one_until_it_is_voided(small: House) -> None:
    key = written(small)
    with pytest.raises(Refused) as refused:
        written(small)
    assert set(refused.value.fields) == {"occasion"}
    written(small, occasion=Occasion.JOINING)
    written(small, year=THIS - 1)
    for year in (THIS - 2, THIS + 1):
        with pytest.raises(Refused) as refused:
            written(small, year=year)
        assert set(refused.value.fields) == {"year"}
    take(small, "firm-a", key, "submit")
    take(small, "suo-a", key, "confirm")
    take(small, "suo-a", key, "void", "填成了另一家店的情况。")
    assert state(small, written(small)) == AssessmentState.DRAFT


def test_two_phones_at_once_make_one(house: House) -> None:
    ready, told = threading.Barrier(2), []

    def phone() -> None:
        ready.wait()
        try:
            written(house)
            told.append("made")
        except (Refused, Conflict):
            told.append("refused")

    phones = [threading.Thread(target=phone) for _ in range(2)]
    for one in phones:
        one.start()
    for one in phones:
        one.join()
    assert sorted(told) == ["made", "refused"]


def test_two_firms_that_become_one_keep_the_table_that_has_come_further(small: House) -> None:
    kept, gone = firm_of(small), firm_of(small, "firm-b")
    draft, sent = written(small), written(small, "firm-b")
    take(small, "firm-b", sent, "submit")
    with small.system() as session:
        rows = [session.get_one(Enterprise, key) for key in (kept, gone)]
        merge(*rows, Choice(frozenset(), frozenset(), "同一家", (rows[0].version, rows[1].version)))
    with small.system() as session:
        assert session.get_one(SelfAssessment, sent).enterprise_id == kept
    assert (state(small, draft), state(small, sent)) == (AssessmentState.VOID, AssessmentState.SUBMITTED)


# -- who owes one -----------------------------------------------------------------------------------------------------


def mine(house: House, who: str, firm: int, **wanted: Any) -> list[Owed]:
    with house.acting(who):
        found = owed(Wanted(**wanted), terms())
        assert size(Wanted(**wanted), terms()) == len(found)
        return [one for one in found if one.firm == firm]


def entered(house: House, firm: int, day: date) -> None:
    """As if the firm had been entered on a day."""
    moment = datetime.combine(day, time(1), clock.SHANGHAI)
    with house.app.app_context(), house.system() as session:
        session.connection().execute(
            update(Enterprise.__table__).where(Enterprise.__table__.c.id == firm).values(made_at=moment)
        )
        session.commit()


def test_a_firm_owes_one_for_joining_and_one_a_year_until_it_is_submitted(house: House) -> None:
    firm, day = firm_of(house), clock.today()
    entered(house, firm, day - timedelta(days=31))
    found = {one.occasion: one for one in mine(house, "suo-a", firm) if one.year == day.year}
    assert found[Occasion.JOINING].days_late == 1 and found[Occasion.YEARLY].due == date(day.year, 12, 31)
    assert found[Occasion.YEARLY].began is None
    key = written(house, occasion=Occasion.JOINING)
    assert mine(house, "suo-a", firm, joining=True)[0].began == (key, AssessmentState.DRAFT)
    assert "要填的落实自查表" in house.client("firm-a").get("/").get_data(as_text=True)
    take(house, "firm-a", key, "submit")
    assert not mine(house, "suo-a", firm, joining=True)
    take(house, "suo-a", key, "return", "不符")
    assert mine(house, "firm-a", firm, joining=True, late=True)[0].began == (key, AssessmentState.RETURNED)
    later = datetime.combine(date(day.year + 1, 1, 3), time(9), clock.SHANGHAI)
    with clock.set_clock(lambda: later):  # last year's is late, this year's has begun
        yearly = mine(house, "firm-a", firm, joining=False)
        assert [(one.year, one.days_late) for one in yearly] == [(day.year, 3), (day.year + 1, 0)]
        assert [one.year for one in mine(house, "firm-a", firm, year=day.year, late=True)] == [day.year]
        assert not mine(house, "firm-a", firm, year=day.year, late=False)


def test_who_came_after_the_day_owes_nothing_for_that_year_and_the_bureau_sets_the_days(small: House) -> None:
    firm, day = firm_of(small), clock.today()
    with small.system() as session, unit_of_work(Verb.UPDATE):
        for key, value in (("self.yearly_due", "1-31"), ("self.joining_days", "5")):
            row = session.scalars(select(BureauSetting).where(BureauSetting.key == key)).one()
            row.value, row.state = value, SettingState.CONFIRMED
    entered(small, firm, date(day.year, 2, 1))
    found = mine(small, "suo-a", firm)
    assert [(one.occasion, one.due) for one in found] == [(Occasion.JOINING, date(day.year, 2, 6))]
    entered(small, firm, date(day.year, 1, 31))
    assert [one.due for one in mine(small, "suo-a", firm, joining=False)] == [date(day.year, 1, 31)]
    with small.system() as session, pytest.raises(Refused), unit_of_work(Verb.UPDATE):
        row = session.scalars(select(BureauSetting).where(BureauSetting.key == "self.yearly_due")).one()
        row.state, row.value = SettingState.OPEN, "2-29"
        save(row, Verb.UPDATE)


def test_the_list_shows_a_station_its_own_firms_and_can_be_taken_along(small: House) -> None:
    firm = firm_of(small)
    assert not mine(small, "suo-b", firm) and mine(small, "suo-b", firm_of(small, "firm-b"))
    with small.system() as session, unit_of_work(Verb.UPDATE):
        session.get_one(Enterprise, firm).ended_on = clock.today()
    assert not mine(small, "suo-a", firm)
    client = small.client("suo-a")
    page = client.get("/self-assessment-gaps/?of=joining&when=open").get_data(as_text=True)
    assert "自查缺项" in page and "待做" in page and "未填" in page
    assert client.post(f"/self-assessment-gaps/export?of={THIS}").status_code == 200
    for wrong in ("of=1999", "when=x", "of=²", "office=999999"):
        assert client.get(f"/self-assessment-gaps/?{wrong}").status_code in {400, 422}
    with small.statements() as told:
        client.get("/self-assessment-gaps/")
    assert len(told) <= 10, told
