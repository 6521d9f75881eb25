"""Families are exclusive: an account holds roles of its own family only, whichever door a posting comes through.

`context.load` gives nothing for a posting of another family, should one ever be in the database all the same.
"""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from app.core.db import AppSession
from app.core.entity import Entity
from app.core.errors import AccessRefused
from app.core.office import AccessRole, Account, Posting


@event.listens_for(AppSession, "before_flush")
def _judge(session: Session, _context: Any, _instances: Any) -> None:
    """System, audit, business and firm never meet in one account: not by a posting, nor by changing its two ends."""
    for row in (*session.new, *session.dirty):
        if isinstance(row, Posting):
            pair = (_family(session, row, "account", Account), _family(session, row, "role", AccessRole))
            mixed = None not in pair and pair[0] != pair[1]
        elif isinstance(row, (Account, AccessRole)) and row.id and inspect(row).attrs.family.history.has_changes():
            mixed = bool(_others(session, row) - {row.family})
        else:
            continue
        if mixed:
            raise AccessRefused(_("账号和角色的类别不同，不能混用。"))


def _family(session: Session, row: Posting, name: str, cls: type[Account | AccessRole]) -> str | None:
    """The family of one end, pending or stored, whether or not the person in context may read it."""
    state: Any = inspect(row)
    changed = state.attrs[f"{name}_id"].history.has_changes() and not state.attrs[name].history.has_changes()
    held: Entity | None = None if changed else row.__dict__.get(name)
    if isinstance(held, (Account, AccessRole)):
        return held.family
    key = getattr(row, f"{name}_id")
    return session.connection().scalar(select(cls.family).where(cls.id == key)) if key is not None else None


def _others(session: Session, row: Account | AccessRole) -> set[str]:
    """The families at the other end of this row's postings."""
    if isinstance(row, Account):
        found = select(AccessRole.family).join(Posting, Posting.role_id == AccessRole.id)
        found = found.where(Posting.account_id == row.id)
    else:
        found = select(Account.family).join(Posting, Posting.account_id == Account.id)
        found = found.where(Posting.role_id == row.id)
    return set(session.connection().scalars(found))
