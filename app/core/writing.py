"""Writing discipline: everything that changes a row runs inside a unit of work.

A unit of work ends the read transaction, takes the write lock first (BEGIN IMMEDIATE on SQLite), commits at its end
and holds no rendering, file hashing or network. Objects read before it are expired: read again inside.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from flask_babel import lazy_gettext as _
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.core.db import AppSession, current_session
from app.core.errors import Outdated, WriteOutsideUnit
from app.core.verbs import Verb

P = ParamSpec("P")
R = TypeVar("R")

RETRY_STATES = {"40001", "40P01"}  # serialization failure, deadlock


@dataclass
class Unit:
    """What the unit of work in force is about; history copies `verb` and `reason` into its entry."""

    verb: Verb
    reason: str = ""
    acts: dict[int, Act] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict)  # what need be read only once in this unit
    kept: list[Any] = field(default_factory=list)  # keeps the objects alive whose id() is a key of `acts`

    def declare(self, row: Any, act: Act) -> None:
        """Say under which act `row` is written in this unit."""
        self.acts[id(row)] = act
        self.kept.append(row)


@dataclass(frozen=True)
class Act:
    """Under which verb a row is written, and upon which row that verb is judged (itself when None).

    `step`: declared by `perform`, as a transition does; only then may core's own columns change.
    """

    verb: Verb
    upon: Any = None
    step: bool = False


def current_unit(session: Session | None = None) -> Unit | None:
    """The unit of work the session is in."""
    unit: Unit | None = (session or current_session()).info.get("unit")
    return unit


@contextmanager
def unit_of_work(verb: Verb = Verb.UPDATE, reason: str = "") -> Iterator[Session]:
    """One transaction. Inside another one it joins: the outer commits, and its verb and reason stand."""
    session = current_session()
    if current_unit(session) is not None:
        yield session
        return
    session.rollback()
    with _turn(session):
        yield from _one(session, Unit(verb, reason))


def _turn(session: Session) -> AbstractContextManager[Any]:
    """On SQLite the threads of a process take turns: its busy handler polls, and would let some starve."""
    return _turns if session.get_bind().dialect.name == "sqlite" else nullcontext()


_turns = threading.RLock()


def _one(session: Session, unit: Unit) -> Iterator[Session]:
    """Begin with the write lock, give the session, commit; roll back on any error."""
    session.connection(execution_options={"shouze_write": True})
    session.info["unit"] = unit
    try:
        yield session
        session.commit()
    except StaleDataError as error:
        session.rollback()
        raise Outdated(_STALE) from error
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("unit", None)


_STALE = _("这条记录刚被别人改过，请重新打开后再试。")


def perform(row: Any, verb: Verb, upon: Any = None) -> None:
    """Declare that `row` is written under `verb` in this unit, judged upon `upon` (a parent) when given.

    A notice that is being signed is written under SIGN, and the paper that signing makes is written under SIGN upon
    the notice: nobody needs a right to make papers.
    """
    unit = current_unit()
    if unit is None:
        raise WriteOutsideUnit("perform() needs a unit of work")
    unit.declare(row, Act(verb, upon, step=True))


def act(verb: Verb) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A business act: one unit of work, retried once on deadlock or serialization failure.

    A keyword argument `reason` of the function becomes the reason in history.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            def once() -> R:
                with unit_of_work(verb, str(kwargs.get("reason") or "")):
                    return function(*args, **kwargs)

            return once() if current_unit() is not None else retry_once(once)

        return run

    return decorate


def retry_once(call: Callable[[], R]) -> R:
    """Run `call`; when the database chose it as the victim of a deadlock, once more."""
    try:
        return call()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in RETRY_STATES:
            raise
    return call()


def duplicate_of(error: IntegrityError) -> bool:
    """Whether a constraint of uniqueness was hit (both databases), rather than another constraint."""
    return getattr(error.orig, "sqlstate", None) == "23505" or "UNIQUE constraint" in str(error.orig)


@event.listens_for(AppSession, "before_flush")
def _refuse_stray_writes(session: Session, _context: Any, _instances: Any) -> None:
    if "unit" in session.info:
        return
    if session.new or session.deleted or any(session.is_modified(row) for row in session.dirty):
        raise WriteOutsideUnit("a change was flushed outside unit_of_work")
