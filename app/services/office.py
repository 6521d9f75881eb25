"""Offices, accounts and postings: what is checked whenever one is saved."""

from __future__ import annotations

import secrets
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.db import current_session
from app.core.errors import Invalid
from app.core.office import AccessRole, Account, Family, Office, Posting, place
from app.core.passwords import hashed
from app.core.saving import Check, on_save
from app.core.verbs import Verb
from app.core.writing import unit_of_work

GUARDED = (Family.SYSTEM, Family.AUDIT)


@on_save(Office)
def check_office(office: Office, check: Check) -> None:
    """A parent that is not below the office itself; the path follows after the first flush."""
    parent = office.parent
    if office.id and parent is not None and f"/{office.id}/" in parent.path:
        check.error("parent", _("上级机构不能是它自己或它的下级。"))
        return
    if not office.id:
        current_session().add(office)
        current_session().flush()
    place(office, parent)


@on_save(Account)
def check_account(account: Account, check: Check) -> None:
    """A new account's first password is random until a command or the administrator sets one."""
    if not account.password:
        account.password = hashed(secrets.token_urlsafe(24))
    if account.username and not account.username.isascii():
        check.error("username", _("登录名只用字母、数字和横线。"))


@on_save(Posting)
def check_posting(one: Posting, check: Check) -> None:
    """Dates in order, family of role and account the same, never one's own, nothing above one's own rank."""
    if one.date_from and one.date_to and one.date_to < one.date_from:
        check.error("date_to", _("不能早于任职起。"))
    role, account = one.role, one.account
    if role is None or account is None:
        return
    if role.family != account.family:
        check.error("role", _("这个角色属于“%(a)s”，账号是“%(b)s”，不能混用。", a=_(role.family), b=_(account.family)))
    if has_access_context():
        _check_granter(role, account, check)


def _check_granter(role: AccessRole, account: Account, check: Check) -> None:
    granter = current_access()
    if account.person_key == granter.person.person_key:
        check.error("account", _("不能给自己任职。"))
    ceiling = max((held.rank for held in granter.postings), default=0)
    if role.rank >= ceiling or (role.family in GUARDED and ceiling < 90):
        check.error("role", _("这个角色高于您可以授予的级别。"))
    if role.family == Family.AUDIT or role.code == "sysadmin":
        check.error("role", _("系统管理员和审计员的任命要由两名系统管理员办理，这里不能直接授予。"))


def add_account(
    username: str, name: str, family: Family, office_code: str, password: str, *, must_change: bool = True,
    certificate_no: str | None = None,
) -> Account:  # fmt: skip
    """Make an account from the command line (unscoped). Raises Invalid."""
    session = current_session()
    office = session.scalars(select(Office).where(Office.code == office_code)).one_or_none()
    if office is None:
        raise Invalid(_("没有代码为 %(code)s 的机构。", code=office_code))
    if session.scalar(select(Account.id).where(Account.username == username)) is not None:
        raise Invalid(_("登录名 %(name)s 已有人用。", name=username))
    sealed = hashed(password)
    with unit_of_work(Verb.CREATE, "命令行建立账号"):
        account = Account(
            username=username, name=name, family=family, office_id=office.id, password=sealed,
            must_change_password=must_change, certificate_no=certificate_no,
        )  # fmt: skip
        session.add(account)
        session.flush()
    return account


def add_posting(username: str, office_code: str, role_code: str, day: date | None = None, title: str = "") -> Posting:
    """Post an account from the command line (unscoped). Raises Invalid."""
    session = current_session()
    account = session.scalars(select(Account).where(Account.username == username)).one_or_none()
    office = session.scalars(select(Office).where(Office.code == office_code)).one_or_none()
    role = session.scalars(select(AccessRole).where(AccessRole.code == role_code)).one_or_none()
    if account is None or office is None or role is None:
        raise Invalid(_("没有这个账号、机构或角色。"))
    if role.family != account.family:
        raise Invalid(_("这个角色属于“%(a)s”，账号是“%(b)s”，不能混用。", a=_(role.family), b=_(account.family)))
    with unit_of_work(Verb.CREATE, "命令行任职"):
        posting = Posting(
            account_id=account.id, office_id=office.id, role_id=role.id, title=title, date_from=day or clock.today()
        )
        session.add(posting)
        session.flush()
    return posting
