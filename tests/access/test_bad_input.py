"""What a hostile client forges: refused with 400, 403 or 404, logged, never a 500, never a hint that a row exists.

Each row of the table is asked twice where that makes sense: of a row of the other station, and of one that is nowhere.
Both answers are the same, word for word.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core.history import HistoryEntry
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from tests.support.house import House
from tests.support.imports import page
from tests.support.rights import scene

NOWHERE = 9_000_000
NO_ID = "A" * 22


@dataclass(frozen=True)
class Try:
    """One forged request. {key}, {public}, {site} name the foreign row, or one that is nowhere."""

    name: str
    method: str
    url: str
    data: dict[str, str] = field(default_factory=dict)
    status: tuple[int, ...] = (404,)
    json: bool = False
    logged: bool = True


# a forged id, at every kind of door
IDS = [
    Try("page", "GET", "/inspections/{key}"),
    Try("form", "GET", "/inspections/{key}/edit"),
    Try("save", "POST", "/inspections/{key}/edit", {"version": "1", "summary": "x"}),
    Try("delete", "POST", "/enterprises/{firm}/delete", status=(403, 404)),
    Try("step", "POST", "/inspections/{key}/do/void", {"reason": "x", "version": "1"}),
    Try("history", "GET", "/inspections/{key}/history"),
    Try("audience", "GET", "/inspections/{key}/access"),
    Try("reveal", "POST", "/enterprises/{firm}/reveal/phone"),
    Try("child of it", "GET", "/notices/add?inspection={key}"),
    Try("prefilled", "GET", "/inspections/add?site={site}"),
    Try("api", "GET", "/api/v1/inspections/{public}"),
    Try("api writes", "PATCH", "/api/v1/inspections/{public}", {"summary": "x"}, json=True),
    Try("api step", "POST", "/api/v1/inspections/{public}/do/void", {"reason": "x"}, json=True),
    Try("api filter", "GET", "/api/v1/inspections/?site={public}", status=(400,)),
    Try("paper", "GET", "/documents/{public}"),
    Try("file", "GET", "/files/{public}"),
    Try("job", "GET", "/jobs/{public}/file"),
    Try("message", "POST", "/messages/{public}/open"),
    Try("api names it", "POST", "/api/v1/inspections/", {"site": "{public}", "date": "2026-11-01"}, (422,), json=True),
    Try("form names it", "POST", "/inspections/add", {"site": "{site}"}, (422,)),
    Try("filter", "GET", "/inspections/?site={site}", status=(200,)),
]

# everything else that is forged: what comes back, and that it is logged where a person is behind it
OTHERS = [
    Try("no id at all", "GET", "/inspections/0"),
    Try("beyond 64 bits", "GET", "/inspections/99999999999999999999"),
    Try("a public id with a NUL", "GET", "/api/v1/inspections/%00"),
    Try("office in the form", "POST", "/enterprises/{own}/edit", {"office_id": "12"}, (302, 409, 422), logged=False),
    Try(
        "office in the API",
        "PATCH",
        "/api/v1/enterprises/{own_public}",
        {"office_id": "x"},
        (422,),
        json=True,
        logged=False,
    ),
    Try(
        "state in the API",
        "PATCH",
        "/api/v1/inspections/{own_visit}",
        {"state": "已完成"},
        (422,),
        json=True,
        logged=False,
    ),
    Try("step that is none", "POST", "/inspections/{visit}/do/sign", {"version": "1"}, (404,)),
    Try("role of another", "POST", "/postings/add", {"account": "1", "role": "1"}, (403,)),
    Try("account page", "GET", "/accounts/1/edit", status=(403,)),
    Try("setting", "GET", "/settings/1/edit", status=(403, 404)),
    Try("sort column", "GET", "/enterprises/?order=search_text", status=(200,)),
    Try("sort of the API", "GET", "/api/v1/enterprises/?order=office_id", status=(400,)),
    Try("bulk act", "POST", "/inspections/bulk", {"act": "sign", "ids": "1"}, (422,), logged=False),
    Try("bulk receipt", "GET", "/inspections/bulk/AAAAAAAAAAAAAAAAAAAAAAAA"),
    Try("saved filter", "POST", "/inspections/filters/9000000/delete"),
    Try("import run", "GET", "/enterprises/import/AAAAAAAAAAAAAAAAAAAAAA"),
    Try("file name", "GET", "/files/..%2f..%2fetc%2fpasswd"),
    Try("file name of an asset", "GET", "/assets/x/..%2f..%2fconfig.py"),
    Try("upload token", "GET", "/uploads/..%2f..%2fshouze.db"),
    Try("size of a copy", "GET", "/files/AAAAAAAAAAAAAAAAAAAAAA/../../x"),
    Try("verification code", "GET", "/verify/AAAAAAAAAAAAAAAAAAAAAA", logged=False),
    Try("version", "POST", "/inspections/{visit}/edit", {"version": "9" * 30}, (409, 422), logged=False),
    Try("method", "DELETE", "/inspections/{visit}", status=(405,)),
    Try("body", "POST", "/api/v1/inspections/", {"site": "\ud800"}, (400,), json=True),
]


def logged(house: House) -> int:
    with house.system() as session:
        kinds = HistoryEntry.body.contains("被拒绝") | HistoryEntry.body.contains("可疑的请求")
        return session.scalar(select(func.count(HistoryEntry.id)).where(kinds)) or 0


def send(house: House, one: Try, names: dict[str, Any], who: str = "yuan-a") -> Any:
    data = {key: value.format(**names) for key, value in one.data.items()}
    body: dict[str, Any] = {"json": data} if one.json else {"data": data}
    return house.client(who).open(one.url.format(**names), method=one.method, **body)


def names_of(house: House, rows: dict[str, Any], *, foreign: bool) -> dict[str, Any]:
    """The other station's rows, or keys of none; and the sender's own."""
    with house.system() as session:
        own = session.get_one(Enterprise, rows["A catering firm"][1])
        visit = session.get_one(Inspection, rows["A catering visit"][1])
        found = {"own": own.id, "own_public": own.public_id, "visit": visit.id, "own_visit": visit.public_id}
        if not foreign:
            return found | {"key": NOWHERE, "firm": NOWHERE, "site": NOWHERE, "public": NO_ID}
        key, site = rows["B catering visit"][1], rows["B catering site"][1]
        public = session.get_one(Inspection, key).public_id
    return found | {"key": key, "firm": rows["B catering firm"][1], "site": site, "public": public}


def comparable(answer: Any) -> str:
    """What an answer says, without what is new each time and without the addresses and values that were asked for."""
    return re.sub(r'(nonce|href|action|value|data-[a-z-]+)="[^"]*"|/uploads/[A-Za-z0-9_-]+', "", page(answer))


@pytest.mark.parametrize("one", IDS, ids=lambda one: one.name)
def test_a_foreign_row_answers_as_one_that_is_nowhere(house: House, one: Try) -> None:
    rows = scene(house)
    texts = []
    for foreign in (True, False):
        names, before = names_of(house, rows, foreign=foreign), logged(house)
        answer = send(house, one, names)
        assert answer.status_code in one.status, (one.name, answer.status_code)
        assert logged(house) == before + 1, f"{one.name} is not logged once"
        texts.append((answer.status_code, comparable(answer)))
        assert "B站" not in page(answer)
    if one.name != "filter":
        assert texts[0] == texts[1]
    with house.system() as session:
        assert session.get_one(Site, rows["B catering site"][1]).version == 1


@pytest.mark.parametrize("one", OTHERS, ids=lambda one: one.name)
def test_what_is_forged_is_refused(small: House, one: Try) -> None:
    rows = scene(small)
    names, before = names_of(small, rows, foreign=True), logged(small)
    answer = send(small, one, names)
    assert answer.status_code in one.status, answer.status_code
    assert (logged(small) > before) is one.logged
    with small.system() as session:
        firm = session.get_one(Enterprise, rows["A catering firm"][1])
        assert firm.office_id == small.offices["150525-S01"]
        assert session.get_one(Inspection, rows["A catering visit"][1]).state == "草稿"


# -- headers, tokens, redirects ---------------------------------------------------------------------------------------

HEADERS = [
    ("another host", {"Host": "evil.example"}, 400),
    ("a host with a port that is none", {"Host": "localhost:99999999"}, 400),
    ("a forwarded host nobody vouched for", {"X-Forwarded-Host": "evil.example"}, 200),
    ("a forwarded address nobody vouched for", {"X-Forwarded-For": "10.9.8.7"}, 200),
    ("a forwarded scheme", {"X-Forwarded-Proto": "javascript"}, 200),
    ("a rewritten path", {"X-Original-URL": "/accounts/", "X-Rewrite-URL": "/accounts/"}, 200),
    ("another method", {"X-HTTP-Method-Override": "DELETE"}, 200),
]


@pytest.mark.parametrize(("name", "headers", "status"), HEADERS, ids=[name for name, *_rest in HEADERS])
def test_a_forged_header_changes_nothing(small: House, name: str, headers: dict[str, str], status: int) -> None:
    before, small.app.config["TRUSTED_HOSTS"] = small.app.config["TRUSTED_HOSTS"], ["localhost"]
    try:
        answer = small.client("yuan-a").get("/notices/", headers=headers)
    finally:
        small.app.config["TRUSTED_HOSTS"] = before
    assert answer.status_code == status, name
    assert "evil.example" not in page(answer) and "10.9.8.7" not in page(answer)
    assert all("evil" not in value for _key, value in answer.headers)


def test_a_forged_token_is_refused_and_logged(house: House) -> None:
    rows = scene(house)
    key, before = rows["A catering visit"][1], logged(house)
    house.app.config["WTF_CSRF_ENABLED"] = True
    try:
        form = {"csrf_token": "forged", "reason": "x", "version": "1"}
        assert house.client("yuan-a").post(f"/inspections/{key}/do/void", data=form).status_code == 400
    finally:
        house.app.config["WTF_CSRF_ENABLED"] = False
    assert logged(house) == before + 1


def test_a_forged_cookie_is_nobody(small: House) -> None:
    client = small.app.test_client()
    for value in ("x", "eyJfdXNlcl9pZCI6IjEuMCJ9.x.y", "\x00", "a" * 4000):
        client.set_cookie("shouze", value)
        assert client.get("/inspections/").status_code == 302
        assert client.get("/api/v1/inspections/").status_code == 401


TARGETS = [
    "http://evil.example/", "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)",
    "\\\\evil.example", "/%09/evil.example", "data:text/html,x", "///evil.example", "/\r\nSet-Cookie: x=1",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_a_redirect_goes_nowhere_else(small: House, target: str) -> None:
    client, before = small.client("yuan-a"), logged(small)
    for url in ("/language/en", "/login/"):
        answer = client.get(url, query_string={"next": target})
        assert answer.status_code in ({200, 302} if target.startswith("/%09") else {400})
        where = answer.headers.get("Location", "/")
        assert where.startswith("/") and not where.startswith(("//", "/\\"))
        assert "x=1" not in json.dumps(list(answer.headers))
    assert logged(small) == before + (0 if target.startswith("/%09") else 2)


def test_a_thousand_forged_values_are_one_entry(small: House) -> None:
    before = logged(small)
    rows: dict[str, str] = {f"site__{n}": "x" for n in range(1_000)}
    small.client("yuan-a").post("/inspections/add", data=rows | {"site": "9000001", "inspector": "9000002"})
    assert logged(small) == before + 1
