"""激活卡 and the telephone: accounts in bulk, cards, activation, opening and signing by PIN, what is reset."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app import create_app
from app.config import Settings
from app.core import clock
from app.core.clock import set_clock
from app.core.db import db, unscoped
from app.core.history import HistoryEntry, verify
from app.core.office import Account, Posting
from app.core.signin import phone
from app.core.signin.model import EntryKind, SignInSession
from app.core.signin.phone import ActivationCode, Phone, PhonePin
from app.core.signin.sessions import open_session
from app.core.writing import unit_of_work
from app.models.check import DailyCheck
from app.models.enterprise import Site
from app.models.personnel import Appointment, Person
from app.services import activation
from tests.support.house import A, B, House
from tests.views.test_checks import codes_of as items_of
from tests.views.test_checks import form_of

PIN, OTHER = "830276", "741903"
PAGE = {"Accept": "text/html"}


def words(answer: Any) -> str:
    return html.unescape(answer.get_data(as_text=True))


def codes_of(answer: Any) -> list[str]:
    return re.findall(r"[2-9a-hjkmnp-z]{5}-[2-9a-hjkmnp-z]{5}-[2-9a-hjkmnp-z]{5}", answer)


@dataclass
class Sheet:
    """What was printed, in place of the PDF: rendering has tests of its own."""

    contexts: list[dict[str, Any]]

    @property
    def codes(self) -> dict[str, str]:
        return {card["name"]: card["code"] for context in self.contexts for card in context["cards"]}


@pytest.fixture
def sheet(monkeypatch: pytest.MonkeyPatch) -> Sheet:
    found = Sheet([])

    def keep(name: str, context: dict[str, Any], **_more: Any) -> bytes:
        assert name == "activation"
        found.contexts.append(json.loads(json.dumps(context)))
        return b"%PDF-"

    monkeypatch.setattr(activation, "render_in_pool", keep)
    return found


def officer(house: House, code: str = A, skip: int = 0) -> int:
    """A 食品安全员 of a firm of the station who has no account, a mobile of their own, and one post."""
    with house.system() as session:
        other = aliased(Person)
        once = select(other.mobile_digest).group_by(other.mobile_digest).having(func.count() == 1)
        every = aliased(Appointment)
        posts = select(func.count(every.id)).where(every.person_id == Person.id).scalar_subquery()
        asked = (
            select(Person.id).join(Appointment)
            .where(Person.office_id == house.offices[code], Person.account_id.is_(None), Appointment.date_to.is_(None),
                   Appointment.role == "食品安全员", Person.mobile_digest.in_(once), posts == 1)
            .order_by(Person.id)
        )  # fmt: skip
        return session.scalars(asked).all()[skip]


def person(house: House, key: int) -> Person:
    with house.system() as session:
        return session.get_one(Person, key)


def print_card(house: House, sheet: Sheet, key: int, by: str = "neiqin-a") -> str:
    """A card, printed by the station. Returns the code."""
    answer = house.client(by).post("/activation/cards", data={"ids": key, "sure": "1"})
    assert answer.status_code == 200 and answer.mimetype == "application/pdf", words(answer)
    return str(sheet.contexts[-1]["cards"][0]["code"])


def activate(house: House, code: str, pin: str = PIN, client: FlaskClient | None = None, **extra: str) -> Any:
    client = client or house.app.test_client()
    data = {"pin": pin, "repeat": pin, "agree": "1", **extra}
    return client.post(f"/activate/{code}", data=data, headers=PAGE)


@dataclass
class Owner:
    """A firm's person with a telephone."""

    key: int
    client: FlaskClient
    house: House

    @property
    def account(self) -> int:
        return int(person(self.house, self.key).account_id or 0)

    def leave(self) -> None:
        """The browser's session is gone, the telephone stays remembered."""
        self.client.delete_cookie("shouze")


@pytest.fixture
def owner(house: House, sheet: Sheet) -> Owner:
    key, client = officer(house), house.app.test_client()
    assert activate(house, print_card(house, sheet, key), client=client).status_code == 302
    return Owner(key, client, house)


@contextmanager
def later(**time: float) -> Iterator[None]:
    start = clock.now()
    with set_clock(lambda: start + timedelta(**time)):
        yield


def told(house: House, entity: str, key: int) -> list[str]:
    with house.system() as session:
        about = select(HistoryEntry.body).where(HistoryEntry.entity == entity, HistoryEntry.row_id == key)
        return [json.loads(body)["reason"] for body in session.scalars(about.order_by(HistoryEntry.id))]


# -- accounts in bulk -------------------------------------------------------------------------------------------------


def test_the_clerk_opens_accounts_for_all_who_have_a_post(house: House) -> None:
    client, key = house.client("neiqin-a"), officer(house)
    listed = words(client.get("/activation/?state=none"))
    keys = re.findall(r'name="ids" value="(\d+)"', listed)
    assert str(key) in keys and len(keys) > 5
    done = client.post("/activation/accounts", data={"ids": keys}, follow_redirects=True)
    assert "已开通" in words(done)
    with house.system() as session:
        one = session.get_one(Person, key)
        account = session.get_one(Account, one.account_id)
        assert account.username == one.mobile and account.family == "企业" and account.password == ""
        postings = session.scalars(select(Posting).where(Posting.account_id == account.id)).all()
        assert [posting.title for posting in postings] == ["食品安全员"]
        assert one.activation == "未激活"
    assert f'value="{key}"' in words(client.get("/activation/"))
    assert f'value="{key}"' not in words(client.get("/activation/?state=none"))
    assert client.post("/activation/accounts", data={"ids": keys}).status_code == 302, "twice is no fault"
    with house.system() as session:
        assert session.scalar(select(func.count()).where(Account.username == account.username)) == 1
    assert list_breaks(house) == []


def list_breaks(house: House) -> list[Any]:
    with house.app.app_context():
        return list(verify())


def test_one_person_of_several_firms_gets_one_account_with_each_kind_of_post(house: House) -> None:
    key = officer(house)
    with house.system() as session, unit_of_work():
        other = session.scalars(select(Site).where(Site.office_id == house.offices[A]).order_by(Site.id.desc())).first()
        assert other is not None
        session.add(Appointment(person_id=key, enterprise_id=other.enterprise_id, role="主要负责人",
                                date_from=clock.today()))  # fmt: skip
    with house.acting("neiqin-a"):
        assert activation.open_accounts([key, key]).made == 1
    with house.system() as session:
        titles = session.scalars(
            select(Posting.title).where(Posting.account_id == session.get_one(Person, key).account_id)
        )
        assert sorted(titles) == ["主要负责人", "食品安全员"]


def test_two_people_with_one_mobile_are_named_and_not_merged(house: House, sheet: Sheet) -> None:
    one, two = officer(house), officer(house, skip=1)
    with house.system() as session, unit_of_work():
        first, second = session.get_one(Person, one), session.get_one(Person, two)
        second.mobile, second.mobile_digest = first.mobile, first.mobile_digest
        names = {first.name, second.name}
    with house.acting("neiqin-a"):
        outcome = activation.open_accounts([one, two])
    assert outcome.made == 0 and {name for name, _why in outcome.problems} == names
    assert all("两个人不会合并" in why for _name, why in outcome.problems)
    page = house.client("neiqin-a").post("/activation/cards", data={"ids": [one, two], "sure": "1"},
                                         follow_redirects=True)  # fmt: skip
    assert "两个人不会合并" in words(page) and sheet.contexts == []


def test_who_has_no_mobile_or_no_post_is_named(house: House) -> None:
    one, two = officer(house), officer(house, skip=1)
    with house.system() as session, unit_of_work():
        session.get_one(Person, one).mobile = session.get_one(Person, one).mobile_digest = None
        for post in session.scalars(select(Appointment).where(Appointment.person_id == two)):
            post.date_to = clock.today() - timedelta(days=1) if post.date_from < clock.today() else post.date_from
            post.date_from = min(post.date_from, post.date_to)
    with house.acting("suo-a"):
        outcome = activation.open_accounts([one, two])
    assert outcome.made == 0
    assert sorted(why for _name, why in outcome.problems) == ["没有在任的企业任职。", "没有填写手机。"]


def test_two_clerks_at_once_make_one_account(house: House) -> None:
    keys, barrier, made = [officer(house, skip=n) for n in range(6)], Barrier(2), []

    def open_all() -> None:
        with house.acting("neiqin-a"):
            barrier.wait()
            made.append(activation.open_accounts(keys).made)
            db.session.remove()

    threads = [Thread(target=open_all) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sum(made) == 6
    with house.system() as session:
        accounts = session.scalars(select(Person.account_id).where(Person.id.in_(keys))).all()
    assert len(set(accounts)) == 6 and None not in accounts


# -- who may ----------------------------------------------------------------------------------------------------------


def test_nobody_else_opens_accounts_or_prints_cards(house: House, sheet: Sheet) -> None:
    here, there = officer(house), officer(house, B)
    for username, status in {"yuan-a": 403, "ju": 403, "gu-canyin": 403, "firm-a": 403, "admin": 403, "audit": 403,
                             "shi": 403, "fagui": 403}.items():  # fmt: skip
        client = house.client(username)
        assert client.get("/activation/").status_code == status, username
        for url in ("/activation/accounts", "/activation/cards"):
            assert client.post(url, data={"ids": here, "sure": "1"}).status_code == status, username
        assert client.post(f"/people/{here}/reset-pin", data={"reason": "x"}).status_code in {403, 404}, username
    clerk = house.client("neiqin-a")
    assert str(there) not in re.findall(r'name="ids" value="(\d+)"', words(clerk.get("/activation/?state=none")))
    assert clerk.post("/activation/cards", data={"ids": there, "sure": "1"}).status_code == 404
    clerk.post("/activation/accounts", data={"ids": there})
    for act in ("reset-pin", "end-phone"):
        assert clerk.get(f"/people/{there}/{act}").status_code == 404
        assert clerk.post(f"/people/{there}/{act}", data={"reason": "x"}).status_code == 404
    assert person(house, there).account_id is None and sheet.contexts == []
    assert house.app.test_client().get("/activation/", headers=PAGE).status_code == 302


ODD = ["state=x", "office=999999", "office=-1", "since=heute", "since=9999-99-99", "page=0", "page=99999999999",
       "firm=%00", "firm=" + "长" * 3000, "page=x&office=٣"]  # fmt: skip


@pytest.mark.parametrize("query", ODD)
def test_odd_filters_are_no_fault(small: House, query: str) -> None:
    assert small.client("neiqin-a").get(f"/activation/?{query}").status_code == 200


def test_odd_keys_are_no_fault(small: House) -> None:
    client = small.client("neiqin-a")
    for ids in ([], ["x"], ["0"], ["9" * 30], ["\0"], ["-1"], [str(n) for n in range(1, 300)]):
        for url in ("/activation/accounts", "/activation/cards"):
            assert client.post(url, data={"ids": ids}).status_code in {200, 302, 404, 422}, (url, ids)


def test_the_list_is_filtered_by_firm_and_day(house: House) -> None:
    client, key = house.client("suo-a"), officer(house)
    with house.system() as session:
        post = session.scalars(select(Appointment).where(Appointment.person_id == key)).one()
        firm, since = post.enterprise.name, post.date_from
    assert f'value="{key}"' in words(client.get("/activation/", query_string={"state": "none", "firm": firm}))
    assert f'value="{key}"' not in words(client.get("/activation/?state=none&firm=没有这一家"))
    day = (since + timedelta(days=1)).isoformat()
    assert f'value="{key}"' not in words(client.get(f"/activation/?state=none&since={day}"))


# -- cards ------------------------------------------------------------------------------------------------------------


def test_a_card_is_printed_once_and_kept_nowhere(house: House, sheet: Sheet) -> None:
    client, key = house.client("neiqin-a"), officer(house)
    asked = client.post("/activation/cards", data={"ids": key})
    assert "以前打印的卡全部作废" in words(asked) and sheet.contexts == []
    code = print_card(house, sheet, key)
    (card,) = sheet.contexts[-1]["cards"]
    one = person(house, key)
    assert card["name"] == one.name and card["mobile"] == f"{one.mobile[:3]}****{one.mobile[-4:]}"
    assert sheet.contexts[-1]["address"] == "http://localhost/activate/" and sheet.contexts[-1]["demo"] is True
    assert codes_of(code) == [code]
    with house.system() as session:
        (row,) = session.scalars(select(ActivationCode).where(ActivationCode.account_id == one.account_id))
        assert code.replace("-", "") not in f"{row.digest}{code in row.digest}"
        assert row.until - row.made_at == timedelta(days=30)
        bodies = " ".join(session.scalars(select(HistoryEntry.body)))
    assert code not in bodies and code.replace("-", "") not in bodies
    assert "打印激活卡" in told(house, "Person", key)


def test_a_sheet_goes_by_firm_and_a_failed_print_changes_nothing(house: House, sheet: Sheet,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    keys = [officer(house, skip=n) for n in range(5)]
    with house.acting("neiqin-a"):
        activation.print_cards(keys)
    firms = [card["firm"] for card in sheet.contexts[0]["cards"]]
    assert firms == sorted(firms) and len(firms) == 5
    first = sheet.contexts[0]["cards"][0]["code"]

    def breaks(*_args: Any, **_more: Any) -> bytes:
        raise RuntimeError("the printer is out of paper")

    monkeypatch.setattr(activation, "render_in_pool", breaks)
    with house.acting("neiqin-a"), pytest.raises(RuntimeError):
        activation.print_cards(keys)
    assert house.app.test_client().get(f"/activate/{first}").status_code == 200, "the old card still holds"


def test_a_new_card_makes_the_old_one_void(house: House, sheet: Sheet) -> None:
    key = officer(house)
    old, new = print_card(house, sheet, key), print_card(house, sheet, key)
    assert "已经作废" in words(activate(house, old))
    assert activate(house, new).status_code == 302


def test_a_card_is_over_after_thirty_days(house: House, sheet: Sheet) -> None:
    code = print_card(house, sheet, officer(house))
    with later(days=30, minutes=1):
        assert "已过期" in words(house.app.test_client().get(f"/activate/{code}"))
        assert activate(house, code).status_code == 404
    with later(days=29):
        assert activate(house, code).status_code == 302


# -- activation -------------------------------------------------------------------------------------------------------


def test_a_person_activates_their_telephone(house: House, sheet: Sheet) -> None:
    key, client = officer(house), house.app.test_client()
    code = print_card(house, sheet, key)
    one = person(house, key)
    page = words(client.get(f"/activate/{code}"))
    assert sheet.contexts[-1]["cards"][0]["firm"] in page and "个人信息处理告知" in page
    assert one.name not in page and str(one.mobile) not in page, "masked: whoever finds the card learns little"
    answer = activate(house, code, client=client)
    assert answer.status_code == 302 and answer.location == "/"
    assert client.get("/").status_code == 200 and client.get("/daily-checks/").status_code == 200
    with house.system() as session:
        pin = session.scalars(select(PhonePin).where(PhonePin.account_id == one.account_id)).one()
        assert PIN not in pin.stored and pin.consent == "2026-11" and pin.consent_at is not None
        (seen,) = session.scalars(select(SignInSession).where(SignInSession.account_id == one.account_id))
        assert seen.kind == "记住的手机"
        assert session.get_one(Person, key).activation == "已激活"
    assert "激活" in told(house, "Account", one.account_id or 0) and list_breaks(house) == []


def test_the_code_may_be_typed_as_one_likes(house: House, sheet: Sheet) -> None:
    code = print_card(house, sheet, officer(house))
    client = house.app.test_client()
    typed = client.post("/activate/", data={"code": code.upper().replace("-", " ")})
    assert typed.status_code == 302 and client.get(typed.location).status_code == 200


def test_a_code_is_used_up(house: House, sheet: Sheet) -> None:
    code = print_card(house, sheet, officer(house))
    assert activate(house, code).status_code == 302
    again = activate(house, code, OTHER)
    assert again.status_code == 404 and "已经用过" in words(again)
    assert "已经用过" in words(house.app.test_client().get(f"/activate/{code}"))


def test_two_telephones_at_once_use_one_code_once(house: House, sheet: Sheet) -> None:
    key = officer(house)
    code, barrier, found = print_card(house, sheet, key), Barrier(2), []

    def go() -> None:
        client = house.app.test_client()
        barrier.wait()
        found.append(activate(house, code, client=client).status_code)

    threads = [Thread(target=go) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(found) == [302, 404]
    with house.system() as session:
        assert session.scalar(select(func.count()).where(Phone.account_id == person(house, key).account_id)) == 1


WEAK = ["123456", "654321", "111111", "112233", "123123", "121212", "900215", "198503", "12345", "1234567", "abcdef",
        "", "\0" * 6, "８３０２７", "9" * 10_000]  # fmt: skip


@pytest.mark.parametrize("pin", WEAK)
def test_easily_guessed_pins_are_refused(small: House, sheet: Sheet, pin: str) -> None:
    code = print_card(small, sheet, officer(small))
    answer = activate(small, code, pin)
    assert answer.status_code == 422 and ("太容易猜到" in words(answer) or "6 位数字" in words(answer))
    assert activate(small, code).status_code == 302, "the card still holds"


def test_without_consent_or_with_two_pins_nothing_happens(small: House, sheet: Sheet) -> None:
    code = print_card(small, sheet, officer(small))
    assert activate(small, code, agree="").status_code == 422
    assert "两次输入的不一样" in words(activate(small, code, repeat=OTHER))
    assert activate(small, code).status_code == 302


def test_guessing_codes_is_counted_and_slowed(house: House) -> None:
    client = house.app.test_client()
    answers = [client.get(f"/activate/k7m2p9xwqc{n:05d}") for n in range(51)]
    assert [answer.status_code for answer in answers[:50]] == [404] * 50
    assert answers[50].status_code == 429 and answers[50].headers["Retry-After"]
    other = house.app.test_client()
    assert other.get("/activate/x", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404


@pytest.mark.parametrize("code", ["x", "%00", "a" * 5000, "..%2f..", "激活", "'--", "-----"])
def test_odd_codes_are_no_fault(small: House, code: str) -> None:
    client = small.app.test_client()
    assert client.get(f"/activate/{code}").status_code in {404, 400}
    assert client.post(f"/activate/{code}", data={"pin": PIN, "repeat": PIN, "agree": "1"}).status_code in {404, 400}


def test_an_unknown_code_costs_a_hash_too(house: House, sheet: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    hashing, matching = phone.hashed, phone.matches
    monkeypatch.setattr(phone, "hashed", lambda text: counted.append("x") or hashing(text))
    monkeypatch.setattr(phone, "matches", lambda *args: counted.append("x") or matching(*args))
    code = print_card(house, sheet, officer(house))
    activate(house, code)
    known = len(counted)
    counted.clear()
    activate(house, "k7m2p9xwqc4hrt8")
    assert len(counted) == known == 1


def test_what_is_killed_in_the_midst_leaves_the_card_good(house: House, sheet: Sheet,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    key = officer(house)
    code = print_card(house, sheet, key)

    def dies(*_args: Any, **_more: Any) -> str:
        raise KeyboardInterrupt

    from app.core.signin import phone_entering

    whole = phone_entering.open_session
    monkeypatch.setattr(phone_entering, "open_session", dies)
    with pytest.raises(KeyboardInterrupt):
        activate(house, code)
    with house.system() as session:
        account = session.get_one(Person, key).account_id
        assert session.scalars(select(Phone).where(Phone.account_id == account)).all() == []
        assert session.scalars(select(PhonePin).where(PhonePin.account_id == account)).all() == []
    monkeypatch.setattr(phone_entering, "open_session", whole)
    assert activate(house, code).status_code == 302


def test_the_telephones_cookie_is_kept_from_scripts_and_other_hosts(house: House, sheet: Sheet, tmp_path: Path) -> None:
    answer = activate(house, print_card(house, sheet, officer(house)))
    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("shouze-phone=")]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Secure" not in cookie
    assert f"Max-Age={90 * 86400}" in cookie
    app = create_app(Settings(data_dir=tmp_path, database_url="", testing=True, base_url="https://shouze.example.cn"))
    from app.core.fab import phone as cookies

    with app.test_request_context():
        found = cookies.give(app.make_response(""), "secret").headers["Set-Cookie"]
    assert found.startswith("__Host-phone=secret") and "Secure" in found and "HttpOnly" in found


def test_a_page_of_a_card_that_was_open_too_long_opens_anew(small: House, sheet: Sheet) -> None:
    code = print_card(small, sheet, officer(small))
    small.app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = activate(small, code)
        assert answer.status_code == 303 and answer.location == f"/activate/{code}"
    finally:
        small.app.config["WTF_CSRF_ENABLED"] = False
    assert activate(small, code).status_code == 302


# -- opening later ----------------------------------------------------------------------------------------------------


def test_a_remembered_telephone_asks_only_for_the_pin(owner: Owner) -> None:
    owner.leave()
    away = owner.client.get("/daily-checks/?q=a", headers=PAGE)
    door = owner.client.get(away.location, headers=PAGE)
    assert door.status_code == 302 and door.location.startswith("/phone/")
    page = words(owner.client.get(door.location))
    assert "请输入 PIN" in page and person(owner.house, owner.key).name not in page
    inside = owner.client.post("/phone/", data={"pin": PIN, "next": "/daily-checks/?q=a"})
    assert inside.location == "/daily-checks/?q=a" and owner.client.get(inside.location).status_code == 200
    assert "Max-Age=7776000" in str(inside.headers.getlist("Set-Cookie")), "the ninety days begin anew"


def test_an_unknown_telephone_needs_a_new_card(owner: Owner) -> None:
    stranger = owner.house.app.test_client()
    assert stranger.get("/phone/").location.startswith("/login/")
    one = person(owner.house, owner.key)
    answer = stranger.post("/login/", data={"username": one.mobile, "password": PIN})
    assert answer.status_code == 401
    stranger.set_cookie("shouze-phone", "x" * 43)
    gone = stranger.get("/phone/")
    assert gone.location.startswith("/login/") and "shouze-phone=;" in str(gone.headers.getlist("Set-Cookie"))


def test_ninety_days_without_use_and_the_telephone_is_forgotten(owner: Owner) -> None:
    owner.leave()
    with later(days=60):
        assert owner.client.post("/phone/", data={"pin": PIN}).status_code == 302
        owner.leave()
    with later(days=149):
        assert owner.client.get("/phone/").status_code == 200
    with later(days=151):
        assert owner.client.get("/phone/").status_code == 302


def test_five_wrong_pins_lock_the_telephone(owner: Owner) -> None:
    owner.leave()
    answers = [owner.client.post("/phone/", data={"pin": OTHER}) for _n in range(5)]
    assert "还可以试 4 次" in words(answers[0]) and "已锁定" in words(answers[4])
    right = owner.client.post("/phone/", data={"pin": PIN})
    assert right.status_code == 403 and "已锁定" in words(right)
    assert "手机锁定：PIN 连错五次" in told(owner.house, "Account", owner.account)
    with later(days=2):
        assert owner.client.post("/phone/", data={"pin": PIN}).status_code == 403, "time opens nothing"


def test_a_right_pin_forgets_the_wrong_ones(owner: Owner) -> None:
    owner.leave()
    for _round in range(3):
        for _n in range(4):
            assert owner.client.post("/phone/", data={"pin": OTHER}).status_code == 403
        assert owner.client.post("/phone/", data={"pin": PIN}).status_code == 302


def test_tries_at_once_are_all_counted(owner: Owner) -> None:
    owner.leave()
    cookie = owner.client.get_cookie("shouze-phone")
    assert cookie is not None
    barrier, found = Barrier(8), []

    def go() -> None:
        client = owner.house.app.test_client()
        client.set_cookie("shouze-phone", cookie.value)
        barrier.wait()
        found.append(words(client.post("/phone/", data={"pin": OTHER})))

    threads = [Thread(target=go) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sum("还可以试" in page for page in found) == 4 and sum("已锁定" in page for page in found) == 4


def test_a_locked_telephone_opens_by_mobile_pin_and_a_new_card(owner: Owner, sheet: Sheet) -> None:
    owner.leave()
    for _n in range(5):
        owner.client.post("/phone/", data={"pin": OTHER})
    code = print_card(owner.house, sheet, owner.key)
    assert person(owner.house, owner.key).activation == "已激活", "the PIN is still theirs"
    page = words(owner.client.get(f"/activate/{code}"))
    assert "您的手机号" in page and "原来的 PIN" in page
    mobile = str(person(owner.house, owner.key).mobile)
    assert activate(owner.house, code, client=owner.client).status_code == 409, "no new PIN without the old one"
    wrong = activate(owner.house, code, OTHER, owner.client, **{"with": "own", "mobile": mobile})
    assert wrong.status_code == 403
    right = activate(owner.house, code, PIN, owner.client, **{"with": "own", "mobile": mobile})
    assert right.status_code == 302
    owner.leave()
    assert owner.client.post("/phone/", data={"pin": PIN}).status_code == 302


def test_five_wrong_pins_beside_a_card_void_it(owner: Owner, sheet: Sheet) -> None:
    code = print_card(owner.house, sheet, owner.key)
    mobile = str(person(owner.house, owner.key).mobile)
    for _n in range(5):
        assert activate(owner.house, code, OTHER, **{"with": "own", "mobile": mobile}).status_code in {403, 404}
    answer = activate(owner.house, code, PIN, **{"with": "own", "mobile": mobile})
    assert answer.status_code == 404 and "已经作废" in words(answer)


def test_an_owner_forgets_the_telephone(owner: Owner) -> None:
    assert owner.client.post("/phone/forget").status_code == 302
    owner.leave()
    assert owner.client.get("/phone/").location.startswith("/login/")


def test_regulators_and_demo_firms_come_as_before(small: House) -> None:
    for username in ("yuan-a", "firm-a"):
        client = small.app.test_client()
        page = client.post("/login/", data={"username": username, "password": "shouze-demo-2026"})
        assert page.status_code == 302, username


# -- signing ----------------------------------------------------------------------------------------------------------


def record(owner: Owner) -> dict[str, str]:
    """A whole record of today, as the form sends it."""
    with owner.house.system() as session:
        firm = session.scalars(select(Appointment.enterprise_id).where(Appointment.person_id == owner.key)).one()
        site = session.scalars(select(Site.id).where(Site.enterprise_id == firm).order_by(Site.id)).first()
    page = owner.client.get(f"/daily-checks/add?site={site}").get_data(as_text=True)
    form = form_of(page) | {f"answers-{code}": "符合" for code in items_of(page)} | {"then": "submit"}
    return form | {"site": str(site), "person": str(owner.key)}


def sent(house: House, key: int) -> int:
    with house.system() as session:
        mine = select(func.count(DailyCheck.id)).where(
            DailyCheck.person_id == key, DailyCheck.check_date == clock.today(), DailyCheck.state == "已提交"
        )
        return int(session.scalar(mine) or 0)


def test_within_ten_minutes_of_opening_no_pin_is_asked(owner: Owner) -> None:
    assert owner.client.post("/daily-checks/add", data=record(owner)).status_code == 302
    assert sent(owner.house, owner.key) == 1


def test_later_the_pin_signs_and_nothing_typed_is_lost(owner: Owner) -> None:
    with later(minutes=11):
        form = record(owner)
        asked = owner.client.post("/daily-checks/add", data=form, headers=PAGE)
        page = asked.get_data(as_text=True)
        assert asked.status_code == 403 and "签名并提交" in words(asked) and sent(owner.house, owner.key) == 0
        kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html.unescape(page)))
        typed = {name: value for name, value in form.items() if name != "csrf_token"}  # that one is new each second
        assert {name: kept.get(name) for name in typed} == typed
        wrong = owner.client.post("/daily-checks/add", data=kept | {"signing-pin": OTHER}, headers=PAGE)
        assert wrong.status_code == 403 and "还可以试 4 次" in words(wrong) and sent(owner.house, owner.key) == 0
        right = owner.client.post("/daily-checks/add", data=kept | {"signing-pin": PIN}, headers=PAGE)
        assert right.status_code == 302 and sent(owner.house, owner.key) == 1
    with later(minutes=20):
        assert owner.client.get("/daily-checks/").status_code == 200


def test_a_saved_draft_needs_no_pin_but_its_step_does(owner: Owner) -> None:
    with later(minutes=11):
        saved = owner.client.post("/daily-checks/add", data=record(owner) | {"then": ""}, headers=PAGE)
        assert saved.status_code == 302
        step = f"{saved.location}/do/submit"
        assert owner.client.post(step, headers=PAGE).status_code == 403
        key = saved.location.rsplit("/", 1)[1]
        bulk = {"act": "submit", "ids": key, "sure": "1", "key": "a-key-of-a-page-000001"}
        assert owner.client.post("/daily-checks/bulk", data=bulk, headers=PAGE).status_code == 403
        with owner.house.system() as session:
            public = session.get_one(DailyCheck, int(key)).public_id
        program = owner.client.post(f"/api/v1/daily-checks/{public}/do/submit", json={})
        assert program.status_code == 403 and "PIN" in program.get_json()["error"] and sent(owner.house, owner.key) == 0
        done = owner.client.post("/daily-checks/bulk", data=bulk | {"signing-pin": PIN}, headers=PAGE)
        assert done.status_code == 302 and sent(owner.house, owner.key) == 1, "the page was not used up by asking"


def test_wrong_pins_of_signing_and_opening_count_together(owner: Owner) -> None:
    owner.leave()
    for _n in range(3):
        owner.client.post("/phone/", data={"pin": OTHER})
    with owner.house.system() as session:
        (row,) = session.scalars(select(Phone).where(Phone.account_id == owner.account))
        assert row.failures == 3
    with owner.house.app.app_context():
        key = enter_by_phone(owner)
    with owner.client.session_transaction() as cookie:
        cookie["_user_id"] = key
    with later(minutes=11):
        form = record(owner)
        for _n in range(2):
            answer = owner.client.post("/daily-checks/add", data=form | {"signing-pin": OTHER}, headers=PAGE)
        assert "已锁定" in words(answer)
        assert owner.client.get("/daily-checks/", headers=PAGE).status_code == 302, "out everywhere"


def enter_by_phone(owner: Owner) -> str:
    with unscoped("test") as session, unit_of_work():
        return open_session(session.get_one(Account, owner.account), EntryKind.PHONE)


def test_a_session_without_its_telephone_signs_nothing(owner: Owner) -> None:
    form = record(owner)
    owner.client.delete_cookie("shouze-phone")
    assert owner.client.get("/daily-checks/").status_code == 200
    assert owner.client.post("/daily-checks/add", data=form, headers=PAGE).status_code == 403
    tried = owner.client.post("/daily-checks/add", data=form | {"signing-pin": PIN}, headers=PAGE)
    assert tried.status_code == 403 and sent(owner.house, owner.key) == 0


def test_another_persons_telephone_signs_nothing(owner: Owner, sheet: Sheet) -> None:
    other = owner.house.app.test_client()
    assert activate(owner.house, print_card(owner.house, sheet, officer(owner.house)), OTHER, other).status_code == 302
    cookie = other.get_cookie("shouze-phone")
    assert cookie is not None
    form = record(owner)
    owner.client.set_cookie("shouze-phone", cookie.value)
    answer = owner.client.post("/daily-checks/add", data=form | {"signing-pin": OTHER}, headers=PAGE)
    assert answer.status_code == 403 and sent(owner.house, owner.key) == 0


# -- the station ------------------------------------------------------------------------------------------------------


def test_the_station_resets_a_pin_with_a_new_card(owner: Owner, sheet: Sheet) -> None:
    clerk = owner.house.client("neiqin-a")
    page = words(clerk.get(f"/people/{owner.key}"))
    assert "重设 PIN" in page and "停用手机" in page and "已激活" in page
    assert clerk.get(f"/people/{owner.key}/reset-pin").status_code == 200
    assert clerk.post(f"/people/{owner.key}/reset-pin").status_code == 422
    answer = clerk.post(f"/people/{owner.key}/reset-pin", data={"reason": "本人忘记"})
    assert answer.mimetype == "application/pdf"
    assert owner.client.get("/daily-checks/", headers=PAGE).status_code == 302, "signed out"
    assert owner.client.get("/phone/").status_code == 302, "no longer remembered"
    assert person(owner.house, owner.key).activation == "未激活"
    code = sheet.contexts[-1]["cards"][0]["code"]
    assert activate(owner.house, code, OTHER).status_code == 302
    assert "重设 PIN：本人忘记" in told(owner.house, "Person", owner.key)
    assert "重设 PIN：本人忘记" in words(clerk.get(f"/people/{owner.key}"))


def test_the_station_ends_a_lost_telephone(owner: Owner, sheet: Sheet) -> None:
    chief = owner.house.client("suo-a")
    assert chief.post(f"/people/{owner.key}/end-phone", data={"reason": "手机丢失"}).mimetype == "application/pdf"
    assert owner.client.get("/phone/").status_code == 302
    with owner.house.system() as session:
        mine = select(SignInSession.ending).where(SignInSession.account_id == owner.account)
        assert session.scalars(mine).all() == ["停用手机"]
    mobile = str(person(owner.house, owner.key).mobile)
    code = sheet.contexts[-1]["cards"][0]["code"]
    assert activate(owner.house, code, PIN, **{"with": "own", "mobile": mobile}).status_code == 302


def test_the_principal_sees_who_is_activated(owner: Owner) -> None:
    with owner.house.system() as session, unit_of_work():
        post = session.scalars(select(Appointment).where(Appointment.person_id == owner.key)).one()
        principal = session.scalars(select(Person).where(Person.account_id == owner.house.accounts["firm-a"])).one()
        session.add(Appointment(person_id=principal.id, enterprise_id=post.enterprise_id, role="主要负责人",
                                date_from=clock.today()))  # fmt: skip
    client = owner.house.client("firm-a")
    assert "已激活" in words(client.get(f"/people/{owner.key}"))
    assert "重设 PIN" not in words(client.get(f"/people/{owner.key}"))
    assert "已激活" in words(client.get("/people/"))


def test_the_end_of_the_last_appointment_signs_out(owner: Owner) -> None:
    with owner.house.system() as session:
        key = session.scalars(select(Appointment.id).where(Appointment.person_id == owner.key)).one()
    with owner.house.system() as session, unit_of_work():
        post = session.get_one(Appointment, key)
        post.date_from, post.date_to = clock.today() - timedelta(days=9), clock.today() - timedelta(days=1)
    assert owner.client.get("/daily-checks/", headers=PAGE).status_code == 302
    with owner.house.system() as session:
        mine = select(SignInSession.ending).where(SignInSession.account_id == owner.account)
        assert session.scalars(mine).all() == ["企业任职终止"]
    answer = owner.client.post("/phone/", data={"pin": PIN})
    assert answer.status_code == 403 and "没有在任的企业任职" in words(answer)


def test_a_second_appointment_keeps_the_person_in(owner: Owner) -> None:
    with owner.house.system() as session, unit_of_work():
        post = session.scalars(select(Appointment).where(Appointment.person_id == owner.key)).one()
        session.add(Appointment(person_id=owner.key, enterprise_id=post.enterprise_id, role="食品安全总监",
                                date_from=clock.today()))  # fmt: skip
        session.flush()
        post.date_from = post.date_to = clock.today() - timedelta(days=1)
    assert owner.client.get("/daily-checks/", headers=PAGE).status_code == 200


def test_settings_out_of_range_refuse_to_start(tmp_path: Path) -> None:
    from app.core.errors import ConfigurationError

    for wrong in ({"activation_days": 0}, {"activation_days": 91}, {"phone_days": 6}, {"phone_days": 366}):
        with pytest.raises(ConfigurationError):
            create_app(Settings(data_dir=tmp_path, testing=True, **wrong))  # type: ignore[arg-type]
