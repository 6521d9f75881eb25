"""Who is signed in where: sessions opened, used, idle, ended; whoever loses the right to be in is out at once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select

from app import create_app
from app.config import Settings
from app.core import clock
from app.core.access.context import load
from app.core.clock import set_clock
from app.core.db import db, unscoped
from app.core.errors import ConfigurationError, WriteOutsideUnit
from app.core.fab.builder import BACKGROUND
from app.core.history import HistoryEntry, remark, verify
from app.core.office import Account, Family, Posting
from app.core.passwords import hashed
from app.core.signin import allowance as rules
from app.core.signin.allowance import Allowance, allowance, register_allowance
from app.core.signin.model import Ending, EntryKind, SignInSession, digest_of, short_agent
from app.core.signin.sessions import end_sessions, open_session, resume, sweep
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from tests.support.house import House, enter_as

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"
PHONE = "Mozilla/5.0 (Linux; Android 14; V2055A) Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.49"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15"
FORGED = ["", ".", "x", "7", "7.", ".abc", "-1.abc", "９.abc", "9" * 40 + ".abc", "1.\0", "1." + "a" * 9999]


def key_of(house: House, username: str, **extra: str) -> str:
    with house.system() as session, unit_of_work():
        return open_session(session.get_one(Account, house.accounts[username]), EntryKind.PASSWORD, **extra)


def rows(house: House, username: str) -> list[SignInSession]:
    with house.system() as session:
        mine = select(SignInSession).where(SignInSession.account_id == house.accounts[username])
        return list(session.scalars(mine.order_by(SignInSession.id)))


def told(house: House, username: str) -> list[tuple[str, dict[str, Any]]]:
    """What stands in the history of an account: words and facts, oldest first."""
    with house.system() as session:
        about = select(HistoryEntry.body).where(
            HistoryEntry.entity == "Account", HistoryEntry.row_id == house.accounts[username]
        )
        bodies = [json.loads(body) for body in session.scalars(about.order_by(HistoryEntry.id))]
    return [(body["reason"], body.get("facts", {})) for body in bodies]


def at(minutes: float) -> Any:
    start = clock.now()
    return set_clock(lambda: start + timedelta(minutes=minutes))


def test_a_session_keeps_the_digest_only_and_says_where_from(house: House) -> None:
    key = key_of(house, "yuan-a", address="10.1.2.3", agent=EDGE)
    (row,) = rows(house, "yuan-a")
    secret = key.partition(".")[2]
    assert (row.digest, row.kind, row.family) == (digest_of(secret), "密码", "监管业务")
    assert (row.address, row.agent) == ("10.1.2.3", "Edge 126 · Windows")
    with house.app.app_context():
        access, over = resume(key)
        assert access is not None and over is None
        assert access.person.username == "yuan-a" and access.person.sitting is not None
        assert secret not in repr(access.person)
    words, facts = told(house, "yuan-a")[-1]
    assert (words, facts["address"], facts["kind"]) == ("登录", "10.1.2.3", "密码")
    with house.system() as session:
        stored = "".join(session.scalars(select(HistoryEntry.body)))
        assert secret not in stored and row.digest not in stored
    with house.app.app_context():
        assert list(verify()) == []


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_key_is_nobody(small: House, forged: str) -> None:
    with small.app.app_context():
        assert resume(forged) == (None, None)


def test_a_secret_opens_its_own_account_only(house: House) -> None:
    secret = key_of(house, "yuan-a").partition(".")[2]
    with house.app.app_context():
        assert resume(f"{house.accounts['suo-a']}.{secret}") == (None, None)


def test_reading_a_session_costs_no_statement_more(house: House) -> None:
    key = key_of(house, "yuan-a")
    with house.app.app_context():
        with house.statements() as alone:
            load(house.accounts["yuan-a"])
        with house.statements() as with_session:
            assert resume(key)[0] is not None
    assert len(with_session) == len(alone) <= 5


def test_last_seen_is_written_once_a_minute(house: House) -> None:
    key = key_of(house, "yuan-a")
    opened = rows(house, "yuan-a")[0].seen_at
    with house.app.app_context():
        for minutes, writes in ((0.9, 0), (1.1, 1), (1.2, 0), (2.0, 0), (2.2, 1)):
            with at(minutes), house.statements() as heard:
                assert resume(key)[0] is not None
            assert sum(one.startswith("UPDATE") for one in heard) == writes, minutes
    assert rows(house, "yuan-a")[0].seen_at - opened > timedelta(minutes=2)


def test_a_page_that_polls_keeps_nobody_signed_in(small: House) -> None:
    client = small.client("yuan-a")
    start = clock.now()
    for minutes in range(0, 30, 10):
        with set_clock(lambda: start + timedelta(minutes=minutes)):  # noqa: B023 - used at once
            assert client.get("/jobs/status", headers={BACKGROUND: "1"}).status_code == 200
    with at(31):
        assert client.get("/jobs/status").status_code == 302


def test_last_seen_never_waits_for_somebody_who_writes(small: House) -> None:
    key = key_of(small, "yuan-a")
    with small.app.app_context():
        file = db.engine.url.database
    other = sqlite3.connect(str(file), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with small.app.app_context(), at(2):
            assert resume(key)[0] is not None, "reading goes on"
        assert rows(small, "yuan-a")[0].seen_at == rows(small, "yuan-a")[0].made_at, "noted by the next request"
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.parametrize(("minutes", "why"), [(30.5, Ending.IDLE), (29.5, None)])
def test_regulators_are_out_after_half_an_hour_idle(house: House, minutes: float, why: Ending | None) -> None:
    key = key_of(house, "yuan-a")
    with house.app.app_context(), at(minutes):
        access, over = resume(key)
    assert (access is None, over) == (why is not None, why)
    assert rows(house, "yuan-a")[0].ending == why
    if why:
        assert told(house, "yuan-a")[-1][1]["why"] == "长时间没有操作"
        with house.app.app_context():
            assert resume(key) == (None, why), "a clock put back lets nobody in again"


def test_a_sign_in_ends_after_twelve_hours_however_busy(house: House) -> None:
    key, start = key_of(house, "yuan-a"), clock.now()
    with house.app.app_context():
        for minutes in range(0, 12 * 60, 20):
            with set_clock(lambda: start + timedelta(minutes=minutes)):  # noqa: B023 - used at once
                assert resume(key)[0] is not None, minutes
        with set_clock(lambda: start + timedelta(hours=12, minutes=1)):
            assert resume(key) == (None, Ending.TOO_LONG)


def test_how_long_is_a_matter_of_family_and_kind(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_rules", {})
    quarter = Allowance(timedelta(days=90), timedelta(days=90), kept=True)
    register_allowance(Family.FIRM, EntryKind.PHONE, lambda _settings: quarter)
    with small.app.app_context():
        assert allowance("企业", "记住的手机").idle == timedelta(days=90)
        assert allowance("企业", "密码").idle == allowance("监管业务", "记住的手机").idle == timedelta(minutes=30)


def test_the_idle_setting_has_bounds(tmp_path: Path) -> None:
    for minutes in (0, -5, 4, 481, 10**9):
        with pytest.raises(ConfigurationError, match="IDLE_MINUTES"):
            create_app(Settings(data_dir=tmp_path, testing=True, idle_minutes=minutes))


Loss = Callable[[Any, int], None]


def _posting(session: Any, account: int) -> Posting:
    found: Posting = session.scalars(select(Posting).where(Posting.account_id == account)).first()
    return found


def _new_password(session: Any, account: int) -> None:
    session.get_one(Account, account).password = hashed("另外一个新密码20")


def _close(session: Any, account: int) -> None:
    session.get_one(Account, account).active = False


def _end_posting(session: Any, account: int) -> None:
    _posting(session, account).date_to = clock.today()


def _delete_posting(session: Any, account: int) -> None:
    session.delete(_posting(session, account))


@pytest.mark.parametrize(
    ("lose", "why"),
    [(_new_password, "修改密码"), (_close, "账号停用"), (_end_posting, "任职终止"), (_delete_posting, "任职终止")],
)
def test_whoever_loses_the_right_to_be_in_is_out_everywhere(house: House, lose: Loss, why: str) -> None:
    keys = [key_of(house, "yuan-a"), key_of(house, "yuan-a")]
    other = key_of(house, "yuan-b")
    with house.system() as session, unit_of_work(Verb.UPDATE, "收回"):
        lose(session, house.accounts["yuan-a"])
    with house.app.app_context():
        assert [resume(key)[0] for key in keys] == [None, None]
        assert resume(other)[0] is not None
    assert {row.ending for row in rows(house, "yuan-a")} == {why}
    entry = told(house, "yuan-a")
    assert [facts for words, facts in entry if words == "结束登录"][-1]["why"] == why
    with house.app.app_context():
        assert list(verify()) == []


def test_a_posting_that_goes_on_ends_nothing(house: House) -> None:
    key = key_of(house, "yuan-a")
    with house.system() as session, unit_of_work():
        posting = _posting(session, house.accounts["yuan-a"])
        posting.title, posting.date_to = "监管员", clock.today() + timedelta(days=30)
    with house.app.app_context():
        assert resume(key)[0] is not None


def test_what_is_rolled_back_has_ended_nothing(house: House) -> None:
    key = key_of(house, "yuan-a")
    before = len(told(house, "yuan-a"))
    with pytest.raises(ZeroDivisionError), house.system() as session, unit_of_work():
        _close(session, house.accounts["yuan-a"])
        session.flush()
        raise ZeroDivisionError
    with house.app.app_context():
        assert resume(key)[0] is not None
    assert len(told(house, "yuan-a")) == before


def test_two_who_end_the_same_session_at_once_end_it_once(house: House) -> None:
    key_of(house, "yuan-a")
    ended: list[int] = []
    start = Barrier(2)

    def end() -> None:
        with house.app.app_context():
            start.wait()
            with unscoped("test"), unit_of_work(Verb.END, ""):
                ended.append(end_sessions(house.accounts["yuan-a"], Ending.BY_OWNER))
            db.session.remove()

    threads = [Thread(target=end) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == [0, 1]
    assert sum(words == "结束登录" for words, _facts in told(house, "yuan-a")) == 1


def test_the_sweep_ends_what_nobody_came_back_to_and_forgets_what_is_old(house: House) -> None:
    with house.app.app_context():
        enter_as(house.accounts["yuan-a"])
        with at(31):
            key = enter_as(house.accounts["yuan-a"])
            assert sweep() == 0
    assert [row.ending for row in rows(house, "yuan-a")] == ["长时间没有操作", None]
    with house.app.app_context(), at(60 * 24 * 31):
        assert sweep() == 1
        assert resume(key) == (None, Ending.IDLE)
    assert len(rows(house, "yuan-a")) == 1


def test_a_sign_in_does_not_disturb_whoever_edits_the_account(house: House) -> None:
    def version() -> int:
        with house.system() as session:
            return session.get_one(Account, house.accounts["yuan-a"]).version

    before = version()
    key_of(house, "yuan-a")
    assert version() == before


def test_a_remark_needs_a_unit_of_work(small: House) -> None:
    with small.system(), pytest.raises(WriteOutsideUnit):
        remark(Verb.READ, "登录")


@pytest.mark.parametrize(
    ("header", "short"),
    [
        (EDGE, "Edge 126 · Windows"),
        (PHONE, "微信 8 · Android"),
        (SAFARI, "Safari 17 · macOS"),
        ("curl/8.0", "curl/8.0"),
        ("x\0\n" * 500, "x" * 60),
        ("", ""),
        (None, ""),
    ],
)
def test_browsers_are_named_shortly(header: str | None, short: str) -> None:
    assert short_agent(header) == short
