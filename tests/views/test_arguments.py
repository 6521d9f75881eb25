"""What a list is asked: a value that means nothing finds nothing and is said; the API refuses it by name and ends only
where the rows end."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from app.core.fab import paging
from app.models.enterprise import Enterprise, Site
from app.models.licence import Licence
from tests.support.house import A, House

STRAYS = ["/enterprises/?state=nosuch", "/sites/?enterprise=abc", "/sites/?area=x", "/sites/?lines=3000",
          "/sites/?licence_until_from=morgen", "/daily-checks/?late=perhaps",
          "/licences/?valid_to_to=2026-02-30"]  # fmt: skip


def walked(client: Any, address: str) -> list[str]:
    """The ids of every row of an API list, by its `next`."""
    found: list[str] = []
    url: str | None = address
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        body = answer.get_json()
        assert body["items"]
        found += [row["id"] for row in body["items"]]
        url = body["next"]
    return found


@pytest.mark.parametrize("who", ["suo-a", "ju"])
@pytest.mark.parametrize("order", ["", "name", "-name", "code", "-code", "state"])
def test_the_api_is_walked_to_its_end_in_every_order(
    house: House, monkeypatch: pytest.MonkeyPatch, who: str, order: str
) -> None:  # fmt: skip
    client = house.client(who)
    whole = walked(client, f"/api/v1/enterprises/?size=100&order={order}")
    assert len(whole) == len(set(whole)) > 4
    monkeypatch.setattr(paging, "COUNT_CAP", 3)
    assert walked(client, f"/api/v1/enterprises/?size=2&order={order}") == whole


def test_dates_and_empty_values_are_walked_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.system() as session:
        known = session.scalar(select(func.count(Licence.id)).where(Licence.valid_to.is_not(None))) or 0
        sites = session.scalar(select(func.count(Site.id)).where(Site.office_id == house.offices[A])) or 0
    assert known
    client = house.client("ju")
    monkeypatch.setattr(paging, "COUNT_CAP", 2)
    for order in ("valid_to", "-valid_to", "-issued"):
        found = walked(client, f"/api/v1/licences/?size=2&order={order}")
        assert len(found) == len(set(found)) >= known
    assert len(walked(house.client("suo-a"), "/api/v1/sites/?size=1&order=-risk_grade")) == sites


def test_a_walk_goes_on_where_its_row_was_and_keeps_its_filter(small: House) -> None:
    client = small.client("suo-a")
    with small.system() as session:
        firm = session.scalars(select(Enterprise.public_id).join(Enterprise.sites)
                               .where(Enterprise.office_id == small.offices[A])).first()  # fmt: skip
    first = client.get(f"/api/v1/sites/?size=1&enterprise={firm}&order=name").get_json()
    assert all(row["enterprise"]["id"] == firm for row in first["items"])
    page = client.get("/api/v1/enterprises/?size=3&order=name").get_json()
    made = client.post("/enterprises/add", data={"name": "\u4e00一先来的店", "state": "正常"})
    assert made.status_code == 302
    rest = walked(client, page["next"])
    assert not set(rest) & {row["id"] for row in page["items"]}


@pytest.mark.parametrize("url", ["?order=-name&after={after}", "?order=name&after=x", "?order=name&after=%00",
                                 "?order=name&page=2&after={after}"])  # fmt: skip
def test_a_cursor_serves_its_own_list_only(small: House, url: str) -> None:
    client = small.client("suo-a")
    after = client.get("/api/v1/enterprises/?size=1&order=name").get_json()["next"].rpartition("after=")[2]
    answer = client.get("/api/v1/enterprises/" + url.format(after=after))
    assert answer.status_code == 400 and set(answer.get_json()["fields"]) & {"after", "page"}
    assert client.get(f"/api/v1/sites/?order=name&after={after}").status_code == 400


@pytest.mark.parametrize(("arguments", "name"), [
    ("state=nosuch", "state"), ("order=nosuch", "order"), ("size=100000", "size"), ("size=0", "size"),
    ("page=-1", "page"), ("page=900", "page"), ("nosuch=1", "nosuch"), ("state=正常&state=nosuch", "state"),
    ("size=1&size=2", "size"), ("legal_person=王&legal_person=李", "legal_person"), ("q=" + "长" * 101, "q"),
    ("address=" + "长" * 101, "address"),
])  # fmt: skip
def test_the_api_names_the_argument_that_means_nothing(small: House, arguments: str, name: str) -> None:
    answer = small.client("suo-a").get(f"/api/v1/enterprises/?{arguments}")
    assert answer.status_code == 400 and set(answer.get_json()["fields"]) == {name}


def test_the_api_tells_of_its_cursor(small: House) -> None:
    paths = small.client("suo-a").get("/api/v1/openapi.json").get_json()["paths"]
    assert "after" in [one["name"] for one in paths["/api/v1/enterprises/"]["get"]["parameters"]]


@pytest.mark.parametrize("url", STRAYS)
def test_a_value_that_is_none_finds_nothing_and_is_said(house: House, url: str) -> None:
    page = house.client("suo-a").get(url)
    text = page.get_data(as_text=True)
    assert page.status_code == 200 and "data-row" not in text
    assert f"{url.rpartition('=')[2]}（没有这个值）" in text


def test_one_known_value_beside_an_unknown_one_is_found(small: House) -> None:
    client = small.client("suo-a")
    text = client.get("/enterprises/?state=正常&state=nosuch").get_data(as_text=True)
    assert "data-row" in text and "nosuch（没有这个值）" in text


@pytest.mark.parametrize("arguments", ["state=nosuch", "org_form=x"])
def test_an_export_of_a_value_that_is_none_is_refused(small: House, arguments: str) -> None:
    answer = small.client("suo-a").post(f"/enterprises/export?{arguments}", data={"format": "csv"})
    assert answer.status_code == 422 and "没有这个值" in answer.get_data(as_text=True)
