"""Open work: the rows that hang on a person, found by what the entities declare (`__handover__`).

What is asked runs in the session in force, so a person sees (and hands over) only what he may read; in an unscoped
session sealed rows are left out: they stay as they are until they open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.context import Unit, offices_of
from app.core.access.policy import Coverage
from app.core.charge import Charge
from app.core.db import current_session, unscoped
from app.core.entity import Entity, registry
from app.core.office import AccessRole, Account, Family, Posting

Offices = frozenset[int]


@dataclass(frozen=True)
class Kind:
    """One kind of open work: an entity and one of its charges. `key` names it in forms."""

    cls: type[Entity]
    charge: Charge

    @property
    def key(self) -> str:
        """Its name in a form, from the entity and the place of the charge there."""
        return f"{self.cls.__name__}-{self.cls.__handover__.index(self.charge)}"

    def who(self) -> Any:
        """The account in charge, as an expression."""
        own = getattr(self.cls, self.charge.column)
        return func.coalesce(own, getattr(self.cls, self.charge.instead)) if self.charge.instead else own

    def of(self, accounts: Iterable[int]) -> ColumnElement[bool]:
        """Rows that one of these is in charge of, written so that an index of either column serves."""
        keys = sorted(accounts)
        own = getattr(self.cls, self.charge.column)
        if not self.charge.instead:
            return own.in_(keys)  # type: ignore[no-any-return]
        return or_(own.in_(keys), and_(own.is_(None), getattr(self.cls, self.charge.instead).in_(keys)))

    def is_open(self, day: date) -> ColumnElement[bool]:
        """Rows that are not done with, and not sealed where nobody's rights limit what is read."""
        cls: Any = self.cls
        clauses: list[Any] = []
        if self.charge.states:
            clauses.append(getattr(cls, cls.state_column()).in_(self.charge.states))
        if self.charge.ends:
            last = getattr(cls, self.charge.ends)
            clauses.append(or_(last.is_(None), last >= day))
        if hasattr(cls, "sealed") and "unscoped" in current_session().info:
            clauses.append(cls.sealed.is_(False))
        return and_(*clauses) if clauses else cls.id.is_not(None)  # type: ignore[no-any-return]

    def within(self, offices: Offices) -> ColumnElement[bool]:
        """Rows of these offices; what has none of its own goes with the row it is about."""
        cls: Any = self.cls
        if hasattr(cls, "office_id"):
            return cls.office_id.in_(sorted(offices))  # type: ignore[no-any-return]
        entity, key = (getattr(cls, name) for name in cls.__about__)
        found = []
        for other in cls.__subjects__:
            inside = select(other.id).where(other.id == key, other.office_id.in_(sorted(offices))).exists()
            found.append(and_(entity == other.__name__, inside))
        return or_(*found) if found else cls.id.is_(None)  # type: ignore[no-any-return]


def kinds() -> list[Kind]:
    """All kinds of work that can hang on a person, in one order everywhere."""
    return [Kind(cls, one) for _name, cls in sorted(registry().items()) for one in cls.__handover__]


def reach_of(posting: Posting, role: AccessRole, units: Mapping[int, Unit]) -> Offices:
    """The offices whose rows a posting covers: its own and those below; a section's, the parent's."""
    top = units[posting.office_id]
    carried = {one.cls.policy_name() for one in kinds()}
    cells = [cell for name in carried for found in role.grants.get(name, {}).values() for cell in found]
    if any(cell[0] == Coverage.SUPERVISED for cell in cells):
        top = units.get(top.parent_id or 0, top)
    return frozenset(one.id for one in units.values() if one.path.startswith(top.path))


@dataclass
class Left:
    """A posting with the offices where its holder's work would be left without somebody."""

    posting: Posting
    account: Account
    offices: Offices
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many rows that can go to somebody."""
        return sum(self.counts.values())


def left_by(posting_id: int) -> Left | None:
    """What a posting's end leaves: its offices without those that the same account's other postings cover."""
    with unscoped("what a posting leaves", quiet=True) as session:
        posting = session.get(Posting, posting_id)
        if posting is None:
            return None
        return next(iter(_left(session, [posting])), None)


def _left(session: Session, postings: list[Posting]) -> Iterator[Left]:
    """Each posting with what no other posting in force of its holder covers."""
    day, units = clock.today(), offices_of(session)
    roles = {role.id: role for role in session.scalars(select(AccessRole))}
    keys = {one.account_id for one in postings}
    accounts = {one.id: one for one in session.scalars(select(Account).where(Account.id.in_(sorted(keys))))}
    held = list(session.scalars(select(Posting).where(Posting.account_id.in_(sorted(keys)), Posting.in_force(day))))
    for one in postings:
        account = accounts[one.account_id]
        covered: set[int] = set()
        for other in held:
            if other.account_id == one.account_id and other.id != one.id and account.active:
                covered |= reach_of(other, roles[other.role_id], units)
        yield Left(one, account, reach_of(one, roles[one.role_id], units) - covered)


def count_open(left: Left) -> dict[str, int]:
    """How many open rows there are by kind, what is only told included; asked in the session in force."""
    day, found = clock.today(), {}
    if not left.offices:
        return {}
    for kind in kinds():
        mine = (kind.of([left.account.id]), kind.is_open(day), kind.within(left.offices))
        if number := current_session().scalar(select(func.count(kind.cls.id)).where(*mine)):
            found[kind.key] = int(number)
    return found


def open_rows(kind: Kind, left: Left) -> list[tuple[int, int]]:
    """(key, version) of each open row of a kind."""
    if not left.offices:
        return []
    mine = (kind.of([left.account.id]), kind.is_open(clock.today()), kind.within(left.offices))
    rows = current_session().execute(select(kind.cls.id, kind.cls.version).where(*mine).order_by(kind.cls.id))
    return [(row.id, row.version) for row in rows]


def waiting(offices: Offices) -> list[Left]:
    """待移交: postings of these offices that are over (or whose account is closed) and left open work behind.

    One statement a kind of work, however many people have gone. Of several postings of one account the newest stands.
    """
    day = clock.today()
    with unscoped("postings that are over", quiet=True) as session:
        over = or_(~Posting.in_force(day) & (Posting.date_from <= day), Account.active.is_(False))
        asked = (
            select(Posting)
            .join(Account, Posting.account_id == Account.id)
            .where(Posting.office_id.in_(sorted(offices)), Account.family == Family.BUSINESS, over)
            .order_by(Posting.id.desc())
        )
        newest: dict[tuple[int, int], Posting] = {}
        for one in session.scalars(asked):
            newest.setdefault((one.account_id, one.office_id), one)
        found = list(_left(session, list(newest.values())))
    _count(found, day)
    return [one for one in found if one.total]


def _count(found: list[Left], day: date) -> None:
    """Fill in how many rows each left, by kind; what is only told does not wait for anybody."""
    accounts = {one.account.id for one in found if one.offices}
    offices = frozenset().union(*(one.offices for one in found)) if found else frozenset()
    if not accounts:
        return
    for kind in (one for one in kinds() if not one.charge.told):
        where = kind.cls.office_id if hasattr(kind.cls, "office_id") else None  # type: ignore[attr-defined]
        columns = [kind.who().label("who"), *([where.label("place")] if where is not None else [])]
        asked = (
            select(*columns, func.count(kind.cls.id).label("number"))
            .where(kind.of(accounts), kind.is_open(day), kind.within(offices))
            .group_by(*columns)
        )
        for row in current_session().execute(asked):
            for one in found:
                if one.account.id == row.who and (where is None or row.place in one.offices):
                    one.counts[kind.key] = one.counts.get(kind.key, 0) + int(row.number)
                    break
