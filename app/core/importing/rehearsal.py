"""The trial of an import: all that it would do, part by part, each in a transaction that is rolled back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Index, UniqueConstraint, inspect, select

from app.core.db import current_session
from app.core.entity import Entity
from app.core.importing.batch import Batch
from app.core.importing.lines import WRONG, Line, Spec, digest_of, plan_of
from app.core.importing.part import breathe, in_parts
from app.core.jobs import tick
from app.core.verbs import Verb
from app.core.writing import unit_of_work

Teller = Callable[[Spec, Sequence[Line]], list[dict[str, Any]]]


class _Over(Exception):
    """The part is over: no error, it ends a transaction that must not be kept."""


@dataclass
class Rehearsed:
    """What a trial found: a word for what the rows are about (`aim`), one a part for what happens to them (`plan`), and
    what is told of each row."""

    counts: Counter[str] = field(default_factory=Counter)
    aim: str = ""
    plan: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)


def rehearse(spec: Spec, lines: list[Line], tell: Teller) -> Rehearsed:
    """Nothing of it is kept. The whole file is looked at first, without a lock: what stands in it twice, and who is
    meant, is no matter of one part."""
    found, claims = Rehearsed(), Claims(spec.model)
    aims = aims_of(spec, lines, compare=True)
    parts = in_parts(lines)
    for number, part in enumerate(parts):
        if number:
            breathe()
        with _rolled_back():
            Batch(spec, part).take()
            claims.judge(part)
            found.plan.append(plan_of(part))
            found.told += tell(spec, part)
        for line in part:
            line.row = None
        tick(number * 100 // len(parts))
    found.counts = Counter(line.verdict for line in lines)
    found.aim = digest_of([aims[line.number] for line in lines if line.verdict != WRONG])
    return found


def aims_of(spec: Spec, lines: Sequence[Line], *, compare: bool = False) -> dict[int, list[Any]]:
    """What each row is about, by its number; only read, and nothing of it is held. `compare`: refuse repeated rows."""
    batch = Batch(spec, lines)
    batch.look()
    if compare:
        batch.compare()
    found = {line.number: line.aim() for line in lines}
    for line in lines:
        line.let_go()
    return found


@contextmanager
def _rolled_back() -> Iterator[None]:
    try:
        with unit_of_work(Verb.IMPORT, "文件导入"):
            yield
            raise _Over  # noqa: TRY301 - the one way to end a unit of work without its commit
    except _Over:
        return


class Claims:
    """What the table keeps unique, over all parts of a file: the database sees one part at a time, and forgets it."""

    def __init__(self, model: type[Entity]) -> None:
        self.model, self.table = model, inspect(model).local_table
        self.held: dict[tuple[Any, ...], int] = {}  # rule and values → the row of the file that has them
        self.rules = list(self._rules())

    def _rules(self) -> Iterator[tuple[str, list[Any], Any]]:
        """Name, columns, and which rows they are about."""
        for rule in self.table.constraints:
            if isinstance(rule, UniqueConstraint) and "public_id" not in rule.columns:
                yield str(rule.name), list(rule.columns), None
        for index in self.table.indexes:
            if isinstance(index, Index) and index.unique:
                yield str(index.name), list(index.expressions), index.dialect_options["postgresql"]["where"]

    def judge(self, lines: Sequence[Line]) -> None:
        """Refuse what a line of an earlier part has claimed; inside the transaction in which they are flushed."""
        written = {line.row.id: line for line in lines if line.verdict != WRONG and line.row is not None}
        for name, columns, about in self.rules:
            some = select(self.table.c.id, *columns).where(self.table.c.id.in_(list(written)))
            found = some if about is None else some.where(about)
            for key, *values in current_session().connection().execute(found):
                self._claim((name, *values), written[key])

    def _claim(self, claim: tuple[Any, ...], line: Line) -> None:
        if None in claim or line.verdict == WRONG:
            return
        first = self.held.setdefault(claim, line.number)
        if first != line.number:
            line.wrong("", _("与第 %(n)s 行重复。", n=first))
