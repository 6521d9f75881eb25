"""The way in and on: hosts and targets that are not ours, what a firm's person finds at the door."""

from __future__ import annotations

import json
import logging
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from app.core.history import HistoryEntry
from app.core.office import Account
from app.core.passwords import hashed
from app.core.signin import phone
from app.core.writing import unit_of_work
from app.models.personnel import Person
from tests.support.house import House

PASSWORD = "四月里的第3场雨停了"
ELSEWHERE = ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)",
             "evil.example", "/a\\b", "\\\\evil.example", "/\r\nSet-Cookie: x=1", "/\x7f"]  # fmt: skip


def page(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


def entries(house: House) -> list[dict[str, Any]]:
    with house.system() as session:
        return [json.loads(body) for body in session.scalars(select(HistoryEntry.body).order_by(HistoryEntry.id))]


def known_password(house: House, username: str = "yuan-a") -> dict[str, str]:
    with house.system() as session, unit_of_work():
        account = session.get_one(Account, house.accounts[username])
        account.password, account.must_change_password = hashed(PASSWORD), False
    return {"username": username, "password": PASSWORD}


# -- hosts ------------------------------------------------------------------------------------------------------------


def test_a_foreign_host_is_refused_and_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    cookie, before = house.client("yuan-a").get_cookie("shouze"), len(entries(house))
    assert cookie is not None
    sent = {"Host": "evil.example", "Cookie": f"shouze={cookie.value}"}
    answer = house.app.test_client(use_cookies=False).get("/notices/", headers=sent)
    assert answer.status_code == 400 and "evil" not in page(answer)
    last = entries(house)[-1]
    assert len(entries(house)) == before + 1 and last["reason"] == "被拒绝"
    assert last["facts"]["status"] == 400 and last["facts"]["why"] == "主机名不是本系统的：evil.example"
    assert last["actor"][0] == house.accounts["yuan-a"]
    assert "主机名不是本系统的：evil.example" in page(house.client("audit").get("/log/"))
    with caplog.at_level(logging.WARNING):
        assert house.app.test_client().get("/login/", headers={"Host": "evil.example"}).status_code == 400
    assert "evil.example" in caplog.text, "of strangers the server's log tells"


# -- targets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_target_elsewhere_is_refused_and_logged(small: House, target: str, caplog: pytest.LogCaptureFixture) -> None:
    credentials, client = known_password(small), small.client("yuan-a")
    before = len(entries(small))
    assert client.get("/language/en", query_string={"next": target}).status_code == 400
    last = entries(small)[-1]
    assert len(entries(small)) == before + 1 and last["reason"] == "被拒绝" and "next=" in last["facts"]["forged"][0]
    stranger = small.app.test_client()
    with caplog.at_level(logging.WARNING):
        for url in ("/login/", "/phone/", "/language/zh"):
            answer = stranger.get(url, query_string={"next": target})
            assert answer.status_code == 400 and "Location" not in answer.headers, url
        refused = stranger.post("/login/", data=credentials | {"next": target})
    assert refused.status_code == 400 and stranger.get("/notices/").status_code == 302, "and nobody is in by it"
    assert caplog.text.count("next=") >= 4 and "\nSet-Cookie" not in caplog.text


@pytest.mark.parametrize(
    ("target", "on"),
    [("/notices/?q=a", "/notices/?q=a"), ("/notices", "/notices"), ("/logout/", "/"), ("/nowhere", "/"), ("", "/"),
     ("/second-factor/confirm", "/"), ("/%09/evil.example", "/"), ("/notices/?q=" + "长" * 3_000, "/"),
     ("/search?q=%2F%2Fevil", "/search?q=%2F%2Fevil")],
)  # fmt: skip
def test_only_own_pages_that_can_be_opened_are_gone_on_to(small: House, target: str, on: str) -> None:
    answer = small.app.test_client().post("/login/", data=known_password(small) | {"next": target})
    assert (answer.status_code, answer.location) == (302, on)
    assert small.client("yuan-a").get("/language/zh", query_string={"next": target}).location == on


# -- firms' people ----------------------------------------------------------------------------------------------------


def test_the_sign_in_page_leads_firms_people_to_their_card(small: House) -> None:
    told = page(small.app.test_client().get("/login/"))
    assert 'href="/activate/"' in told and "用激活卡登录" in told


def test_after_a_reset_the_telephone_is_told_what_to_do(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    code, account = phone.new_code(), small.accounts["firm-a"]
    with small.system() as session, unit_of_work():
        phone.put_code(account, code)
        key = session.scalars(select(Person.id).where(Person.account_id == account)).one()
    client = small.app.test_client()
    done = client.post(f"/activate/{code}", data={"pin": "830276", "repeat": "830276", "agree": "1"})
    assert done.status_code == 302, page(done)
    assert "不再登记" not in page(client.get("/login/", follow_redirects=True))
    monkeypatch.setattr("app.services.activation.render_in_pool", lambda *_args, **_more: b"%PDF-1.7")
    reset = small.client("suo-a").post(f"/people/{key}/reset-pin", data={"reason": "手机丢了"})
    assert reset.status_code == 200 and reset.mimetype == "application/pdf"
    away = client.get("/daily-checks/")
    assert away.status_code == 302 and away.location.startswith("/login/")
    for _again in range(2):
        told = page(client.get(away.location))
        assert "这部手机不再登记在您的账号上" in told and "新的激活卡" in told and 'href="/activate/"' in told
    gone = client.get("/phone/")
    assert "why=phone" in gone.location and "不再登记" in page(client.get(gone.location))
    assert "不再登记" not in page(small.app.test_client().get("/login/")), "who never had one is told nothing"
