"""Two who saved the same record at once, as plain data for the page that asks which holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ClashField:
    """One thing that differs: what is stored, what was typed, which of them is chosen."""

    name: str
    label: str
    theirs: str
    yours: str
    choice: str = ""


@dataclass
class Clash:
    """Another person saved first: both versions, field by field."""

    text: str
    who: str
    at: str
    fields: list[ClashField]
