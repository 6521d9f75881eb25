"""What the pages about a person's rights show, as plain data (see `app.core.screen`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Basis:
    """What gives a person rights: a posting, a delegation."""

    source: str
    office: str
    title: str
    role: str
    role_url: str | None
    lines: str
    since: str
    until: str


@dataclass
class Ability:
    """Acts on an entity that are allowed alike: how far, through what."""

    acts: str
    marks: list[tuple[str, str, str]]  # coverage, its word, the states it is limited to
    via: str


@dataclass
class AbilityRow:
    """One entity."""

    label: str
    abilities: list[Ability]


@dataclass
class AbilityScreen:
    """能做什么."""

    title: str
    crumbs: list[tuple[Any, str]]
    name: str
    facts: list[tuple[str, str]]
    inactive: bool
    bases: list[Basis]
    elsewhere: int
    assigned: list[tuple[str, int]]
    groups: list[tuple[str, list[AbilityRow]]]
    ask_url: str
    entities: list[tuple[str, str]]


@dataclass
class Verdict:
    """One act on one record: whether, and what decides."""

    act: str
    allowed: bool
    why: str


@dataclass
class VerdictScreen:
    """这个人 × 这条记录."""

    title: str
    crumbs: list[tuple[Any, str]]
    name: str
    ask_url: str
    entities: list[tuple[str, str]]
    entity: str = ""
    record: str = ""
    error: str = ""
    what: str = ""
    url: str | None = None
    verdicts: list[Verdict] = field(default_factory=list)
