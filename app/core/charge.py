"""What hangs on a person: a line on an entity, so that its rows go to a successor when a posting ends."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.verbs import Verb


@dataclass(frozen=True)
class Charge:
    """One kind of open work. An entity names them in `__handover__`; nothing else is needed to join.

    label: what such rows are called in a hand-over; column: the account that is in charge; instead: the column that
    counts while `column` is empty (who made the row stays who made it, only the charge moves); states: in which the
    row is open (none: in all); needs: what a successor must be able to do to the row. `ends` names a date column:
    such a row is open until that day and ends instead of going over, unless it `renews` for the successor. `told`:
    shown and counted, never moved. `anywhere`: it hangs on the person whatever office the row is of (a delegation
    that the bureau gave), so it is left when the last posting ends. `needs_on`: the entity over which a successor
    must hold `needs` where the row lies (who may inspect there), instead of over the row's own. `same`: the columns
    that, with the person, make two of what renews one (without: the row it is about). `alone`: two people never share
    a day, so what begins today or later goes over as it is.
    """

    label: str
    column: str
    instead: str = ""
    states: tuple[str, ...] = ()
    needs: Verb | None = None
    ends: str = ""
    renews: bool = False
    told: bool = False
    anywhere: bool = False
    needs_on: str = ""
    same: tuple[str, ...] = ()
    alone: bool = False
