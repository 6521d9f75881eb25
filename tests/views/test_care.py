"""监管责任人 on screens: one's own by one tap, many put in charge at once, who answered on a day, the home page."""

from __future__ import annotations

import html
import re
import secrets
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import exists, func, select

from app.core import clock
from app.core.writing import unit_of_work
from app.data.enums import AppointmentRole, CareRole
from app.models.care import Caretaker
from app.models.director import DirectorDecision
from app.models.enterprise import Site
from app.models.personnel import Appointment
from app.models.precinct import Precinct
from app.models.transfer import SiteTransfer
from app.services.care import assign
from tests.support.house import A, B, House


def text(answer: Any) -> str:
    return html.unescape(answer.get_data(as_text=True))


def rows(page: str) -> list[int]:
    """The keys of the list's rows."""
    return [int(key) for key in re.findall(r'name="page" value="(\d+)"', page)] or [
        int(key) for key in re.findall(r'<th scope="row"[^>]*><a href="/(?:sites|enterprises)/(\d+)"', page)
    ]


def put(house: House, site: int, name: str, when: int = 0) -> None:
    with house.acting("suo-a"), unit_of_work():
        assign(site, clock.today() + timedelta(days=when), house.accounts[name])


def send(house: House, who: str, act: str, keys: list[int], base: str = "/sites", **form: Any) -> Any:
    data = {"act": act, "ids": [str(key) for key in keys], "sure": "1", "key": secrets.token_urlsafe(24)} | form
    return house.client(who).post(f"{base}/bulk", data=data)


# -- lists ------------------------------------------------------------------------------------------------------------


def test_the_list_of_who_answers_for_something_opens_with_his_own_and_says_so(small: House) -> None:
    mine = small.site_of(A)
    everything = text(small.client("yuan-a").get("/sites/"))
    assert len(rows(everything)) > 1 and "我的主体" in everything, "one tap away for who inspects"
    put(small, mine, "yuan-a")
    client = small.client("yuan-a")
    page = text(client.get("/sites/"))
    assert rows(page) == [mine]
    assert re.search(r'<a href="[^"]*care=mine" aria-current="true">我的主体</a>', page)
    assert "监管责任人：我的主体" in page, "the filter in force is a chip that takes itself away"
    out = re.search(r'<a href="(/sites/\?all=1)">全部</a>', page)
    assert out is not None and rows(text(client.get(out[1]))) == rows(everything)
    firms = text(client.get("/enterprises/"))
    with small.system() as session:
        assert rows(firms) == [session.get_one(Site, mine).enterprise_id]
    assert len(rows(text(small.client("suo-a").get("/sites/")))) > 1, "others' lists open as before"


def test_a_filter_of_ones_own_choice_comes_first(small: House) -> None:
    put(small, small.site_of(A), "yuan-a")
    client = small.client("yuan-a")
    kept = client.post("/sites/filters", data={"name": "高风险", "arguments": "risk_grade=D", "default": "1"})
    assert kept.status_code == 302
    assert "care=mine" not in re.sub(r'<nav class="views".*?</nav>', "", text(client.get("/sites/")), flags=re.DOTALL)


def test_those_without_anybody_are_a_list_and_a_task(small: House) -> None:
    first = small.site_of(A)
    with small.system() as session:
        total = session.scalar(select(func.count(Site.id)).where(Site.office_id == small.offices[A])) or 0
    put(small, first, "yuan-a")
    client = small.client("suo-a")
    page = text(client.get("/sites/?care=none&size=100"))
    assert first not in rows(page) and len(rows(page)) == total - 1
    home = text(client.get("/"))
    task = re.search(r"没有监管责任人.{0,400}", home, re.DOTALL)
    assert task is not None and str(total - 1) in task[0]
    assert "没有监管责任人" not in text(small.client("yuan-a").get("/"))
    with small.system() as session:
        there = set(session.scalars(select(Site.id).where(Site.office_id == small.offices[B])))
    assert not there & set(rows(text(client.get("/sites/?care=none&size=100"))))
    assert there & set(rows(text(small.client("ju").get("/sites/?care=none&size=100"))))


@pytest.mark.parametrize("value", ["x", "0", "99999999999999999999", "mine'--", "长" * 10_000])
def test_a_value_that_means_nothing_finds_nothing(small: House, value: str) -> None:
    for base in ("/sites/", "/enterprises/"):
        answer = small.client("suo-a").get(base, query_string={"care": value})
        assert answer.status_code == 200 and rows(text(answer)) == []


def test_firms_see_neither_the_column_nor_the_filter(small: House) -> None:
    with small.system() as session:
        site = session.scalars(select(Site.id).where(Site.enterprise_id.in_(select(Appointment.enterprise_id)))).first()
    assert site
    client = small.client("firm-a")
    for url in ("/sites/", "/enterprises/"):
        page = text(client.get(url))
        assert "监管责任人" not in page and "我的主体" not in page
        assert rows(text(client.get(f"{url}?care=none"))) == rows(page), "to them there is no such filter"
    assert client.get("/caretakers/").status_code == 403
    assert client.get("/site-transfers/").status_code == 403


def test_the_names_of_a_page_cost_one_statement(small: House) -> None:
    put(small, small.site_of(A), "yuan-a")
    client = small.client("suo-a")
    with small.statements() as told:
        answer = client.get("/api/v1/sites/?size=100")
    assert [one["care"] for one in answer.json["items"]].count("包文斌") == 1
    assert sum("FROM caretaker JOIN account" in one for one in told) == 1
    client.get("/sites/")
    with small.statements() as told:
        client.get("/sites/?size=100")
    assert len(told) <= 8, "a list asks eight times at most"


# -- many at once -----------------------------------------------------------------------------------------------------


def test_ticked_sites_are_put_in_charge_and_each_row_says_how_it_went(house: House) -> None:
    keys = [house.site_of(A, n) for n in range(3)]
    put(house, keys[0], "yuan-a", when=-5)
    foreign = house.site_of(B)
    asked = house.client("suo-a").post("/sites/bulk", data={"act": "care", "ids": [*map(str, keys), str(foreign)]})
    page = text(asked)
    assert 'name="principal"' in page and 'name="assistants"' in page and "有 1 条没有找到" in page
    assert "包文斌" in page and "王" not in re.findall(r'<select[^>]*name="principal".*?</select>', page, re.DOTALL)[0]
    answer = send(house, "suo-a", "care", [*keys, foreign], principal=str(house.accounts["yuan-a"]),
                  date_from=clock.today().isoformat())  # fmt: skip
    assert answer.status_code == 302
    result = text(house.client("suo-a").get(answer.location))
    assert "已经是这样安排的" in result
    with house.system() as session:
        held = session.execute(select(Caretaker.site_id, Caretaker.date_from).order_by(Caretaker.site_id)).all()
    today = clock.today()
    since = {keys[0]: today - timedelta(days=5), keys[1]: today, keys[2]: today}
    assert [tuple(one) for one in held] == sorted(since.items())


def test_what_is_wrong_stands_beside_the_field_and_nothing_is_done(small: House) -> None:
    key, today = small.site_of(A), clock.today().isoformat()
    foreign = str(small.accounts["yuan-b"])
    for form, words in (
        ({"date_from": today}, "请选择主管或协管"),
        ({"date_from": today, "principal": foreign}, "不在可选范围内"),
        ({"date_from": today, "assistants": [foreign]}, "不在可选范围内"),
        ({"date_from": today, "principal": "x\0"}, "不在可选范围内"),
        ({"date_from": "2026-13-40", "instead": "1"}, "请按 年-月-日"),
        ({"date_from": "", "instead": "1"}, "请填写"),
    ):
        answer = send(small, "suo-a", "care", [key], **form)
        assert answer.status_code == 422 and words in text(answer), form
    with small.system() as session:
        assert session.scalar(select(func.count(Caretaker.id))) == 0


def test_all_that_the_filter_finds_go_in_one_act_once(small: House) -> None:
    client = small.client("suo-a")
    page = text(client.post("/sites/bulk", data={"act": "care", "whole": "2", "arguments": "care=none&state=正常"}))
    keys = re.findall(r'name="ids" value="(\d+)"', page)
    assert len(keys) > 3
    form = {"act": "care", "sure": "1", "key": secrets.token_urlsafe(24), "ids": keys,
            "date_from": clock.today().isoformat(), "principal": str(small.accounts["yuan-a"]),
            "assistants": [str(small.accounts["suo-a"])]}  # fmt: skip
    for _twice in range(2):
        assert client.post("/sites/bulk", data=form).status_code == 302
    with small.system() as session:
        counted = dict(session.execute(select(Caretaker.role, func.count()).group_by(Caretaker.role)).all())  # type: ignore[arg-type]  # rows of two
    assert counted == {CareRole.PRINCIPAL: len(keys), CareRole.ASSISTANT: len(keys)}
    bad = client.post("/sites/bulk", data={"act": "care", "whole": "2", "arguments": "care=nonsense"})
    assert bad.status_code == 422


def test_who_keeps_no_caretakers_is_not_offered_the_act(small: House) -> None:
    key = small.site_of(A)
    assert 'value="care"' not in text(small.client("yuan-a").get("/sites/?all=1"))
    answer = send(small, "yuan-a", "care", [key], principal=str(small.accounts["yuan-a"]), date_from="2026-01-01")
    assert answer.status_code == 422
    assert send(small, "yuan-a", "transfer", [key], office=str(small.offices[B]), reason="改").status_code == 422
    with small.system() as session:
        assert session.scalar(select(func.count(Caretaker.id))) == 0
        assert session.scalar(select(func.count(SiteTransfer.id))) == 0


def test_sites_are_divided_into_precincts_in_one_act(small: House) -> None:
    keys = [small.site_of(A, n) for n in range(2)]
    made = small.client("neiqin-a").post("/precincts/add", data={"name": "孟和街"})
    assert made.status_code == 302
    with small.system() as session:
        precinct = session.scalars(select(Precinct.id)).one()
    assert send(small, "suo-a", "precinct", keys, precinct=str(precinct)).status_code == 302
    assert sorted(rows(text(small.client("suo-a").get(f"/sites/?precinct={precinct}")))) == sorted(keys)
    foreign = send(small, "suo-b", "precinct", [small.site_of(B)], precinct=str(precinct))
    assert foreign.status_code == 422 and "请从列表中选择" in text(foreign)


# -- one by one, and from a file --------------------------------------------------------------------------------------


def test_the_form_ends_the_one_before_and_fixes_what_has_begun(small: House) -> None:
    site = small.site_of(A)
    put(small, site, "yuan-a", when=-5)
    client = small.client("neiqin-a")
    page = text(client.get(f"/caretakers/add?site={site}"))
    offered = page[page.index('<select id="account"') :].split("</select>")[0]
    assert f'value="{small.accounts["suo-a"]}"' in offered and f'value="{small.accounts["neiqin-a"]}"' not in offered
    assert f'value="{small.accounts["yuan-b"]}"' not in offered, "of another station"
    form = {"site": str(site), "role": "主管", "account": str(small.accounts["suo-a"]),
            "date_from": clock.today().isoformat()}  # fmt: skip
    assert client.post("/caretakers/add", data=form).status_code == 302
    with small.system() as session:
        first, second = session.scalars(select(Caretaker).order_by(Caretaker.id)).unique()
        assert first.date_to == clock.today() - timedelta(days=1) and second.date_to is None
        key, version = first.id, first.version
    changed = form | {"account": str(small.accounts["suo-a"]), "date_from": "2020-01-01", "version": str(version)}
    answer = client.post(f"/caretakers/{key}/edit", data=changed)
    assert answer.status_code == 422 and "已经开始的不能改" in text(answer)
    stranger = client.post("/caretakers/add", data=form | {"account": str(small.accounts["neiqin-a"])})
    assert stranger.status_code == 422 and "没有能开展检查的任职" in text(stranger)


# -- the day ----------------------------------------------------------------------------------------------------------


def test_for_a_past_day_it_says_who_answered_on_both_sides(house: House) -> None:
    with house.system() as session:
        held = session.scalars(
            select(Appointment).where(Appointment.office_id == house.offices[A], Appointment.date_to.is_(None))
        ).first()
        assert held is not None
        firm, name = held.enterprise_id, held.person.name
        site = session.scalars(select(Site.id).where(Site.enterprise_id == firm)).first() or 0
    put(house, site, "yuan-a", when=-5)
    put(house, site, "suo-a", when=-2)
    client = house.client("suo-a")
    for base in (f"/sites/{site}", f"/enterprises/{firm}"):
        assert f"{base}/day" in text(client.get(base))
        for ago, there, gone in ((4, "包文斌", "苏日娜"), (1, "苏日娜", "包文斌")):
            page = text(client.get(f"{base}/day?day={(clock.today() - timedelta(days=ago)).isoformat()}"))
            body = page[page.index('id="main"') if 'id="main"' in page else page.index("<main") :]
            assert f">{there}<" in body and f">{gone}<" not in body and name in body
        before = text(client.get(f"{base}/day?day={(clock.today() - timedelta(days=9)).isoformat()}"))
        assert "这一天没有看到：主管" in before


def test_a_missing_director_is_told_only_where_one_was_due(small: House) -> None:
    """Of a station's sites without a director some must have one, the others need none."""
    today = clock.today()
    with small.system() as session:
        one = DirectorDecision
        told = {must: session.scalars(
            select(Site.id).join(one, one.site_id == Site.id).order_by(Site.id)
            .where(Site.office_id == small.offices[A], one.must.is_(must), one.date_to.is_(None))
            .where(~exists().where(Appointment.enterprise_id == Site.enterprise_id, Appointment.in_force(today),
                                   Appointment.role == AppointmentRole.DIRECTOR))).first()
            for must in (True, False)}  # fmt: skip
    client = small.client("suo-a")
    for must, key in told.items():
        assert key, must
        note = text(client.get(f"/sites/{key}/day")).partition("这一天没有看到：")[2].partition("<")[0]
        assert ("食品安全总监" in note) == must, note


@pytest.mark.parametrize("day", ["x", "2999-01-01", "0001-01-01", "2026-02-30", "长" * 5_000, "2026-01-01\0"])
def test_what_is_no_day_is_said_beside_the_field(small: House, day: str) -> None:
    answer = small.client("suo-a").get(f"/sites/{small.site_of(A)}/day", query_string={"day": day})
    assert answer.status_code == 422 and 'aria-invalid="true"' in text(answer)


def test_the_day_of_a_foreign_site_is_not_there_and_firms_see_their_own_side(small: House) -> None:
    for url in (f"/sites/{small.site_of(B)}/day", "/sites/999999999/day"):
        assert small.client("suo-a").get(url).status_code == 404
    firm_site = next(iter(rows(text(small.client("firm-a").get("/sites/")))))
    page = text(small.client("firm-a").get(f"/sites/{firm_site}/day"))
    assert "企业责任人" in page and "监管责任人" not in page


# -- transfer ---------------------------------------------------------------------------------------------------------


def test_a_transfer_goes_through_its_screens(house: House) -> None:
    site = house.site_of(A)
    client = house.client("suo-a")
    assert f"/sites/{site}/transfer" in text(client.get(f"/sites/{site}"))
    bad = client.post(f"/sites/{site}/transfer", data={"office": "", "day": "x", "reason": ""})
    assert bad.status_code == 422 and "请填写" in text(bad)
    form = {"office": str(house.offices[B]), "day": clock.today().isoformat(), "reason": "辖区调整"}
    made = client.post(f"/sites/{site}/transfer", data=form)
    assert made.status_code == 302
    again = client.post(f"/sites/{site}/transfer", data=form)
    assert again.status_code == 409 and "还没有了结" in text(again)
    receiver = house.client("suo-b")
    assert "待接收的场所移交" in text(receiver.get("/"))
    page = text(receiver.get(made.location))
    assert "移交清单（现在的情况）" in page and "/do/accept" in page and f'href="/sites/{site}"' not in page
    assert "/do/accept" not in text(client.get(made.location)) and "/do/withdraw" in text(client.get(made.location))
    assert house.client("suo-b").get(f"/sites/{site}/transfer").status_code == 404
    assert house.client("yuan-a").get(f"/sites/{site}/transfer").status_code == 403


def test_many_sites_are_offered_and_accepted_in_one_act_each(small: House) -> None:
    keys = [small.site_of(A, n) for n in range(3)]
    done = send(small, "suo-a", "transfer", keys, office=str(small.offices[B]), day=clock.today().isoformat(),
                reason="辖区调整")  # fmt: skip
    assert done.status_code == 302
    with small.system() as session:
        offered = list(session.scalars(select(SiteTransfer.id)))
    assert len(offered) == 3
    assert send(small, "suo-b", "accept", offered, base="/site-transfers").status_code == 302
    with small.system() as session:
        assert set(session.scalars(select(SiteTransfer.state))) == {"已接收"}
