"""从业禁止: found by the identity card, refuses a post, shows one that is held; no other office's rows are told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.access.fetch import may
from app.core.codes import make_id_card
from app.core.db import current_session
from app.core.errors import Forbidden
from app.core.saving import EVERYTHING, Refused, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import AppointmentRole
from app.data.people import BanKind, ManagerAbility
from app.models.enterprise import Enterprise
from app.models.personnel import Appointment, AppointmentAbility, Ban, Person
from tests.support.house import House

CARD = make_id_card(date(1980, 5, 6), 7)
TODAY = clock.today


def enter(house: House, who: str, name: str = "包文强", card: str | None = CARD) -> int:
    """A person whom somebody enters."""
    with house.acting(who):
        return save(Person(name=name, id_card=card), Verb.CREATE).id


def ban(house: House, who: str, person: int, **more: Any) -> int:
    facts: dict[str, Any] = {"kind": BanKind.FIVE_YEARS, "basis": "食品安全法第一百三十五条第一款",
                             "decision": "奈市监罚〔2026〕7号", "date_from": TODAY() - timedelta(days=1)}  # fmt: skip
    with house.acting(who), unit_of_work(Verb.CREATE) as session:
        one = Ban(person=session.get_one(Person, person), **(facts | more))
        return save(one, Verb.CREATE, accepted=EVERYTHING).id


def appoint(house: House, who: str, person: int, *, firm: int | None = None, **more: Any) -> int:
    facts: dict[str, Any] = {"role": AppointmentRole.OFFICER, "date_from": TODAY()} | more
    with house.acting(who), unit_of_work(Verb.CREATE) as session:
        firms = session.scalars(select(Enterprise).order_by(Enterprise.id)).unique().all()
        enterprise = firms[0] if firm is None else session.get_one(Enterprise, firm)
        post = Appointment(person=session.get_one(Person, person), enterprise=enterprise, **facts)
        return save(post, Verb.CREATE).id


def test_a_ban_refuses_a_post_at_every_office_by_the_identity_card(house: House) -> None:
    ban(house, "suo-b", enter(house, "suo-b"))
    here = enter(house, "neiqin-a", "包 文强")  # entered once more, at the other station
    with pytest.raises(Refused) as refused:
        appoint(house, "neiqin-a", here)
    assert "禁止从业至" in refused.value.fields["person"]
    with house.acting("neiqin-a"):
        others = select(Ban).where(Ban.decision == "奈市监罚〔2026〕7号")
        assert current_session().scalars(others).unique().all() == []  # the other station's row stays there


@pytest.mark.parametrize(
    ("begins", "ends", "refused"),
    [(-4000, -3000, False), (-20, -10, False), (-20, -9, True), (0, None, True), (5 * 366, None, False)],
)
def test_only_the_days_of_the_ban_are_closed(small: House, begins: int, ends: int | None, refused: bool) -> None:
    person = enter(small, "suo-a")
    ban(small, "suo-a", person, date_from=TODAY() - timedelta(days=9))
    days = {"date_from": TODAY() + timedelta(days=begins),
            "date_to": None if ends is None else TODAY() + timedelta(days=ends)}  # fmt: skip
    if refused:
        with pytest.raises(Refused):
            appoint(small, "suo-a", person, **days)
    else:
        assert appoint(small, "suo-a", person, **days)


def test_five_years_end_on_their_day_and_a_life_never_does(small: House) -> None:
    person = enter(small, "suo-a")
    appoint(small, "suo-a", person)
    five = ban(small, "fagui", person, date_from=date(2024, 2, 29))
    life = ban(small, "fagui", person, kind=BanKind.LIFE, decision="（2026）内0525刑初9号")
    with small.acting("suo-a"):
        assert current_session().get_one(Ban, five).date_to == date(2029, 2, 28)
        assert current_session().get_one(Ban, life).date_to is None
        told = current_session().get_one(Person, person).ban
        assert told is not None and told.text == "禁止从业终身"
    with pytest.raises(Refused) as refused:
        ban(small, "fagui", person, kind=BanKind.LIFE, date_to=date(2040, 1, 1))
    assert set(refused.value.fields) == {"date_to"}


def test_who_holds_a_post_already_is_shown_to_be_ended_and_can_be(house: House) -> None:
    person = enter(house, "neiqin-a")
    post = appoint(house, "neiqin-a", person, date_from=TODAY() - timedelta(days=200))
    ban(house, "suo-b", enter(house, "suo-b"))
    client = house.client("suo-a")
    home = client.get("/").get_data(as_text=True)
    assert "被禁止从业的人在任" in home and f"/appointments/{post}" in home
    assert "应予解除" in client.get(f"/appointments/{post}").get_data(as_text=True)
    assert "应予解除" in client.get("/appointments/").get_data(as_text=True)
    assert "被禁止从业的人在任" not in house.client("suo-b").get("/").get_data(as_text=True)
    with house.acting("neiqin-a"), unit_of_work(Verb.UPDATE) as session:
        row = session.get_one(Appointment, post)
        row.date_to = TODAY() - timedelta(days=1)
        save(row, Verb.UPDATE)
    assert "被禁止从业的人在任" not in house.client("suo-a").get("/").get_data(as_text=True)
    with house.acting("neiqin-a"), pytest.raises(Refused), unit_of_work(Verb.UPDATE) as session:
        row = session.get_one(Appointment, post)
        row.date_to = None
        save(row, Verb.UPDATE)


def test_a_ban_set_aside_closes_nothing(house: House) -> None:
    person = enter(house, "neiqin-a")
    one = ban(house, "neiqin-a", person)
    with house.acting("neiqin-a"), pytest.raises(Forbidden):
        run(current_session().get_one(Ban, one), "revoke", reason="登记有误")
    with house.acting("suo-a"):
        run(current_session().get_one(Ban, one), "revoke", reason="处罚决定被撤销")
    assert appoint(house, "neiqin-a", person)


def test_the_firm_sees_no_ban_but_that_the_post_must_end(small: House) -> None:
    with small.acting("firm-a"):
        firm = current_session().scalars(select(Enterprise.id).order_by(Enterprise.id)).first()
    person = enter(small, "suo-a", card=None)
    post = appoint(small, "suo-a", person, firm=firm)
    one = ban(small, "suo-a", person)
    client = small.client("firm-a")
    assert {client.get(url).status_code for url in ("/bans/", f"/bans/{one}", "/bans/99999")} == {403}
    page = client.get(f"/people/{person}").get_data(as_text=True)
    assert "奈市监罚" not in page and "还没有从业禁止" not in page
    assert "应予解除" in client.get(f"/appointments/{post}").get_data(as_text=True)
    assert small.client("suo-b").get(f"/bans/{one}").status_code == 404


def test_other_posts_are_shown_within_reach_only(small: House) -> None:
    person = enter(small, "suo-a")
    first = appoint(small, "suo-a", person)
    with small.system() as session, unit_of_work(Verb.CREATE):
        other = session.scalars(select(Enterprise).where(Enterprise.office_id == small.offices["150525-S02"])).first()
        assert other is not None
        name = other.name
        session.add(Appointment(person=session.get_one(Person, person), enterprise=other, document="乙所任命",
                                role=AppointmentRole.DIRECTOR, date_from=TODAY()))  # fmt: skip
    page = small.client("suo-a").get(f"/appointments/{first}").get_data(as_text=True)
    assert "这个人的其他任职" in page and name not in page
    assert name in small.client("ju").get(f"/appointments/{first}").get_data(as_text=True)


def test_abilities_are_told_with_evidence_and_each_once(small: House) -> None:
    post = appoint(small, "suo-a", enter(small, "suo-a"))
    with small.acting("suo-a"), unit_of_work(Verb.UPDATE) as session:
        row = session.get_one(Appointment, post)
        assert row.employment == "兼职"
        row.abilities = [AppointmentAbility(ability=one, evidence="考核 92 分") for one in ManagerAbility]
        save(row, Verb.UPDATE)
    page = small.client("suo-a").get(f"/appointments/{post}").get_data(as_text=True)
    assert all(one.value in page for one in ManagerAbility)
    with small.acting("suo-a"), pytest.raises(Refused), unit_of_work(Verb.UPDATE) as session:
        row = session.get_one(Appointment, post)
        row.abilities = [AppointmentAbility(ability=ManagerAbility.LAW, evidence="")]
        save(row, Verb.UPDATE)
    with small.acting("suo-a"), pytest.raises(Refused) as refused, unit_of_work(Verb.UPDATE) as session:
        row = session.get_one(Appointment, post)
        row.abilities = [AppointmentAbility(ability=ManagerAbility.LAW, evidence="培训证") for _twice in "12"]
        save(row, Verb.UPDATE)
    assert set(refused.value.fields) == {"abilities.2.ability"}
    with small.acting("yuan-b"):
        assert not may(Appointment(id=post), Verb.READ)
