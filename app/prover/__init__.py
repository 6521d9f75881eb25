"""`shouze prove-access`: each account of two offices and two lines on rows of the others, reading and writing.

A bureau of its own is filled from the models (`making`). What is tried follows from the running application: its route
map, declarations, workflows and rows (`ways`), its session (`sessions`), the rules beside grants (`rules`), files
brought in (`imports`), sessions whose reason ended (`stale`). What an account reaches is said a second time
(`oracle`), and every answer and every changed row is held against it (`trying`): a leak is a word of a row or column
that is not the account's, a row changed, made, moved or pointed where it may not be, or an answer that tells what is
there from what is not.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from flask.testing import FlaskClient

from app.prover.bureau import Bureau
from app.prover.imports import imports
from app.prover.pairs import pairwise
from app.prover.rules import Rules
from app.prover.sessions import Deeds
from app.prover.stale import stale
from app.prover.trying import Judge, Try
from app.prover.ways import Ways

__all__ = ["Bureau", "Item", "Outcome", "anonymous", "bureau", "items", "prove", "try_all"]


@dataclass(frozen=True)
class Item:
    """One thing to try: as whom, by which way, on which path."""

    username: str
    role: str
    office: str
    way: str
    path: str
    run: Callable[[Judge, FlaskClient], None]

    @property
    def alone(self) -> str:
        """Each path is tried."""
        return self.path

    @property
    def factors(self) -> tuple[str, str, str, str]:
        """Entity, screen, role, way."""
        method, _blank, rule = self.path.partition(" ")
        parts = rule.strip("/").split("/")
        start = 3 if parts[:2] == ["api", "v1"] else 1
        return "/".join(parts[:start]), f"{method} {'/'.join(parts[start:])}", self.role, self.way


@dataclass
class Outcome:
    """Counts and leaks; `lines()` is what the command prints."""

    tries: Counter[str] = field(default_factory=Counter)  # by way
    paths: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    offices: set[str] = field(default_factory=set)
    leaks: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How much was tried."""
        return self.tries.total()

    def line(self) -> str:
        """Paths × roles × offices × ways, tries, leaks."""
        counts = (f"{len(self.paths)} paths × {len(self.roles)} roles × {len(self.offices)} offices"
                  f" × {len(self.tries)} ways")  # fmt: skip
        return f"{counts}: {self.requests} tries, {len(self.leaks)} leaks"

    def lines(self) -> Iterator[str]:
        """Each way with its count, what leaked, the sum."""
        for way, count in sorted(self.tries.items()):
            yield f"{way}: {count}"
        yield from (f"LEAK {leak}" for leak in self.leaks)
        yield from (f"WITHHELD {one}" for one in self.withheld)
        yield self.line()


@contextmanager
def bureau(database: str = "") -> Iterator[Bureau]:
    """The prover's own bureau, in a folder that goes away; in an empty PostgreSQL database where one is named."""
    with TemporaryDirectory(prefix="shouze-prove-") as folder:
        found = Bureau(Path(folder), database)
        try:
            yield found
        finally:
            found.close()


def prove(only: set[str] | None = None, database: str = "", *, pairs: bool = False) -> Outcome:
    """Build, try everything (or enough that every pair of entity, screen, role and way meets), count.

    `only` limits the accounts.
    """
    with bureau(database) as house:
        found = items(house, only)
        return try_all(house, pairwise(found) if pairs else found)


def items(house: Bureau, only: set[str] | None = None) -> Iterator[Item]:
    """The whole product, account after account."""
    for username in house.accounts:
        if only is None or username in only:
            yield from _of_account(house, username)
    if only is None:
        yield from anonymous(house)


def anonymous(house: Bureau) -> Iterator[Item]:
    """Every closed route, without a session."""
    for one in Ways(house, next(iter(house.accounts))).anonymous():
        yield Item("", "nobody", "", one.way, one.rule, _request(one, house))


def _of_account(house: Bureau, username: str) -> Iterator[Item]:
    ways = Ways(house, username)

    def item(way: str, path: str, run: Callable[[Judge, FlaskClient], None]) -> Item:
        return Item(username, house.roles[username], house.offices[username], way, path, run)

    requests = list(ways.tries())
    for one in requests:
        yield item(one.way, one.rule, _request(one))
    closed = {name for route in ways.routes if not route.public for name in (route.rule, route.named("GET"))}
    pages = [one for one in requests if one.way == "list" and one.ask.method == "GET" and one.rule in closed]
    for way, name, do in stale(ways, pages):
        yield item(way, f"SESSION {name}", _deed(do))
    for way, path, do in imports(ways):
        yield item(way, path, _deed(do))
    for way, name, do in chain(Deeds(ways).tries(), Rules(ways).tries()):
        yield item(way, f"SESSION {name}", _deed(do))


def _request(one: Try, anonymous: Bureau | None = None) -> Callable[[Judge, FlaskClient], None]:
    if anonymous is not None:
        return lambda judge, _client: judge.run(one, anonymous.app.test_client())
    return lambda judge, client: judge.run(one, client)


def _deed(do: Callable[[Judge], None]) -> Callable[[Judge, FlaskClient], None]:
    return lambda judge, _client: do(judge)


def try_all(house: Bureau, found: Iterable[Item], *, stop: bool = False) -> Outcome:
    """Try each and count; `stop` at the first leak."""
    outcome = Outcome()
    judges: dict[str, Judge] = {}
    logging.disable(logging.CRITICAL)  # refusals are what is asked for
    try:
        for one in found:
            judge = judges.setdefault(one.username, Judge(house, house.accounts.get(one.username, 0), one.username))
            judge.way = one.way
            one.run(judge, house.browser(one.username) if one.username else house.app.test_client())
            outcome.tries[one.way] += 1
            outcome.paths.add(one.path)
            outcome.roles.add(one.role)
            outcome.offices.add(one.office)
            if stop and judge.leaks:
                break
    finally:
        logging.disable(logging.NOTSET)
    for judge in judges.values():
        outcome.leaks += judge.leaks
        outcome.withheld += judge.withheld
        outcome.undecided += judge.undecided
    return outcome
