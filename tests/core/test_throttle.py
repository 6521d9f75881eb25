"""Guessing is slowed down by name and address, for known and unknown names alike, and the owner hears of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from app.core import clock, passwords
from app.core.clock import set_clock
from app.core.db import db, unscoped
from app.core.history import HistoryEntry, verify
from app.core.message import Message
from app.core.office import Account
from app.core.passwords import hashed, weakness
from app.core.signin import throttle
from app.core.signin.entering import Visitor, WrongCredentials, check_again, check_password, let_in
from app.core.signin.model import EntryKind
from app.core.signin.throttle import SignInTry, TooManyTries, place_of
from app.core.writing import unit_of_work
from tests.support.house import House

RIGHT = "四月里的第3场雨"
GOOD = ["四月里的第3场雨停了", "correct-horse-battery", "Lk3#v9Qp2x", "shouze-demo-2026", "不长不短的句子也可以很好"]


@pytest.fixture
def bureau(house: House) -> House:
    """The house where yuan-a knows a password."""
    with house.system() as session, unit_of_work():
        session.get_one(Account, house.accounts["yuan-a"]).password = hashed(RIGHT)
    return house


class Doors:
    """Tries at the door, told as words; the clock goes on by hand."""

    def __init__(self, house: House) -> None:
        self.house, self.now = house, clock.now()

    @contextmanager
    def open(self) -> Iterator[None]:
        with self.house.app.test_request_context(), set_clock(lambda: self.now):
            yield

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def knock(self, name: str = "yuan-a", password: str = "wrong", address: str = "10.0.0.1") -> str:
        """ "in", "wrong" or "wait"; and the words of a refusal are kept in `said`."""
        visitor = Visitor(address)
        with self.open():
            try:
                known, tried = check_password(name, password, visitor)
                let_in(known.id, EntryKind.PASSWORD, visitor, tried)
            except TooManyTries as refusal:
                self.said, self.seconds = str(refusal), refusal.seconds
                return "wait"
            except WrongCredentials as refusal:
                self.said = str(refusal)
                return "wrong"
            return "in"

    def reasons(self) -> list[str]:
        with self.house.system() as session:
            rows = session.scalars(select(HistoryEntry.body).order_by(HistoryEntry.id))
            return [json.loads(body)["reason"] for body in rows]


def test_five_failures_of_a_name_from_one_address_lock_that_pair(bureau: House) -> None:
    doors = Doors(bureau)
    assert [doors.knock() for _ in range(6)] == ["wrong"] * 5 + ["wait"]
    assert doors.knock(password=RIGHT) == "wait", "the right password too"
    assert (doors.seconds, doors.said) == (600, "登录失败的次数太多，请过 10 分钟再试。")
    assert doors.knock(password=RIGHT, address="10.0.0.2") == "in", "from elsewhere it is another pair"
    assert doors.knock("yuan-b") == "wrong", "another name from here is another pair"
    doors.wait(minutes=9, seconds=59)
    assert doors.knock(password=RIGHT) == "wait"
    doors.wait(seconds=2)
    assert doors.knock(password=RIGHT) == "in"
    assert [doors.knock() for _ in range(6)] == ["wrong"] * 5 + ["wait"], "a success forgets what came before"
    assert doors.reasons().count("登录锁定：同一地址连续失败") == 2
    with bureau.app.app_context():
        assert list(verify()) == []


def test_knocking_on_while_locked_locks_no_longer_and_does_no_work(
    bureau: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors, hashes = Doors(bureau), []
    for _ in range(5):
        doors.knock()
    before = len(doors.reasons())
    monkeypatch.setattr(passwords, "check_password_hash", lambda *_a: hashes.append(1))
    for _ in range(5):
        doors.wait(minutes=1)
        assert doors.knock() == "wait"
    assert hashes == [] and len(doors.reasons()) == before
    monkeypatch.undo()
    doors.wait(minutes=5, seconds=1)
    assert doors.knock(password=RIGHT) == "in"


def test_a_name_that_nobody_has_is_refused_in_the_same_words_after_the_same_work(
    bureau: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors, hashes, original = Doors(bureau), [], passwords.check_password_hash
    monkeypatch.setattr(
        passwords, "check_password_hash", lambda stored, given: hashes.append(stored) or original(stored, given)
    )
    told = {}
    for name in ("yuan-a", "nobody", "", "x" * 5000, "a\0b", "' OR 1=1 --"):
        hashes.clear()
        told[name] = [(doors.knock(name), doors.said) for _ in range(6)]
        assert len(hashes) == 5, name
        doors.wait(hours=2)  # or the address would be one that guesses
    assert len({str(answers) for answers in told.values()}) == 1
    assert doors.knock("yuan-a", RIGHT) == "in"
    with bureau.system() as session:
        stored = " ".join(session.scalars(select(HistoryEntry.body)))
    assert "nobody" not in stored and "OR 1=1" not in stored, (
        "an unknown name may be a password typed one line too high"
    )


def test_a_closed_account_is_a_name_that_nobody_has(bureau: House) -> None:
    with bureau.system() as session, unit_of_work():
        session.get_one(Account, bureau.accounts["yuan-a"]).active = False
    assert Doors(bureau).knock(password=RIGHT) == "wrong"


def test_twenty_failures_from_anywhere_make_the_name_wait_and_tell_its_owner(bureau: House) -> None:
    doors = Doors(bureau)
    for n in range(20):
        assert doors.knock(address=f"10.1.0.{n}") == "wrong", n
    assert doors.knock(password=RIGHT, address="10.2.0.1") == "wait"
    assert doors.seconds == 30
    waits = []
    for n in range(7):
        doors.wait(seconds=doors.seconds)
        assert doors.knock(address=f"10.3.0.{n}") == "wrong"
        assert doors.knock(address=f"10.4.0.{n}") == "wait"
        waits.append(doors.seconds)
    assert waits == [60, 120, 240, 480, 900, 900, 900], "longer and longer, but not without end"
    with bureau.system() as session:
        mine = select(Message).where(Message.account_id == bureau.accounts["yuan-a"], Message.url == "/sessions/")
        (message,) = session.scalars(mine)
        assert message.title == "有人多次用您的登录名登录失败"
        others = select(func.count()).where(
            Message.account_id == bureau.accounts["yuan-b"], Message.url == "/sessions/"
        )
        assert session.scalar(others) == 0
    assert doors.reasons().count("登录延时：多次失败") == 1
    doors.wait(seconds=doors.seconds)
    assert doors.knock(password=RIGHT, address="10.2.0.1") == "in"
    doors.wait(hours=6, seconds=1)
    assert [doors.knock(address=f"10.5.0.{n}") for n in range(3)] == ["wrong"] * 3, "it is forgotten after a while"


def test_an_address_that_guesses_many_names_is_slowed_but_a_station_behind_it_can_work(bureau: House) -> None:
    doors = Doors(bureau)
    for n in range(50):
        assert doors.knock(f"guess-{n % 13}", address="10.9.9.9") == "wrong", n
        doors.wait(seconds=1)
    assert doors.knock(password=RIGHT, address="10.9.9.9") == "wait"
    assert doors.seconds <= 10
    assert doors.knock(password=RIGHT, address="10.9.9.8") == "in", "other addresses are not slowed"
    doors.wait(seconds=10)
    assert doors.knock(password=RIGHT, address="10.9.9.9") == "in"
    assert "登录限速：同一地址多次失败" in doors.reasons()


def test_fifty_failures_of_four_names_slow_no_address(bureau: House) -> None:
    doors = Doors(bureau)
    with bureau.system() as session, unit_of_work():
        for n in range(60):
            session.add(SignInTry(name=f"{n % 4}", address="10.9.9.9", made_at=doors.now, locks=False))
    assert doors.knock(password=RIGHT, address="10.9.9.9") == "in"


def test_a_whole_station_signing_in_at_once_behind_one_address_is_let_in(bureau: House) -> None:
    doors = Doors(bureau)
    for _ in range(60):
        assert doors.knock(password=RIGHT, address="10.7.7.7") == "in"


def test_ten_tries_at_once_are_five_tries(bureau: House) -> None:
    told: list[str] = []
    start = Barrier(10)

    def run() -> None:
        start.wait()
        with bureau.app.test_request_context():
            try:
                check_password("yuan-a", "wrong", Visitor("10.0.0.1"))
            except TooManyTries:
                told.append("wait")
            except WrongCredentials:
                told.append("wrong")
            db.session.remove()

    threads = [Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["wait"] * 5 + ["wrong"] * 5


def test_the_table_cleans_itself(bureau: House) -> None:
    doors = Doors(bureau)
    for n in range(30):
        doors.knock(f"guess-{n}", address=f"10.6.0.{n}")
    doors.wait(hours=7)
    doors.knock("guess-99")
    with bureau.system() as session:
        assert session.scalar(select(func.count(SignInTry.id))) == 1


def test_who_is_signed_in_and_guesses_the_password_is_slowed_as_well(bureau: House) -> None:
    visitor = Visitor("10.0.0.1")
    with bureau.app.test_request_context():
        assert check_again(bureau.accounts["yuan-a"], RIGHT, visitor)
        for _ in range(5):
            assert not check_again(bureau.accounts["yuan-a"], "wrong", visitor)
        with pytest.raises(TooManyTries):
            check_again(bureau.accounts["yuan-a"], RIGHT, visitor)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("unknown", "?"),
        ("x" * 10_000, "?"),
        ("", "?"),
        (None, "?"),
    ],
)
def test_an_address_is_counted_as_the_customer_it_is(address: str | None, place: str) -> None:
    assert place_of(address) == place
    assert throttle.PAIR_FAILURES == 5


@pytest.mark.parametrize(
    "password",
    [
        "1234567890", "password123", "Password2026",
        "woaini1314", "woaini520520", "5201314520", "qwertyuiop", "13804751234",
        "Aa123456789", "1111111111", "abcabcabca", "naimanqi123", "shichangju2026", "scjg123456", "15052519900101123X",
        "yuan-a-2026", "白音塔拉的密码2026", "baiyintala1",
    ],
)  # fmt: skip
def test_a_password_that_lists_lead_to_is_refused(small: House, password: str) -> None:
    with small.app.test_request_context():
        assert "太容易" in weakness(password, "yuan-a", "白音塔拉")


@pytest.mark.parametrize("password", GOOD)
def test_a_good_password_is_taken(small: House, password: str) -> None:
    with small.app.test_request_context():
        assert weakness(password, "yuan-a", "白音塔拉") == ""


@pytest.mark.parametrize(
    ("password", "why"), [("短" * 9, "至少 10 位"), ("x" * 201, "最多 200 位"), ("四月里的第3场\0雨雨", "不能显示")]
)
def test_a_password_that_is_none_is_refused_in_words(small: House, password: str, why: str) -> None:
    with small.app.test_request_context():
        assert why in weakness(password, "yuan-a")


def test_a_long_password_is_judged_in_no_time(small: House) -> None:
    with small.app.test_request_context(), unscoped("test"):
        assert weakness("ab1" * 66, "yuan-a")
