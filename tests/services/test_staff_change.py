"""A firm reports its people on a phone: 待核 until the station accepts; stand-ins are short and shown as such."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.codes import make_id_card
from app.core.db import current_session
from app.core.errors import Conflict, Forbidden, Taken
from app.core.saving import Refused, save
from app.core.signin.model import SignInSession
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import AppointmentRole
from app.data.people import BanKind, ChangeState
from app.models.check import DailyCheck, RiskList
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Ban, Person
from app.models.staff_change import StaffChange
from app.services.check import signers
from app.services.ledger import Wanted, Which, entries
from app.services.vacancy import vacancies
from tests.support import files
from tests.support.house import House

CARD = make_id_card(date(1985, 3, 2), 5)
OFFICER = AppointmentRole.OFFICER
TODAY = clock.today


def firm_of(house: House, who: str = "firm-a") -> int:
    with house.acting(who):
        return current_session().scalars(select(Enterprise.id).order_by(Enterprise.id)).all()[0]


def officer(house: House, begins: int = 100) -> int:
    """A 食品安全员 of firm-a's firm, who stands alone in that post."""
    firm = firm_of(house)
    with house.system() as session, unit_of_work(Verb.UPDATE):
        mine = select(Appointment).where(Appointment.enterprise_id == firm, Appointment.role == OFFICER)
        for one in session.scalars(mine).unique():
            one.role = AppointmentRole.PRINCIPAL
        enterprise = session.get_one(Enterprise, firm)
        post = Appointment(person=Person(name="前任员", office_id=enterprise.office_id), enterprise=enterprise,
                           role=OFFICER, date_from=TODAY() - timedelta(days=begins))  # fmt: skip
        session.add(post)
        session.flush()
        return post.id


def sent(house: House, *, photo: bool = True, button: str = "report", **facts: Any) -> Any:
    """What the firm's phone gets after it sent the form."""
    typed = {"kind": "任命", "role": "食品安全员", "date_from": TODAY().isoformat(), "name": "接任员", "id_card": CARD,
             "enterprise": str(firm_of(house)), "then": button, "document": "任命〔2026〕1号"} | facts  # fmt: skip
    data: dict[str, Any] = {name: value for name, value in typed.items() if value != ""}
    if photo:
        data["photo"] = [(BytesIO(files.jpeg()), "任命书.jpg")]
    return house.client("firm-a").post("/staff-changes/add", data=data, content_type="multipart/form-data")


def key(answer: Any) -> int:
    assert answer.status_code == 302, answer.get_data(as_text=True)[-3000:]
    return int(answer.headers["Location"].rsplit("/", 1)[1])


def entry(house: House, who: str = "suo-a", day: date | None = None) -> Any:
    firm = firm_of(house)
    with house.acting(who):
        asked = (Wanted(which, day or TODAY()) for which in (Which.A, Which.B))
        return next(one for wanted in asked for one in entries(wanted) if one.id == firm)


def test_a_reported_officer_is_shown_as_reported_and_counts_only_when_accepted(house: House) -> None:
    firm, post = firm_of(house), officer(house)
    with house.acting("neiqin-a"), unit_of_work(Verb.UPDATE) as session:
        row = session.get_one(Appointment, post)
        row.date_to = TODAY() - timedelta(days=4)
        save(row, Verb.UPDATE)
    one = key(sent(house))
    assert entry(house).gap == ["未配安全员（空缺 4 天），已报待核：接任员"]
    client = house.client("suo-a")
    assert "待核的人员变动" in client.get("/").get_data(as_text=True)
    page = client.get(f"/enterprises/{firm}").get_data(as_text=True)
    assert "已报待核" in page and "空缺 4 天" in page
    day, tomorrow = TODAY(), clock.now() + timedelta(days=1)
    with clock.set_clock(lambda: tomorrow), house.acting("neiqin-a"):
        run(current_session().get_one(StaffChange, one), "accept")
        posts = select(Appointment).where(Appointment.enterprise_id == firm, Appointment.role == OFFICER)
        made = current_session().scalars(posts.order_by(Appointment.id)).unique().all()[-1]
        assert (made.person.name, made.date_from, made.stand_in) == ("接任员", day, False)
        assert made.person.id_card == CARD
    with clock.set_clock(lambda: tomorrow):
        assert entry(house).gap == []
        assert entry(house, day=day).reported == {OFFICER: ["接任员"]}  # as it stood at the end of the day


def test_the_predecessors_post_and_access_end_and_drafts_go_over(house: House) -> None:
    old = officer(house)
    with house.system() as session, unit_of_work(Verb.UPDATE):
        post = session.get_one(Appointment, old)
        post.person.account_id = house.accounts["firm-b"]  # an account to be signed out
        for other in session.scalars(select(Appointment).join(Person).where(
            Person.account_id == house.accounts["firm-b"], Appointment.id != old)).unique():  # fmt: skip
            session.delete(other)
    client = house.client("firm-b")
    assert client.get("/").status_code == 200
    with house.system() as session, unit_of_work(Verb.CREATE):
        post = session.get_one(Appointment, old)
        site = session.scalars(select(Site).where(Site.enterprise_id == post.enterprise_id)).first()
        edition = session.scalars(select(RiskList)).first()
        assert site is not None and edition is not None
        days = [TODAY(), TODAY() - timedelta(days=1)]
        for old_one in session.scalars(select(DailyCheck).where(DailyCheck.site_id == site.id)).unique():
            session.delete(old_one)
        session.flush()
        drafts = [DailyCheck(site=site, check_date=day, person=post.person, risk_list=edition, unit=site.name,
                             results={}, post=OFFICER) for day in days]  # fmt: skip
        session.add_all(drafts)
        session.flush()
        keys = [draft.id for draft in drafts]
    one = key(sent(house, predecessor=str(old)))
    with house.acting("suo-a"):
        row = run(current_session().get_one(StaffChange, one), "accept")
        assert row.passed == 1
        assert current_session().get_one(Appointment, old).date_to == TODAY() - timedelta(days=1)
        names = [current_session().get_one(DailyCheck, draft).person.name for draft in keys]
        assert names == ["接任员", "前任员"]  # yesterday's is for nobody else to sign
    assert client.get("/").status_code == 302
    with house.system() as session:
        over = (SignInSession.account_id == house.accounts["firm-b"], SignInSession.ended_at.is_not(None))
        told = session.scalars(select(SignInSession.ending).where(*over)).all()
        assert "企业任职终止" in told


def test_the_station_returns_with_a_reason_and_the_firm_reports_again(house: House) -> None:
    one = key(sent(house))
    with house.acting("suo-a"):
        run(current_session().get_one(StaffChange, one), "return", reason="任命书没有签字")
        with pytest.raises(Taken):
            run(current_session().get_one(StaffChange, one), "accept")
    client = house.client("firm-a")
    assert "退回的人员变动" in client.get("/").get_data(as_text=True)
    assert "任命书没有签字" in client.get(f"/staff-changes/{one}").get_data(as_text=True)
    with house.acting("firm-a"):
        row = run(current_session().get_one(StaffChange, one), "report")
        assert row.state == ChangeState.REPORTED and row.decided_at is None
        with pytest.raises(Forbidden):
            run(row, "accept")


def test_a_report_without_the_signed_paper_is_refused_and_nothing_is_kept(small: House) -> None:
    answer = sent(small, photo=False)
    assert answer.status_code in {409, 422} and "任命书" in answer.get_data(as_text=True)
    with small.system() as session:
        assert session.scalars(select(StaffChange).where(StaffChange.name == "接任员")).all() == []


@pytest.mark.parametrize(
    ("field", "facts"),
    [("name", {"name": ""}), ("id_card", {"id_card": ""}), ("id_card", {"id_card": "150525198503020051"}),
     ("mobile", {"mobile": "123"}), ("date_to", {"date_to": "2999-01-01"}), ("predecessor", {"kind": "离任"}),
     ("name", {"name": "长" * 10_000}), ("date_to", {"kind": "临时代班"}),
     ("date_from", {"kind": "临时代班", "date_from": "2020-01-01", "date_to": "2020-01-02"})],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(small: House, field: str, facts: dict[str, str]) -> None:
    answer = sent(small, **facts)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'href="#{field}"' in page


def test_a_banned_person_cannot_be_reported(small: House) -> None:
    with small.acting("suo-b"), unit_of_work(Verb.CREATE):
        person = save(Person(name="乙所禁业", id_card=CARD), Verb.CREATE)
        save(Ban(person=person, kind=BanKind.LIFE, basis="食品安全法第一百三十五条第二款", decision="1",
                 date_from=TODAY()), Verb.CREATE)  # fmt: skip
    answer = sent(small)
    assert answer.status_code == 422
    assert "禁止从业终身" in answer.get_data(as_text=True) and "乙所禁业" not in answer.get_data(as_text=True)


def test_a_stand_in_begins_at_once_signs_and_does_not_fill_the_post(house: House) -> None:
    firm, post = firm_of(house), officer(house)
    last = TODAY() + timedelta(days=6)
    one = key(sent(house, kind="临时代班", date_to=last.isoformat(), photo=False))
    with house.acting("firm-a"):
        row = current_session().get_one(StaffChange, one)
        assert row.state == ChangeState.STANDING and row.term is not None and row.appointment is not None
        assert row.appointment.employment == "临时代班"
        site = current_session().scalars(select(Site).where(Site.enterprise_id == firm)).first()
        assert site is not None
        assert "接任员" in {person.name for person in signers(site, TODAY())}
        assert "接任员" not in {person.name for person in signers(site, last + timedelta(days=1))}
    with house.acting("neiqin-a"), unit_of_work(Verb.UPDATE) as session:
        gone = session.get_one(Appointment, post)
        gone.date_to = TODAY() - timedelta(days=1)
        save(gone, Verb.UPDATE)
    assert entry(house).named(OFFICER) == "未配备（代班：接任员）"
    with house.acting("suo-a"):
        assert OFFICER in vacancies([firm], TODAY())[firm]
        run(current_session().get_one(StaffChange, one), "end")
    with house.acting("suo-a"):
        ended = current_session().get_one(StaffChange, one)
        assert ended.appointment is not None and ended.appointment.date_to == TODAY()


def test_a_stand_in_is_no_longer_than_the_setting_however_it_is_cut(small: House) -> None:
    officer(small)
    begin = TODAY()
    long = sent(small, kind="临时代班", date_to=(begin + timedelta(days=7)).isoformat())
    assert long.status_code == 422 and "7" in long.get_data(as_text=True)
    key(sent(small, kind="临时代班", date_to=(begin + timedelta(days=6)).isoformat()))
    again = sent(small, kind="临时代班", date_from=(begin + timedelta(days=7)).isoformat(),
                 date_to=(begin + timedelta(days=8)).isoformat())  # fmt: skip
    assert again.status_code == 422
    key(sent(small, kind="临时代班", date_from=(begin + timedelta(days=8)).isoformat(),
             date_to=(begin + timedelta(days=9)).isoformat()))  # fmt: skip


def test_who_left_is_reported_without_a_successor(small: House) -> None:
    post = officer(small)
    one = key(sent(small, kind="离任", name="", id_card="", predecessor=str(post)))
    with small.acting("suo-a"):
        run(current_session().get_one(StaffChange, one), "accept")
        assert current_session().get_one(Appointment, post).date_to == TODAY() - timedelta(days=1)


def test_nobody_elses_reports_and_predecessors(small: House) -> None:
    one = key(sent(small))
    for who in ("suo-b", "firm-b"):
        assert small.client(who).get(f"/staff-changes/{one}").status_code == 404
        assert small.client(who).post(f"/staff-changes/{one}/do/accept", data={"version": "1"}).status_code == 404
    with small.system() as session:
        foreign = session.scalars(select(Appointment.id).where(
            Appointment.office_id == small.offices["150525-S02"])).first()  # fmt: skip
    answer = sent(small, predecessor=str(foreign))
    assert answer.status_code in {403, 404, 422}
    assert small.client("suo-a").post("/staff-changes/add", data={}).status_code == 403


def test_a_name_that_does_not_fit_the_identity_card_is_for_the_station_to_clear(small: House) -> None:
    with small.acting("neiqin-a"):
        save(Person(name="另一个名字", id_card=CARD), Verb.CREATE)
    one = key(sent(small))
    with small.acting("suo-a"), pytest.raises(Conflict):
        run(current_session().get_one(StaffChange, one), "accept")
    with small.acting("suo-a"):
        assert current_session().get_one(StaffChange, one).state == ChangeState.REPORTED
    with pytest.raises(Refused), small.acting("firm-a"), unit_of_work(Verb.CREATE) as session:
        firm = session.get_one(Enterprise, firm_of(small))
        save(StaffChange(enterprise=firm, kind="任命", role=OFFICER, date_from=TODAY()), Verb.CREATE)
