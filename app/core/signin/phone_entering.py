"""Coming in by telephone: a card begins it, a PIN opens and signs; tries are counted before they are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext as _

from app.core.access.context import load
from app.core.db import current_session, unscoped
from app.core.errors import ShouzeError
from app.core.history import remark
from app.core.office import Account
from app.core.signin import phone, throttle
from app.core.signin.entering import Known, Visitor, known_as
from app.core.signin.model import Ending, EntryKind
from app.core.signin.phone import TRIES, Code, CodeState, Remembered
from app.core.signin.second_factor import bare
from app.core.signin.sessions import end_sessions, leave, open_session
from app.core.verbs import Verb
from app.core.writing import unit_of_work


class WrongCode(ShouzeError):
    """A code that opens nothing."""

    status = 404


class Refused(ShouzeError):
    """A PIN that opens nothing, in words for its owner."""

    status = 403


@dataclass(frozen=True)
class Entered:
    """What the browser keeps: the session's key and the telephone's secret."""

    account_id: int
    family: str
    key: str = field(repr=False)
    secret: str = field(repr=False)


# -- the card ---------------------------------------------------------------------------------------------------------


def look(typed: str, visitor: Visitor) -> tuple[Code, Known, bool]:
    """The open code that was typed, whose it is, and whether they have a PIN already.

    A code that is none is a failure like a wrong sign-in, and costs the same. Raises WrongCode, TooManyTries.
    """
    with unscoped("look at a code", quiet=True), unit_of_work(Verb.READ, ""):
        tried = throttle.begin(_name(typed), visitor.address)
        code = phone.find_code(typed)
        has = False
        if code is not None:
            throttle.halfway(tried)
            has = bool(phone.stored_pin(code.account_id))
    if code is None:
        raise WrongCode(_("没有这个激活码，请对照激活卡检查。"))
    if code.state is not CodeState.OPEN:
        raise WrongCode(_why(code.state))
    with unscoped("whose code", quiet=True):
        known = known_as(Account.id == code.account_id)
    if known is None or not reaches_something(known.id):
        raise WrongCode(_("这个账号现在不能使用，请联系监管所。"))
    return code, known, has


def _name(typed: str) -> str:
    """Under what name tries of a code are counted: itself, so that many different ones slow their address down."""
    return f"activate {bare(typed)[:40]}"


def _why(state: CodeState) -> str:
    words = {
        CodeState.USED: _("这个激活码已经用过，每个只能用一次。换手机请找监管所打印新的激活卡。"),
        CodeState.VOID: _("这个激活码已经作废，请用最新的激活卡。"),
        CodeState.OVER: _("这个激活码已过期，请找监管所打印新的激活卡。"),
    }
    return str(words[state])


def reaches_something(account_id: int) -> bool:
    """Whether the account has an appointment in force at some firm."""
    access = load(account_id)
    return access is not None and bool(access.firms.parents)


def check_owner(code: Code, known: Known, mobile: str, pin: str) -> None:
    """The mobile and the PIN that the account has, beside a new card; five wrong ones void the card. Raises Refused."""
    with unscoped("a PIN beside a card", quiet=True):
        with unit_of_work(Verb.READ, ""):
            counted = phone.count_against(code)
        stored = phone.stored_pin(code.account_id)
    right = phone.is_pin(code.account_id, stored, phone.pin_of(pin))
    if not (counted and right and bare(mobile) == known.username):
        raise Refused(_("手机号或 PIN 不对。连错五次，这张激活卡作废。"))


def begin_phone(code: Code, stored: str | None, consent: str, visitor: Visitor) -> Entered:
    """Use the code up, keep the PIN (None: it stays), remember the telephone, open a session: call inside one unit.

    Raises WrongCode when somebody else just used it.
    """
    if not phone.use_up(code):
        raise WrongCode(_why(CodeState.USED))
    session = current_session()
    account = session.get_one(Account, code.account_id)
    if stored is not None:
        phone.set_pin(account.id, stored, consent)
    secret = phone.remember(account.id, visitor.agent)
    leave(visitor.before)
    key = open_session(account, EntryKind.PHONE, visitor.address, visitor.agent)
    remark(Verb.ACTIVATE, "激活", office_id=account.office_id, about=("Account", account.id),
           actor=(account.id, account.name), consent=consent)  # fmt: skip
    return Entered(account.id, account.family, key, secret)


# -- the PIN ----------------------------------------------------------------------------------------------------------


def open_by_pin(found: Remembered, typed: str, visitor: Visitor) -> tuple[str, Known]:
    """Open a session with the PIN of a remembered telephone. Returns the cookie's key. Raises Refused."""
    with unscoped("whose telephone", quiet=True):
        known = known_as(Account.id == found.account_id)
    if known is None or not reaches_something(known.id):
        raise Refused(_("没有在任的企业任职，或账号已停用，请联系监管所。"))
    if why := prove(found, typed, known.username):
        raise Refused(why)
    with unscoped("open by PIN", quiet=True) as session, unit_of_work(Verb.UPDATE, "登录"):
        leave(visitor.before)
        key = open_session(session.get_one(Account, known.id), EntryKind.PHONE, visitor.address, visitor.agent)
    return key, known


def prove(found: Remembered, typed: str, username: str) -> str:
    """Take a PIN typed on a telephone, to open or to sign: "" when it was right, else why not. Five wrong ones lock."""
    with unscoped("a PIN", quiet=True):
        with unit_of_work(Verb.READ, ""):
            count = phone.count_try(found)
        stored = phone.stored_pin(found.account_id)
        if not count:
            return _locked()
        if phone.is_pin(found.account_id, stored, phone.pin_of(typed)):
            with unit_of_work(Verb.UPDATE, ""):
                return "" if phone.was_right(found) else _locked()
        _note_failure(found, count, username)
    left = TRIES - count
    return str(_("PIN 不对，还可以试 %(n)s 次。", n=left)) if left > 0 else _locked()


def _locked() -> str:
    return str(_("PIN 输错五次，这部手机已锁定。请找监管所重设，或凭手机号、PIN 和新的激活卡重新激活。"))


def _note_failure(found: Remembered, count: int, username: str) -> None:
    with unit_of_work(Verb.READ, "PIN 不对"):
        session = current_session()
        office = session.get_one(Account, found.account_id).office_id
        about = ("Account", found.account_id)
        remark(Verb.READ, "PIN 不对", office_id=office, about=about, username=username, count=count)
        if count >= TRIES:
            remark(Verb.READ, "手机锁定：PIN 连错五次", office_id=office, about=about, username=username)
            end_sessions(found.account_id, Ending.PIN)
