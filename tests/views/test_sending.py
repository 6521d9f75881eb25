"""A form for a new record that is sent twice makes one record, whatever the browser does."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import receipt
from app.core.receipt import Receipt
from app.models.enterprise import Enterprise
from tests.support.house import House

NAME = "双击食品店"


def opened(client: Any, address: str = "/enterprises/add") -> str:
    """The key of a form as it was opened."""
    found = re.search(r'name="form_key" value="([^"]+)"', client.get(address).get_data(as_text=True))
    assert found is not None
    return found[1]


def firms(house: House, name: str = NAME) -> int:
    with house.system() as session:
        return session.scalar(select(func.count(Enterprise.id)).where(Enterprise.name == name)) or 0


def test_a_form_sent_three_times_at_once_makes_one_firm(house: House) -> None:
    key = opened(house.client("suo-a"))
    form = {"name": NAME, "state": "正常", "form_key": key}
    clients = [house.client("suo-a") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda one: one.post("/enterprises/add", data=form), clients))
    assert [one.status_code for one in answers] == [302] * 3
    assert len({one.location for one in answers}) == 1 and firms(house) == 1
    with house.system() as session:
        assert session.scalar(select(func.count(Receipt.id)).where(Receipt.client_id == key)) == 1


def test_a_twin_stored_while_this_one_was_judged_is_the_answer(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client = small.client("suo-a")
    form = {"name": NAME, "state": "正常", "form_key": opened(client)}
    first = client.post("/enterprises/add", data=form)
    asked: list[str] = []
    real = receipt.first_answer

    def late(client_id: str, digest: str) -> str | None:
        asked.append(client_id)
        return None if len(asked) == 1 else real(client_id, digest)

    monkeypatch.setattr(receipt, "first_answer", late)
    assert client.post("/enterprises/add", data=form).location == first.location
    assert firms(small) == 1 and len(asked) == 2


def test_a_used_page_filled_with_something_else_asks_and_then_makes_another(small: House) -> None:
    client = small.client("suo-a")
    form = {"name": NAME, "state": "正常", "form_key": opened(client)}
    client.post("/enterprises/add", data=form)
    again = client.post("/enterprises/add", data={**form, "name": "另一家店"})
    page = again.get_data(as_text=True)
    assert again.status_code == 409 and "这一页已经保存过一条记录" in page and 'value="另一家店"' in page
    fresh = re.search(r'name="form_key" value="([^"]+)"', page)
    assert fresh is not None and fresh[1] != form["form_key"] and firms(small, "另一家店") == 0
    assert client.post("/enterprises/add", data={**form, "name": "另一家店", "form_key": fresh[1]}).status_code == 302
    assert firms(small, "另一家店") == 1


def test_a_refused_form_keeps_its_key_and_another_person_cannot_use_it(small: House) -> None:
    client = small.client("suo-a")
    key = opened(client)
    refused = client.post("/enterprises/add", data={"name": "", "form_key": key}).get_data(as_text=True)
    assert f'name="form_key" value="{key}"' in refused
    form = {"name": NAME, "state": "正常", "form_key": key}
    first = client.post("/enterprises/add", data=form)
    other = small.client("suo-b").post("/enterprises/add", data=form)
    assert other.status_code == 302 and other.location != first.location


def test_a_firm_of_a_name_the_station_has_is_a_doubt_to_tick(house: House) -> None:
    client = house.client("suo-a")
    form = {"name": NAME, "state": "正常"}
    assert client.post("/enterprises/add", data=form).status_code == 302
    asked = client.post("/enterprises/add", data=form)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 422 and "本机构已有同名的主体" in page
    tick = re.search(r'type="checkbox" name="(accept-[^"]+)"', page)
    assert tick is not None
    assert client.post("/enterprises/add", data={**form, tick[1]: "1"}).status_code == 302
    assert firms(house) == 2
    assert house.client("suo-b").post("/enterprises/add", data=form).status_code == 302


def test_a_key_that_is_none_is_none(small: House) -> None:
    client = small.client("suo-a")
    for number, key in enumerate(("", "短", "x" * 70, "\0" * 20, "<b>" * 9)):
        form = {"name": f"{NAME}{number}", "state": "正常", "form_key": key}
        assert client.post("/enterprises/add", data=form).status_code == 302
