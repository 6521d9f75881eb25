"""自查缺项: which firms owe which 落实自查表, since when; told as of today, kept nowhere.

The one for joining is due so many days after the firm was entered, a year's by a day of that year from every firm
that had been entered by then. What is in writing or was returned is owed still; what was submitted is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, literal, select, union_all

from app.core import clock
from app.core.db import current_session
from app.core.setting import confirmed
from app.core.sqldays import local_day, plus_days
from app.core.verbs import Verb
from app.data.people import AssessmentState, Occasion
from app.models import setting
from app.models.enterprise import Enterprise
from app.models.self_assessment import SelfAssessment
from app.services.firm_rows import lackable, named
from app.services.setting import day_of, number_of

DEFAULT_DAYS, DEFAULT_DUE = 30, (12, 31)  # until the bureau confirms its own; no rule names any
DONE = (AssessmentState.SUBMITTED, AssessmentState.CONFIRMED)
OPEN = (AssessmentState.DRAFT, AssessmentState.RETURNED)


@dataclass(frozen=True)
class Wanted:
    """Which ones: of an office; for joining (True), of one year, or any; late ones (True), those with time, or both.

    `verb`: what the person may do with them; who fills them in asks for CREATE.
    """

    office_id: int | None = None
    joining: bool | None = None
    year: int | None = None
    late: bool | None = None
    verb: Verb = Verb.READ


@dataclass(frozen=True)
class Owed:
    """A table that a firm owes. `began` is the one in writing or returned: its key and state."""

    firm: int
    name: str
    office: str
    occasion: Occasion
    year: int
    due: date
    began: tuple[int, str] | None

    @property
    def days_late(self) -> int:
        """How long it is overdue; 0 while there is time."""
        return max(0, (clock.today() - self.due).days)


@dataclass(frozen=True)
class Terms:
    """How many days after it was entered a firm has, and by which month and day a year's is due."""

    days: int
    month: int
    day: int

    def due(self, year: int) -> date:
        """The last day for a year's."""
        return date(year, self.month, self.day)


def terms() -> Terms:
    """As the bureau has confirmed them: one statement."""
    values, _missing = confirmed(setting.JOINING_DAYS, setting.YEARLY_DUE)
    days = number_of(setting.JOINING_DAYS, values.get(setting.JOINING_DAYS, ""))
    return Terms(days or DEFAULT_DAYS, *(day_of(values.get(setting.YEARLY_DUE, "")) or DEFAULT_DUE))


def _submitted(occasion: Occasion, *clauses: Any) -> Any:
    one = SelfAssessment
    mine = (one.enterprise_id == Enterprise.id, one.occasion == occasion, one.state.in_(DONE), *clauses)
    return select(one.id).where(*mine).correlate(Enterprise).exists()


def _parts(wanted: Wanted, by: Terms) -> list[Any]:
    """Key, year (0: for joining) and day of what firms owe, one statement an occasion and year."""
    entered, this = local_day(Enterprise.made_at), clock.today().year
    firms, found = lackable(SelfAssessment, wanted.office_id, wanted.verb), []
    if wanted.joining is not False and wanted.year is None:
        due: Any = plus_days(entered, literal(by.days))
        found.append(select(Enterprise.id, literal(0).label("year"), due.label("due")).where(
            *firms, ~_submitted(Occasion.JOINING)))  # fmt: skip
    for year in (this - 1, this) if wanted.joining is not True else ():
        if wanted.year in (None, year):
            last = by.due(year)
            found.append(select(Enterprise.id, literal(year).label("year"), literal(last).label("due")).where(
                *firms, entered <= last, ~_submitted(Occasion.YEARLY, SelfAssessment.year == year)))  # fmt: skip
    return found


def _all(wanted: Wanted, by: Terms) -> Any:
    rows = union_all(*_parts(wanted, by)).subquery()
    if wanted.late is None:
        return rows
    today = clock.today()
    return select(rows).where(rows.c.due < today if wanted.late else rows.c.due >= today).subquery()


def size(wanted: Wanted, by: Terms) -> int:
    """How many are owed."""
    return int(current_session().scalar(select(func.count()).select_from(_all(wanted, by))) or 0)


def owed(wanted: Wanted, by: Terms, offset: int = 0, limit: int | None = None) -> list[Owed]:
    """What is owed, the longest overdue first: three statements."""
    rows, session = _all(wanted, by), current_session()
    order = (rows.c.due, rows.c.year, rows.c.id)
    page = session.execute(select(rows).order_by(*order).offset(offset).limit(limit)).all()
    keys, one = sorted({row.id for row in page}), SelfAssessment
    begun = select(one.enterprise_id, one.occasion, one.year, one.id, one.state)
    begun = begun.where(one.enterprise_id.in_(keys), one.state.in_(OPEN)).order_by(one.year)
    known: dict[tuple[int, int], tuple[int, str]] = {}
    for firm, occasion, year, key, state in session.execute(begun):
        known[firm, year if occasion == Occasion.YEARLY else 0] = (key, state)
    told, this = named(keys), clock.today().year
    return [
        Owed(row.id, *told[row.id], Occasion.YEARLY if row.year else Occasion.JOINING, row.year or this, row.due,
             known.get((row.id, row.year)))
        for row in page
    ]  # fmt: skip
