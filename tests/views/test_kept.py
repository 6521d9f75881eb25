"""What is kept between requests (criteria, statements, the navigation, texts) never outlives what it was made from."""

from __future__ import annotations

import html
import re
from collections import OrderedDict
from datetime import timedelta

import pytest
from flask_babel import force_locale, gettext
from sqlalchemy import select, update

from app.core import clock
from app.core.access import context
from app.core.access.context import current_access
from app.core.office import AccessRole, Office, Posting
from app.core.verbs import Verb
from tests.support.house import B, House


def page(house: House, username: str, url: str) -> str:
    answer = house.client(username).get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return html.unescape(answer.get_data(as_text=True))


def lines(text: str) -> list[str]:
    """The navigation's addresses."""
    nav = text.partition('<nav class="side"')[2].partition("</nav>")[0]
    return re.findall(r'<li><a href="([^"]+)"', nav)


def rows(text: str) -> int:
    return text.count("<tr data-row>")


def test_the_same_person_again_compiles_nothing_again(house: House) -> None:
    with house.acting("yuan-a") as first:
        first.compiled["mark"] = True
    with house.acting("yuan-a") as second:
        assert second is not first and second.compiled["mark"] is True
    with house.acting("yuan-b") as other:
        assert "mark" not in other.compiled, "a colleague's criteria are the colleague's"


def test_a_posting_that_moves_takes_effect_with_the_next_request(house: House) -> None:
    before = page(house, "yuan-a", "/sites/")
    assert rows(before) > 0
    with house.system() as session:
        there = select(Office.id).where(Office.code == B).scalar_subquery()
        session.connection(execution_options={"shouze_write": True}).execute(
            update(Posting.__table__)
            .where(Posting.__table__.c.account_id == house.accounts["yuan-a"])
            .values(office_id=there)
        )
        session.commit()
    after = page(house, "yuan-a", "/sites/")
    seen = set(re.findall(r'href="(/sites/\d+)"', before)) & set(re.findall(r'href="(/sites/\d+)"', after))
    assert not seen, "no row of the station that was left"
    assert set(re.findall(r'href="(/sites/\d+)"', after)) == set(
        re.findall(r'href="(/sites/\d+)"', page(house, "yuan-b", "/sites/"))
    )


def test_a_posting_that_ended_leaves_nothing(house: House) -> None:
    assert len(lines(page(house, "yuan-a", "/"))) > 5
    with house.system() as session:
        session.connection(execution_options={"shouze_write": True}).execute(
            update(Posting.__table__)
            .where(Posting.__table__.c.account_id == house.accounts["yuan-a"])
            .values(date_to=clock.today() - timedelta(days=1))
        )
        session.commit()
    assert lines(page(house, "yuan-a", "/")) == ["/"]
    assert house.client("yuan-a").get("/sites/").status_code == 403


def test_a_column_hidden_by_the_role_is_gone_from_the_next_list(house: House) -> None:
    assert "法定代表人" in page(house, "yuan-a", "/enterprises/")
    with house.system() as session:
        session.connection(execution_options={"shouze_write": True}).execute(
            update(AccessRole.__table__)
            .where(AccessRole.__table__.c.code == "inspector")
            .values(hidden={"Enterprise": ["legal_person"]})
        )
        session.commit()
    assert "法定代表人" not in page(house, "yuan-a", "/enterprises/")


def test_everybody_gets_the_navigation_of_the_own_role_and_language(small: House) -> None:
    once = {name: lines(page(small, name, "/")) for name in ("yuan-a", "firm-a", "admin")}
    again = {name: lines(page(small, name, "/")) for name in ("admin", "firm-a", "yuan-a")}
    assert once == again
    assert len({tuple(found) for found in once.values()}) == 3
    client = small.client("yuan-a")
    chinese = html.unescape(client.get("/").get_data(as_text=True))
    assert client.get("/language/en").status_code == 302
    english = html.unescape(client.get("/").get_data(as_text=True))
    assert lines(chinese) == lines(english)
    assert ">主体和台账</p>" in chinese and ">Firms and ledgers</p>" in english
    assert 'href="/" aria-current="page"' in english
    assert 'href="/" aria-current="page"' not in page(small, "yuan-a", "/sites/")


def test_the_language_may_change_in_the_middle_of_a_request(small: House) -> None:
    with small.app.test_request_context():
        assert gettext("菜单") == "菜单"
        with force_locale("en"):
            assert gettext("菜单") == "Menu"
        assert gettext("菜单") == "菜单"


def test_only_so_many_people_are_remembered(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "MOST_REMEMBERED", 2)
    monkeypatch.setattr(context, "_last", OrderedDict())
    for name in ("yuan-a", "yuan-b", "suo-a", "suo-b"):
        with small.acting(name):
            assert current_access().may("Site", Verb.READ)
    assert [one.person.username for one in context._last.values()] == ["suo-a", "suo-b"]
