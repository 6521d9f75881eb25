"""The policy table: what a role's grants are made of, and the check that refuses a contradictory one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """Grants as an AccessRole stores them: entity → verb → [[coverage, states or None], …]."""
    table: dict[str, dict[str, list[list[Any]]]] = {}
    for line in lines:
        for verb in line.verbs:
            cell = table.setdefault(line.entity, {}).setdefault(verb.value, [])
            cell.append([line.coverage.value, list(line.states) if line.states is not None else None])
    return table


def contradictions(table: Mapping[str, Any], entities: Mapping[str, Any]) -> list[str]:
    """What is wrong with stored grants: unknown entity, verb, coverage or state; a write without reading."""
    found: list[str] = []
    for entity, verbs in table.items():
        if entity not in entities:
            found.append(f"unknown entity {entity}")
            continue
        if Verb.READ.value not in verbs:
            found.append(f"{entity}: verbs without {Verb.READ}")
        for verb, cells in verbs.items():
            found += [f"{entity}.{verb}: {why}" for cell in cells if (why := _wrong(verb, cell))]
    return found


def _wrong(verb: str, cell: Any) -> str:
    try:
        Verb(verb)
        coverage, states = cell
        Coverage(coverage)
    except ValueError as error:
        return str(error)
    return "" if states is None or states else "an empty list of states"
