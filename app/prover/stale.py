"""Sessions that went on after their reason ended: a posting, an appointment, an assignment over, an account closed.

Each is changed past the program between two requests of one browser; what was the person's own is then somebody
else's, and the same eyes look at the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.core import clock
from app.core.entity import Entity
from app.core.office import Account, Assignment, Posting
from app.core.signin.model import Ending, SignInSession
from app.models.personnel import Appointment, Person
from app.models.rectification import Delegation
from app.prover.trying import Judge, Try
from app.prover.ways import Ways

PAGES = 5  # that a stale session opens again
Stale = tuple[str, str, Callable[[Judge], None]]


def stale(ways: Ways, seen: list[Try]) -> Iterator[Stale]:
    """(way, rule, what to do): the account's own pages, opened again by a browser that had them before."""
    yesterday = clock.today() - timedelta(days=1)
    for cls, key in _held(ways):
        pages = _best(ways, seen, ways.bureau.facts.rows[cls][key].get("entity", ""))
        yield "stale: right ended", cls.__name__, _again(ways, pages, cls, key, {"date_to": yesterday}, refused=False)
        if cls is Posting:  # ended before its last day was over
            at_once = {"ended_at": clock.now()}
            yield "stale: right ended", cls.__name__, _again(ways, pages, cls, key, at_once, refused=False)
    pages = _best(ways, seen)
    ended = {"ended_at": clock.now(), "ending": Ending.ADMINISTRATOR.value}
    yield "stale: session ended", "SignInSession", _again(ways, pages, SignInSession, None, ended, refused=True)
    yield "stale: account closed", "Account", _again(ways, pages, Account, ways.who, {"active": False}, refused=True)


def _best(ways: Ways, seen: list[Try], entity: str = "") -> list[Try]:
    """The first of the pages: before all, those that list own rows of an entity (or of any)."""
    return sorted(seen, key=lambda one: not ways.has_rows(one.ask.url, entity))[:PAGES]


def _held(ways: Ways) -> Iterator[tuple[type[Entity], int]]:
    """The dated rows that give the account what it reaches."""
    rows = ways.bureau.facts.rows
    mine = {key for key, fact in rows[Person].items() if fact["account_id"] == ways.who}
    for cls in (Posting, Assignment, Appointment, Delegation):
        for key, fact in rows[cls].items():
            if fact.get("account_id") == ways.who or fact.get("person_id") in mine:
                yield cls, key


def _again(
    ways: Ways, seen: list[Try], cls: type[Entity], key: int | None, values: dict[str, Any], *, refused: bool
) -> Callable[[Judge], None]:
    """The pages again while a row has these values. No key: the row is the browser's own session."""

    def run(judge: Judge) -> None:
        client = ways.bureau.client(ways.username)
        for one in seen[:1]:
            one.ask.send(client)
        with ways.bureau.altered(cls, ways.bureau.sitting(client) if key is None else key, **values):
            for one in seen:
                judge.run(replace(one, way=judge.way, refused=refused, twin=None), client)

    return run
