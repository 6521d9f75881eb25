"""Lists in editions: built-in templates, a firm's own, never edited once in force, the right one on each day."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import data
from app.core import clock
from app.core.access.fetch import may
from app.core.db import current_session
from app.core.errors import AccessRefused, Forbidden, Invalid
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import Frequency, Line, RiskListState, SiteKind
from app.models.check import RiskItem, RiskList
from app.models.enterprise import Enterprise, Site
from app.models.lines import Line as Bit
from app.models.personnel import Appointment, Person
from app.services.risk_list import daily_items, list_in_force, main_line, next_edition
from tests.support.house import A, House


def template(line: Line = Line.CATERING) -> RiskList:
    return current_session().scalars(select(RiskList).where(RiskList.template, RiskList.line == line)).unique().one()


def adapted(base: RiskList, site: Site) -> RiskList:
    """A site's own edition with makers."""
    made = next_edition(base)
    made.site, made.compiler, made.approver = site, "安全员", "负责人"
    return made


# -- base data --------------------------------------------------------------------------------------------------------


def test_the_98_built_in_items() -> None:
    items = data.risk_items()
    assert Counter(one.line for one in items) == {"食品生产": 32, "食品销售": 32, "餐饮服务": 34}
    assert len({one.code for one in items}) == 98
    assert {one.frequency for one in items} == set(Frequency)
    assert all(one.text and one.why and one.basis for one in items)


def test_a_basis_is_confirmed_only_when_every_part_of_it_was_found() -> None:
    unsure = ("GB ", "操作规范", "公告", "地方规定", "学校", "集中用餐", "反食品浪费", "未成年人", "网络", "2025")
    for one in data.risk_items():
        assert not (one.basis_confirmed and any(word in one.basis for word in unsure)), one


def test_every_line_has_its_template_in_force_for_everybody_to_read(house: House) -> None:
    for username in ("suo-a", "firm-a", "firm-b", "gu-canyin", "ju"):
        with house.acting(username):
            found = {one.line: len(one.points) for one in current_session().scalars(
                select(RiskList).where(RiskList.template)).unique()}  # fmt: skip
            assert found == {"食品生产": 32, "食品销售": 32, "餐饮服务": 34}, username


def test_holidays_of_2026_are_there_and_none_is_invented_for_later() -> None:
    days = data.holidays()
    assert Counter(one.kind for one in days) == {"法定节假日": 19, "调休上班": 6}
    assert {one.date.year for one in days} == {2026}
    assert all((one.date.weekday() < 5) == (one.kind == "法定节假日") for one in days)
    weekdays = 261
    assert weekdays - 19 + 6 == 248


# -- which edition ----------------------------------------------------------------------------------------------------


def test_a_site_works_by_the_list_of_its_kinds_line(small: House) -> None:
    site = Site(kind=SiteKind.SCHOOL_CANTEEN, lines=int(Bit.CATERING | Bit.SALES))
    assert main_line(site) == Line.CATERING
    assert main_line(Site(kind=SiteKind.CHAIN_STORE, lines=int(Bit.CATERING))) == Line.CATERING


def test_the_sites_own_goes_before_the_firms_and_that_before_the_template(house: House) -> None:
    with house.acting("suo-a"):
        site = current_session().get_one(Site, house.site_of(A, skip=4))
        base = list_in_force(site, clock.today())
        assert base is not None and base.template
        whole = next_edition(base)
        whole.enterprise, whole.compiler, whole.approver = site.enterprise, "甲", "乙"
        run(save(whole, Verb.CREATE), "put_in_force")
        assert list_in_force(site, clock.today()) is whole
        own = run(save(adapted(base, site), Verb.CREATE), "put_in_force")
        assert list_in_force(site, clock.today()) is own
        assert list_in_force(site, clock.today() - timedelta(days=1)) is base


def test_a_new_edition_ends_the_one_before_and_both_stay(house: House) -> None:
    today = clock.today()
    with house.acting("suo-a"):
        site = current_session().get_one(Site, house.site_of(A, skip=4))
        first = run(save(adapted(template(main_line(site)), site), Verb.CREATE), "put_in_force")
        second = save(adapted(first, site), Verb.CREATE)
        assert (first.edition, second.edition) == (1, 2)
        run(second, "put_in_force", valid_from=today + timedelta(days=3))
        assert first.state == RiskListState.IN_FORCE and first.valid_to == today + timedelta(days=2)
        assert list_in_force(site, today) is first
        assert list_in_force(site, today + timedelta(days=3)) is second
        third = save(adapted(second, site), Verb.CREATE)
        run(third, "put_in_force")
        assert {first.state, second.state} == {RiskListState.RETIRED}
        assert list_in_force(site, today) is third


def test_a_retired_list_leaves_the_template_from_tomorrow_on(house: House) -> None:
    with house.acting("suo-a"):
        site = current_session().get_one(Site, house.site_of(A, skip=4))
        own = run(save(adapted(template(main_line(site)), site), Verb.CREATE), "put_in_force")
        run(own, "retire", reason="改用模板")
        assert list_in_force(site, clock.today()) is own
        later = list_in_force(site, clock.today() + timedelta(days=1))
        assert later is not None and later.template


# -- never edited -----------------------------------------------------------------------------------------------------


def test_what_is_in_force_nobody_edits(house: House) -> None:
    for username in ("suo-a", "firm-a", "gu-canyin", "ju"):
        with house.acting(username):
            one = template()
            assert not may(one, Verb.UPDATE) and not may(one, Verb.DELETE)
            with pytest.raises(AccessRefused), unit_of_work(Verb.UPDATE) as session:
                one.points[0].text = "改"
                session.flush()
            current_session().rollback()


def test_a_section_makes_the_next_template_of_its_own_line_only(house: House) -> None:
    with house.acting("gu-canyin"):
        made = next_edition(template())
        made.compiler, made.approver = "陈立军", "股长"
        made.points[0].text = "新的说法"
        row = run(save(made, Verb.CREATE), "put_in_force")
        assert row.template and row.edition == 2
        other = next_edition(template(Line.SALES))
        with pytest.raises(AccessRefused):
            save(other, Verb.CREATE)
        current_session().rollback()
    with house.acting("firm-a"):
        texts = set(current_session().scalars(select(RiskItem.text).where(RiskItem.code == "C01")))
        assert "新的说法" in texts and len(texts) == 2, "the edition before it stays"


def test_a_station_makes_no_template_and_a_section_no_firms_list(house: House) -> None:
    with house.acting("suo-a"):
        with pytest.raises(AccessRefused):
            save(next_edition(template()), Verb.CREATE)
        current_session().rollback()
    with house.acting("gu-canyin"):
        site = current_session().scalars(select(Site).order_by(Site.id)).unique().first()
        assert site is not None
        with pytest.raises(Refused):
            save(adapted(template(), site), Verb.CREATE)


# -- a firm adapts its own --------------------------------------------------------------------------------------------


def own_site() -> Site:
    found = current_session().scalars(select(Site).order_by(Site.id)).unique().first()
    assert found is not None
    return found


def test_a_firm_drops_an_item_with_a_reason_and_adds_its_own(house: House) -> None:
    with house.acting("firm-a"):
        site = own_site()
        base = template(main_line(site))
        made = adapted(base, site)
        made.points[1].dropped = True
        with pytest.raises(Refused) as refused:
            save(made, Verb.CREATE)
        assert set(refused.value.fields) == {"points.2.drop_reason"}
        made.points[1].drop_reason = "本店不经营散装食品"
        made.points.append(RiskItem(code="Z01", text="烟道当日清洗", position=99))
        row = run(save(made, Verb.CREATE), "put_in_force")
        codes = [item.code for item in daily_items(row)]
        assert "Z01" in codes and made.points[1].code not in codes
        assert {
            held for (held,) in current_session().execute(select(RiskList.template).where(RiskList.id == row.id))
        } == {False}


def test_items_do_not_vanish_without_a_word(small: House) -> None:
    with small.acting("firm-a"):
        made = adapted(template(), own_site())
        gone = made.points.pop(0)
        made.points[0].code = made.points[1].code
        with pytest.raises(Refused) as refused:
            save(made, Verb.CREATE)
        assert gone.code in str(refused.value.fields["points"])
        assert "重复" in str(refused.value.fields["points.2.code"])


def test_an_officer_drafts_and_the_principal_puts_in_force(house: House) -> None:
    with house.acting("firm-a"):
        key = save(adapted(template(), own_site()), Verb.CREATE).id
    with house.system() as session, unit_of_work(Verb.UPDATE):
        from app.core.office import AccessRole, Posting

        officer = session.scalars(select(AccessRole).where(AccessRole.code == "firm_officer")).one()
        for post in session.scalars(select(Posting).where(Posting.account_id == house.accounts["firm-a"])):
            post.role_id = officer.id
    with house.acting("firm-a"), pytest.raises(Forbidden):
        run(current_session().get_one(RiskList, key), "put_in_force")


@pytest.mark.parametrize("lacking", ["approver", "items", "past"])
def test_what_is_not_ready_is_not_put_in_force(small: House, lacking: str) -> None:
    with small.acting("firm-a"):
        made = adapted(template(), own_site())
        if lacking == "approver":
            made.approver = ""
        if lacking == "items":
            for item in made.points:
                item.frequency = Frequency.WEEKLY
        row = save(made, Verb.CREATE)
        day = clock.today() - timedelta(days=1) if lacking == "past" else None
        with pytest.raises(Invalid):
            run(row, "put_in_force", valid_from=day)


def test_another_firms_list_is_not_seen_and_the_firms_own_reaches_the_people_of_each_site(house: House) -> None:
    """A list of the whole firm is read by who works at one site only; other sites' lists are not."""
    with house.acting("suo-a"):
        site = current_session().get_one(Site, house.site_of(A, skip=4))
        firm_id = site.enterprise_id
        whole = next_edition(template(main_line(site)))
        whole.enterprise, whole.title = site.enterprise, "全店清单"
        key, site_id = save(whole, Verb.CREATE).id, site.id
    with house.system() as session, unit_of_work(Verb.UPDATE):
        person = session.scalars(select(Person).where(Person.account_id == house.accounts["firm-b"])).one()
        firm = session.get_one(Enterprise, firm_id)
        assert session.get(RiskList, key) is not None
        session.add(Appointment(person=person, enterprise=firm, site_id=site_id, role="食品安全员",
                                date_from=clock.today()))  # fmt: skip
    with house.acting("firm-b"):
        assert current_session().get(RiskList, key) is not None
        others = select(func.count(RiskList.id)).where(
            RiskList.template.is_(False), RiskList.office_id == house.offices[A]
        )
        assert current_session().scalar(others) == 1, "firm-a's own list stays unseen"
