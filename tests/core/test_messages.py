"""Messages: told inside the act, seen by the one they are for, counted by the bell."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import NotFound, WriteOutsideUnit
from app.core.message import MOST_COUNTED, UNREAD, Message, mark_all_read, notify
from app.core.writing import unit_of_work
from tests.support.house import House


def tell(house: House, username: str, title: str, text: str = "", url: str = "") -> None:
    with house.acting("ju"), unit_of_work():
        notify(house.accounts[username], title, text, url)


def body(house: House, username: str, url: str) -> str:
    return house.client(username).get(url).get_data(as_text=True)


def test_the_bell_counts_ones_own_and_nobody_elses(house: House) -> None:
    for number in range(3):
        tell(house, "yuan-a", f"请看第{number}件")
    tell(house, "yuan-b", "给乙所的")
    with house.acting("yuan-a") as access:
        assert access.figures[UNREAD] == 3
        titles = [row.title for row in current_session().scalars(select(Message).order_by(Message.id))]
        assert titles == ["请看第0件", "请看第1件", "请看第2件"]
    page = body(house, "yuan-a", "/messages/")
    assert page.count('class="new"') == 3 and "给乙所的" not in page
    assert '<b class="count">3</b>' in page


def test_a_rolled_back_act_has_told_nobody(house: House) -> None:
    with house.acting("ju"):
        with pytest.raises(ZeroDivisionError), unit_of_work():
            notify(house.accounts["yuan-a"], "没有的事")
            raise ZeroDivisionError
        with pytest.raises(WriteOutsideUnit):
            notify(house.accounts["yuan-a"], "没有的事")
    with house.acting("yuan-a") as access:
        assert access.figures[UNREAD] == 0


@pytest.mark.parametrize("url", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)",
                                 "/a\nb", "/" + "a" * 600])  # fmt: skip
def test_a_message_leads_nowhere_else(small: House, url: str) -> None:
    with small.acting("ju"), unit_of_work(), pytest.raises(ValueError, match="page of this application"):
        notify(small.accounts["yuan-a"], "看这里", "", url)


def test_opening_one_marks_it_read_and_goes_where_it_leads(house: House) -> None:
    tell(house, "yuan-a", "导出好了", "可以下载", "/jobs/")
    with house.acting("yuan-a"):
        key = current_session().scalars(select(Message.public_id)).one()
    for other in ("yuan-b", "suo-a", "admin", "firm-a"):
        for what in ("open", "read"):
            assert house.client(other).post(f"/messages/{key}/{what}").status_code == 404
    answer = house.client("yuan-a").post(f"/messages/{key}/open")
    assert (answer.status_code, answer.location) == (302, "/jobs/")
    with house.acting("yuan-a") as access:
        assert access.figures[UNREAD] == 0
    assert 'class="new"' not in body(house, "yuan-a", "/messages/")


def test_all_of_ones_own_are_marked_and_no_other(house: House) -> None:
    for _number in range(5):
        tell(house, "yuan-a", "甲")
        tell(house, "yuan-b", "乙")
    client = house.client("yuan-a")
    assert client.get("/messages/read-all").status_code == 405
    assert client.post("/messages/read-all").status_code == 302
    with house.acting("yuan-a") as access:
        assert access.figures[UNREAD] == 0
    with house.acting("yuan-b") as access, unit_of_work():
        assert access.figures[UNREAD] == 5
        assert mark_all_read(house.accounts["yuan-b"]) == 5
        assert mark_all_read(house.accounts["yuan-b"]) == 0


def test_nobody_writes_to_a_colleague_through_the_session(small: House) -> None:
    tell(small, "yuan-b", "乙的")
    with small.system() as session:
        key = session.scalars(select(Message.public_id)).one()
    with small.acting("yuan-a"), pytest.raises(NotFound):
        fetch(Message, key)


def test_the_bell_stops_counting(small: House) -> None:
    with small.acting("ju"), unit_of_work():
        for number in range(MOST_COUNTED + 20):
            notify(small.accounts["yuan-a"], f"{number}", "长" * 10_000)
    page = body(small, "yuan-a", "/messages/")
    assert f"{MOST_COUNTED}+" in page and "/messages/?page=2" in page
    for query in ("page=2", "page=3", "page=0", "page=x", "page=99999999999", "page=%00"):
        assert small.client("yuan-a").get(f"/messages/?{query}").status_code == 200


def test_the_bell_costs_one_statement_by_its_index(house: House) -> None:
    client = house.client("yuan-a")
    client.get("/messages/")
    with house.statements() as told:
        client.get("/citations/")
    asked = [statement for statement in told if "message" in statement]
    assert len(asked) == 1 and "read_at IS NULL" in asked[0]


def test_a_titles_markup_is_text(small: House) -> None:
    tell(small, "yuan-a", "<b>粗</b>\0<script>", "<i>")
    page = body(small, "yuan-a", "/messages/")
    assert "&lt;script&gt;" in page and "<script>" not in page.partition("<main")[2]
