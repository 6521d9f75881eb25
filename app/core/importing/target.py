"""What a file's columns may be: the fields of an entity's form; and which column is which, guessed from its heading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.cells import text_of
from app.core.codes import normalise
from app.core.entity import Entity

_BRACKETS = re.compile(r"\(([^)]*)\)")
_MARKS = re.compile(r"[*:#\s_.\-]|\((必填|选填)\)")
_PARTS = re.compile(r"[、,/]|或")
SHORTEST = 2  # letters of a heading that may be part of a label


@dataclass(frozen=True)
class Target:
    """One field: `parser` is the form's field, `required` what a new row cannot do without, `other` the entity that a
    relation names."""

    name: str
    label: str
    parser: Any
    required: bool
    other: type[Entity] | None = None
    also: tuple[str, ...] = ()

    def headings(self) -> set[str]:
        """Every folded heading that means this field."""
        bare = normalise(self.label)
        inside = [part for group in _BRACKETS.findall(bare) for part in _PARTS.split(group)]
        words = {self.label, str(self.parser.label.text), _BRACKETS.sub("", bare), *inside, *self.also, self.name}
        return {fold(word) for word in words} - {""}


@dataclass(frozen=True)
class Layout:
    """Where the headings of a sheet are, and what they say."""

    row: int  # the sheet's own row number
    headings: tuple[str, ...]
    samples: tuple[str, ...] = field(default=())


def fold(text: Any) -> str:
    """A heading without width, case, spaces, stars and colons."""
    return _MARKS.sub("", normalise(text_of(text)))[:60]


def best_heading(top: Sequence[Any], targets: Iterable[Target]) -> int:
    """The index, among the first rows of a sheet, of the one whose cells name most fields; the first row if none."""
    known = set().union(*(one.headings() for one in targets))
    scores = [len({fold(value) for value in row.values} & known) for row in top]
    return scores.index(max(scores)) if scores else 0


def score(top: Sequence[Any], targets: Iterable[Target]) -> int:
    """How many fields the best heading row of a sheet names."""
    known = set().union(*(one.headings() for one in targets))
    return max((len({fold(value) for value in row.values} & known) for row in top), default=0)


def guess(headings: Sequence[str], targets: Sequence[Target], remembered: Mapping[str, str]) -> list[str]:
    """The field of each column, "" for none: as remembered, else by a heading that is equal, else by one that contains
    the other. No field is taken twice."""
    names = {one.name for one in targets}
    found = ["" for _heading in headings]
    settled = {place for place, text in enumerate(headings) if fold(text) in remembered or not fold(text)}
    taken: set[str] = set()
    for place, text in enumerate(headings):
        name = remembered.get(fold(text), "")
        if name in names and name not in taken:
            found[place] = name
            taken.add(name)
    for alike in (_equal, _partly):
        for place, text in enumerate(headings):
            if place in settled or found[place]:
                continue
            fit = [one.name for one in targets if one.name not in taken and alike(fold(text), one.headings())]
            if len(fit) == 1 or (fit and alike is _equal):
                found[place] = fit[0]
                taken.add(fit[0])
    return found


def _equal(heading: str, known: set[str]) -> bool:
    return heading in known


def _partly(heading: str, known: set[str]) -> bool:
    return len(heading) >= SHORTEST and any(
        word in heading or heading in word for word in known if len(word) >= SHORTEST
    )
