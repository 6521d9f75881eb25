"""What the screens of a role show, as plain data (see `app.core.screen`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.core.clash_screen import Clash
from app.core.screen import Event, Field, FormError


@dataclass
class Holder:
    """Somebody who is this now: where, since when, until when."""

    name: str
    url: str | None
    office: str
    title: str
    since: str
    until: str


@dataclass
class RoleScreen:
    """A role as it is: its table, who holds it, what happened to it."""

    title: str
    crumbs: list[tuple[Any, str]]
    facts: list[tuple[str, str]]
    origin: str
    builtin: bool
    groups: list[Any]
    heads: list[tuple[str, str]]
    coverages: list[tuple[str, str, str]]
    holders: list[Holder]
    others: int
    history: list[Event]
    history_url: str | None
    urls: dict[str, str | None]


@dataclass
class RoleForm:
    """A role being made or changed."""

    title: str
    crumbs: list[tuple[Any, str]]
    action: str
    cancel_url: str
    fields: list[Field]
    family: str
    family_word: str
    version: str
    groups: list[Any]
    heads: list[tuple[str, str]]
    coverages: list[tuple[str, str, str]]
    errors: list[FormError] = field(default_factory=list)
    conflict: Clash | None = None
    source: str = ""


@dataclass
class Line:
    """A cell in which two roles differ, or agree."""

    entity: str
    label: str
    one: str
    other: str
    same: bool


@dataclass
class CompareScreen:
    """Two roles beside each other."""

    title: str
    crumbs: list[tuple[Any, str]]
    choices: list[tuple[str, str]]
    one: str
    other: str
    names: tuple[str, str]
    differing: list[Line]
    agreeing: list[Line]
    asked: bool
