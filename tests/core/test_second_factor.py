"""动态口令: a second step with a code that is good once, and ten recovery codes for the day the telephone is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, text

from app.core import clock
from app.core.access.context import load
from app.core.clock import set_clock
from app.core.db import db, unscoped
from app.core.history import HistoryEntry
from app.core.message import Message
from app.core.office import Account
from app.core.signin import second_factor
from app.core.signin.entering import Visitor, WrongCredentials, check_code, known_as, must_enrol
from app.core.signin.second_factor import FIGURE, accepts, adopt, pending_of, propose, remove, renew_codes, state_of
from app.core.signin.sessions import resume
from app.core.signin.throttle import TooManyTries
from app.core.writing import unit_of_work
from tests.support.house import House, enter_as


class Telephone:
    """One account's telephone; time goes on by hand."""

    def __init__(self, house: House, username: str = "yuan-a") -> None:
        self.house, self.id, self.now, self.secret = house, house.accounts[username], clock.now(), ""

    @contextmanager
    def acting(self) -> Iterator[Account]:
        with self.house.system() as session, set_clock(lambda: self.now), unit_of_work():
            yield session.get_one(Account, self.id)

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(int(self.now.timestamp()) + 30 * steps)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def enrol(self) -> list[str]:
        with self.acting() as account:
            self.secret = propose(account.id)
            codes = adopt(account, self.code(), None)
        assert codes is not None
        self.wait(minutes=1)
        return codes

    def accepts(self, typed: str) -> bool:
        with self.acting() as account:
            return accepts(account, typed)


@pytest.fixture
def telephone(house: House) -> Telephone:
    return Telephone(house)


def bodies(house: House) -> list[dict[str, Any]]:
    with house.system() as session:
        return [json.loads(body) for body in session.scalars(select(HistoryEntry.body).order_by(HistoryEntry.id))]


def test_a_new_secret_is_in_force_after_its_first_code(house: House, telephone: Telephone) -> None:
    with telephone.acting() as account:
        telephone.secret = propose(account.id)
        assert adopt(account, "000000", None) is None
        assert not accepts(account, telephone.code()), "not before"
        assert state_of(account.id).since is None
    with house.app.app_context():
        access = load(telephone.id)
        assert access is not None and access.figures[FIGURE] == 0
    with telephone.acting() as account:
        assert len(adopt(account, telephone.code(), None) or []) == 10
    with house.app.app_context():
        access = load(telephone.id)
        assert access is not None and access.figures[FIGURE] == 1


def test_a_code_is_good_once_and_for_a_minute_and_a_half(telephone: Telephone) -> None:
    telephone.enrol()
    now = telephone.code()
    assert telephone.accepts(f" {now[:3]} {now[3:]} "), "with the gap that telephones show"
    assert not telephone.accepts(now), "the same code again"
    assert not telephone.accepts(telephone.code(-1)), "an earlier one after a later one"
    telephone.wait(seconds=30)
    assert telephone.accepts(telephone.code(1)), "a clock that is ahead"
    assert not telephone.accepts(telephone.code()), "is used up with it"
    telephone.wait(minutes=2)
    assert not telephone.accepts(telephone.code(-2))
    assert telephone.accepts(telephone.code(-1)), "a clock that is behind"
    telephone.wait(minutes=2)
    assert telephone.accepts(telephone.code().translate(str.maketrans("0123456789", "０１２３４５６７８９")))


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "１２３４５", "a" * 10_000, "\0" * 6, "٠١٢٣٤٥", "-" * 6]
)
def test_what_is_no_code_is_refused(small: House, typed: str) -> None:
    telephone = Telephone(small)
    telephone.enrol()
    assert not telephone.accepts(typed)


def test_the_code_that_enrolled_opens_nothing(telephone: Telephone) -> None:
    with telephone.acting() as account:
        telephone.secret = propose(account.id)
        assert adopt(account, telephone.code(), None)
    assert not telephone.accepts(telephone.code())


def test_one_code_sent_twice_at_once_lets_one_in(house: House, telephone: Telephone) -> None:
    telephone.enrol()
    told: list[bool] = []
    start, code = Barrier(4), telephone.code()

    def run() -> None:
        start.wait()
        with house.app.app_context():
            with unscoped("test") as session, unit_of_work():
                told.append(accepts(session.get_one(Account, telephone.id), code))
            db.session.remove()

    with set_clock(lambda: telephone.now):
        threads = [Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(told) == [False, False, False, True]


def test_recovery_codes_are_good_once_each_and_the_owner_is_told(house: House, telephone: Telephone) -> None:
    codes = telephone.enrol()
    assert len(set(codes)) == 10
    assert telephone.accepts(codes[0].upper()) and not telephone.accepts(codes[0])
    assert telephone.accepts(codes[1].replace("-", " "))
    assert telephone.accepts(telephone.code()), "the telephone goes on"
    with house.system() as session:
        assert state_of(telephone.id).left == 8
        mine = session.scalars(select(Message.text).where(Message.account_id == telephone.id)).all()
        assert any("还剩 8 个恢复码" in one for one in mine)
    other = Telephone(house, "yuan-b")
    other.enrol()
    assert not other.accepts(codes[2]), "another account's"


def test_new_recovery_codes_void_the_old_ones(telephone: Telephone) -> None:
    old = telephone.enrol()
    with telephone.acting() as account:
        new = renew_codes(account)
    assert not telephone.accepts(old[3]) and telephone.accepts(new[3])


def test_nothing_of_it_is_readable_in_the_database_or_in_history(house: House, telephone: Telephone) -> None:
    codes = telephone.enrol()
    with telephone.acting() as account:
        pending = propose(account.id)
    with house.system() as session:
        connection = session.connection()
        stored = str([connection.execute(text(f"SELECT * FROM {name}")).all() for name in
                      ("second_factor", "recovery_code", "history_entry")])  # fmt: skip
    for secret in (telephone.secret, pending, *codes, *(code.replace("-", "") for code in codes)):
        assert secret not in stored
    said = [body["reason"] for body in bodies(house)]
    assert "启用动态口令" in said and "生成恢复码" in said


def test_changing_the_telephone_keeps_the_old_one_until_the_new_one_works(telephone: Telephone) -> None:
    telephone.enrol()
    old = telephone.secret
    with telephone.acting() as account:
        new = propose(account.id)
    assert telephone.accepts(telephone.code()), "the old one, still"
    telephone.wait(minutes=1)
    with telephone.acting() as account:
        assert adopt(account, pyotp.TOTP(old).at(telephone.now), None) is None
        assert adopt(account, pyotp.TOTP(new).at(telephone.now), None)
    telephone.wait(minutes=1)
    assert not telephone.accepts(telephone.code())
    telephone.secret = new
    assert telephone.accepts(telephone.code())


def test_a_proposal_that_nobody_took_up_is_void(telephone: Telephone) -> None:
    with telephone.acting() as account:
        telephone.secret = propose(account.id)
    telephone.wait(minutes=16)
    with telephone.acting() as account:
        assert pending_of(account.id) is None
        assert adopt(account, telephone.code(), None) is None


def test_a_change_of_the_second_factor_ends_the_other_sessions(house: House, telephone: Telephone) -> None:
    with house.app.app_context():
        here, there = enter_as(telephone.id), enter_as(telephone.id)
        access, _over = resume(here)
        assert access is not None and access.person.sitting is not None
        keep = access.person.sitting.id
    with telephone.acting() as account:
        telephone.secret = propose(account.id)
        adopt(account, telephone.code(), keep)
    with house.app.app_context():
        assert resume(here)[0] is not None and resume(there)[0] is None
    with telephone.acting() as account:
        assert remove(account, "重设动态口令")
        assert not remove(account, "重设动态口令")
    with house.app.app_context():
        assert resume(here)[0] is None


def test_wrong_codes_count_as_failures_and_lock(house: House, telephone: Telephone) -> None:
    telephone.enrol()
    visitor = Visitor("10.0.0.1")
    with house.app.test_request_context(), set_clock(lambda: telephone.now):
        with unscoped("test"):
            known = known_as(Account.id == telephone.id)
        assert known is not None
        for _ in range(5):
            with pytest.raises(WrongCredentials):
                check_code(known, "000000", visitor)
        with pytest.raises(TooManyTries):
            check_code(known, telephone.code(), visitor)
    assert sum(body["reason"] == "动态口令不对" for body in bodies(house)) == 5


def test_system_administrators_must_have_one_but_not_on_made_up_data(house: House) -> None:
    figures = {second_factor.FIGURE: 0}
    with house.app.app_context():
        assert not must_enrol("系统管理", figures), "a demo database"
        with unscoped("test") as session, unit_of_work():
            session.connection().execute(text("UPDATE bureau_setting SET value = '' WHERE key = 'installation.demo'"))
        assert must_enrol("系统管理", figures)
        assert not must_enrol("系统管理", {second_factor.FIGURE: 1})
        assert not any(must_enrol(family, figures) for family in ("审计", "监管业务", "企业"))
