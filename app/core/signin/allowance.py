"""How long a sign-in holds: by the account's family and the kind of entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

from app.config import Settings
from app.core.office import Family
from app.core.signin.model import Ending, EntryKind

LONGEST = timedelta(hours=12)


@dataclass(frozen=True)
class Allowance:
    """`idle`: without a request; `longest`: altogether; `kept`: the cookie outlives the browser."""

    idle: timedelta
    longest: timedelta
    kept: bool = False

    def over(self, opened: datetime, seen: datetime, now: datetime) -> Ending | None:
        """Why a session may not go on, None while it may."""
        if now - seen > self.idle:
            return Ending.IDLE
        return Ending.TOO_LONG if now - opened > self.longest else None


Rule = Callable[[Settings], Allowance]


def _usual(settings: Settings) -> Allowance:
    return Allowance(timedelta(minutes=settings.idle_minutes), LONGEST)


_rules: dict[tuple[Family, EntryKind], Rule] = {}


def register_allowance(family: Family, kind: EntryKind, rule: Rule) -> None:
    """Say how long this kind of entry holds for this family; every other one is idle after `idle_minutes`."""
    _rules[family, kind] = rule


def allowance(family: str, kind: str) -> Allowance:
    """What a sign-in of this family and kind may last."""
    rule = _rules.get((Family(family), EntryKind(kind)), _usual)
    settings: Settings = current_app.extensions["shouze_settings"]
    return rule(settings)
