"""The person in context: read once at the start of a request, a job or a command, then only computed on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache, cached_property
from threading import Lock
from typing import Any

from flask import g, has_request_context
from flask_babel import lazy_gettext as _
from sqlalchemy import BigInteger, Date, Select, String, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.columns import withheld
from app.core.db import unscoped
from app.core.errors import NoContext
from app.core.office import AccessRole, Account, Assignment, Family, Office, Posting
from app.core.signin.model import SignInSession
from app.core.verbs import Verb


@dataclass(frozen=True)
class Firms:
    """Firms a person reaches: whole enterprises, single sites, and the enterprises those sites belong to.

    `along`: what may be read beside one's own firms (a headquarters its stores, a school its contractor's canteen).
    `duties`: the same by what the person is there; a role called like a duty writes only where that duty is held.
    """

    whole: frozenset[int] = frozenset()
    sites: frozenset[int] = frozenset()
    parents: frozenset[int] = frozenset()
    along: Firms | None = None
    duties: Mapping[str, Firms] = field(default_factory=dict)

    def of_duty(self, name: str) -> Firms:
        """Where a role of that name may write."""
        return self.duties.get(name, self)


@dataclass(frozen=True)
class Sitting:
    """The session that the person in context came by, as it was read."""

    id: int
    public_id: str
    kind: str
    opened_at: datetime
    seen_at: datetime
    ending: str | None


@dataclass(frozen=True)
class Person:
    """The account signed in, as plain values; no ORM object outlives its session."""

    id: int
    username: str
    name: str
    family: str
    person_key: str
    office_id: int
    locale: str
    must_change_password: bool
    certificate_no: str | None
    sitting: Sitting | None = None

    is_authenticated = True
    is_active = True
    is_anonymous = False


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
    source: str = "任职"  # or what else gives rights for a time


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
    compiled: dict[Any, Any] = field(
        default_factory=dict
    )  # what follows from the rest; the next request goes on with it
    asked: dict[str, Any] = field(default_factory=dict)  # read once in this request

    def may(self, entity: str, verb: Verb) -> bool:
        """Whether any posting carries the verb for the entity (a gate; the row predicate decides)."""
        return any(verb.value in held.grants.get(entity, ()) for held in self.postings)

    def subtree(self, office_id: int) -> frozenset[int]:
        """The office and all below it."""
        key = ("subtree", office_id)
        if key not in self.compiled:
            path = self.offices[office_id].path
            self.compiled[key] = frozenset(unit.id for unit in self.offices.values() if unit.path.startswith(path))
        found: frozenset[int] = self.compiled[key]
        return found

    def hidden(self, entity: str) -> frozenset[str]:
        """Columns that some posting hides and no other posting shows on the same rows (`core.access.columns`)."""
        return self._withheld(entity, "hidden")

    def readonly(self, entity: str) -> frozenset[str]:
        """Columns that may not be changed, in the same sense; what is hidden is not changed either."""
        return self._withheld(entity, "readonly") | self.hidden(entity)

    def _withheld(self, entity: str, what: str) -> frozenset[str]:
        key = (what, entity)
        if key not in self.compiled:
            self.compiled[key] = withheld(self, entity, what)
        found: frozenset[str] = self.compiled[key]
        return found

    def reaches_as(self, other: Access) -> bool:
        """Whether all that decides what the person reaches is the same, by whichever session he comes."""
        same_person = replace(self.person, sitting=None) == replace(other.person, sitting=None)
        return same_person and all(getattr(self, name) == getattr(other, name) for name in DECIDING)

    @cached_property
    def chief_posting(self) -> Held | None:
        """The posting of highest rank, whose office new rows get unless something more exact decides."""
        return max(self.postings, key=lambda held: held.rank, default=None)


DECIDING = ("postings", "offices", "assigned", "assigned_firms", "firms")
MOST_REMEMBERED = 64  # accounts; what is compiled for one may take half a megabyte
_last: OrderedDict[int, Access] = OrderedDict()
_lock = Lock()
WHO, TODAY = bindparam("account_id", type_=BigInteger), bindparam("today", type_=Date)
DIGEST = bindparam("digest", type_=String)
_OFFICES = select(Office.id, Office.parent_id, Office.path, Office.lines, Office.short_name, Office.kind)
_ASSIGNED = select(Assignment.entity, Assignment.row_id, Assignment.enterprise_id, Assignment.site_id).where(
    Assignment.account_id == WHO,
    Assignment.date_from <= TODAY,
    or_(Assignment.date_to.is_(None), Assignment.date_to >= TODAY),
)
FirmReader = Callable[[Session, int, date], Firms]
_firm_reader: list[FirmReader] = []
PostingSource = Callable[[Session, int, date], list[Held]]
_posting_sources: list[PostingSource] = []
Figure = Callable[[Any], Select[Any]]
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
    """Tell core a number that every page shows of an account, a select of one value: read along with the account.

    The select is made once, of a parameter in place of the account's key.
    """
    _figures[name] = figure


def load(account_id: int, digest: str | None = None) -> Access | None:
    """Read account, session, postings in force, offices, assignments and firms: five statements at most.

    None when the account is not, or not any more, let in. `digest`: of the session that it must have come by; whether
    that one is still good is for `core.signin.sessions.resume` to say.
    """
    day = clock.today()
    with unscoped("who is this", quiet=True) as session:
        who = {"account_id": account_id, "today": day, "digest": digest}
        rows = session.execute(_account_query(tuple(_figures.items()), by_session=digest is not None), who).all()
        if not rows or not rows[0].Account.active:
            return None
        account = rows[0].Account
        held = tuple(held_of(row.Posting, row.AccessRole) for row in _of_family(account, rows))
        if held and account.family == Family.BUSINESS:  # who holds no posting any more signs for nobody either
            held += tuple(one for source in _posting_sources for one in source(session, account_id, day))
        assigned, assigned_firms = _assignments(session, account_id, day)
        firms = _firm_reader[0](session, account_id, day) if _firm_reader and account.family == Family.FIRM else Firms()
        figures = {name: getattr(rows[0], f"figure_{name}") for name in _figures}
        sitting = _sitting(rows[0].SignInSession) if digest is not None else None
        person = _person(account, sitting)
        return _compiled(Access(person, held, offices_of(session), assigned, assigned_firms, firms, figures))


def _of_family(account: Account, rows: Iterable[Any]) -> list[Any]:
    """Those whose role is of the account's family: a posting of another one gives nothing, however it came here."""
    return [row for row in rows if row.Posting is not None and row.AccessRole.family == account.family]


def _compiled(access: Access) -> Access:
    """With what the person's last request has compiled, when that would be compiled again letter by letter."""
    with _lock:
        last = _last.pop(access.person.id, None)
        if last is not None and access.reaches_as(last):
            access.compiled = last.compiled
        _last[access.person.id] = access
        if len(_last) > MOST_REMEMBERED:
            _last.popitem(last=False)
    return access


@cache
def _account_query(figures: tuple[tuple[str, Figure], ...], *, by_session: bool) -> Any:
    in_force = and_(Posting.account_id == Account.id, Posting.in_force(TODAY))
    shown = [one(WHO).scalar_subquery().label(f"figure_{name}") for name, one in figures]
    asked = (
        select(Account, Posting, AccessRole, *shown)
        .outerjoin(Posting, in_force)
        .outerjoin(AccessRole, Posting.role_id == AccessRole.id)
        .where(Account.id == WHO)
        .order_by(Posting.id)
    )
    if not by_session:
        return asked
    came_by = and_(SignInSession.account_id == Account.id, SignInSession.digest == DIGEST)
    return asked.add_columns(SignInSession).join(SignInSession, came_by)


def _sitting(row: SignInSession) -> Sitting:
    return Sitting(row.id, row.public_id, row.kind, row.made_at, row.seen_at, row.ending)


def _person(account: Account, sitting: Sitting | None) -> Person:
    return Person(
        id=account.id,
        username=account.username,
        name=account.name,
        family=account.family,
        person_key=account.person_key,
        office_id=account.office_id,
        locale=account.locale,
        must_change_password=account.must_change_password,
        certificate_no=account.certificate_no,
        sitting=sitting,
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
    return {row[0]: Unit(*row) for row in session.execute(_OFFICES)}


def _assignments(session: Session, account_id: int, day: date) -> tuple[dict[str, frozenset[int]], Firms]:
    rows = session.execute(_ASSIGNED, {"account_id": account_id, "today": day}).all()
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
