"""Each guard, and how it is taken out: by monkeypatch in these tests only; nothing shipped turns one off.

Where two guards stand behind one another, and neither alone can be missed by a request, the session is asked below the
screens (ways that begin with "session:"), or both are taken out together (`with`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, select, true

from app.core import attachment, clock, handover, jobs, message, moving, proposal
from app.core.access import (
    context,
    families,
    guard,
    masking,
    ownership,
    persons,
    predicate,
    problems,
    team,
    veil,
)
from app.core.db import AppSession, unscoped
from app.core.document import IssuedDocument
from app.core.errors import Forbidden
from app.core.fab import bulk, cells, extract, fields, gate, naming, record_view, relating, searching, showing, trail
from app.core.fab.api import values
from app.core.importing import naming as importing
from app.core.importing.run import ImportRun
from app.core.office import Assignment
from app.core.saved import BulkRun, ListPreference, SavedFilter
from app.core.verbs import Verb
from app.models import rectification
from app.models.enterprise import Enterprise
from app.services import activation, granting
from app.services import role as role_service

Patch = pytest.MonkeyPatch
fetch = import_module("app.core.access.fetch")  # the package gives its function under the same name


@dataclass(frozen=True)
class Mutation:
    """One guard taken out; as whom and by which ways it is looked for first (the whole product would find it too)."""

    name: str
    take_out: Callable[[Patch, ExitStack], None]
    accounts: tuple[str, ...] = ("yuan-a",)
    ways: tuple[str, ...] = field(default=())


def _filter(_patch: Patch, stack: ExitStack) -> None:
    event.remove(AppSession, "do_orm_execute", guard._filter)
    stack.callback(event.listen, AppSession, "do_orm_execute", guard._filter)


def _judgement(wanted: Callable[[Verb, bool], bool]) -> Callable[[Patch, ExitStack], None]:
    """The session's judgement of written rows, less those of one kind (verb, by the old values)."""
    real = guard._require

    def require(session: Any, access: Any, cls: Any, verb: Verb, keys: set[int], *, states: bool, **more: Any) -> None:
        if not wanted(verb, states):
            real(session, access, cls, verb, keys, states=states, **more)

    return lambda patch, _stack: patch.setattr(guard, "_require", require)


old_rows = _judgement(lambda verb, states: states and verb is not Verb.READ)
new_rows = _judgement(lambda verb, states: not states and verb is not Verb.CREATE)
made_rows = _judgement(lambda verb, states: not states and verb is Verb.CREATE)
parents = _judgement(lambda verb, states: states and verb is Verb.READ)


def _open(*classes: type[Any]) -> Callable[[Patch, ExitStack], None]:
    """These classes' rows to everybody."""
    real = predicate._build

    def build(access: Any, cls: Any, *rest: Any) -> Any:
        return true() if cls in classes else real(access, cls, *rest)

    return lambda patch, _stack: patch.setattr(predicate, "_build", build)


def _set(target: Any, name: str, value: Any) -> Callable[[Patch, ExitStack], None]:
    return lambda patch, _stack: patch.setattr(target, name, value)


def _both(*some: Callable[[Patch, ExitStack], None]) -> Callable[[Patch, ExitStack], None]:
    def take_out(patch: Patch, stack: ExitStack) -> None:
        for one in some:
            one(patch, stack)

    return take_out


def _lookup(patch: Patch, _stack: ExitStack) -> None:
    def parse(self: Any, text: str) -> Any:
        with unscoped("mutation") as session:
            found = session.get(self.model, int(text)) if text.isdigit() else None
            session.expunge_all()
        return fields.current_session().merge(found, load=False) if found is not None else self.empty

    patch.setattr(fields.Lookup, "parse", parse)


def _hints(patch: Patch, _stack: ExitStack) -> None:
    """403 for what is there, 404 for what is not."""
    real = fetch._by

    def by(cls: Any, key: Any) -> Any:
        found = real(cls, key)
        with unscoped("mutation") as session:
            there = session.scalar(fetch.select(cls.id).where(found))
        if there is not None and fetch.current_session().scalar(fetch.select(cls.id).where(found)) is None:
            raise Forbidden("no")
        return found

    patch.setattr(fetch, "_by", by)


def _ended(patch: Patch, _stack: ExitStack) -> None:
    real = context._sitting
    patch.setattr(context, "_sitting", lambda row: replace(real(row), ending=None))


def _careless_rows(patch: Patch, _stack: ExitStack) -> None:
    """Bulk acts and deletion that load by key, past the filter, and ask no right."""

    def load(cls: Any, key: Any, _verb: Verb = Verb.READ, **_options: Any) -> Any:
        with unscoped("mutation") as session:
            found = session.get(cls, key)
            session.expunge_all()
        return fetch.current_session().merge(found, load=False)

    from app.core import deleting

    patch.setattr(bulk, "fetch", load)
    patch.setattr(deleting, "fetch", load)
    patch.setattr(deleting, "lock", lambda row: row)


def _everything_searched(patch: Patch, _stack: ExitStack) -> None:
    patch.setattr(searching, "shown", lambda _model, names: list(names))


def _any_relation(patch: Patch, _stack: ExitStack) -> None:
    def clauses(self: Any, values: Any) -> list[Any]:
        keys = [int(one) for one in values.get(self.name, ())]
        return [self.key.in_(keys)] if keys else []

    patch.setattr(relating.Related, "clauses", clauses)


def _gate(patch: Patch, _stack: ExitStack) -> None:
    real = gate.gate_of
    patch.setattr(gate, "gate_of", lambda one: gate.SIGNED_IN if isinstance(real(one), Verb) else real(one))


def _no_names(patch: Patch, _stack: ExitStack) -> None:
    patch.setattr("app.core.entity.nameless", [])
    patch.setattr(veil, "_veil", lambda *_args: None)  # the second guard: what is loaded is emptied


class _Unscoped:
    """Looks rows up as the system does."""

    def scalars(self, statement: Any) -> Any:
        with unscoped("mutation") as session:
            found = session.scalars(statement).unique().all()
        return SimpleNamespace(unique=lambda: found)


NOT_MASKED: Callable[[Any, str], bool] = lambda _row, _name: False  # noqa: E731 - a value in a table


def _unmasked(patch: Patch, _stack: ExitStack) -> None:
    for module in (cells, values, showing, record_view):
        patch.setattr(module, "is_masked", NOT_MASKED)


def _unheard(target: Any, name: str, hook: Callable[..., None]) -> Callable[[Patch, ExitStack], None]:
    """A listener of the session's taken off, and put back at the end."""

    def take_out(_patch: Patch, stack: ExitStack) -> None:
        event.remove(target, name, hook)
        stack.callback(event.listen, target, name, hook)

    return take_out


def _unguarded(model: type[Any], *steps: str) -> Callable[[Patch, ExitStack], None]:
    """Steps of a workflow without what is asked before them."""
    flow = model.__workflow__
    open_ = [replace(one, guards=()) if one.name in steps else one for one in flow.transitions]
    return lambda patch, _stack: patch.setattr(model, "__workflow__", replace(flow, transitions=tuple(open_)))


def _any_statement(patch: Patch, stack: ExitStack) -> None:
    """Statements that write many rows at once go through unasked."""
    _filter(patch, stack)

    def reads(state: Any) -> None:
        if state.is_select:
            guard._filter(state)

    event.listen(AppSession, "do_orm_execute", reads)
    stack.callback(event.remove, AppSession, "do_orm_execute", reads)


def _writing_along(patch: Patch, _stack: ExitStack) -> None:
    """What is read beside one's own firms is written too."""
    real = predicate._own_firms
    patch.setattr(predicate, "_own_firms", lambda access, held, cls, columns, _verb: real(
        access, held, cls, columns, Verb.READ
    ))  # fmt: skip


def _along_by_site(patch: Patch, _stack: ExitStack) -> None:
    """Whoever works at one site reads along as if the whole firm were his."""
    real = context._firm_reader[0]

    def reader(session: Any, account_id: int, day: Any) -> Any:
        found = real(session, account_id, day)
        with unscoped("mutation") as other:
            codes = select(Enterprise.code).where(Enterprise.id.in_(found.parents))
            stores = frozenset(other.scalars(select(Enterprise.id).where(Enterprise.head_code.in_(codes))))
        return replace(found, along=context.Firms(stores, frozenset(), stores))

    patch.setattr(context, "_firm_reader", [reader])


def _all_of_along(patch: Patch, _stack: ExitStack) -> None:
    """What is about the other firm as a whole is read along with one canteen of it."""
    real = predicate._firms
    patch.setattr(predicate, "_firms", lambda columns, cls, firms, **_parents: real(columns, cls, firms))


def _made_is_written(patch: Patch, _stack: ExitStack) -> None:
    """Who once made a row still writes it."""
    real = predicate._within
    patch.setattr(predicate, "_within", lambda cls, columns, offices, lines, _verb, access: real(
        cls, columns, offices, lines, Verb.READ, access
    ))  # fmt: skip


def _any_state(patch: Patch, _stack: ExitStack) -> None:
    real = predicate.deciding
    patch.setattr(predicate, "deciding", lambda access, cls, columns, verb, _states: real(
        access, cls, columns, verb, False
    ))  # fmt: skip


def _as_chosen(patch: Patch, _stack: ExitStack) -> None:
    """Rows that are handed over are loaded by their keys, past the filter."""

    def locked(kind: Any, keys: Any) -> dict[int, Any]:
        with unscoped("mutation") as session:
            found = session.scalars(select(kind.cls).where(kind.cls.id.in_(list(keys)))).unique().all()
            session.expunge_all()
        return {row.id: moving.current_session().merge(row, load=False) for row in found}

    patch.setattr(moving, "_locked", locked)


def _whoever_has_it(patch: Patch, _stack: ExitStack) -> None:
    """Both say it: what never was the giver's is no part of the act, and what he has no more does not go."""
    patch.setattr(moving, "_require_his", lambda _left, _parcel: None)
    real = moving._outcome
    patch.setattr(moving, "_outcome", lambda kind, _giver, row, version, *, fit: real(
        kind, moving.in_charge(kind, row) if row is not None else 0, row, version, fit=fit
    ))  # fmt: skip


def _whose_is_foreign(patch: Patch, _stack: ExitStack) -> None:
    """A row follows whatever owner it is put to."""
    patch.setattr(guard, "follow_owner", lambda _row: None)


def _whatever_scope(patch: Patch, _stack: ExitStack) -> None:
    """A new row is where its maker says, whatever it is about."""
    patch.setattr(ownership, "_owner", lambda _row: None)


def _later(name: str) -> Callable[[Patch, ExitStack], None]:
    """What core is told of a person's firms or delegations holds three days longer."""

    def take_out(patch: Patch, _stack: ExitStack) -> None:
        source = getattr(context, name)
        longer = [lambda session, key, day, one=one: one(session, key, day - timedelta(days=3)) for one in source]
        patch.setattr(context, name, longer)

    return take_out


def _tasks_for_ever(patch: Patch, _stack: ExitStack) -> None:
    mine = select(Assignment.entity, Assignment.row_id, Assignment.enterprise_id, Assignment.site_id)
    patch.setattr(context, "_ASSIGNED", mine.where(Assignment.account_id == context.WHO))


def _nobody_leaves(patch: Patch, _stack: ExitStack) -> None:
    patch.setattr(team, "_before", lambda _row, _team: set())


def _activates_anybody(patch: Patch, _stack: ExitStack) -> None:
    patch.setattr(activation, "predicate", lambda *_args: true())


LONG_AGO = SimpleNamespace(today=lambda: clock.today() - timedelta(days=3), now=clock.now)
EVERYBODY: frozenset[str] = frozenset()

MUTATIONS = (
    # reading
    Mutation("the session's filter", _filter, ways=("guessed id", "list", "session: read")),
    Mutation("the filter on screens", _filter, ways=("guessed id",)),
    Mutation("the filter on lists", _filter, ways=("list",)),
    Mutation("the filter in the API", _filter, ways=("public id",)),
    Mutation("offices", _set(predicate, "_one_of", lambda *_a: true()), ways=("guessed id", "session: read")),
    Mutation("lines", _set(predicate, "_of_no_line", lambda *_a: true()), ("gu-canyin",), ("session: read",)),
    Mutation("firms", _set(predicate, "_any_of", lambda *_a: true()), ("firm-a",), ("guessed id", "session: read")),
    Mutation("parts go with their whole", _set(predicate, "_part", lambda *_a: true()), ways=("session: read",)),
    Mutation("persons through appointments", _set(predicate, "_via", lambda *_a: true()), ways=("session: read",)),
    Mutation("the seal", _set(predicate, "_seal", lambda *_a: true()), ways=("session: read",)),
    Mutation("the seal on screens", _set(predicate, "_seal", lambda *_a: true()), ways=("guessed id", "list")),
    Mutation("states", _any_state, ways=("session: verb",)),
    Mutation("who once made it only reads", _made_is_written, ways=("session: verb",)),
    Mutation("papers go with their record", _set(predicate, "_about", lambda *_a: true()), ways=("session: read",)),
    Mutation("system rows", _set(guard, "_known", lambda _cls: True), ways=("session: system rows",)),
    Mutation("statements that write many rows", _any_statement, ways=("session: statement",)),
    Mutation(
        "who asks who else sees it", _set(record_view, "may_ask", lambda _row: True), ("firm-a", "shi"), ("audience",)
    ),
    # firms
    Mutation("duties", _set(context.Firms, "of_duty", lambda self, _name: self), ("firm-a",), ("session: verb",)),
    Mutation("reading along is reading", _writing_along, ("firm-a",), ("session: verb",)),
    Mutation("reading along by the whole firm", _along_by_site, ("role-firm_officer",), ("session: read",)),
    Mutation("reading along with one canteen", _all_of_along, ("firm-a",), ("session: read",)),
    Mutation(
        "telephones of those who are read along",
        _set(masking, "covers", lambda *_a: True),
        ("yuan-a", "firm-a"),
        ("relation", "list"),
    ),
    # families, roles, postings
    Mutation(
        "a posting of another family",
        _set(context, "_of_family", lambda _account, rows: [row for row in rows if row.Posting is not None]),
        ("neiqin-a",),
        ("session: read", "session: verb"),
    ),
    Mutation(
        "families at the flush", _unheard(AppSession, "before_flush", families._judge), ("admin",), ("rule: families",)
    ),
    Mutation("what a family may hold", _set(problems, "_limit_problems", lambda *_a: ()), ("admin",), ("rule: roles",)),
    Mutation("the rank of a role", _set(role_service, "ceiling", lambda: 1_000), ("admin",), ("rule: roles",)),
    Mutation(
        "nobody appoints himself, nor above himself",
        _set(granting, "why_not", lambda *_a: None),
        ("admin",),
        ("rule: appointing",),
    ),
    Mutation(
        "what takes two administrators",
        _set(granting, "takes_two", lambda _role: False),
        ("admin",),
        ("rule: appointing",),
    ),
    # between persons
    Mutation(
        "who wrote does not judge",
        _set(persons, "own_accounts", lambda _access: EVERYBODY),
        ("suo-a",),
        ("rule: judged by another",),
    ),
    Mutation(
        "persons are compared, not accounts",
        _set(persons, "own_accounts", lambda access: frozenset({access.person.id})),
        ("suo-a",),
        ("rule: judged by another",),
    ),
    Mutation(
        "who has it does not judge",
        _set(rectification, "own_accounts", lambda _access: EVERYBODY),
        ("suo-a",),
        ("rule: judged by another",),
    ),
    Mutation(
        "who once took it over does not judge",
        _set(rectification, "has_handled", lambda *_a: False),
        ("suo-a",),
        ("rule: judged by another",),
    ),
    Mutation(
        "the second administrator",
        _set(proposal, "_is_me", lambda _account: False),
        ("admin",),
        ("rule: judged by another",),
    ),
    Mutation(
        "a proposal is its proposer's to withdraw",
        _unguarded(proposal.PostingProposal, "withdraw"),
        ("admin",),
        ("rule: nobody else's step",),
    ),
    Mutation("a proposal's day", _set(proposal, "clock", LONG_AGO), ("admin",), ("rule: past its day",)),
    Mutation(
        "the receiver alone accepts, with whose row it is",
        _both(_unguarded(handover.Handover, "accept", "refuse"), _open(handover.Handover)),
        ("suo-a",),
        ("rule: nobody else's step",),
    ),
    # work that moves
    Mutation(
        "one hands over what one reads, with the receiver's right",
        _both(_as_chosen, _set(moving, "_fit", lambda _kind, keys, _receiver: set(keys))),
        ("suo-a",),
        ("rule: handing over",),
    ),
    Mutation("one hands over what the giver has", _whoever_has_it, ("suo-a",), ("rule: handing over",)),
    Mutation(
        "to who may do it",
        _set(moving, "_fit", lambda _kind, keys, _receiver: set(keys)),
        ("suo-a",),
        ("rule: handing over",),
    ),
    Mutation("the team", _unheard(AppSession, "after_flush", team._keep_teams), ("suo-a",), ("rule: team",)),
    Mutation("who leaves the team", _nobody_leaves, ("suo-a",), ("rule: team",)),
    Mutation("a task's end", _tasks_for_ever, ways=("stale: right ended",)),
    Mutation("an appointment's end", _later("_firm_reader"), ("firm-a",), ("stale: right ended",)),
    Mutation("a delegation's end", _later("_posting_sources"), ("role-assistant",), ("stale: right ended",)),
    # the list and what is asked before printing run in the person's own session, so that behind ACTIVATE its filter
    # stands (defence in depth); accounts and cards are the system's rows, where ACTIVATE is all there is
    Mutation("whom one activates", _activates_anybody, ("suo-a",), ("bulk act",)),
    # what is one person's
    Mutation("messages", _open(message.Message), ways=("message", "list")),
    Mutation("job results", _open(jobs.Job), ways=("job result", "list")),
    Mutation("imports", _open(ImportRun), ways=("import",)),
    Mutation("saved filters", _open(SavedFilter), ways=("saved filter", "list", "session: read")),
    Mutation("preferences and answers of bulk acts", _open(ListPreference, BulkRun), ways=("session: read",)),
    Mutation("attachments", _open(attachment.Attachment), ways=("attachment",)),
    Mutation("documents", _open(IssuedDocument), ways=("document",)),
    Mutation(
        "the history tab's names", _set(trail, "current_session", _Unscoped), ("yuan-a",), ("history", "relation")
    ),
    Mutation(
        "the history tab's strangers",
        _set(trail, "_drop_strangers", lambda *_a: None),
        ("yuan-a", "firm-a"),
        ("history", "relation"),
    ),
    # writing
    Mutation("the old row", old_rows, ways=("session: foreign row changed", "session: foreign row deleted")),
    Mutation("the new row", new_rows, ways=("session: moved away",)),
    Mutation("the right to make", made_rows, ways=("session: created elsewhere",)),
    Mutation("parents", parents, ways=("session: foreign key",)),
    Mutation(
        "parents that a row opens", _set(guard, "_parents_it_opens", lambda _row: ()), ways=("session: foreign key",)
    ),
    Mutation("system columns", _set(guard, "system_columns", lambda _cls: EVERYBODY), ways=("session: system column",)),
    Mutation(
        "withheld columns",
        _set(context.Access, "readonly", lambda *_a: EVERYBODY),
        ("narrow-a",),
        ("session: hidden column",),
    ),
    Mutation(
        "where a workflow begins", _set(guard, "_judge_start", lambda *_a: None), ways=("session: begun elsewhere",)
    ),
    Mutation(
        "an owner of another office, with the new row and parents",
        _both(_whose_is_foreign, new_rows, parents),
        ways=("session: foreign owner",),
    ),
    Mutation("the scope of a new row, with parents", _both(_whatever_scope, parents), ways=("session: foreign owner",)),
    Mutation("a form's look-up, with parents", _both(_lookup, parents), ways=("foreign key",)),
    Mutation("bulk acts row by row, with the old row", _both(_careless_rows, old_rows), ways=("bulk act",)),
    Mutation(
        "the right to the row, with the old row",
        _both(_set(fetch, "may", lambda *_a: True), old_rows),
        ("neiqin-a", "yuan-a"),
        ("no right to the row", "bulk act"),
    ),
    # columns
    Mutation(
        "hidden columns", _set(context.Access, "hidden", lambda *_a: EVERYBODY), ("narrow-a",), ("list", "relation")
    ),
    Mutation(
        "hidden in lists",
        _set(naming, "concealed", lambda *_a: False),
        ("narrow-a",),
        ("list", "export", "sort oracle"),
    ),
    Mutation(
        "hidden wherever another posting does not show it",
        _set(
            context,
            "withheld",
            lambda access, entity, what: frozenset[str].intersection(
                *(frozenset(getattr(held, what).get(entity, ())) for held in access.postings)
            ),
        ),
        ("narrow-b",),
        ("list", "relation"),
    ),
    Mutation("hidden in searching", _everything_searched, ("narrow-a",), ("search oracle",)),
    Mutation("hidden in names", _no_names, ("narrow-a",), ("list", "export")),
    Mutation(
        "hidden in the API, with what the session loads",
        _both(_set(values, "concealed", lambda *_a: False), _set(veil, "_veil", lambda *_a: None)),
        ("narrow-a",),
        ("API relation", "list"),
    ),
    Mutation("hidden in history", _set(trail, "_shown", lambda *_a: True), ("narrow-a",), ("history", "relation")),
    Mutation("masking", _unmasked, ways=("relation", "list", "masked value")),
    Mutation("masking in exports", _set(extract, "masked", str), ways=("export",)),
    # answers
    Mutation("the gate", _gate, ("firm-a",), ("gate",)),
    Mutation("sign-in", _set(gate, "gate_of", lambda _one: gate.PUBLIC), ("",), ("no session",)),
    Mutation("404 for outsiders", _hints, ways=("guessed id", "public id")),
    Mutation("filters over foreign rows", _any_relation, ways=("filter oracle",)),
    Mutation("what may be exported", _set(extract, "predicate", lambda *_a: true()), ways=("export",)),
    Mutation("names in imports", _set(importing, "current_session", _Unscoped), ways=("import",)),
    Mutation("the session's end", _ended, ways=("stale: session ended",)),
    Mutation("the posting's end", _set(context, "clock", LONG_AGO), ways=("stale: right ended",)),
)

# what `script/test` takes out; `--deep` takes out all
FAST = frozenset({
    "the session's filter", "firms", "the seal", "messages", "imports", "saved filters", "attachments", "documents",
    "the history tab's names", "the old row", "the new row", "the right to make", "parents", "parents that a row opens",
    "system columns", "hidden columns", "hidden in names", "masking", "the gate", "sign-in", "404 for outsiders",
    "filters over foreign rows", "what may be exported", "names in imports", "the session's end",
    "states", "who once made it only reads", "papers go with their record", "system rows",
    "statements that write many rows", "who asks who else sees it", "duties", "reading along is reading",
    "reading along by the whole firm", "reading along with one canteen", "a posting of another family",
    "families at the flush", "what a family may hold", "the rank of a role",
    "nobody appoints himself, nor above himself", "what takes two administrators", "who wrote does not judge",
    "persons are compared, not accounts", "who has it does not judge", "who once took it over does not judge",
    "the second administrator", "a proposal is its proposer's to withdraw", "a proposal's day",
    "the receiver alone accepts, with whose row it is", "one hands over what one reads, with the receiver's right",
    "one hands over what the giver has", "to who may do it", "the team", "who leaves the team", "a task's end",
    "whom one activates", "where a workflow begins", "an owner of another office, with the new row and parents",
    "the scope of a new row, with parents",
})  # fmt: skip
