"""The pages of signing in: one step or two, what is unsent, where one is signed in, hostile headers and addresses."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app import create_app
from app.config import Settings
from app.core import clock
from app.core.clock import set_clock
from app.core.db import db
from app.core.office import Account
from app.core.passwords import hashed
from app.core.setting import DEMO, BureauSetting
from app.core.signin.model import SignInSession
from app.core.signin.second_factor import SecondFactor, adopt, propose
from app.core.writing import unit_of_work
from tests.support.house import House

PASSWORD = "四月里的第3场雨停了"
ADDED = ["203.0.113.7", "192.0.2.1"]  # what the proxies in front write down
PAGE = {"Accept": "text/html,application/xhtml+xml"}  # as a browser asks for a page


@pytest.fixture
def bureau(house: House) -> House:
    """The house where everybody knows one password."""
    with house.system() as session, unit_of_work():
        sealed = hashed(PASSWORD)
        for account in session.scalars(select(Account)):
            account.password, account.must_change_password = sealed, False
    return house


def sign_in(client: FlaskClient, username: str = "yuan-a", password: str = PASSWORD, **extra: Any) -> Any:
    headers = extra.pop("headers", {})
    return client.post("/login/", data={"username": username, "password": password, **extra}, headers=headers)


def words(answer: Any) -> str:
    return html.unescape(answer.get_data(as_text=True))


def enrol(house: House, username: str = "yuan-a") -> tuple[str, list[str]]:
    """A second factor, set up a while ago; its secret and recovery codes."""
    with house.system() as session, unit_of_work():
        account = session.get_one(Account, house.accounts[username])
        secret = propose(account.id)
        codes = adopt(account, code_of(secret), None)
        session.get_one(SecondFactor, session.scalar(select(SecondFactor.id).where(
            SecondFactor.account_id == account.id))).last_step -= 1  # fmt: skip
    assert codes
    return secret, codes


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(int(clock.now().timestamp()))


def rows(house: House, username: str = "yuan-a") -> list[SignInSession]:
    with house.system() as session:
        mine = select(SignInSession).where(SignInSession.account_id == house.accounts[username])
        return list(session.scalars(mine.order_by(SignInSession.id)))


@contextmanager
def later(minutes: float) -> Iterator[None]:
    start = clock.now()
    with set_clock(lambda: start + timedelta(minutes=minutes)):
        yield


# -- being signed out with work on the screen -------------------------------------------------------------------------


def test_a_form_that_was_open_too_long_goes_to_sign_in_and_comes_back(bureau: House) -> None:
    client = bureau.app.test_client()
    sign_in(client)
    page = "/enterprises/add?from=list"
    with later(31):
        headers = PAGE | {"Referer": f"http://localhost{page}"}
        sent = client.post("/enterprises/add", data={"name": "没存下的店"}, headers=headers)
        assert sent.status_code == 303
        door = client.get(sent.location)
        assert "没有提交" in words(door) and "草稿可以恢复" in words(door)
        token = re.search(r'name="next" value="([^"]+)"', door.get_data(as_text=True))
        assert token is not None and html.unescape(token[1]) == page
        assert sign_in(client, next=html.unescape(token[1])).location == page
        assert client.get(page).status_code == 200
    assert [row.ending for row in rows(bureau)] == ["长时间没有操作", None]


def test_a_page_asked_for_after_half_an_hour_says_why_one_must_sign_in(bureau: House) -> None:
    client = bureau.app.test_client()
    sign_in(client)
    with later(31):
        away = client.get("/notices/?q=a", headers=PAGE)
        assert away.status_code == 302 and "why=idle" in away.location
        assert "太长时间没有操作" in words(client.get(away.location))
        assert sign_in(client, next="/notices/?q=a").location == "/notices/?q=a"
    assert "why" not in bureau.app.test_client().get("/notices/").location, "who never was in is told nothing"


@pytest.mark.parametrize(
    ("referrer", "back"),
    [
        ("http://evil.example/notices/", "/enterprises/add"),
        ("http://localhost.evil.example/x", "/enterprises/add"),
        ("", "/enterprises/add"),
        ("http://localhost//evil.example/x", "/enterprises/add"),
        ("http://localhost/nowhere", "/enterprises/add"),
        ("http://localhost/offices/", "/offices/"),
    ],
)
def test_a_foreign_referrer_leads_nowhere(small: House, referrer: str, back: str) -> None:
    sent = small.app.test_client().post("/enterprises/add", headers=PAGE | {"Referer": referrer})
    assert sent.status_code == 303 and sent.location.startswith("/login/?")
    assert "evil" not in sent.location
    with small.system() as session, unit_of_work():
        session.get_one(Account, small.accounts["yuan-a"]).password = hashed(PASSWORD)
    target = re.search(r"next=([^&]+)", sent.location)
    client = small.app.test_client()
    assert sign_in(client, next=target[1].replace("%2F", "/") if target else "").location == back


def test_programs_get_401_and_no_page(small: House) -> None:
    client = small.app.test_client()
    for headers in ({}, {"Accept": "application/json"}):
        assert client.post("/enterprises/add", headers=headers).status_code == 401
    assert client.post("/api/v1/enterprises/", json={}, headers=PAGE).status_code == 401
    assert client.get("/jobs/status", headers={"Accept": "application/json"}).status_code == 401


def test_a_form_of_an_ended_session_without_its_token_goes_to_sign_in_too(small: House) -> None:
    small.app.config["WTF_CSRF_ENABLED"] = True
    try:
        gone = small.app.test_client().post("/enterprises/add", data={"name": "x"}, headers=PAGE)
        assert gone.status_code == 303 and "why=unsent" in gone.location
        old = small.app.test_client().post("/login/", data={"username": "x", "password": "y"}, headers=PAGE)
        assert old.status_code == 303 and "why=again" in old.location
        inside = small.client("yuan-a").post("/enterprises/add", data={"name": "x"}, headers=PAGE)
        assert inside.status_code == 400 and "打开太久" in words(inside)
    finally:
        small.app.config["WTF_CSRF_ENABLED"] = False


# -- 我的登录 ----------------------------------------------------------------------------------------------------------


def test_ones_sign_ins_are_listed_and_ended_one_by_one(bureau: House) -> None:
    office, phone = bureau.app.test_client(), bureau.app.test_client()
    sign_in(office, headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/128.0"})
    sign_in(phone, headers={"User-Agent": "Mozilla/5.0 (Linux; Android 14) Chrome/116.0 Mobile"})
    listed = words(office.get("/sessions/"))
    assert "Firefox 128 · Windows" in listed and "Chrome 116 · Android" in listed
    assert listed.count("现在这里") == 1 and "127.0.0.1" in listed
    end = re.findall(r'action="(/sessions/[^"]+/end)"', listed)
    here, there = end  # this one stands first
    assert office.post(there).status_code == 302
    assert phone.get("/notices/").status_code == 302 and office.get("/notices/").status_code == 200
    assert "本人结束" in words(office.get("/sessions/"))
    assert office.post(there).status_code == 302, "ending what has ended is no fault"
    assert office.post(here).location == "/login/"
    assert office.get("/notices/").status_code == 302


def test_all_other_sign_ins_end_at_once(bureau: House) -> None:
    clients = [bureau.app.test_client() for _ in range(3)]
    other = bureau.app.test_client()
    for client in clients:
        sign_in(client)
    sign_in(other, "yuan-b")
    assert clients[1].post("/sessions/end-others").status_code == 302
    assert [client.get("/notices/").status_code for client in clients] == [302, 200, 302]
    assert other.get("/notices/").status_code == 200


def test_another_persons_sign_ins_are_not_there(bureau: House) -> None:
    sign_in(bureau.app.test_client(), "yuan-b", headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/99.0"})
    (theirs,) = rows(bureau, "yuan-b")
    for username in ("yuan-a", "suo-b", "ju", "admin", "audit", "firm-a"):
        client = bureau.client(username)
        assert "Firefox 99" not in words(client.get("/sessions/"))
        for key in (theirs.public_id, theirs.id, "nothing", "0", "x" * 300):
            assert client.post(f"/sessions/{key}/end").status_code == 404, (username, key)
    assert rows(bureau, "yuan-b")[0].ended_at is None


def test_a_new_password_ends_every_other_sign_in(bureau: House) -> None:
    here, there = bureau.app.test_client(), bureau.app.test_client()
    sign_in(here), sign_in(there)
    new = "换一个谁也想不到的句子"
    before = here.get_cookie("shouze")
    assert here.post("/password/", data={"old": PASSWORD, "new": new, "repeat": new}).status_code == 302
    assert here.get("/notices/").status_code == 200 and there.get("/notices/").status_code == 302
    assert before is not None
    thief = bureau.app.test_client()
    thief.set_cookie("shouze", before.value)
    assert thief.get("/notices/").status_code == 302, "the session itself is a new one"


# -- 动态口令 ----------------------------------------------------------------------------------------------------------


def test_the_second_step_lets_in_and_half_signed_in_opens_nothing(bureau: House) -> None:
    secret, _codes = enrol(bureau)
    client = bureau.app.test_client()
    assert sign_in(client, next="/notices/").location == "/login/code"
    for path in ("/", "/notices/", "/sessions/", "/second-factor/", "/password/", "/messages/"):
        assert client.get(path).status_code == 302 and "/login/" in client.get(path).location, path
    assert client.get("/api/v1/enterprises/").status_code == 401
    assert client.post("/second-factor/remove").status_code == 401
    assert all(row.ended_at for row in rows(bureau)), "no session yet"
    assert client.post("/login/code", data={"code": "000000"}).status_code == 401
    assert client.post("/login/code", data={"code": code_of(secret)}).location == "/notices/"
    assert client.get("/notices/").status_code == 200


def test_a_code_cannot_be_used_again_on_another_machine(bureau: House) -> None:
    secret, _codes = enrol(bureau)
    one, two = bureau.app.test_client(), bureau.app.test_client()
    sign_in(one), sign_in(two)
    code = code_of(secret)
    assert one.post("/login/code", data={"code": code}).status_code == 302
    assert two.post("/login/code", data={"code": code}).status_code == 401


def test_half_a_sign_in_is_void_after_minutes_or_a_new_password(bureau: House) -> None:
    secret, codes = enrol(bureau)
    client = bureau.app.test_client()
    sign_in(client)
    with later(6):
        assert "why=half" in client.post("/login/code", data={"code": code_of(secret)}).location
    sign_in(client)
    with bureau.system() as session, unit_of_work():
        session.get_one(Account, bureau.accounts["yuan-a"]).password = hashed("另一个新的密码句子")
    assert "why=half" in client.post("/login/code", data={"code": codes[0]}).location
    assert "why=half" in bureau.app.test_client().get("/login/code").location


def test_five_wrong_codes_lock_and_the_answer_says_until_when(bureau: House) -> None:
    secret, codes = enrol(bureau)
    client = bureau.app.test_client()
    sign_in(client)
    for _ in range(5):
        assert client.post("/login/code", data={"code": "123 456"}).status_code == 401
    for code in (code_of(secret), codes[0]):
        locked = client.post("/login/code", data={"code": code})
        assert locked.status_code == 429 and 590 <= int(locked.headers["Retry-After"]) <= 600
        assert "请过 10 分钟再试" in words(locked)
    assert sign_in(bureau.app.test_client()).status_code == 429, "the password alone begins nothing either"


def test_the_right_password_between_wrong_codes_forgets_none_of_them(bureau: House) -> None:
    enrol(bureau)
    told = []
    for _ in range(6):
        client = bureau.app.test_client()
        told.append(sign_in(client).status_code)
        client.post("/login/code", data={"code": "000000"})
    assert told == [302] * 5 + [429]


def test_an_inspector_sets_it_up_and_gives_it_up(bureau: House) -> None:
    client = bureau.app.test_client()
    sign_in(client)
    assert "还没有启用" in words(client.get("/second-factor/"))
    assert client.post("/second-factor/start").status_code == 302
    page = words(client.get("/second-factor/"))
    found = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert found is not None and "<svg" in page and "style=" not in page.partition("<svg")[2].partition("</svg>")[0]
    secret = found[1].replace(" ", "")
    wrong = client.post("/second-factor/confirm", data={"code": "000000"})
    assert wrong.status_code == 422 and "现在的六位数字" in words(wrong)
    done = client.post("/second-factor/confirm", data={"code": code_of(secret)})
    codes = re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", words(done))
    assert len(codes) == 10 and done.headers["Cache-Control"] == "no-store"
    shown = words(client.get("/second-factor/"))
    assert "10 个没用过的恢复码" in shown and codes[0] not in shown and secret[:4] not in shown
    other = bureau.app.test_client()
    sign_in(other)
    assert other.post("/login/code", data={"code": codes[0]}).status_code == 302
    assert "9 个没用过的恢复码" in words(other.get("/second-factor/"))
    assert client.post("/second-factor/remove").status_code == 302
    assert other.get("/notices/").status_code == 302, "the other sign-ins end with it"
    assert sign_in(bureau.app.test_client()).location == "/"


def test_an_open_screen_is_not_enough_to_change_it(bureau: House) -> None:
    client = bureau.app.test_client()
    sign_in(client)
    with later(11):
        assert 'name="password"' in words(client.get("/second-factor/"))
        for act in ("start", "codes", "remove"):
            assert client.post(f"/second-factor/{act}", data={"password": "wrong"}).status_code == 422, act
        assert client.post("/second-factor/start", data={"password": PASSWORD}).status_code == 302
        for _ in range(3):
            client.post("/second-factor/start", data={"password": "wrong"})
        assert client.post("/second-factor/start", data={"password": PASSWORD}).status_code == 429


def test_a_system_administrator_does_nothing_before_it_is_set_up(bureau: House) -> None:
    with bureau.system() as session, unit_of_work():
        table: Any = BureauSetting.__table__
        session.connection().execute(update(table).where(table.c.key == DEMO).values(value=""))
    client = bureau.app.test_client()
    assert sign_in(client, "admin", next="/accounts/").location == "/accounts/"
    assert client.get("/accounts/").location == "/second-factor/"
    assert client.get("/api/v1/accounts/").status_code == 403
    page = words(client.get("/second-factor/"))
    assert "必须先设置动态口令" in page and "账号" not in page.partition('id="nav"')[2].partition("</nav>")[0]
    client.post("/second-factor/start")
    found = re.search(r'class="key">([A-Z2-7 ]+)<', words(client.get("/second-factor/")))
    assert found is not None
    done = words(client.post("/second-factor/confirm", data={"code": code_of(found[1].replace(" ", ""))}))
    assert 'href="/accounts/"' in done, "on to the page that was asked for"
    assert client.get("/accounts/").status_code == 200
    assert client.post("/second-factor/remove").status_code == 403
    assert sign_in(bureau.app.test_client(), "yuan-a").location == "/", "others may, but need not"


# -- locks, as the browser sees them -----------------------------------------------------------------------------------


def test_a_lock_is_answered_with_429_and_a_time_for_known_and_unknown_names_alike(bureau: House) -> None:
    told = []
    for username in ("yuan-a", "nobody-at-all"):
        client = bureau.app.test_client()
        pages = [sign_in(client, username, "wrong") for _ in range(6)]
        told.append([(one.status_code, bool(one.headers.get("Retry-After"))) for one in pages])
        assert "登录失败的次数太多" in words(pages[-1])
    assert told[0] == told[1] == [(401, False)] * 5 + [(429, True)]


def test_a_forged_forwarded_address_changes_nothing_without_a_trusted_proxy(bureau: House) -> None:
    told = [
        sign_in(bureau.app.test_client(), password="wrong", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
        for n in range(6)
    ]
    assert told == [401] * 5 + [429]


@pytest.mark.parametrize("proxies", [1, 2])
def test_behind_proxies_only_what_they_added_is_believed(small: House, proxies: int, tmp_path: Path) -> None:
    app = create_app(Settings(
        data_dir=tmp_path, testing=True, base_url="http://localhost", trusted_proxies=proxies,
        database_url=small.app.config["SQLALCHEMY_DATABASE_URI"],
    ))  # fmt: skip
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["shouze_keyring"] = small.app.extensions["shouze_keyring"]

    def knock(*chain: str) -> int:
        headers = {"X-Forwarded-For": ", ".join(chain)}
        return int(sign_in(app.test_client(), password="wrong", headers=headers).status_code)

    try:
        told = [knock(f"10.0.0.{n}", "x" * 50, *ADDED[:proxies]) for n in range(6)]
        assert told == [401] * 5 + [429], "what the client wrote itself is not looked at"
        assert knock("203.0.113.7", "203.0.113.8", *ADDED[1:proxies]) == 401, "another client is another address"
        forged = {"X-Forwarded-Host": ", ".join(["evil.example"] * proxies)}
        assert app.test_client().get("/login/", headers=forged).status_code == 400
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example", "a b", ""])
def test_a_foreign_host_is_refused(small: House, host: str) -> None:
    answer = small.app.test_client().get("/login/", headers={"Host": host})
    assert answer.status_code == 400


# -- the cookie --------------------------------------------------------------------------------------------------------


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(bureau: House) -> None:
    cookie = sign_in(bureau.app.test_client()).headers["Set-Cookie"]
    assert cookie.startswith("shouze=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert "Expires" not in cookie and "Domain" not in cookie, "it ends with the browser"


def test_over_https_the_cookie_is_this_hosts_alone(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path, testing=True, base_url="https://localhost"))
    cookie = app.test_client().get("/login/", base_url="https://localhost").headers["Set-Cookie"]
    assert cookie.startswith("__Host-shouze=")
    assert "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(bureau: House) -> None:
    """Fixation: a cookie of before sign-in, or of another account, opens nothing afterwards."""
    victim, attacker = bureau.app.test_client(), bureau.app.test_client()
    sign_in(attacker, "yuan-b")
    planted = attacker.get_cookie("shouze")
    assert planted is not None
    victim.set_cookie("shouze", planted.value)
    sign_in(victim, "yuan-a")
    after = victim.get_cookie("shouze")
    assert after is not None and after.value != planted.value
    assert attacker.get("/notices/").status_code == 302, "what the cookie held before is ended"
    with victim.session_transaction() as cookie:
        assert str(cookie["_user_id"]).startswith(f"{bureau.accounts['yuan-a']}.")


def test_what_the_secret_key_signs_is_not_enough_to_be_in(small: House) -> None:
    client = small.app.test_client()
    admin = small.accounts["admin"]
    for forged in (f"{admin}.0", str(admin), f"{admin}.{'A' * 43}"):
        with client.session_transaction() as cookie:
            cookie["_user_id"] = forged
        assert client.get("/accounts/").status_code == 302


def test_every_change_by_cookie_needs_the_token_the_api_and_sign_in_included(small: House) -> None:
    small.app.config["WTF_CSRF_ENABLED"] = True
    try:
        client = small.client("yuan-a")
        for rule in small.app.url_map.iter_rules():
            url = re.sub(r"<[^>]+>", "1", rule.rule)
            for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
                answer = client.open(url, method=method, json={} if url.startswith("/api/") else None)
                anew = url == "/phone/" or url.startswith(("/login/", "/activate/"))  # nobody is in yet: shown anew
                assert answer.status_code == (303 if anew else 400), (method, url)
        assert client.get("/notices/").status_code == 200, "and it is still signed in"
    finally:
        small.app.config["WTF_CSRF_ENABLED"] = False


def test_an_address_that_no_cookie_could_carry_is_not_come_back_to(bureau: House) -> None:
    secret, _codes = enrol(bureau)
    client = bureau.app.test_client()
    assert sign_in(client, next="/notices/?q=" + "长" * 3_000).location == "/login/code"
    assert len(client.get_cookie("shouze").value) < 1_000  # type: ignore[union-attr] - it was just set
    assert client.post("/login/code", data={"code": code_of(secret)}).location == "/"


def test_a_page_that_only_takes_forms_is_not_come_back_to(small: House) -> None:
    page = {"Referer": "http://localhost/second-factor/confirm"}
    away = small.app.test_client().post("/second-factor/confirm", data={"code": "1"}, headers=PAGE | page)
    assert away.location == "/login/?why=unsent"
