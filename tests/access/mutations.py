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
from sqlalchemy import event, true

from app.core import attachment, clock, jobs, message
from app.core.access import context, guard, predicate
from app.core.db import AppSession, unscoped
from app.core.document import IssuedDocument
from app.core.errors import Forbidden
from app.core.fab import bulk, cells, extract, fields, gate, naming, record_view, relating, searching, showing, trail
from app.core.fab.api import values
from app.core.importing import naming as importing
from app.core.importing.run import ImportRun
from app.core.saved import BulkRun, ListPreference, SavedFilter
from app.core.verbs import Verb

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

    def require(session: Any, access: Any, cls: Any, verb: Verb, keys: set[int], *, states: bool) -> None:
        if not wanted(verb, states):
            real(session, access, cls, verb, keys, states=states)

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
    patch.setattr("app.core.access.veil._veil", lambda *_args: None)  # the second guard: what is loaded is emptied


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
    Mutation("hidden in searching", _everything_searched, ("narrow-a",), ("search oracle",)),
    Mutation("hidden in names", _no_names, ("narrow-a",), ("list", "export")),
    Mutation(
        "hidden in the API",
        _set(values, "current_access", lambda: SimpleNamespace(hidden=lambda _e: EVERYBODY)),
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
    "the session's filter", "firms", "the seal", "messages", "saved filters", "attachments", "documents",
    "the history tab's names", "the old row", "the new row", "the right to make", "parents", "parents that a row opens",
    "system columns", "hidden columns", "hidden in names", "masking", "the gate", "sign-in", "404 for outsiders",
    "filters over foreign rows", "what may be exported", "names in imports", "the session's end",
})  # fmt: skip
