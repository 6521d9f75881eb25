"""Offices, accounts and postings: what is checked whenever one is saved."""

from __future__ import annotations

import secrets
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core import clock
from app.core.codes import login_name
from app.core.db import current_session, unscoped
from app.core.errors import Invalid
from app.core.office import AccessRole, Account, Family, Office, Posting, place
from app.core.passwords import hashed
from app.core.saving import Check, on_save
from app.core.signin.names import called, taken
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.services.granting import given_already, require_by_command, takes_two


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
    if account.platform_since and not account.platform_account:
        account.platform_since = None
    if account.username and not account.username.isascii():
        check.error("username", _("登录名只用字母、数字和横线。"))
    elif account.username and inspect(account).attrs.username.history.added and _is_taken(account):
        check.error("username", _("登录名 %(name)s 已有人用。", name=account.username))


def _is_taken(account: Account) -> bool:
    """Whoever asks: an account of another office has the name just as well."""
    with unscoped("is a login name taken", quiet=True):
        return taken(account.username, account.id)


def add_account(
    username: str, name: str, family: Family, office_code: str, password: str, *, must_change: bool = True,
    certificate_no: str | None = None,
) -> Account:  # fmt: skip
    """Make an account from the command line (unscoped). Raises Invalid."""
    session = current_session()
    office = session.scalars(select(Office).where(Office.code == office_code)).one_or_none()
    if office is None:
        raise Invalid(_("没有代码为 %(code)s 的机构。", code=office_code))
    if not login_name(username).isascii():
        raise Invalid(_("登录名只用字母、数字和横线。"))
    if taken(username, None):
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
    account = called(username)
    office = session.scalars(select(Office).where(Office.code == office_code)).one_or_none()
    role = session.scalars(select(AccessRole).where(AccessRole.code == role_code)).one_or_none()
    if account is None or office is None or role is None:
        raise Invalid(_("没有这个账号、机构或角色。"))
    if role.family != account.family:
        raise Invalid(_("这个角色属于“%(a)s”，账号是“%(b)s”，不能混用。", a=_(role.family), b=_(account.family)))
    require_by_command(role)
    with unit_of_work(Verb.CREATE, "命令行任命系统管理员，没有第二人确认" if takes_two(role) else "命令行任职"):
        posting = Posting(
            account_id=account.id, office_id=office.id, role_id=role.id, title=title, date_from=day or clock.today()
        )
        if why := given_already(posting, account, role, office.id):
            raise Invalid(why)
        session.add(posting)
        session.flush()
    return posting
