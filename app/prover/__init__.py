"""`shouze prove-access`: every route as every role of two offices on rows of the other, reading and writing.

A bureau of its own is built in a temporary folder. What a role may reach is said here a second time, in plain words and
independent of the grants (`reaches`): the prover compares the running application with it. A leak is a foreign row's
name in an answer, or a foreign row that a request changed.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from app.core.entity import Entity
from app.core.fab.gate import API
from app.prover.house import House, Row
from app.prover.tries import tries
from app.services.demo import CAST


@dataclass
class Outcome:
    """Counts and leaks; `line()` is what the command prints."""

    requests: int = 0
    paths: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    offices: set[str] = field(default_factory=set)
    leaks: list[str] = field(default_factory=list)
    typed: set[str] = field(default_factory=set)

    def line(self) -> str:
        """Paths × roles × offices, tries, leaks."""
        counts = f"{len(self.paths)} paths × {len(self.roles)} roles × {len(self.offices)} offices"
        return f"{counts}: {self.requests} tries, {len(self.leaks)} leaks"


def prove(only: set[str] | None = None) -> Outcome:
    """Build, try everything, count. `only` limits the accounts (tests)."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="shouze-prove-") as folder:
        house = House(Path(folder))
        for actor in CAST:
            if only is None or actor.username in only:
                _try_as(house, actor.username, outcome)
                outcome.roles.add(actor.role)
                outcome.offices.add(actor.office)
    return outcome


def _try_as(house: House, username: str, outcome: Outcome) -> None:
    foreign = [row for row in house.rows if not house.reaches(username, row)]
    picked = _one_of_each(foreign)
    own = {row.cls: row for row in house.rows if house.reaches(username, row)}
    before = house.digest(foreign)
    marks = {row.mark: row for row in foreign if row.mark}
    client = house.client(username)
    for rule, method, url, data, typed in tries(house, picked, own):
        outcome.requests += 1
        outcome.paths.add(f"{method} {rule}")
        with house.writes() as written:
            body: dict[str, Any] = {"json": data} if rule.startswith(API) else {"data": data}
            answer = client.open(url, method=method, follow_redirects=False, buffered=True, **body)
        seen = set(re.findall(r"印[A-Za-z]+\d{6}记", text_of(answer))) - {typed}
        if rule.removeprefix(API).startswith("/log/"):
            seen -= outcome.typed  # the log tells the auditor what others looked for
        outcome.typed.add(typed)
        outcome.leaks += [f"{username} {method} {url}: saw {mark}" for mark in sorted(seen & marks.keys())]
        if answer.status_code >= 500:
            outcome.leaks.append(f"{username} {method} {url}: HTTP {answer.status_code}")
        if written and house.digest(foreign) != before:
            outcome.leaks.append(f"{username} {method} {url}: changed a foreign row")
            before = house.digest(foreign)


def _one_of_each(rows: list[Row]) -> list[Row]:
    found: dict[tuple[type[Entity], str, str], Row] = {}
    for row in rows:
        found.setdefault((row.cls, row.office, row.entity), row)
    return list(found.values())


def text_of(answer: TestResponse) -> str:
    """What an answer says; a workbook says what its sheets do."""
    content = answer.get_data()
    if not content.startswith(b"PK"):
        return content.decode(errors="ignore")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
