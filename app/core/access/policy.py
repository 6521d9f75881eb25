"""The policy table: what a role's grants are made of, and the check that refuses a contradictory one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.verbs import Verb


class Coverage(StrEnum):
    """Which rows a grant reaches, seen from the posting that carries it."""

    SUBTREE = "subtree"  # rows of the posting's office and of those below it
    SUPERVISED = "supervised"  # the parent office's subtree, in the lines of the office (section, task force)
    FIRM = "firm"  # rows of each firm where the person holds an appointment in force
    ASSIGNED = "assigned"  # rows the person is put to, and their firms
    OWN = "own"  # the person's own row
    ALL = "all"  # reference data, which no office owns


@dataclass(frozen=True)
class Grant:
    """Verbs on an entity within a coverage, optionally only in some states of the row."""

    entity: str
    verbs: tuple[Verb, ...]
    coverage: Coverage
    states: tuple[str, ...] | None = None


def grants(lines: Iterable[Grant]) -> dict[str, Any]:
    """Grants as an AccessRole stores them: entity → verb → [[coverage, states or None], …], each coverage once."""
    table: dict[str, dict[str, list[list[Any]]]] = {}
    for line in lines:
        for verb in line.verbs:
            cells = table.setdefault(line.entity, {}).setdefault(verb.value, [])
            _add(cells, line.coverage.value, list(line.states) if line.states is not None else None)
    return table


def _add(cells: list[list[Any]], coverage: str, states: list[str] | None) -> None:
    """One more grant of a coverage widens its states; without states it is every state."""
    for cell in cells:
        if cell[0] == coverage:
            both = states is not None and cell[1] is not None
            cell[1] = list(dict.fromkeys([*cell[1], *(states or ())])) if both else None
            return
    cells.append([coverage, states])
