"""Open work: the rows that hang on a person, found by what the entities declare (`__handover__`).

What is asked runs in the session in force, so a person sees (and hands over) only what he may read; in an unscoped
session sealed rows are left out: they stay as they are until they open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
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
        return and_(*clauses) if clauses else true()

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
        return or_(*found) if found else false()


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
    alone: bool = True  # no other posting of the account holds
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many rows that can go to somebody."""
        return sum(self.counts.values())

    def rows_of(self, kind: Kind, day: date) -> tuple[ColumnElement[bool], ...]:
        """What picks the open rows of a kind that this leaves."""
        return (*self.any_of(kind), kind.is_open(day))

    def any_of(self, kind: Kind) -> tuple[ColumnElement[bool], ...]:
        """What picks the rows of a kind that were this account's to leave here, open or done with."""
        where = (true() if self.alone else false()) if kind.charge.anywhere else kind.within(self.offices)
        return (kind.of([self.account.id]), where)


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
        others = [other for other in held if other.account_id == one.account_id and other.id != one.id]
        covered: set[int] = set()
        for other in others if account.active else ():
            covered |= reach_of(other, roles[other.role_id], units)
        alone = not (others and account.active)
        yield Left(one, account, reach_of(one, roles[one.role_id], units) - covered, alone)


def count_open(left: Left) -> dict[str, int]:
    """How many open rows there are by kind, what is only told included; asked in the session in force."""
    day, found = clock.today(), {}
    for kind in kinds() if left.offices else ():
        if number := current_session().scalar(select(func.count(kind.cls.id)).where(*left.rows_of(kind, day))):
            found[kind.key] = int(number)
    return found


def open_rows(kind: Kind, left: Left) -> list[tuple[int, int]]:
    """(key, version) of each open row of a kind."""
    if not left.offices:
        return []
    asked = select(kind.cls.id, kind.cls.version).where(*left.rows_of(kind, clock.today()))
    return [(row.id, row.version) for row in current_session().execute(asked.order_by(kind.cls.id))]


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
        found = list(_left(session, list(newest.values()))) if newest else []
    _count(found, day)
    return [one for one in found if one.total]


def _count(found: list[Left], day: date) -> None:
    """Fill in how many rows each left, by kind; what is only told does not wait for anybody."""
    accounts = {one.account.id for one in found if one.offices}
    offices = frozenset().union(*(one.offices for one in found)) if found else frozenset()
    if not accounts:
        return
    for kind in (one for one in kinds() if not one.charge.told):
        cls: Any = kind.cls
        placed = hasattr(cls, "office_id") and not kind.charge.anywhere
        columns = [kind.who().label("who"), *([cls.office_id.label("place")] if placed else [])]
        where = true() if kind.charge.anywhere else kind.within(offices)
        asked = select(*columns, func.count(kind.cls.id).label("number"))
        asked = asked.where(kind.of(accounts), kind.is_open(day), where).group_by(*columns)
        for row in current_session().execute(asked):
            one = _whose(found, kind, row.who, row.place if placed else None)
            if one is not None:
                one.counts[kind.key] = one.counts.get(kind.key, 0) + int(row.number)


def _whose(found: list[Left], kind: Kind, account_id: int, place: int | None) -> Left | None:
    """The posting that left these rows; the newest, where several could have."""
    for one in found:
        inside = one.alone if kind.charge.anywhere else place is None or place in one.offices
        if one.account.id == account_id and one.offices and inside:
            return one
    return None
