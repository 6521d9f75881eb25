"""The steps of signing in: name and password, then the second factor where there is one. Good and bad are history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.db import current_session, unscoped
from app.core.errors import ShouzeError
from app.core.history import remark
from app.core.message import notify
from app.core.office import Account, Family
from app.core.passwords import matches
from app.core.setting import DEMO, installation_flag
from app.core.signin import second_factor, throttle
from app.core.signin.model import EntryKind, digest_of
from app.core.signin.names import called
from app.core.signin.sessions import leave, open_session
from app.core.signin.throttle import Try
from app.core.verbs import Verb
from app.core.writing import unit_of_work

HALF = timedelta(minutes=5)  # how long the second step may take
SESSIONS_URL = "/sessions/"


class WrongCredentials(ShouzeError):
    """Not let in; never says which of the two was wrong."""

    status = 401


@dataclass(frozen=True)
class Visitor:
    """Where a request comes from, and the session its cookie names already."""

    address: str = ""
    agent: str = ""
    before: str = ""


@dataclass(frozen=True)
class Known:
    """An account as signing in needs it, as plain values."""

    id: int
    username: str
    office_id: int
    family: str
    locale: str
    first: bool  # the password must be changed first
    stored: str = field(repr=False)

    @property
    def mark(self) -> str:
        """Of the password: a half-done sign-in is void once it is changed."""
        return digest_of(self.stored)[:16]


def check_password(username: str, password: str, visitor: Visitor) -> tuple[Known, Try]:
    """The account whose name and password these are. Raises WrongCredentials, TooManyTries.

    The try counts as a failure until `let_in` or `throttle.halfway` takes it back.
    """
    username = username.replace("\0", "?")  # PostgreSQL refuses it; nobody is called that
    with unscoped("sign in", quiet=True):
        with unit_of_work(Verb.READ, ""):
            tried = throttle.begin(username, visitor.address)
        known = _read(lambda: called(username, active=True))
    right = matches(known.stored if known else "", password)  # hashed outside any transaction
    if not right or known is None or not _by_password(known):
        _failed(tried, username, known, visitor, "登录失败")
        raise WrongCredentials(_("登录名或密码不对。"))
    return known, tried


def _by_password(known: Known) -> bool:
    """Firms' people come by their telephone (core.signin.phone); in a demonstration by the password that all know."""
    return known.family != Family.FIRM or installation_flag(DEMO) == "1"


def check_again(account_id: int, password: str, visitor: Visitor) -> bool:
    """Whether somebody signed in types their password; wrong ones count as failures. Raises TooManyTries."""
    with unscoped("is it still them", quiet=True):
        known = known_as(Account.id == account_id)
    if known is None:
        return False
    try:
        _known, tried = check_password(known.username, password, visitor)
    except WrongCredentials:
        return False
    with unscoped("is it still them", quiet=True), unit_of_work(Verb.READ, ""):
        throttle.halfway(tried)
    return True


def check_code(known: Known, code: str, visitor: Visitor) -> Try:
    """The second step. Raises WrongCredentials, TooManyTries; a wrong code is a failure like a wrong password."""
    with unscoped("second step", quiet=True) as session:
        with unit_of_work(Verb.READ, ""):
            tried = throttle.begin(known.username, visitor.address)
        with unit_of_work(Verb.UPDATE, "动态口令"):
            right = second_factor.accepts(session.get_one(Account, known.id), code)
    if not right:
        _failed(tried, known.username, known, visitor, "动态口令不对")
        raise WrongCredentials(_("动态口令不对。"))
    return tried


def needs_code(account_id: int) -> bool:
    """Whether the account has a second factor in force."""
    with unscoped("second factor", quiet=True) as session:
        return bool(session.scalar(second_factor.in_force(account_id)))


def must_enrol(family: str, figures: Any) -> bool:
    """Whether the person may do nothing before a second factor is set up: system administrators, but for a demo."""
    if family != Family.SYSTEM or figures[second_factor.FIGURE]:
        return False
    return installation_flag(DEMO) != "1"


def let_in(account_id: int, kind: EntryKind, visitor: Visitor, tried: Try | None = None) -> tuple[str, Known]:
    """Open a session; the one the cookie had before ends, failures are forgotten. Returns the cookie's key."""
    with unscoped("sign in", quiet=True) as session, unit_of_work(Verb.UPDATE, "登录"):
        leave(visitor.before)
        if tried is not None:
            throttle.succeeded(tried)
        account = session.get_one(Account, account_id)
        key = open_session(account, kind, visitor.address, visitor.agent)
        return key, _known(account)


def known_as(criterion: Any) -> Known | None:
    """The active account that a criterion names, read unscoped."""
    return _read(lambda: current_session().scalars(select(Account).where(criterion, Account.active)).one_or_none())


def _read(find: Callable[[], Account | None]) -> Known | None:
    """What was found, as plain values; the read transaction is over."""
    found = find()
    known = _known(found) if found is not None else None
    current_session().rollback()
    return known


def _known(account: Account) -> Known:
    return Known(account.id, account.username, account.office_id, account.family, account.locale,
                 account.must_change_password, account.password)  # fmt: skip


def _failed(tried: Try, username: str, known: Known | None, visitor: Visitor, what: str) -> None:
    """Write down a failure and what follows from it; of a name nobody has, only its beginning: it may be a password."""
    office = known.office_id if known else 0
    about = ("Account", known.id) if known else None
    facts: dict[str, Any] = {"username": username if known else f"{username[:2]}…", "address": visitor.address}
    with unscoped("sign in failed", quiet=True), unit_of_work(Verb.READ, what):
        remark(Verb.READ, what, office_id=office, about=about, **facts)
        if tried.locks:
            remark(Verb.READ, "登录锁定：同一地址连续失败", office_id=office, about=about, **facts)
        if tried.slows:
            remark(Verb.READ, "登录限速：同一地址多次失败", address=visitor.address)
        if tried.delays:
            remark(Verb.READ, "登录延时：多次失败", office_id=office, about=about, **facts)
            if known:
                _warn(known)


def _warn(known: Known) -> None:
    with force_locale(known.locale):
        text = _("%(n)s 次失败以后，用这个登录名登录要等待。不是您本人，请改一个别人猜不到的密码，并告诉系统管理员。",
                 n=throttle.NAME_FAILURES)  # fmt: skip
        notify(known.id, _("有人多次用您的登录名登录失败"), text, SESSIONS_URL)


def remaining(since: float) -> bool:
    """Whether a half-done sign-in that began then may still be finished."""
    return 0 <= clock.now().timestamp() - since <= HALF.total_seconds()
