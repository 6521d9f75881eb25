"""Login names as people type them: the account that is meant, however the name is written."""

from __future__ import annotations

from sqlalchemy import func, select

from app.core.codes import login_name
from app.core.db import current_session
from app.core.office import Account


def called(typed: str, *, active: bool = False) -> Account | None:
    """The account that signs in by this name, read from the session in force; with `active`, only one that may.

    Names are kept in small letters. Some were once kept in capitals, or as a command wrote them: they are found by
    their own spelling as well, which comes first where two accounts differ in nothing else.
    """
    spelt, name = "".join(typed.split()), login_name(typed)
    wanted = list(dict.fromkeys((spelt, name, name.upper())))
    asked = select(Account).where(Account.username.in_(wanted))
    found = {one.username: one for one in current_session().scalars(asked.where(Account.active) if active else asked)}
    return next((found[one] for one in wanted if one in found), None)


def taken(name: str, by_other_than: int | None) -> bool:
    """Whether another account (unscoped) has this name, in whatever letters."""
    same = select(func.count(Account.id)).where(func.lower(Account.username) == login_name(name))
    other = same.where(Account.id != by_other_than) if by_other_than is not None else same
    return bool(current_session().scalar(other))
