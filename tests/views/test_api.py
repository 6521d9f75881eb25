"""The REST API: the same rows, the same rules and the same refusals as the screens, in JSON."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import create_app
from app.config import Settings
from app.core import clock
from app.core.office import AccessRole
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from app.models.rectification import Notice
from tests.support.house import A, B, House

SCALE = (".staff", ".revenue", ".floor_area", ".seats", ".meals")  # figures of a site
FIRMS, VISITS, NOTICES = "/api/v1/enterprises", "/api/v1/inspections", "/api/v1/notices"
FIRM = {"name": "奈曼旗接口店", "address": "某街 1 号"}


def role(house: House, code: str, **changes: Any) -> None:
    """Change a built-in role for one story."""
    with house.system() as session, unit_of_work():
        found = session.scalars(select(AccessRole).where(AccessRole.code == code)).one()
        for name, value in changes.items():
            setattr(found, name, value)


def outside(house: House, model: Any, office: str, **state: str) -> str:
    """The public id of a row that an office answers for."""
    with house.system() as session:
        mine = select(model.public_id).where(model.office_id == house.offices[office]).filter_by(**state)
        found = session.scalars(mine.order_by(model.id)).first()
    assert found is not None
    return str(found)


def account(house: House, username: str) -> str:
    from app.core.office import Account

    with house.system() as session:
        return session.get_one(Account, house.accounts[username]).public_id


def visit(house: House, **changes: Any) -> dict[str, Any]:
    body = {
        "site": outside(house, Site, A), "date": clock.today().isoformat(),
        "kind": "日常监督检查", "selection": "计划指定",
        "inspector": account(house, "yuan-a"), "co_inspector": {"id": account(house, "suo-a"), "text": "所长"},
        "result": "基本符合",
        "findings": [{"fact": "第一个问题", "demand": "改正一"},
                     {"fact": "第二个问题", "demand": "改正二", "key_item": True}],
    }  # fmt: skip
    return body | changes


def refused(answer: Any, status: int) -> dict[str, Any]:
    """A refusal has its status and the one shape."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    body: dict[str, Any] = answer.get_json()
    assert {"error", "fields", "doubts"} <= set(body)
    assert isinstance(body["error"], str) and body["error"]
    return body


# -- reading ----------------------------------------------------------------------------------------------------------


def numbers(value: Any, path: str = "") -> dict[str, int]:
    """Every whole number of a JSON value, by its path."""
    if isinstance(value, dict):
        return {k: v for name, one in value.items() for k, v in numbers(one, f"{path}.{name}").items()}
    if isinstance(value, list):
        return {k: v for one in value for k, v in numbers(one, path).items()}
    return {path: value} if isinstance(value, int) and not isinstance(value, bool) else {}


def test_a_list_has_the_same_rows_as_the_page_and_no_inner_key(house: House) -> None:
    client = house.client("yuan-a")
    first = client.get(f"{FIRMS}/?size=2&order=name").get_json()
    assert (first["page"], first["size"], len(first["items"])) == (1, 2, 2)
    names = [row["name"] for row in first["items"]]
    second = client.get(first["next"]).get_json()
    assert second["items"] and not {row["name"] for row in second["items"]} & set(names)
    page = client.get("/enterprises/?size=2&order=name").get_data(as_text=True)
    assert all(name in page for name in names)
    with house.system() as session:
        mine = session.scalar(select(func.count(Enterprise.id)).where(Enterprise.office_id == house.offices[A]))
    assert first["count"] == mine and first["more_than_counted"] is False
    for base in (FIRMS, "/api/v1/sites", VISITS, NOTICES, "/api/v1/people", "/api/v1/postings", "/api/v1/accounts"):
        for row in client.get(f"{base}/").get_json()["items"]:
            assert set(numbers(row)) <= {".version", ".lines", *SCALE}, base
            assert len(row["id"]) == 22


def test_a_list_costs_few_statements(house: House) -> None:
    client = house.client("yuan-a")
    client.get(f"{FIRMS}/")
    for base in (FIRMS, "/api/v1/sites", VISITS, NOTICES, "/api/v1/people", "/api/v1/appointments"):
        with house.statements() as told:
            assert client.get(f"{base}/").status_code == 200
        assert len(told) <= 10, (base, told)  # of firms one is who answers, one what is still to be found out


def test_searching_and_filtering_are_those_of_the_page(small: House) -> None:
    client = small.client("yuan-a")
    found = client.get(f"{NOTICES}/", query_string={"state": "草稿"}).get_json()["items"]
    assert found and {row["state"] for row in found} == {"草稿"}
    name = client.get(f"{FIRMS}/").get_json()["items"][0]["name"]
    hits = client.get(f"{FIRMS}/", query_string={"q": name}).get_json()["items"]
    assert name in [row["name"] for row in hits]


def test_a_relation_is_filtered_by_its_public_id(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.views.enterprise import SiteView

    monkeypatch.setattr(SiteView, "list_filters", ["enterprise"])
    client = small.client("yuan-a")
    firm = client.get("/api/v1/sites/").get_json()["items"][0]["enterprise"]
    found = client.get("/api/v1/sites/", query_string={"enterprise": firm["id"]}).get_json()["items"]
    assert found and {row["enterprise"]["id"] for row in found} == {firm["id"]}
    for foreign in (outside(small, Enterprise, B), "1", "\0"):
        refused(client.get("/api/v1/sites/", query_string={"enterprise": foreign}), 400)


def test_one_row_has_its_rows_and_the_steps_that_can_be_taken(house: House) -> None:
    key = outside(house, Notice, A, state="待审核")
    told = house.client("suo-a").get(f"{NOTICES}/{key}").get_json()
    assert told["citations"] and told["corrections"][0]["fact"]
    assert told["citations"][0]["citation"]["text"]
    assert told["steps"] == ["review", "return_draft"]
    assert house.client("neiqin-a").get(f"{NOTICES}/{key}").get_json()["steps"] == []


def test_id_cards_are_masked(small: House) -> None:
    cards = [row["id_card"] for row in small.client("yuan-a").get("/api/v1/people/").get_json()["items"]]
    assert any(cards) and all("****" in card for card in cards if card)


# -- who may ----------------------------------------------------------------------------------------------------------


def test_another_stations_row_is_not_there(house: House) -> None:
    client, key = house.client("yuan-b"), outside(house, Enterprise, A)
    refused(client.get(f"{FIRMS}/{key}"), 404)
    refused(client.patch(f"{FIRMS}/{key}", json={"version": 1, "name": "改"}), 404)
    refused(client.put(f"{FIRMS}/{key}", json=FIRM | {"version": 1}), 404)
    refused(client.post(f"{NOTICES}/{outside(house, Notice, A)}/do/submit", json={}), 404)
    assert key not in [row["id"] for row in client.get(f"{FIRMS}/?size=100").get_json()["items"]]
    foreign = outside(house, Site, A)
    one = refused(client.post(f"{VISITS}/", json=visit(house, site=foreign)), 422)["fields"]["site"]
    none = refused(client.post(f"{VISITS}/", json=visit(house, site="A" * 22)), 422)["fields"]["site"]
    assert one == none, "a foreign row looks like one that is not there"


def test_firms_read_their_own_and_write_nothing(house: House) -> None:
    client = house.client("firm-a")
    mine = client.get(f"{FIRMS}/").get_json()["items"]
    assert mine
    refused(client.post(f"{FIRMS}/", json=FIRM), 403)
    refused(client.patch(f"{FIRMS}/{mine[0]['id']}", json={"version": mine[0]["version"], "name": "改"}), 403)
    refused(client.get(f"{VISITS}/"), 403)


def test_readers_get_403_and_strangers_401(house: House) -> None:
    key = outside(house, Enterprise, A)
    reader = house.client("fagui")
    assert reader.get(f"{FIRMS}/{key}").status_code == 200
    refused(reader.patch(f"{FIRMS}/{key}", json={"version": 1}), 403)
    refused(house.client("yuan-a").delete(f"{FIRMS}/{key}"), 403)
    stranger = house.client()
    for url in (f"{FIRMS}/", f"{FIRMS}/{key}", "/api/v1/openapi.json", "/api/v1/token"):
        refused(stranger.get(url), 401)
    refused(stranger.post(f"{FIRMS}/", json=FIRM), 401)


def test_a_hidden_column_is_nowhere(small: House) -> None:
    role(small, "inspector", hidden={"Enterprise": ["phone", "note"]}, readonly={"Enterprise": ["name"]})
    client = small.client("yuan-a")
    row = client.get(f"{FIRMS}/").get_json()["items"][0]
    assert "phone" not in row and "note" not in row
    told = client.get(f"{FIRMS}/{row['id']}").get_json()
    assert "phone" not in told
    schemas = client.get("/api/v1/openapi.json").get_json()["components"]["schemas"]
    assert not {"phone", "note"} & (
        set(schemas["Enterprise"]["properties"]) | set(schemas["EnterpriseInput"]["properties"])
    )
    assert "name" in schemas["Enterprise"]["properties"] and "name" not in schemas["EnterpriseInput"]["properties"]
    body = {"version": row["version"], "phone": "0475-1", "name": "改", "nothing": 1, "office": "x"}
    fields = refused(client.patch(f"{FIRMS}/{row['id']}", json=body), 422)["fields"]
    assert fields["phone"] == fields["nothing"] == "没有这一项。"
    assert fields["name"] == "您的角色不能修改这一项。"
    assert fields["office"] == "这一项由系统填写，不能直接修改。"
    good = {"version": row["version"], "address": "新街 9 号"}
    assert client.patch(f"{FIRMS}/{row['id']}", json=good).get_json()["address"] == "新街 9 号"


# -- writing ----------------------------------------------------------------------------------------------------------


def test_a_firm_is_made_changed_and_replaced(house: House) -> None:
    client = house.client("yuan-a")
    answer = client.post(f"{FIRMS}/", json=FIRM)
    assert answer.status_code == 201
    made = answer.get_json()
    assert answer.headers["Location"] == f"{FIRMS}/{made['id']}"
    assert made["state"] == "正常" and made["office"]["text"]
    url = answer.headers["Location"]
    changed = client.patch(url, json={"version": made["version"], "note": "改过"}).get_json()
    assert (changed["note"], changed["address"]) == ("改过", FIRM["address"])
    replaced = client.put(url, json={"version": changed["version"], "name": "只剩名字"}).get_json()
    assert (replaced["name"], replaced["note"], replaced["address"]) == ("只剩名字", None, "")


def test_the_second_writer_gets_both_versions(house: House) -> None:
    key = outside(house, Enterprise, A)
    first, second = house.client("yuan-a"), house.client("suo-a")
    version = first.get(f"{FIRMS}/{key}").get_json()["version"]
    assert first.patch(f"{FIRMS}/{key}", json={"version": version, "name": "先到的名字"}).status_code == 200
    told = refused(second.patch(f"{FIRMS}/{key}", json={"version": version, "name": "后到的名字"}), 409)
    assert told["conflict"]["fields"] == {"name": {"yours": "后到的名字", "theirs": "先到的名字"}}
    again = {"version": told["conflict"]["version"], "name": "后到的名字"}
    assert second.patch(f"{FIRMS}/{key}", json=again).get_json()["name"] == "后到的名字"
    assert "version" in refused(second.patch(f"{FIRMS}/{key}", json={"name": "没有版本"}), 422)["fields"]


def test_a_doubt_is_told_and_accepted(house: House) -> None:
    client = house.client("yuan-a")
    told = refused(client.post(f"{FIRMS}/", json=FIRM | {"phone": "12"}), 422)
    assert told["doubts"][0]["field"] == "phone"
    accepted = [one["name"] for one in told["doubts"]]
    assert client.post(f"{FIRMS}/", json=FIRM | {"phone": "12", "accept": accepted}).status_code == 201


def test_findings_come_with_the_inspection(house: House) -> None:
    client = house.client("yuan-a")
    answer = client.post(f"{VISITS}/", json=visit(house))
    assert answer.status_code == 201, answer.get_json()
    made, url = answer.get_json(), answer.headers["Location"]
    assert [one["fact"] for one in made["findings"]] == ["第一个问题", "第二个问题"]
    kept = made["findings"][1]["id"]
    told = client.patch(url, json={"version": made["version"], "summary": "补充"}).get_json()
    assert len(told["findings"]) == 2, "rows that are not mentioned stay"
    rows = [{"id": kept, "demand": "改正三"}, {"fact": "新的", "demand": "改"}]
    told = client.patch(url, json={"version": told["version"], "findings": rows}).get_json()
    assert [(one["fact"], one["demand"], one["key_item"]) for one in told["findings"]] == [
        ("第二个问题", "改正三", True),
        ("新的", "改", False),
    ]
    assert told["findings"][0]["id"] == kept
    fields = refused(client.patch(url, json={"version": told["version"], "findings": [rows[0], {"fact": " "}]}), 422)[
        "fields"
    ]
    assert list(fields) == ["findings.1", "findings.1.fact"] or "findings.1" in fields
    other = client.post(f"{VISITS}/", json=visit(house)).get_json()["findings"][0]["id"]
    stolen = {"version": told["version"], "findings": [{"id": other, "fact": "偷来的"}]}
    assert "findings.0" in refused(client.patch(url, json=stolen), 422)["fields"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"site": 7}, "site"),
        ({"site": None}, "site"),
        ({"site": ["x"]}, "site"),
        ({"site": {"text": "没有编号"}}, "site"),
        ({"site": "\x00"}, "site"),
        ({"date": "2099-01-01"}, "date"),
        ({"date": 20260105}, "date"),
        ({"date": "昨天"}, "date"),
        ({"kind": "散步"}, "kind"),
        ({"kind": {}}, "kind"),
        ({"unannounced": "yes"}, "unannounced"),
        ({"summary": "x" * 20_001}, "summary"),
        ({"summary": "\x00"}, "summary"),
        ({"findings": {}}, "findings"),
        ({"findings": [7]}, "findings.0"),
        ({"findings": [{}]}, "findings.0"),
        ({"findings": [{"fact": "x", "demand": "y"}] * 201}, "findings"),
        ({"findings": [{"fact": "x", "demand": "y", "odd": 1}]}, "findings.0.odd"),
        ({"findings": [{"fact": "", "demand": "y"}]}, "findings.0.fact"),
        ({"findings": [{"fact": 5, "demand": "y"}]}, "findings.0.fact"),
        ({"findings": [{"fact": "x", "demand": "y", "id": 1}]}, "findings.0"),
        ({"co_inspector": "SELF"}, "co_inspector"),
        ({"accept": "all"}, "accept"),
        ({"version": 1}, "version"),
        ({"state": "已完成"}, "state"),
        ({"office": "x"}, "office"),
        ({"id": "x"}, "id"),
        ({"client_id": "short"}, "client_id"),
        ({"client_id": 12}, "client_id"),
    ],
)
def test_what_is_wrong_is_told_by_its_name_and_nothing_is_written(
    small: House, changes: dict[str, Any], field: str
) -> None:
    if changes.get("co_inspector") == "SELF":
        changes = {"co_inspector": account(small, "yuan-a")}
    with small.system() as session:
        before = session.scalar(select(func.count(Inspection.id)))
    assert field in refused(small.client("yuan-a").post(f"{VISITS}/", json=visit(small, **changes)), 422)["fields"]
    with small.system() as session:
        assert session.scalar(select(func.count(Inspection.id))) == before


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": Infinity}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b'{"name": "\xff\xfe"}', "application/json", 400),
        (b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400),
        (b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}", "application/json", 400),
        (b'{"version": ' + b"9" * 5_000 + b"}", "application/json", 400),
        (b'{"name": ' + b"9" * 400 + b"}", "application/json", 422),
        (b'{"name": 1e999999999}', "application/json", 422),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
    ],
)
def test_a_body_that_is_no_plain_object_is_refused(small: House, body: bytes, kind: str, status: int) -> None:
    refused(small.client("yuan-a").post(f"{FIRMS}/", data=body, content_type=kind), status)


def test_other_methods_and_addresses(small: House) -> None:
    client = small.client("yuan-a")
    refused(client.post(f"{FIRMS}/{outside(small, Enterprise, A)}", json={}), 405)
    for key in ("1", "x" * 22, "x" * 10_000, "%00", "%ff%fe", "中文"):
        refused(client.get(f"{FIRMS}/{key}"), 404)
    refused(small.client("ju").post("/api/v1/roles/", json={}), 403)


# -- steps ------------------------------------------------------------------------------------------------------------


def test_a_notice_goes_its_way(house: House) -> None:
    key = outside(house, Notice, A, state="待审核")
    chief, clerk = house.client("suo-a"), house.client("neiqin-a")
    refused(clerk.post(f"{NOTICES}/{key}/do/review", json={}), 403)
    refused(chief.post(f"{NOTICES}/{key}/do/fly", json={}), 404)
    assert "reason" in refused(chief.post(f"{NOTICES}/{key}/do/return_draft", json={}), 422)["fields"]
    refused(chief.post(f"{NOTICES}/{key}/do/return_draft", json={"reason": 5}), 422)
    refused(chief.post(f"{NOTICES}/{key}/do/review", json={"version": 99}), 409)
    assert "odd" in refused(chief.post(f"{NOTICES}/{key}/do/review", json={"odd": 1}), 422)["fields"]
    done = chief.post(f"{NOTICES}/{key}/do/review", json={})
    assert done.status_code == 200 and done.get_json()["state"] == "待签发"
    refused(chief.post(f"{NOTICES}/{key}/do/review", json={}), 409)


def test_service_takes_what_its_form_asks(house: House) -> None:
    key = outside(house, Notice, A, state="已签发")
    client = house.client("yuan-a")
    body = {"method": "直接", "date": "2026-11-24", "place": "现场", "receiver": "王五",
            "server": account(house, "yuan-a"), "co_server": account(house, "suo-a")}  # fmt: skip
    assert "place" in refused(client.post(f"{NOTICES}/{key}/do/serve", json=body | {"place": None}), 422)["fields"]
    assert "server" in refused(client.post(f"{NOTICES}/{key}/do/serve", json=body | {"server": 3}), 422)["fields"]


# -- ids made on a device ---------------------------------------------------------------------------------------------


def test_the_same_id_and_body_give_the_first_answer(house: House) -> None:
    client = house.client("yuan-a")
    body = FIRM | {"client_id": "device-7-0001-abcd"}
    first, again = client.post(f"{FIRMS}/", json=body), client.post(f"{FIRMS}/", json=body)
    assert first.status_code == again.status_code == 201
    assert first.get_json() == again.get_json()
    refused(client.post(f"{FIRMS}/", json=body | {"name": "另一家"}), 409)
    other = house.client("suo-a").post(f"{FIRMS}/", json=body | {"accept": ["accept-name"]})
    assert other.get_json()["id"] != first.get_json()["id"], "an id is one account's"
    header = {"Client-Id": "device-7-0002-abcd"}
    twin = FIRM | {"accept": ["accept-name"]}
    assert [client.post(f"{FIRMS}/", json=twin, headers=header).get_json()["id"] for _n in range(2)].count(
        client.post(f"{FIRMS}/", json=twin, headers=header).get_json()["id"]
    ) == 2


def test_the_same_id_sent_twice_at_once_makes_one_row(house: House) -> None:
    clients = [house.client("yuan-a") for _n in range(4)]
    barrier = threading.Barrier(len(clients))
    body = FIRM | {"name": "同时到的店", "client_id": "device-8-0001-abcd"}

    def send(client: FlaskClient) -> tuple[int, str]:
        barrier.wait()
        answer = client.post(f"{FIRMS}/", json=body)
        return answer.status_code, str(answer.get_json().get("id"))

    with ThreadPoolExecutor(len(clients)) as pool:
        told = set(pool.map(send, clients))
    assert len(told) == 1 and next(iter(told))[0] == 201
    with house.system() as session:
        assert session.scalar(select(func.count(Enterprise.id)).where(Enterprise.name == "同时到的店")) == 1


# -- around it --------------------------------------------------------------------------------------------------------


def test_writing_needs_the_token(small: House) -> None:
    small.app.config["WTF_CSRF_ENABLED"] = True
    try:
        client, key = small.client("yuan-a"), outside(small, Enterprise, A)
        for method, url in (("POST", f"{FIRMS}/"), ("PATCH", f"{FIRMS}/{key}"), ("PUT", f"{FIRMS}/{key}"),
                            ("DELETE", f"{FIRMS}/{key}"), ("POST", f"{NOTICES}/{key}/do/submit")):  # fmt: skip
            refused(client.open(url, method=method, json=FIRM), 400)
        token = client.get("/api/v1/token").get_json()["csrf_token"]
        assert client.post(f"{FIRMS}/", json=FIRM, headers={"X-CSRFToken": token}).status_code == 201
        refused(small.client("suo-a").post(f"{FIRMS}/", json=FIRM, headers={"X-CSRFToken": token}), 400)
    finally:
        small.app.config["WTF_CSRF_ENABLED"] = False


def test_refusals_speak_the_persons_language(small: House) -> None:
    answer = small.client("yuan-a").post(f"{FIRMS}/", json={"odd": 1}, headers={"Accept-Language": "en"})
    told = refused(answer, 422)
    assert told["fields"]["odd"].isascii() and told["fields"]["name"].isascii() and told["error"].isascii()


def test_too_many_requests_are_refused(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path, database_url="", base_url="http://localhost"))
    client = app.test_client()
    statuses = [client.get(f"{FIRMS}/").status_code for _n in range(605)]
    assert set(statuses[:600]) == {401} and set(statuses[600:]) == {429}


def test_deleting_needs_a_row_that_nothing_refers_to(house: House) -> None:
    with house.system() as session:
        grants = session.scalars(select(AccessRole.grants).where(AccessRole.code == "inspector")).one()
    changed = {**grants, "Enterprise": {**grants["Enterprise"], "delete": [["subtree", None]]}}
    role(house, "inspector", grants=changed)
    client = house.client("yuan-a")
    refused(client.delete(f"{FIRMS}/{outside(house, Enterprise, A)}"), 409)
    alone = client.post(f"{FIRMS}/", json=FIRM).headers["Location"]
    assert client.delete(alone).status_code == 204
    refused(client.get(alone), 404)
