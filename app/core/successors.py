"""Who may take work over: the holders of postings at the office, and who leads there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.context import Access, offices_of
from app.core.access.policy import Coverage
from app.core.db import unscoped
from app.core.handover import Handover
from app.core.office import AccessRole, Account, Family, Posting
from app.core.open_work import Kind
from app.core.verbs import Verb

LEADS = (Handover.__name__, Verb.CREATE.value)  # who may hand over an office's work leads it


@dataclass(frozen=True)
class Successor:
    """Somebody in office who may take some kinds of work."""

    account_id: int
    name: str
    title: str
    office_id: int
    able: frozenset[str]  # keys of kinds


def successors(offices: Iterable[int], giver: Account, asked: list[Kind]) -> list[Successor]:
    """The others who hold a posting at one of these offices today, each with the kinds that a posting lets do."""
    found: dict[int, Successor] = {}
    with unscoped("who may take work over", quiet=True) as session:
        for posting, role, account in _holders(session, offices):
            if account.person_key == giver.person_key:
                continue
            able = frozenset(kind.key for kind in asked if can(role, kind))
            one = found.get(account.id)
            found[account.id] = Successor(
                account.id, account.name, one.title if one else posting.title or role.name, posting.office_id,
                able | (one.able if one else frozenset()),
            )  # fmt: skip
    return list(found.values())


def _holders(session: Session, offices: Iterable[int]) -> list[tuple[Posting, AccessRole, Account]]:
    rows = session.execute(
        select(Posting, AccessRole, Account)
        .join(AccessRole, Posting.role_id == AccessRole.id)
        .join(Account, Posting.account_id == Account.id)
        .where(Posting.office_id.in_(sorted(set(offices))), Posting.in_force(clock.today()))
        .where(Account.active.is_(True), Account.family == Family.BUSINESS)
        .order_by(AccessRole.rank.desc(), Posting.id)
    )
    return [(row.Posting, row.AccessRole, row.Account) for row in rows]


def can(role: AccessRole, kind: Kind) -> bool:
    """Whether a role's table gives what such work takes; each row is judged by itself when it goes over."""
    needs = kind.charge.needs
    return needs is None or needs.value in role.grants.get(kind.charge.needs_on or kind.cls.policy_name(), {})


def led_offices(access: Access) -> frozenset[int]:
    """The offices whose work the person may hand over."""
    found: set[int] = set()
    for held in access.postings:
        for coverage, _states in held.grants.get(LEADS[0], {}).get(LEADS[1], ()):
            if coverage == Coverage.SUBTREE:
                found |= access.subtree(held.office_id)
    return frozenset(found)


def chief_of(office_id: int, besides: Account) -> Account | None:
    """Who leads an office: a holder of a posting just there that may hand its work over, else one of the parent's.

    None when nobody up to the root does.
    """
    with unscoped("who leads an office", quiet=True) as session:
        units = offices_of(session)
        unit = units.get(office_id)
        while unit is not None:
            for _posting, role, account in _holders(session, [unit.id]):
                if LEADS[1] in role.grants.get(LEADS[0], {}) and account.person_key != besides.person_key:
                    return account
            unit = units.get(unit.parent_id or 0)
    return None
