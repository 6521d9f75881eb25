"""谁能看到: which postings reach one record, and what decides for each. Asked for on its own page, never in passing.

People are not tried one by one: postings of one role at one office for the same lines reach the same rows, so each
such group is one criterion, and one statement asks some sixty of them about the record. Only those that are named with
it (put to it, its approver, the firm's own people, who holds a delegation) are loaded each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.context import Access, Firms, Held, Person, current_access, held_of, load, offices_of
from app.core.access.explain import explain
from app.core.access.predicate import predicate
from app.core.access.seal import is_sealed
from app.core.db import unscoped
from app.core.entity import Entity
from app.core.office import AccessRole, Account, Assignment, Family, Posting
from app.core.verbs import WRITES, Verb

MOST_SHOWN = 50
MOST_NAMED = 100  # people loaded one by one
AT_ONCE = 60  # criteria in one statement
NOT_ON_A_ROW = {Verb.CREATE, Verb.IMPORT, Verb.CONFIRM}
NOBODY = Person(-1, "", "", Family.BUSINESS, "", 0, "zh", must_change_password=False, certificate_no=None)

PeopleReader = Callable[[Session, Entity, date], Iterable[int]]
_people_readers: list[PeopleReader] = []


def register_people_reader(reader: PeopleReader) -> PeopleReader:
    """Tell core which accounts may reach a record beside postings: the firm's people, who may sign by delegation."""
    if reader not in _people_readers:
        _people_readers.append(reader)
    return reader


@dataclass(frozen=True)
class Reach:
    """One person who may read the record: as what, which coverage decides, what else they may do to it now."""

    account_id: int
    name: str
    office_id: int
    title: str
    family: str
    coverage: str
    lines: int
    verbs: tuple[Verb, ...]


@dataclass(frozen=True)
class Audience:
    """The first MOST_SHOWN, those of the record's own office first; how many there are; whether it is sealed."""

    people: list[Reach]
    total: int
    sealed: bool


def may_ask(row: Any) -> bool:
    """The audience is shown to administrators, and to the bureau's people in whose tree the record's office lies."""
    access = current_access()
    if access.person.family == Family.SYSTEM:
        return True
    office_id = getattr(row, "office_id", None) or 0
    if access.person.family != Family.BUSINESS or office_id not in access.offices:
        return False
    path = access.offices[office_id].path
    units = [access.offices[held.office_id] for held in access.postings]
    tops = [access.offices[unit.parent_id] if unit.parent_id and unit.lines else unit for unit in units]
    return any(path.startswith(top.path) for top in (*units, *tops))


def audience(row: Entity) -> Audience:
    """Everybody who may read the row now. Some ten statements, however many people there are."""
    day = clock.today()
    with unscoped("who may read this record", quiet=True) as session:
        offices = offices_of(session)
        groups: dict[tuple[str, int, int], list[tuple[Held, Account]]] = {}
        for held, account in _holders(session, row, day):
            groups.setdefault((held.role, held.office_id, held.lines), []).append((held, account))
        accesses = [_alone(members[0][0], offices) for members in groups.values()]
        reaching = _ask(session, row, [(access, Verb.READ) for access in accesses])
        found = []
        for access, members, reads in zip(accesses, groups.values(), reaching, strict=True):
            if reads:
                found += _group(session, row, access, members)
        named = list(dict.fromkeys(_named(session, row, day)))
    known = {one.account_id for one in found}
    fresh = [key for key in named if key not in known]
    found += [one for key in fresh[:MOST_NAMED] if (one := _one(key, row)) is not None]
    own = getattr(row, "office_id", None)
    found = list({one.account_id: one for one in reversed(found)}.values())
    found.sort(key=lambda one: (one.family == Family.FIRM, one.office_id != own, one.office_id, one.title, one.name))
    total = len(found) + len(fresh[MOST_NAMED:])
    return Audience(found[:MOST_SHOWN], total, is_sealed(row))


def _holders(session: Session, row: Entity, day: date) -> list[tuple[Held, Account]]:
    """Postings in force whose role may read such rows at all."""
    rows = session.execute(
        select(Posting, AccessRole, Account)
        .join(AccessRole, Posting.role_id == AccessRole.id)
        .join(Account, Posting.account_id == Account.id)
        .where(Account.active.is_(True), Account.family != Family.FIRM, Posting.in_force(day))
        .order_by(AccessRole.rank.desc(), Posting.id)
    )
    entity = row.policy_name()
    return [
        (held_of(one.Posting, one.AccessRole), one.Account)
        for one in rows
        if Verb.READ.value in one.AccessRole.grants.get(entity, ())
    ]


def _alone(held: Held, offices: Any) -> Access:
    """The reach of one posting, whoever holds it."""
    return Access(NOBODY, (held,), offices, {}, Firms(), Firms())


def _ask(session: Session, row: Entity, asked: Sequence[tuple[Access, Verb]]) -> list[bool]:
    """Whether each may, several to a statement."""
    cls, found = type(row), []
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        columns = [
            select(cls.id).where(cls.id == row.id, predicate(access, cls, verb)).exists().label(f"may_{n}")
            for n, (access, verb) in enumerate(part)
        ]
        found += [bool(value) for value in session.execute(select(*columns)).one()]
    return found


def _group(session: Session, row: Entity, access: Access, members: list[tuple[Held, Account]]) -> list[Reach]:
    verbs = _verbs(session, row, access)
    coverage = explain(access, Verb.READ, row).coverage
    return [
        Reach(account.id, account.name, held.office_id, held.title, account.family, coverage, held.lines, verbs)
        for held, account in members
    ]


def _verbs(session: Session, row: Entity, access: Access) -> tuple[Verb, ...]:
    """What else this reach may do to the row as it stands."""
    granted = {verb for held in access.postings for verb in held.grants.get(row.policy_name(), ())}
    asked = [verb for verb in Verb if verb in WRITES and verb not in NOT_ON_A_ROW and verb.value in granted]
    answers = _ask(session, row, [(access, verb) for verb in asked])
    return tuple(verb for verb, may in zip(asked, answers, strict=True) if may)


def _named(session: Session, row: Any, day: date) -> Iterable[int]:
    """Accounts that the record, or what it belongs to, names."""
    in_force = and_(Assignment.date_from <= day, or_(Assignment.date_to.is_(None), Assignment.date_to >= day))
    asked = [and_(Assignment.entity == row.policy_name(), Assignment.row_id == row.id)]
    if firm_key := getattr(type(row), "__firm_key__", ""):
        asked.append(getattr(Assignment, f"{firm_key}_id") == row.id)
    yield from session.scalars(select(Assignment.account_id).where(in_force, or_(*asked)).order_by(Assignment.id))
    for name in ("approver_id", "account_id"):
        if (key := getattr(row, name, None)) is not None:
            yield key
    for reader in _people_readers:
        yield from reader(session, row, day)


def _one(account_id: int, row: Entity) -> Reach | None:
    """A person loaded with everything they hold; None when that does not reach the row."""
    access = load(account_id)
    if access is None:
        return None
    reason = explain(access, Verb.READ, row)
    if not reason.allowed:
        return None
    with unscoped("who may read this record", quiet=True) as session:
        verbs = _verbs(session, row, access)
    held = next((one for one in access.postings if one.id == reason.posting_id), access.chief_posting)
    person = access.person
    office = held.office_id if held is not None else person.office_id
    title, lines = (held.title, held.lines) if held is not None else ("", 0)
    return Reach(person.id, person.name, office, title, person.family, reason.coverage, lines, verbs)
