"""Files whose rows name what is not the person's: as a parent, and as the very row to change."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.entity import Entity
from app.core.fab.view import EntityView
from app.core.importing.naming import naming_of
from app.prover.forms import fields_of, form_of
from app.prover.trying import NOBODY, Ask, Judge, Try
from app.prover.ways import Ways

WAY = "import"
_made = count()
Import = tuple[str, str, Callable[[Judge], None]]


def imports(ways: Ways) -> Iterator[Import]:
    """(way, rule, what to do) for each entity that the account may import."""
    for route in ways.routes:
        view = route.view
        if view is None or route.last != "import" or "POST" not in route.methods or not view.form_parts:
            continue
        if not ways.oracle.granted(ways.who, view.entity_name, "import"):
            continue
        start = _start(ways, view)
        for cells, typed in _cells(ways, view):
            yield WAY, route.named("POST"), _file(ways, view, start | cells, typed)


def _start(ways: Ways, view: EntityView) -> dict[str, str]:
    """A row like an own one, as a file has it: what it points at by its name."""
    row = next(iter(ways.own(view.model)), None)
    if row is None:
        return {}
    found = form_of(ways.bureau, view, row.fact)
    cells = {name: str(found.get(name) or "") for name, _kind, other in fields_of(view) if other is None}
    for name, _kind, other in fields_of(view):
        if other is not None:
            own = next(iter(ways.own(other)), None)
            cells[name] = next(iter(_names(own.cls, own.fact)), "") if own is not None else ""
    return cells


def _names(cls: type[Entity], fact: dict[str, Any]) -> list[str]:
    """How a cell may name a row."""
    return [str(fact[name]) for name in naming_of(cls).found_by if fact.get(name)]


def _cells(ways: Ways, view: EntityView) -> Iterator[tuple[dict[str, str], str]]:
    """Cells that name a foreign row, and the word they name it by."""
    for name, _kind, other in fields_of(view):
        for there in ways.foreign(other)[:2] if other is not None else ():
            for word in _names(there.cls, there.fact):
                yield {name: word}, word
    for there in ways.foreign(view.model)[:2]:
        for key in naming_of(view.model).keys:
            for name in key:
                value = there.fact.get(name)
                if value in ways.bureau.made.words or value in ways.bureau.made.numbers:
                    yield {name: str(value)}, str(value)


def _file(ways: Ways, view: EntityView, cells: dict[str, str], typed: str) -> Callable[[Judge], None]:
    def run(judge: Judge) -> None:
        if judge.holds(typed.lower()):  # an earlier file has put a row of one's own under that name
            return
        client = ways.bureau.client(ways.username)
        nothing = f"印f{next(_made):04x}记"
        there = {name: nothing if value == typed else value for name, value in cells.items()}
        one = Try(WAY, f"POST {view.route_base}/import", Ask("POST", f"{view.route_base}/import"),
                  tuple(value for value in cells.values() if value), None, (nothing,))  # fmt: skip
        gaps = replace(one, typed=(typed,))
        mine = _tried(judge, one, client, view, cells)
        named = typed.startswith(NOBODY[0])  # of two numbers one may be wrong in another way than the other
        other = _tried(judge, one, client, view, there) if named else None
        if mine is not None and other is not None:
            judge.alike(gaps, mine[1], other[1])
        for tried in (mine, other):  # only now: what the first one writes, the second one's trial would find
            if tried is not None:
                judge.look(one, Ask("POST", tried[0], {"skip_bad": "1", "accept": "1"}), client)

    return run


def _tried(
    judge: Judge, one: Try, client: FlaskClient, view: EntityView, cells: dict[str, str]
) -> tuple[str, TestResponse] | None:
    """The address and the page of the trial of a file with this one row."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerows([list(cells), list(cells.values())])
    base = f"{view.route_base}/import"
    data = {"file": (io.BytesIO(sheet.getvalue().encode()), "x.csv")}
    answer = client.post(base, data=data, content_type="multipart/form-data")
    found = re.fullmatch(rf"({base}/[\w-]+)/columns", answer.location or "")
    if found is None:
        return None
    mapping = {f"c{number}": name for number, name in enumerate(cells)}
    judge.look(one, Ask("POST", f"{found[1]}/columns", mapping), client)
    trial = judge.look(one, Ask("GET", found[1]), client)
    judge.look(one, Ask("GET", f"{found[1]}/checked.xlsx"), client)
    return found[1], trial
