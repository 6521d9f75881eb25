"""Rules between persons: who wrote a thing does not judge it. Persons are compared, not accounts (linked accounts)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.core.access.context import Access, current_access
from app.core.db import unscoped
from app.core.office import Account


def own_accounts(access: Access) -> frozenset[int]:
    """Every account of the person, whichever may be read: read once a request, and only where a rule asks."""
    if "own accounts" not in access.asked:
        with unscoped("accounts of one person", quiet=True) as session:
            mine = select(Account.id).where(Account.person_key == access.person.person_key)
            access.asked["own accounts"] = frozenset(session.scalars(mine)) | {access.person.id}
    found: frozenset[int] = access.asked["own accounts"]
    return found


def other_person(columns: str | tuple[str, ...], what: str) -> Callable[[Any], str | None]:
    """A guard: a step is not taken by a person whom one of these columns names (an account's key, or several)."""
    names = (columns,) if isinstance(columns, str) else columns

    def guard(row: Any) -> str | None:
        named = [getattr(row, name) for name in names]
        keys = {key for one in named for key in (one if isinstance(one, list) else [one])}
        mine = bool(keys & own_accounts(current_access()))
        return str(_("%(what)s不能由同一人办理。", what=_(what))) if mine else None

    return guard
