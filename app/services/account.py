"""What an administrator does about somebody's sign-in: a new first password, no second factor, no open sessions."""

from __future__ import annotations

import secrets

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import unscoped
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.message import notify
from app.core.office import AccessRole, Account, Family, Posting
from app.core.passwords import hashed
from app.core.signin import second_factor
from app.core.signin.model import Ending
from app.core.signin.names import called
from app.core.signin.sessions import end_sessions
from app.core.verbs import Verb
from app.core.writing import perform, unit_of_work

HIGHEST = 90  # the rank of system administrators: they reset each other, nobody else resets them


def refusal(account: Account) -> str:
    """Why the person in context may not reset this account's sign-in, or ""."""
    person, mine = current_access().person, max((held.rank for held in current_access().postings), default=0)
    if account.person_key == person.person_key:
        return str(_("自己的密码和动态口令，请在右上角的菜单里改。"))
    if account.family == Family.FIRM:
        return str(_("企业账号由监管所重设。"))
    guarded = account.family in {Family.SYSTEM, Family.AUDIT} or _rank(account.id) >= mine
    return str(_("这个账号的级别不低于您，请找系统管理员。")) if guarded and mine < HIGHEST else ""


def _rank(account_id: int) -> int:
    day = clock.today()
    with unscoped("rank of an account", quiet=True) as session:
        held = select(func.max(AccessRole.rank)).join(Posting, Posting.role_id == AccessRole.id)
        in_force = or_(Posting.date_to.is_(None), Posting.date_to >= day)
        return int(session.scalar(held.where(Posting.account_id == account_id, in_force)) or 0)


def _open(account_id: int) -> Account:
    account = fetch(Account, account_id, Verb.UPDATE)
    if why := refusal(account):
        raise Forbidden(why)
    return account


def reset_password(account_id: int, reason: str) -> str:
    """A one-time password, told this once; the first sign-in changes it, and every session ends. Raises Forbidden."""
    _open(account_id)
    drawn = [secrets.choice(second_factor.LETTERS) for _n in range(12)]
    password = "-".join("".join(drawn[at : at + 4]) for at in (0, 4, 8))  # no letters that look alike on paper
    sealed = hashed(password)  # outside the transaction
    with unit_of_work(Verb.UPDATE, f"重设密码：{reason}"):
        account = _open(account_id)
        perform(account, Verb.UPDATE)
        account.password, account.must_change_password = sealed, True
        _tell(account, _("您的密码由管理员重设"), reason)
    return password


def reset_second_factor(account_id: int, reason: str) -> None:
    """Take the second factor away (a lost telephone); every session ends. Raises Forbidden, Conflict."""
    with unit_of_work(Verb.UPDATE, f"重设动态口令：{reason}"):
        account = _open(account_id)
        if not second_factor.remove(account, f"重设动态口令：{reason}"):
            raise Conflict(_("这个账号没有启用动态口令。"))
        _tell(account, _("您的动态口令由管理员重设"), reason)


def end_all_sessions(account_id: int, reason: str) -> int:
    """End every session of an account. Returns how many. Raises Forbidden."""
    with unit_of_work(Verb.END, f"结束登录：{reason}"):
        account = _open(account_id)
        count = end_sessions(account.id, Ending.ADMINISTRATOR)
        if count:
            _tell(account, _("您的登录由管理员结束"), reason)
    return count


def reset_last_second_factor(username: str) -> None:
    """From the command line (unscoped): nobody is left who could do it on the screen. Raises NotFound, Conflict."""
    with unscoped("command line: reset-totp"), unit_of_work(Verb.UPDATE, "命令行重设动态口令"):
        account = called(username)
        if account is None:
            raise NotFound(_("没有登录名为 %(name)s 的账号。", name=username))
        if not second_factor.remove(account, "命令行重设动态口令"):
            raise Conflict(_("这个账号没有启用动态口令。"))


def _tell(account: Account, title: str, reason: str) -> None:
    with force_locale(account.locale):
        notify(account.id, title, reason, "/sessions/")
