"""The rows of a file as values of the entity's fields, before anything is asked of the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openpyxl.utils import get_column_letter

from app.core.access.masking import STARS, maskable
from app.core.entity import Entity
from app.core.importing.target import Target
from app.core.jobs import tick
from app.core.xlsx import Row

NEW, CHANGED, SAME, WRONG = "new", "changed", "same", "wrong"
LONGEST_SHOWN = 40  # characters of a wrong value in a message
Reader = Callable[[Any, Any, bool], Any]  # field, cell, 1904 → value


@dataclass(frozen=True)
class Spec:
    """What is imported: the entity, its fields by name, the field of each column ("" for none), and whether a blank
    cell clears what stands there."""

    model: type[Entity]
    targets: Mapping[str, Target]
    columns: Sequence[str]
    erase: bool = False

    def letter(self, name: str) -> str:
        """The column that a field comes from; "" for a field the file does not have."""
        return get_column_letter(self.columns.index(name) + 1) if name and name in self.columns else ""

    def label(self, name: str) -> str:
        """A field's label; that of a relation also by its key's name."""
        target = self.targets.get(name) or self.targets.get(name.removesuffix("_id"))
        return str(target.parser.label.text) if target is not None else ""


@dataclass(slots=True)
class Line:
    """One row: `values` by field, `refs` the texts that name other rows, `blank` what is empty in the file.

    Problems and doubts are pairs of field and text. `row` is the stored or new record, `version` the stored one's
    before anything was changed, `before` its columns then, `veiled` those that the person saw in part only.
    """

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    blank: set[str] = field(default_factory=set)
    starred: dict[str, str] = field(default_factory=dict)  # shown in part only: from a list that was taken out
    problems: list[tuple[str, str]] = field(default_factory=list)
    doubts: list[tuple[str, str]] = field(default_factory=list)
    verdict: str = ""
    row: Any = None
    version: int | None = None
    before: dict[str, Any] = field(default_factory=dict)
    veiled: set[str] = field(default_factory=set)

    def wrong(self, name: str, text: Any) -> None:
        """The field is wrong, and so the row. Said once, however often the row is looked at."""
        if (name, str(text)) not in self.problems:
            self.problems.append((name, str(text)))
        self.verdict = WRONG

    def aim(self) -> list[Any]:
        """Which record the row is about and what it says of it, as plain data: the same on a second look, unless
        something has changed."""
        values = {name: str(one.id if isinstance(one, Entity) else one) for name, one in self.values.items()}
        stored = self.row.id if self.version is not None else None
        return [self.number, stored, self.version, sorted(values.items())]

    def plan(self) -> list[Any]:
        """What is going to happen to this row."""
        return [self.verdict, *self.aim()]

    def let_go(self) -> None:
        """Hold no record of a transaction that has ended."""
        self.row, self.version = None, None
        for name in self.refs:
            self.values.pop(name, None)


def read_lines(
    spec: Spec, rows: Iterator[Row], heading: int, read: Reader, *, date1904: bool
) -> list[Line]:  # fmt: skip
    """Every row below the headings in which a wanted column holds something."""
    found = []
    for row in rows:
        tick()
        if row.number <= heading:
            continue
        line = _line(spec, row, read, date1904=date1904)
        if line.values or line.refs or line.starred or line.problems:
            found.append(line)
    return found


def _line(spec: Spec, row: Row, read: Reader, *, date1904: bool) -> Line:
    line = Line(row.number)
    for place, name in enumerate(spec.columns):
        if not name:
            continue
        raw = row.values[place] if place < len(row.values) else None
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            line.blank.add(name)
            continue
        target = spec.targets[name]
        if isinstance(raw, str) and STARS in raw and maskable(spec.model, name):
            line.starred[name] = raw.strip()
            continue
        try:
            value = read(target.parser, raw, date1904)
        except ValueError as error:
            line.wrong(name, error)
            continue
        if value in (None, ""):
            line.blank.add(name)
        elif target.other is not None:
            line.refs[name] = value
        else:
            line.values[name] = value
    return line


def digest_of(plans: list[list[Any]]) -> str:
    """One word for what is going to happen to some rows."""
    return hashlib.sha256(json.dumps(plans, ensure_ascii=False).encode()).hexdigest()


def plan_of(lines: Sequence[Line]) -> str:
    """The same of these rows, those that are wrong left out."""
    return digest_of([line.plan() for line in lines if line.verdict != WRONG])


def findings_of(spec: Spec, lines: list[Line]) -> list[dict[str, Any]]:
    """Every problem and doubt with its place, in the order of the file."""
    found = []
    for line in lines:
        for kind, told in (("error", line.problems), ("doubt", line.doubts)):
            found += [
                {"row": line.number, "column": spec.letter(name) or spec.letter(name.removesuffix("_id")),
                 "label": spec.label(name), "text": text, "kind": kind}
                for name, text in told
            ]  # fmt: skip
    return found
