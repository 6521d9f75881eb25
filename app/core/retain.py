"""How long rows are kept: what an entity declares, and `core.retention` carries out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Retain:
    """Rows whose instant `since` lies more than `days` back are past, in these `states` (any, when none is named).

    Past rows are deleted; with `clear` they stay and only these columns (which may be null) are emptied.
    """

    days: int
    since: str
    states: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
