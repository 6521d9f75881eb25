"""The person in context: read once at the start of a request, a job or a command, then only computed on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from flask import g, has_request_context
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import unscoped
from app.core.entity import Entity, register_hiding
from app.core.errors import NoContext
from app.core.office import AccessRole, Account, Assignment, Family, Office, Posting
from app.core.verbs import Verb


@dataclass(frozen=True)
class Firms:
    """Firms a person reaches: whole enterprises, single sites, and the enterprises those sites belong to."""

    whole: frozenset[int] = frozenset()
    sites: frozenset[int] = frozenset()
    parents: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Person:
    """The account signed in, as plain values; no ORM object outlives its session."""

    id: int
    username: str
    name: str
    family: str
    person_key: str
    office_id: int
    epoch: int
    locale: str
    must_change_password: bool
    certificate_no: str | None

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Flask-Login's key: the account with its session epoch, so that raising the epoch ends every session."""
        return f"{self.id}.{self.epoch}"


@dataclass(frozen=True)
class Held:
    """A posting in force with its role, as plain values."""

    id: int
    office_id: int
    lines: int
    title: str
    role: str
    role_name: str
    rank: int
    grants: Mapping[str, Any]
    hidden: Mapping[str, list[str]]
    readonly: Mapping[str, list[str]]
    date_from: date


@dataclass(frozen=True)
class Unit:
    """An office as the predicate needs it."""

    id: int
    parent_id: int | None
    path: str
    lines: int
    name: str
    kind: str


@dataclass
class Access:
    """What a person may reach; one object a request. `core.access.predicate` compiles it to SQL."""

    person: Person
    postings: tuple[Held, ...]
    offices: Mapping[int, Unit]
    assigned: Mapping[str, frozenset[int]]
    assigned_firms: Firms
    firms: Firms
    figures: Mapping[str, int] = field(default_factory=dict)
    compiled: dict[Any, Any] = field(default_factory=dict)

    def may(self, entity: str, verb: Verb) -> bool:
        """Whether any posting carries the verb for the entity (a gate; the row predicate decides)."""
        return any(verb.value in held.grants.get(entity, ()) for held in self.postings)

    def subtree(self, office_id: int) -> frozenset[int]:
        """The office and all below it."""
        path = self.offices[office_id].path
        return frozenset(unit.id for unit in self.offices.values() if unit.path.startswith(path))

    def hidden(self, entity: str) -> frozenset[str]:
        """Columns no posting of the person shows."""
        return self._withheld(entity, "hidden")

    def readonly(self, entity: str) -> frozenset[str]:
        """Columns no posting of the person may change."""
        return self._withheld(entity, "readonly") | self.hidden(entity)

    def _withheld(self, entity: str, what: str) -> frozenset[str]:
        reaching = [held for held in self.postings if entity in held.grants]
        reaching = reaching or list(self.postings)  # a part has no grants of its own: it goes with its whole
        sets = [frozenset(getattr(held, what).get(entity, ())) for held in reaching]
        return frozenset.intersection(*sets) if sets else frozenset()

    @cached_property
    def chief_posting(self) -> Held | None:
        """The posting of highest rank, whose office new rows get unless something more exact decides."""
        return max(self.postings, key=lambda held: held.rank, default=None)


FirmReader = Callable[[Session, int, date], Firms]
_firm_reader: list[FirmReader] = []
PostingSource = Callable[[Session, int, date], list[Held]]
_posting_sources: list[PostingSource] = []
Figure = Callable[[int], Select[Any]]
_figures: dict[str, Figure] = {}
_access: ContextVar[Access | None] = ContextVar("access", default=None)


def register_firm_reader(reader: FirmReader) -> FirmReader:
    """Tell core how to find the firms a person holds an appointment at (core knows no firms)."""
    if reader not in _firm_reader:
        _firm_reader[:] = [reader]
    return reader


def register_posting_source(source: PostingSource) -> PostingSource:
    """Tell core what else gives a person rights for a time, as a posting does (a delegation to sign)."""
    if source not in _posting_sources:
        _posting_sources.append(source)
    return source


def register_figure(name: str, figure: Figure) -> None:
    """Tell core a number that every page shows of an account (a select of one value): read along with the account."""
    _figures[name] = figure


def load(account_id: int, epoch: int | None = None) -> Access | None:
    """Read account, postings in force, offices, assignments and firms: five statements at most.

    None when the account is not, or not any more, let in.
    `epoch`: the session's; an older one than the account's is refused.
    """
    day = clock.today()
    with unscoped("who is this", quiet=True) as session:
        rows = session.execute(_account_query(account_id, day)).all()
        if not rows or not rows[0].Account.active or (epoch is not None and rows[0].Account.session_epoch != epoch):
            return None
        account = rows[0].Account
        held = tuple(held_of(row.Posting, row.AccessRole) for row in rows if row.Posting is not None)
        if account.family == Family.BUSINESS:
            held += tuple(one for source in _posting_sources for one in source(session, account_id, day))
        assigned, assigned_firms = _assignments(session, account_id, day)
        firms = _firm_reader[0](session, account_id, day) if _firm_reader and account.family == Family.FIRM else Firms()
        figures = {name: getattr(rows[0], f"figure_{name}") for name in _figures}
        return Access(_person(account), held, offices_of(session), assigned, assigned_firms, firms, figures)


def _account_query(account_id: int, day: date) -> Any:
    in_force = and_(
        Posting.account_id == Account.id,
        Posting.date_from <= day,
        or_(Posting.date_to.is_(None), Posting.date_to >= day),
    )
    figures = [one(account_id).scalar_subquery().label(f"figure_{name}") for name, one in _figures.items()]
    return (
        select(Account, Posting, AccessRole, *figures)
        .outerjoin(Posting, in_force)
        .outerjoin(AccessRole, Posting.role_id == AccessRole.id)
        .where(Account.id == account_id)
        .order_by(Posting.id)
    )


def _person(account: Account) -> Person:
    return Person(
        id=account.id,
        username=account.username,
        name=account.name,
        family=account.family,
        person_key=account.person_key,
        office_id=account.office_id,
        epoch=account.session_epoch,
        locale=account.locale,
        must_change_password=account.must_change_password,
        certificate_no=account.certificate_no,
    )


def held_of(posting: Posting, role: AccessRole) -> Held:
    """A posting with its role as plain values."""
    return Held(
        id=posting.id,
        office_id=posting.office_id,
        lines=posting.lines,
        title=posting.title or role.name,
        role=role.code,
        role_name=role.name,
        rank=role.rank,
        grants=role.grants,
        hidden=role.hidden,
        readonly=role.readonly,
        date_from=posting.date_from,
    )


def offices_of(session: Session) -> dict[int, Unit]:
    """All offices by key, as the predicate needs them."""
    rows = session.execute(
        select(Office.id, Office.parent_id, Office.path, Office.lines, Office.short_name, Office.kind)
    )
    return {row.id: Unit(*row) for row in rows}


def _assignments(session: Session, account_id: int, day: date) -> tuple[dict[str, frozenset[int]], Firms]:
    rows = session.execute(
        select(Assignment.entity, Assignment.row_id, Assignment.enterprise_id, Assignment.site_id).where(
            Assignment.account_id == account_id,
            Assignment.date_from <= day,
            or_(Assignment.date_to.is_(None), Assignment.date_to >= day),
        )
    ).all()
    table: dict[str, frozenset[int]] = {}
    for row in rows:
        table[row.entity] = table.get(row.entity, frozenset()) | {row.row_id}
    sites = frozenset(row.site_id for row in rows if row.site_id)
    parents = frozenset(row.enterprise_id for row in rows if row.enterprise_id)
    return table, Firms(frozenset(), sites, parents)


def has_access_context() -> bool:
    """Whether a person is in context."""
    return _access.get() is not None or (has_request_context() and g.get("access") is not None)


def current_access() -> Access:
    """The person in context. Raises NoContext: nothing is read or written for nobody."""
    found = _access.get() or (g.get("access") if has_request_context() else None)
    if found is None:
        raise NoContext(_("请先登录。"))
    assert isinstance(found, Access)
    return found


@contextmanager
def acting(account_id: int) -> Iterator[Access]:
    """Act as a person outside a request (a job, a command, a test), with the postings of this moment."""
    access = load(account_id)
    if access is None:
        raise NoContext(_("账号 %(key)s 不存在或已停用。", key=account_id))
    token = _access.set(access)
    try:
        yield access
    finally:
        _access.reset(token)


@register_hiding
def _hidden_here(cls: type[Entity]) -> frozenset[str]:
    """The columns of an entity that the person in context, if there is one, may not see."""
    return current_access().hidden(cls.policy_name()) if has_access_context() else frozenset()
