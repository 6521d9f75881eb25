"""Who reaches which row: coverage kinds, states, seal, assignment, write checks; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from app.core import clock
from app.core.access import fetch
from app.core.access.context import load
from app.core.access.explain import explain
from app.core.db import current_session, unscoped
from app.core.errors import AccessRefused, Forbidden, NoContext, NotFound
from app.core.office import AccessRole, Account, Assignment, Posting
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Finding, Inspection
from app.models.lines import Line
from app.models.personnel import Appointment, Person
from app.models.rectification import Correction, Notice
from app.services.enterprise import transfer_site
from tests.support.house import A, B, House


def offices_seen(model: Any = Enterprise) -> set[int]:
    return set(current_session().scalars(select(model.office_id)))


# -- coverage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["suo-a", "yuan-a", "neiqin-a"])
@pytest.mark.parametrize("model", [Enterprise, Site, Person, Appointment, Inspection, Notice])
def test_a_station_sees_its_own_rows_only(house: House, username: str, model: Any) -> None:
    with house.acting(username):
        assert offices_seen(model) == {house.offices[A]}


@pytest.mark.parametrize("username", ["ju", "fagui", "zhuanban"])
def test_leader_legal_section_and_task_force_see_every_station(house: House, username: str) -> None:
    with house.system():
        everywhere = offices_seen(Site)
    with house.acting(username):
        assert offices_seen(Site) == everywhere
        assert {house.offices[A], house.offices[B]} <= everywhere


def test_a_section_sees_its_line_in_all_stations(house: House) -> None:
    with house.acting("gu-canyin"):
        lines = set(current_session().scalars(select(Site.lines)))
        assert offices_seen(Site) >= {house.offices[A], house.offices[B]}
    assert lines and all(bits & Line.CATERING for bits in lines)
    with house.system() as session:
        assert session.scalar(select(Site.id).where(Site.lines.op("&")(int(Line.CATERING)) == 0).limit(1)) is not None


@pytest.mark.parametrize("username", ["admin", "shi", "audit"])
@pytest.mark.parametrize("model", [Enterprise, Site, Person, Inspection, Notice, Finding])
def test_administrator_city_and_auditor_see_no_business_row(house: House, username: str, model: Any) -> None:
    with house.acting(username):
        assert current_session().scalar(select(func.count(model.id))) == 0


def test_a_firm_sees_itself_and_its_people(house: House) -> None:
    with house.acting("firm-a"):
        session = current_session()
        firms = list(session.scalars(select(Enterprise)))
        people = set(session.scalars(select(Appointment.enterprise_id)))
    assert len(firms) >= 1
    assert people == {firm.id for firm in firms}
    assert {firm.office_id for firm in firms} == {house.offices[A]}


def test_a_firm_reads_a_notice_from_service_on(house: House) -> None:
    with house.system() as session, unit_of_work():
        notice = session.scalars(select(Notice).where(Notice.state == "已签发").limit(1)).one()
        person = session.scalars(select(Person).where(Person.account_id == house.accounts["firm-a"])).one()
        session.add(
            Appointment(
                person=person,
                enterprise_id=notice.enterprise_id,
                role="食品安全员",
                date_from=clock.today(),
                office_id=notice.office_id,
            )
        )
    with house.acting("firm-a"):
        assert current_session().get(Notice, notice.id) is None
    with house.system() as session, unit_of_work():
        session.get_one(Notice, notice.id).state = "已送达"
    with house.acting("firm-a"):
        assert current_session().get(Notice, notice.id) is not None
        assert list(current_session().scalars(select(Correction.notice_id).distinct())) == [notice.id]


def test_an_appointment_at_one_site_does_not_open_the_others(house: House) -> None:
    with house.system() as session, unit_of_work():
        person = session.scalars(select(Person).where(Person.account_id == house.accounts["firm-a"])).one()
        post = session.scalars(select(Appointment).where(Appointment.person_id == person.id)).first()
        assert post is not None
        first = session.scalars(select(Site).where(Site.enterprise_id == post.enterprise_id)).first()
        assert first is not None
        other = Site(enterprise_id=post.enterprise_id, name="分店", kind="小餐饮", lines=4, office_id=post.office_id)
        session.add(other)
        post.site_id = first.id
        session.flush()
        firm_id, first_id, other_id = post.enterprise_id, first.id, other.id
    with house.acting("firm-a"):
        session = current_session()
        assert session.get(Enterprise, firm_id) is not None
        assert session.get(Site, first_id) is not None
        assert session.get(Site, other_id) is None


def test_a_posting_ended_yesterday_gives_nothing_today(house: House) -> None:
    with house.system() as session, unit_of_work():
        posting = session.scalars(select(Posting).where(Posting.account_id == house.accounts["yuan-a"])).one()
        posting.date_to = clock.today() - timedelta(days=1)
    with house.acting("yuan-a") as access:
        assert not access.may("Enterprise", Verb.READ)
        assert current_session().scalar(select(func.count(Enterprise.id))) == 0


def test_chief_here_and_assistant_there_may_write_only_here(house: House) -> None:
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == "assistant")).one()
        session.add(
            Posting(
                account_id=house.accounts["suo-a"], office_id=house.offices[B], role_id=role.id, date_from=clock.today()
            )
        )
    here, there = house.site_of(A), house.site_of(B)
    with house.acting("suo-a"):
        assert fetch(Site, there).id == there
        assert fetch(Site, here, Verb.UPDATE).id == here
        with pytest.raises(Forbidden):
            fetch(Site, there, Verb.UPDATE)
        site = fetch(Site, there)
        with pytest.raises(AccessRefused), unit_of_work() as session:
            session.get_one(Site, site.id).name = "改名"


def test_assignment_lends_an_inspector_the_row_and_its_firm_until_it_ends(house: House) -> None:
    with house.system() as session, unit_of_work():
        visit = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[B]).limit(1)).one()
        loan = Assignment(
            account_id=house.accounts["yuan-a"],
            entity="Inspection",
            row_id=visit.id,
            site_id=visit.site_id,
            enterprise_id=visit.enterprise_id,
            date_from=clock.today(),
            date_to=clock.today(),
        )
        session.add(loan)
        session.flush()
        loan_id, visit_id, site_id = loan.id, visit.id, visit.site_id
    with house.acting("yuan-a"):
        session = current_session()
        assert session.get(Inspection, visit_id) is not None
        assert session.get(Site, site_id) is not None
        assert session.scalars(select(Finding).where(Finding.inspection_id == visit_id)).first() is not None
        with pytest.raises(Forbidden):
            fetch(Site, site_id, Verb.UPDATE)
        others = select(func.count(Inspection.id)).where(Inspection.office_id == house.offices[B])
        assert session.scalar(others) == 1
    with house.system() as session, unit_of_work():
        session.get_one(Assignment, loan_id).date_from = clock.today() - timedelta(days=2)
        session.get_one(Assignment, loan_id).date_to = clock.today() - timedelta(days=1)
    with house.acting("yuan-a"):
        assert current_session().get(Inspection, visit_id) is None


def test_a_sealed_inspection_is_seen_by_approver_and_assigned_only(house: House) -> None:
    with house.system() as session, unit_of_work():
        visit = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[A]).limit(1)).one()
        visit.sealed, visit.approver_id = True, house.accounts["ju"]
        session.add(
            Assignment(
                account_id=house.accounts["yuan-b"],
                entity="Inspection",
                row_id=visit.id,
                site_id=visit.site_id,
                date_from=clock.today(),
            )
        )
        visit_id = visit.id
    for username, seen in (("suo-a", False), ("fagui", False), ("ju", True), ("yuan-b", True)):
        with house.acting(username):
            assert (current_session().get(Inspection, visit_id) is not None) is seen, username
            parts = select(Finding).where(Finding.inspection_id == visit_id).limit(1)
            assert (current_session().scalars(parts).first() is not None) is seen, username


# -- every way of asking -----------------------------------------------------------------------------------------------


def test_no_way_of_reading_shows_another_stations_row(house: House) -> None:
    foreign = house.site_of(B)
    own = house.offices[A]
    other = aliased(Site)
    inner = select(Site.id, Site.office_id).subquery()
    with house.acting("yuan-a"):
        session = current_session()
        assert session.get(Site, foreign) is None
        for statement in (
            select(Site.office_id),
            select(other.office_id),
            select(inner.c.office_id),
            select(Site.office_id).union(select(other.office_id)),
            select(Site.office_id).join(Enterprise, Site.enterprise_id == Enterprise.id),
            select(Enterprise.office_id).where(Enterprise.sites.any()),
            select(func.max(Site.office_id)),
            select(select(func.max(Site.office_id)).scalar_subquery()),
            select(Site.office_id).group_by(Site.office_id),
        ):
            assert set(session.scalars(statement)) == {own}, statement
        for option in (joinedload(Enterprise.sites), selectinload(Enterprise.sites)):
            session.expunge_all()
            firms = session.scalars(select(Enterprise).options(option)).unique()
            assert {site.office_id for firm in firms for site in firm.sites} == {own}
        session.expunge_all()
        assert {site.office_id for firm in session.scalars(select(Enterprise)) for site in firm.sites} == {own}


def test_what_the_session_cannot_resolve_is_refused(house: House) -> None:
    with house.acting("yuan-a"):
        session = current_session()
        for statement in (
            select(Site.__table__),
            sa.text("SELECT name FROM site"),
            sa.update(Site).values(name="x"),
            sa.delete(Site),
            sa.insert(Site).values(name="x"),
            select(table_of_the_system()),
        ):
            with pytest.raises(AccessRefused):
                session.execute(statement)


def table_of_the_system() -> Any:
    from app.core.history import HistoryHead

    return HistoryHead


def test_without_a_person_nothing_is_read(house: House) -> None:
    with house.app.app_context(), pytest.raises(NoContext):
        current_session().scalars(select(Enterprise)).first()


def test_unscoped_has_a_session_of_its_own(house: House) -> None:
    foreign = house.site_of(B)
    with house.acting("yuan-a"):
        with unscoped("look") as session:
            assert session.get(Site, foreign) is not None
        assert current_session().get(Site, foreign) is None


def test_outsiders_get_404_and_readers_who_may_not_get_403(house: House) -> None:
    foreign, own = house.site_of(B), house.site_of(A)
    with house.acting("yuan-a"):
        with pytest.raises(NotFound):
            fetch(Site, foreign)
        with pytest.raises(NotFound):
            fetch(Site, 2**62)
        with pytest.raises(NotFound):
            fetch(Site, 2**70)
        assert fetch(Site, own, Verb.UPDATE)
        public = fetch(Site, own).public_id
        assert fetch(Site, public).id == own
    with house.acting("zhuanban"), pytest.raises(Forbidden):
        fetch(Site, own, Verb.UPDATE)


# -- writing ----------------------------------------------------------------------------------------------------------


def test_a_new_firm_belongs_to_the_makers_station(house: House) -> None:
    with house.acting("yuan-a") as access:
        firm = save(Enterprise(name="奈曼旗新来小吃店"), Verb.CREATE)
        assert (firm.office_id, firm.made_office_id) == (house.offices[A], house.offices[A])
        assert firm.made_by_id == access.person.id


def test_a_row_cannot_be_made_for_or_moved_to_another_office(house: House) -> None:
    site = house.site_of(A)
    with house.acting("yuan-a"):
        with pytest.raises(AccessRefused):
            save(Enterprise(name="奈曼旗移花店", office_id=house.offices[B]), Verb.CREATE)
        with pytest.raises(AccessRefused), unit_of_work() as session:
            session.get_one(Site, site).office_id = house.offices[B]
    with house.system() as session:
        assert session.get_one(Site, site).office_id == house.offices[A]


def test_a_row_cannot_point_at_a_parent_one_may_not_read(house: House) -> None:
    own, foreign = house.site_of(A), house.site_of(B)
    with house.system() as session:
        foreign_firm = session.get_one(Site, foreign).enterprise_id
    with house.acting("yuan-a"), pytest.raises(AccessRefused), unit_of_work() as session:
        session.get_one(Site, own).enterprise_id = foreign_firm
    with house.acting("yuan-a"), pytest.raises(AccessRefused):
        save(Site(enterprise_id=foreign_firm, name="偷放", kind="小餐饮", lines=4), Verb.CREATE)


def test_another_stations_row_or_part_cannot_be_changed_even_when_held_in_hand(house: House) -> None:
    with house.system() as session:
        draft = session.scalars(
            select(Notice).where(Notice.office_id == house.offices[B], Notice.state == "草稿")
        ).first()
        assert draft is not None
        part = draft.corrections[0]
        session.expunge_all()
    with house.acting("yuan-a"):
        for row, name in ((draft, "party"), (part, "fact")):
            with pytest.raises(AccessRefused), unit_of_work() as session:
                held = session.merge(row, load=False)
                setattr(held, name, "改")
            current_session().expunge_all()


def test_state_number_and_scope_are_not_for_plain_updates(house: House) -> None:
    with house.acting("yuan-a"):
        notice = current_session().scalars(select(Notice).where(Notice.state == "草稿")).first()
        assert notice is not None
        for name, value in (
            ("state", "已签发"),
            ("number", "奈市监责改〔2026〕99号"),
            ("office_id", house.offices[B]),
            ("drafter_id", house.accounts["ju"]),
            ("lines", 0),
        ):
            with pytest.raises(AccessRefused), unit_of_work() as session:
                setattr(session.get_one(Notice, notice.id), name, value)


def test_a_new_notice_starts_as_a_draft(house: House) -> None:
    site_id = house.site_of(A)
    with house.acting("yuan-a") as access, pytest.raises(AccessRefused):
        notice = Notice(
            site_id=site_id, party="某店", conduct="某事", immediate=True, state="已签发", drafter_id=access.person.id
        )
        save(notice, Verb.CREATE)


def test_signed_notices_are_not_editable_by_anybody(house: House) -> None:
    for username in ("yuan-a", "suo-a", "ju", "fagui"):
        with house.acting(username):
            notice = current_session().scalars(select(Notice).where(Notice.state == "已签发")).first()
            assert notice is not None
            with pytest.raises(AccessRefused), unit_of_work() as session:
                session.get_one(Notice, notice.id).conduct = "改写事实"


def test_a_column_the_role_may_only_read_is_refused_at_the_flush(house: House) -> None:
    with house.system() as session, unit_of_work():
        session.scalars(select(AccessRole).where(AccessRole.code == "inspector")).one().readonly = {
            "Site": ["risk_grade"]
        }
    site = house.site_of(A)
    with house.acting("yuan-a"):
        with pytest.raises(AccessRefused), unit_of_work() as session:
            session.get_one(Site, site).risk_grade = "D"
        with unit_of_work() as session:
            session.get_one(Site, site).name = "可以改名"


# -- transfer ---------------------------------------------------------------------------------------------------------


def test_a_transferred_site_moves_with_what_hangs_on_it_and_the_sum_stays(house: House) -> None:
    models = (Enterprise, Site, Inspection, Notice, Appointment)
    with house.system() as session:
        before = {model: session.scalar(select(func.count(model.id))) for model in models}
        notice = session.scalars(
            select(Notice).where(Notice.office_id == house.offices[A], Notice.state == "已签发")
        ).first()
        assert notice is not None
        site_id, notice_id = notice.site_id, notice.id
    with house.app.app_context():
        moved = transfer_site(site_id, house.offices[B], clock.today(), "辖区调整")
    assert moved["Site"] == 1 and moved["Notice"] == 1 and moved["Enterprise"] == 1
    with house.system() as session:
        assert {model: session.scalar(select(func.count(model.id))) for model in models} == before
        moved_notice = session.get_one(Notice, notice_id)
        assert (moved_notice.office_id, moved_notice.made_office_id) == (house.offices[B], house.offices[A])
    with house.acting("yuan-b"):
        assert fetch(Notice, notice_id)
    with house.acting("yuan-a"):
        assert fetch(Notice, notice_id), "the old office keeps reading what it made"
        with pytest.raises(Forbidden):
            fetch(Site, site_id, Verb.UPDATE)


# -- cost and explanation ---------------------------------------------------------------------------------------------


def test_reading_who_one_is_takes_at_most_five_statements(house: House) -> None:
    for username in ("yuan-a", "firm-a", "ju"):
        with house.statements() as told, house.app.app_context():
            assert load(house.accounts[username]) is not None
        assert len(told) <= 5, told


def test_who_is_not_let_in_is_nobody(house: House) -> None:
    with house.app.app_context():
        assert load(house.accounts["yuan-a"]) is not None
        assert load(house.accounts["yuan-a"], digest="of no session") is None
        assert load(10**9) is None
    with house.system() as session, unit_of_work():
        session.get_one(Account, house.accounts["yuan-a"]).active = False
    with house.app.app_context():
        assert load(house.accounts["yuan-a"]) is None


def test_explain_names_the_posting_or_what_is_missing(house: House) -> None:
    own, foreign = house.site_of(A), house.site_of(B)
    with house.system() as session:
        mine, theirs = session.get_one(Site, own), session.get_one(Site, foreign)
        session.expunge_all()
    with house.acting("yuan-a") as access:
        yes = explain(access, Verb.UPDATE, mine)
        assert yes.allowed and yes.coverage == "subtree" and "大沁他拉" in yes.text
        assert not explain(access, Verb.READ, theirs).allowed
        assert "没有这项权限" in explain(access, Verb.DELETE, mine).text
