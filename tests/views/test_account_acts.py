"""What an administrator does about somebody's sign-in: a new password, no second factor, out everywhere; who may."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app import cli
from app.core.office import Account
from app.core.signin.model import SignInSession
from app.core.signin.second_factor import state_of
from app.core.writing import unit_of_work
from app.services.office import add_account, add_posting
from tests.core.test_sessions import told
from tests.support.house import A, House, enter_as
from tests.views.test_sign_in import PASSWORD, enrol, sign_in

ACTS = ("reset-password", "reset-second-factor", "end-sessions")


def words(answer: Any) -> str:
    return html.unescape(answer.get_data(as_text=True))


def open_sessions(house: House, username: str) -> int:
    with house.system() as session:
        mine = select(SignInSession).where(SignInSession.account_id == house.accounts[username])
        return len(session.scalars(mine.where(SignInSession.ended_at.is_(None))).all())


@pytest.fixture
def manned(house: House) -> House:
    """With an office administrator of the station and a second system administrator."""
    with house.system():
        add_account("guan-a", "所管理员", "系统管理", A, PASSWORD, must_change=False)  # type: ignore[arg-type]
        add_account("admin-2", "另一位管理员", "系统管理", "150525", PASSWORD, must_change=False)  # type: ignore[arg-type]
        add_posting("guan-a", A, "office_admin")
        add_posting("admin-2", "150525", "sysadmin")
    house.learn()
    return house


def test_an_administrator_gives_a_one_time_password(manned: House) -> None:
    with manned.app.app_context():
        enter_as(manned.accounts["yuan-a"])
    client, key = manned.client("guan-a"), manned.accounts["yuan-a"]
    assert "重设密码" in words(client.get(f"/accounts/{key}"))
    assert client.get(f"/accounts/{key}/reset-password").status_code == 200
    assert client.post(f"/accounts/{key}/reset-password").status_code == 422, "not without a reason"
    assert open_sessions(manned, "yuan-a") == 1
    shown = client.post(f"/accounts/{key}/reset-password", data={"reason": "本人忘记密码"})
    found = re.search(r'一次性密码</dt><dd><code class="key">([^<]+)<', words(shown))
    assert found is not None and shown.headers["Cache-Control"] == "no-store"
    assert open_sessions(manned, "yuan-a") == 0
    person = manned.app.test_client()
    assert sign_in(person, "yuan-a", found[1]).location == "/password/"
    assert person.get("/notices/").location == "/password/"
    assert "重设密码：本人忘记密码" in [reason for reason, _facts in told(manned, "yuan-a")]
    with manned.system() as session:
        assert found[1] not in session.get_one(Account, key).password


def test_another_administrator_resets_a_lost_telephone(manned: House) -> None:
    enrol(manned, "admin-2")
    client, key = manned.client("admin"), manned.accounts["admin-2"]
    assert client.post(f"/accounts/{key}/reset-second-factor", data={"reason": "手机丢失"}).status_code == 302
    with manned.system():
        assert state_of(key).since is None
    assert sign_in(manned.app.test_client(), "admin-2").location == "/"
    again = client.post(f"/accounts/{key}/reset-second-factor", data={"reason": "手机丢失"})
    assert again.status_code == 409 and "没有启用动态口令" in words(again)
    assert "重设动态口令：手机丢失" in [reason for reason, _facts in told(manned, "admin-2")]


def test_an_administrator_ends_all_sign_ins_of_an_account(manned: House) -> None:
    with manned.app.app_context():
        enter_as(manned.accounts["yuan-a"]), enter_as(manned.accounts["yuan-a"])
    answer = manned.client("guan-a").post(
        f"/accounts/{manned.accounts['yuan-a']}/end-sessions", data={"reason": "手机丢失"}
    )
    assert answer.status_code == 302 and open_sessions(manned, "yuan-a") == 0
    assert [facts["why"] for words_, facts in told(manned, "yuan-a") if words_ == "结束登录"] == ["管理员结束"]


@pytest.mark.parametrize("act", ACTS)
def test_nobody_resets_themselves_their_betters_other_stations_or_firms(manned: House, act: str) -> None:
    with manned.app.app_context():
        for username in ("yuan-b", "admin", "ju", "firm-a", "suo-b"):
            enter_as(manned.accounts[username])
    for username, target, status in (
        ("guan-a", "yuan-b", 404),  # the other station's
        ("guan-a", "suo-b", 404),
        ("guan-a", "admin", 404),
        ("guan-a", "guan-a", 403),
        ("admin", "admin", 403),
        ("admin", "firm-a", 403),
        ("suo-a", "yuan-a", 403),  # the chief reads colleagues, but is no administrator
        ("yuan-a", "suo-a", 403),
        ("firm-a", "yuan-a", 403),
        ("audit", "yuan-a", 403),
    ):
        client, url = manned.client(username), f"/accounts/{manned.accounts[target]}/{act}"
        for answer in (client.get(url), client.post(url, data={"reason": "x"})):
            assert answer.status_code in {status, 404}, (username, target, answer.status_code)
    assert min(open_sessions(manned, one) for one in ("yuan-b", "admin", "ju", "firm-a", "suo-b")) >= 1


def test_an_office_administrator_resets_no_system_administrator_or_superior_of_the_same_office(manned: House) -> None:
    with manned.system() as session, unit_of_work():
        here = manned.offices[A]
        for username in ("admin-2", "ju"):
            session.get_one(Account, manned.accounts[username]).office_id = here
    client = manned.client("guan-a")
    for username in ("admin-2", "ju"):
        key = manned.accounts[username]
        assert "重设密码" not in words(client.get(f"/accounts/{key}"))
        for act in ACTS:
            assert client.post(f"/accounts/{key}/{act}", data={"reason": "x"}).status_code == 403


def test_odd_keys_and_reasons_are_no_fault(manned: House) -> None:
    client = manned.client("admin")
    for key in (0, 10**12, 10**18):
        assert client.post(f"/accounts/{key}/reset-password", data={"reason": "x"}).status_code == 404
    key = manned.accounts["yuan-a"]
    for reason in ("\0" * 5, "   "):
        assert client.post(f"/accounts/{key}/end-sessions", data={"reason": reason}).status_code == 422
    assert client.post(f"/accounts/{key}/end-sessions", data={"reason": "长" * 10_000 + "\0"}).status_code == 302


def test_the_command_resets_the_last_administrators_telephone(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(small, "admin")
    monkeypatch.setattr(cli.main, "create_app", lambda: small.app)
    run = CliRunner().invoke(cli.main, ["user", "reset-totp", "admin"])
    assert run.exit_code == 0, run.output
    with small.system():
        assert state_of(small.accounts["admin"]).since is None
    assert "命令行重设动态口令" in [reason for reason, _facts in told(small, "admin")]
    for name, why in (("admin", "没有启用动态口令"), ("nobody", "没有登录名为")):
        run = CliRunner().invoke(cli.main, ["user", "reset-totp", name])
        assert run.exit_code == 1 and why in run.output
