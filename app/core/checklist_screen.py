"""What a checklist shows: items, the choices of each, and what a choice asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ask:
    """Words that a choice asks for."""

    name: str
    label: Any
    maxlength: int = 300


@dataclass(frozen=True)
class CheckChoice:
    """One of the choices of a checklist; its tone, and what it asks for."""

    value: str
    tone: str
    asks: tuple[Ask, ...] = ()


@dataclass
class CheckItem:
    """One item of a checklist: code, text, what to know about it, words that mark it; and what was answered.

    `help` opens under `help_label`; `note` is there to read at once.
    """

    code: str
    text: str
    help: str = ""
    mark: str = ""
    choice: str = ""
    words: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    note: str = ""
    help_label: str = ""
