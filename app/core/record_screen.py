"""What the pages behind a record show, as plain data (see `app.core.screen`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.screen import Event


@dataclass
class HistoryScreen:
    """A page of a record's history."""

    title: str
    crumbs: list[tuple[Any, str]]
    events: list[Event]
    older_url: str | None = None
    newest_url: str | None = None


@dataclass
class Watcher:
    """Somebody who can read a record: as what, what they may do to it, what decides."""

    name: str
    title: str
    does: str
    why: str


@dataclass
class AccessGroup:
    """Those of one office."""

    label: str
    people: list[Watcher]


@dataclass
class AccessScreen:
    """谁能看到."""

    title: str
    crumbs: list[tuple[Any, str]]
    groups: list[AccessGroup]
    total: int
    shown: int
    sealed: bool
    why: str
