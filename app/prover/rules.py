"""The rules beside grants: who judges what, whom an account and a role join, what a role may hold, whose work moves.

They are said here as data, by the names of entities and columns, and tried below the screens as every other deed is.
A step is tried twice: as it is taken (`run`), and by what stands against it, so that a refusal for another reason
(no number is set, a paper is not ready) does not pass for the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.fetch import fetch
from app.core.entity import Entity
from app.core.errors import ShouzeError
from app.core.handover import WENT
from app.core.moving import Parcel, move
from app.core.office import AccessRole, Account, Assignment, Family, Leaving, Posting
from app.core.open_work import Kind, kinds, left_by
from app.core.saving import save
from app.core.verbs import Verb
from app.core.workflow import reasons_against, run
from app.prover.bureau import Row
from app.prover.facts import Fact
from app.prover.sessions import Deeds, WentThroughError
from app.prover.trying import Judge

Found = Iterator[tuple[str, str, Callable[[Judge], None]]]

# entity → step → columns: whom one of them names does not take the step ("" beside them: who once took the row over)
BY_ANOTHER: dict[str, dict[str, Any]] = {
    "Notice": {"review": ("drafter_id", "handler_id", ""), "sign": ("drafter_id", "handler_id", "")},
    "Closure": {"confirm": ("made_by_id",)},
    "CensusReturn": {"accept": ("handed_by_id",)},
    "PostingProposal": {"confirm": ("proposer_id", "account_id"), "reject": ("proposer_id", "account_id")},
}
# entity → step → column: nobody but whom it names takes the step
BY_NOBODY_ELSE: dict[str, dict[str, Any]] = {
    "PostingProposal": {"withdraw": "proposer_id"},
    "Handover": {"accept": "account_id", "refuse": "account_id"},
}
# entity → step → column: not after that day
IN_TIME: dict[str, dict[str, Any]] = {"PostingProposal": {"confirm": "expires_on"}}
# family → what no role of it may hold: an entity, a verb, a coverage
BEYOND = {
    Family.SYSTEM: ("Enterprise", "read", "subtree"),
    Family.AUDIT: ("Notice", "sign", "subtree"),
    Family.BUSINESS: ("Posting", "create", "subtree"),
    Family.FIRM: ("Enterprise", "read", "subtree"),
}
TWO = ("sysadmin", "auditor")  # appointed by two administrators, never by one


@dataclass(frozen=True)
class Rules(Deeds):
    """The tries of one account against them."""

    def tries(self) -> Found:
        """(way, entity, what to do)."""
        yield from self._judging()
        yield from self._alone()
        yield from self._families()
        yield from self._roles()
        yield from self._appointing()
        yield from self._teams()
        yield from self._handing_over()

    def _class(self, name: str) -> type[Entity]:
        return self.ways.bureau.facts.named[name]

    # ---- by person --------------------------------------------------------------------------------------------------

    def _judging(self) -> Found:
        """Steps upon rows that name the person, or another account of the person; that the person once took over."""
        people = [one for one in (self.ways.who, self.ways.bureau.kin.get(self.ways.who)) if one is not None]
        for entity, step, columns in _steps(BY_ANOTHER):
            for row in self._before(entity, step):
                for column in columns:
                    for values in [{column: key} for key in people] if column else [{}]:
                        yield "rule: judged by another", entity, self._step(row, step, values, taken=not column)

    def _alone(self) -> Found:
        """Steps upon rows that name somebody else; upon rows that are past their day."""
        for entity, step, column in _steps(BY_NOBODY_ELSE):
            for row in self._before(entity, step):
                if row.fact[column] != self.ways.who:
                    yield "rule: nobody else's step", entity, self._step(row, step, {})
        late = clock.today() - timedelta(days=1)
        for entity, step, column in _steps(IN_TIME):
            for row in self._before(entity, step):
                yield "rule: past its day", entity, self._step(row, step, {column: late})

    def _before(self, entity: str, step: str) -> list[Row]:
        """A row upon which the step stands, that the person may read."""
        cls = self._class(entity)
        assert cls.__workflow__ is not None
        sources = cls.__workflow__.named(step).sources
        reads = self.ways.oracle.reads
        rows = (row for row in self.ways.bureau.rows(cls) if row.fact[cls.state_column()] in sources)
        return [row for row in rows if reads(self.ways.who, cls, row.fact)][:2]

    def _step(self, row: Row, name: str, values: Fact, *, taken: bool = False) -> Callable[[Judge], None]:
        """The step upon the row as it would be with these values, or had the person once taken it over."""
        bureau, cls = self.ways.bureau, row.cls

        def deed(_session: Session) -> None:
            found = fetch(cls, row.id)
            assert cls.__workflow__ is not None
            against = reasons_against(found, cls.__workflow__.named(name))
            try:
                run(found, name, reason="试")
            except ShouzeError:
                if not against and self.ways.oracle.may(self.ways.who, cls, bureau.facts.rows[cls][row.id], verb):
                    raise WentThroughError from None  # only something else was in the way
                raise

        verb = cls.__workflow__.named(name).verb.value if cls.__workflow__ is not None else ""
        refused = self._refused(cls, deed)

        def altered(judge: Judge) -> None:
            with ExitStack() as stack:
                if values:
                    stack.enter_context(bureau.altered(cls, row.id, **values))
                if taken:
                    stack.enter_context(bureau.taken_over(row, self.ways.who))
                refused(judge)

        return altered

    # ---- families, roles, postings ----------------------------------------------------------------------------------

    def _families(self) -> Found:
        """A posting that joins two families; an end of one that changes its family."""
        bureau, granted = self.ways.bureau, self.ways.oracle.granted
        firsts = {fact["family"]: key for key, fact in sorted(bureau.facts.rows[Account].items(), reverse=True)}
        roles = {fact["family"]: key for key, fact in bureau.facts.rows[AccessRole].items()}
        if granted(self.ways.who, "Posting", "create"):
            for family, account in firsts.items():
                for other, role in roles.items():
                    if family != other:
                        made = self._posting(account, role)
                        yield "rule: families", "Posting", self._refused(Posting, _adds(made))
        if granted(self.ways.who, "Account", "update"):
            key = bureau.accounts["yuan-a"]
            row = bureau.row(Account, key)
            yield "rule: families", "Account", self._refused(Account, self._set(row, "family", Family.FIRM.value))

    def _posting(self, account_id: int, role_id: int) -> Callable[[], Posting]:
        office = self.ways.oracle.person(self.ways.who).posts[0].office_id
        return lambda: Posting(
            account_id=account_id, role_id=role_id, office_id=office, lines=0, title="", date_from=clock.today()
        )

    def _roles(self) -> Found:
        """A role that holds what its family may not; one of the writer's own rank; a built-in one changed."""
        if not self.ways.oracle.granted(self.ways.who, "AccessRole", "create"):
            return
        for family, (entity, verb, coverage) in BEYOND.items():
            grants = {entity: {one: [[coverage, None]] for one in dict.fromkeys(("read", verb))}}
            yield "rule: roles", "AccessRole", self._refused(AccessRole, _saves(_role(family, 0, grants)))
        roles = self.ways.bureau.facts.rows[AccessRole]
        mine = max(
            fact["rank"] for fact in roles.values() if fact["code"] == self.ways.bureau.roles[self.ways.username]
        )
        yield "rule: roles", "AccessRole", self._refused(AccessRole, _saves(_role(Family.SYSTEM, mine, {})))
        built = next(key for key, fact in roles.items() if fact["code"] == "inspector")
        row = self.ways.bureau.row(AccessRole, built)
        yield "rule: roles", "AccessRole", self._refused(AccessRole, self._set(row, "rank", 1))

    def _appointing(self) -> Found:
        """Appointing oneself, above one's own rank, and alone what takes two."""
        bureau = self.ways.bureau
        if not self.ways.oracle.granted(self.ways.who, "Posting", "create"):
            return
        roles = {fact["code"]: (key, fact) for key, fact in bureau.facts.rows[AccessRole].items()}
        accounts = bureau.facts.rows[Account]
        family = accounts[self.ways.who]["family"]
        own = [key for key, fact in roles.values() if fact["family"] == family]
        for role in own:
            yield "rule: appointing", "Posting", self._refused(Posting, _saves(self._posting(self.ways.who, role)))
        for code in TWO:
            key, fact = roles[code]
            other = next(one for one, row in accounts.items()
                         if row["family"] == fact["family"] and one != self.ways.who
                         and self.ways.oracle.reads(self.ways.who, Account, row))  # fmt: skip
            yield "rule: appointing", "Posting", self._refused(Posting, _saves(self._posting(other, key)))

    # ---- teams ------------------------------------------------------------------------------------------------------

    def _teams(self) -> Found:
        """Who is named on a row of another office is put to it; whoever is taken off it is let in no longer."""
        bureau = self.ways.bureau
        for cls in (one for one in bureau.facts.classes if one.__team__ is not None):
            assert cls.__team__ is not None
            rows = (
                one for one in self.ways.own(cls, "update") if one.fact[cls.state_column()] not in cls.__team__.ended
            )
            for row in rows:
                for key in (bureau.accounts[name] for name in ("yuan-a", "yuan-b")):
                    if bureau.facts.rows[Account][key]["office_id"] != row.fact["office_id"]:
                        yield "rule: team", cls.__name__, self._lent(row, cls.__team__.columns, key)

    def _lent(self, row: Row, columns: tuple[str, ...], account_id: int) -> Callable[[Judge], None]:
        """Named, and taken off again: judged by who is put to the row in between and after."""

        def deed(session: Session) -> None:
            found: Any = fetch(row.cls, row.id)
            named = {getattr(found, one) for one in columns[:-1]}
            lent = [_named(session, found, columns[-1], key, account_id) for key in (account_id, self.ways.who)]
            if account_id not in named and lent != [True, False]:
                raise WentThroughError
            raise ShouzeError("as it should be")

        return self._refused(row.cls, deed)

    # ---- work that goes to somebody else ----------------------------------------------------------------------------

    def _handing_over(self) -> Found:
        """Work of a colleague handed on: foreign rows, another's rows, to who has no right to them."""
        if not self.ways.oracle.granted(self.ways.who, "Handover", "create"):
            return
        bureau = self.ways.bureau
        posting = bureau.posting_of("yuan-a")
        for kind in (one for one in kinds() if one.charge.needs is not None and not one.charge.ends):
            cls, column = kind.cls, kind.charge.column
            states = kind.charge.states
            rows = [one for one in bureau.rows(cls) if one.fact[cls.state_column()] in states]
            mine = {column: bureau.accounts["yuan-a"]}
            for row in [one for one in rows if not self.ways.oracle.reads(self.ways.who, cls, one.fact)][:1]:
                yield "rule: handing over", cls.__name__, self._moves(posting, kind, row, "yuan-b", mine)
            for row in [one for one in rows if self.ways.oracle.reads(self.ways.who, cls, one.fact)][:1]:
                others = {column: bureau.accounts["suo-a"]}
                yield "rule: handing over", cls.__name__, self._moves(posting, kind, row, "suo-a", others)
                yield "rule: handing over", cls.__name__, self._moves(posting, kind, row, "yuan-b", mine)

    def _moves(self, posting: int, kind: Kind, row: Row, to: str, values: Fact) -> Callable[[Judge], None]:
        bureau = self.ways.bureau

        def deed(_session: Session) -> None:
            left = left_by(posting)
            assert left is not None
            parcel = Parcel(kind, bureau.accounts[to], ((row.id, row.fact["version"]),))
            moved = move(left, Leaving.SHARED, [parcel], reason="试")
            if not any(outcome in WENT for one in moved for _kind, _name, outcome in one.names):
                raise ShouzeError("nothing went")

        refused = self._refused(kind.cls, deed)

        def altered(judge: Judge) -> None:
            with bureau.altered(kind.cls, row.id, **values):
                refused(judge)

        return altered


def _steps(rules: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    yield from ((entity, step, told) for entity, steps in rules.items() for step, told in steps.items())


def _named(session: Session, row: Any, column: str, key: int | None, asked: int) -> bool:
    """Whether an account is put to a row once a column of it names somebody (else)."""
    setattr(row, column, key)
    session.flush()
    today: date = clock.today()
    mine = select(Assignment.id).where(Assignment.entity == row.policy_name(), Assignment.row_id == row.id)
    lasts = Assignment.date_to.is_(None) | (Assignment.date_to >= today)
    return session.connection().scalar(mine.where(Assignment.account_id == asked, lasts)) is not None


def _adds(make: Callable[[], Any]) -> Callable[[Session], Any]:
    return lambda session: session.add(make())


def _saves(make: Callable[[], Any]) -> Callable[[Session], Any]:
    return lambda _session: save(make(), Verb.CREATE)


def _role(family: Family, rank: int, grants: Fact) -> Callable[[], AccessRole]:
    return lambda: AccessRole(name=f"试 {family} {rank}", family=family, rank=rank, grants=grants)
