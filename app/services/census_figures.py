"""Figures of a 摸底 round, from the lines that the person may read; and what in it looks like one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select

from app.core.batched import register_batch
from app.core.db import current_session
from app.data.census import LineState, SheetState
from app.models.census import SEALED, CensusLine, CensusReturn, CensusRound
from app.models.enterprise import Enterprise, Site
from app.models.lines import BITS
from app.services.likeness import Within, pairs


class By(StrEnum):
    """What the figures are parted by."""

    STATION = "station"
    KIND = "kind"
    SIZE = "size"
    LINE = "line"


@dataclass
class Figures:
    """How many sites are in which state; `sheet` where they are those of one return."""

    label: str
    states: Counter[str] = field(default_factory=Counter)
    sheet: CensusReturn | None = None

    @property
    def total(self) -> int:
        """All lines."""
        return sum(self.states.values())

    @property
    def judged(self) -> int:
        """Those decided upon."""
        return self.total - self.states[LineState.OPEN]

    @property
    def there(self) -> int:
        """The sites that are out there: confirmed or added."""
        return self.states[LineState.CONFIRMED] + self.states[LineState.ADDED]


def figures(census: CensusRound, by: By) -> list[Figures]:
    """The rows of the table. A site of several lines stands under each of them."""
    column: Any = {By.STATION: CensusLine.sheet_id, By.KIND: CensusLine.kind, By.SIZE: CensusLine.scale,
                   By.LINE: CensusLine.lines}[by]  # fmt: skip
    counted: dict[Any, Counter[str]] = defaultdict(Counter)
    asked = select(column, CensusLine.state, func.count(CensusLine.id)).where(CensusLine.round_id == census.id)
    for key, state, number in current_session().execute(asked.group_by(column, CensusLine.state)):
        counted[key][state] += number
    if by is By.STATION:
        return [Figures(one.office.name, counted[one.id], one) for one in _sheets(census)]
    if by is By.LINE:
        return [Figures(_(word), sum((told for lines, told in counted.items() if lines & bit), Counter()))
                for word, bit in BITS.items()]  # fmt: skip
    return [Figures(_(key), counted[key]) for key in sorted(counted, key=lambda one: -sum(counted[one].values()))]


def whole(census: CensusRound) -> Figures:
    """Each site once."""
    asked = select(CensusLine.state, func.count(CensusLine.id)).where(CensusLine.round_id == census.id)
    rows = current_session().execute(asked.group_by(CensusLine.state))
    return Figures(_("合计"), Counter(dict(rows.all())))


def of_several_lines(census: CensusRound) -> int:
    """How many sites stand under more than one line."""
    asked = select(CensusLine.lines, func.count(CensusLine.id)).where(CensusLine.round_id == census.id)
    rows = current_session().execute(asked.group_by(CensusLine.lines))
    return sum(number for lines, number in rows if lines.bit_count() > 1)


def _sheets(census: CensusRound) -> Sequence[CensusReturn]:
    asked = select(CensusReturn).where(CensusReturn.round_id == census.id).order_by(CensusReturn.office_id)
    return current_session().scalars(asked).unique().all()


# -- what looks like one ----------------------------------------------------------------------------------------------


def within(census: int, sheet: int | None = None) -> Mapping[type[Enterprise | Site], Within]:
    """Criteria by entity (for `likeness.pairs`): firms and sites counted in a round, in one return."""
    mine = [CensusLine.round_id == census, CensusLine.state != LineState.GONE]
    mine += [CensusLine.sheet_id == sheet] if sheet else []

    def firms(one: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = one.id.in_(
            select(Site.enterprise_id).join(CensusLine, CensusLine.site_id == Site.id).where(*mine)
        )
        return found

    def sites(one: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = one.id.in_(select(CensusLine.site_id).where(*mine))
        return found

    return {Enterprise: firms, Site: sites}


def undecided(census: int, sheet: int | None = None) -> int:
    """How many pairs look like one and nobody has said, of those that the person may read (counted to a bound)."""
    return sum(len(pairs(model, within=criterion)) for model, criterion in within(census, sheet).items())


# -- read for a page of rows ------------------------------------------------------------------------------------------


def _progress(keys: Sequence[int]) -> dict[int, tuple[int, int]]:
    asked = select(CensusLine.sheet_id, CensusLine.state, func.count(CensusLine.id))
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for sheet, state, number in current_session().execute(
        asked.where(CensusLine.sheet_id.in_(keys)).group_by(CensusLine.sheet_id, CensusLine.state)
    ):
        found[sheet][state] = number
    return {key: (told[LineState.OPEN], told.total()) for key, told in found.items()}


def _answered(keys: Sequence[int]) -> dict[int, str]:
    asked = select(CensusReturn.round_id, CensusReturn.state, func.count(CensusReturn.id))
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for census, state, number in current_session().execute(
        asked.where(CensusReturn.round_id.in_(keys)).group_by(CensusReturn.round_id, CensusReturn.state)
    ):
        found[census][SheetState(state)] = number
    return {key: f"{sum(told[one] for one in SEALED)}/{told.total()}" for key, told in found.items()}


register_batch(CensusReturn, "progress", _progress)
register_batch(CensusRound, "progress", _answered)
