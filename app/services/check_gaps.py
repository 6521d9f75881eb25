"""日管控: the days of a period without a record that counts, for who reads every record of the firm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select

from app.core import clock
from app.core.access.veil import concealed
from app.core.db import current_session, unscoped
from app.data.enums import CheckState, ClosureState
from app.models.check import DailyCheck
from app.models.enterprise import ENDED, Enterprise, Site
from app.models.licence import Closure

MOST_SPANS = 60  # told of a site


@dataclass(frozen=True)
class Gap:
    """Days of a site without a record that counts."""

    site: str
    count: int
    days: str


def gaps(firm: Enterprise, first: date, last: date) -> list[Gap] | None:
    """Of each site in business that has some: from the day it was entered to yesterday; closures that the station has
    confirmed are no gaps. None for who does not read all of it: records would look missing."""
    last = min(last, clock.today() - timedelta(days=1))
    hidden = any(concealed(DailyCheck, name) for name in ("check_date", "state", "site_id"))
    if last < first or hidden or concealed(Closure, "date_from") or not _reads_all(firm, first, last):
        return None
    mine = select(Site).where(Site.enterprise_id == firm.id, Site.state.not_in(ENDED)).order_by(Site.id)
    sites = current_session().scalars(mine).unique()
    done, closed = _done(firm, first, last), _closed(firm)
    told = []
    for site in sites:
        start = max(first, clock.local(site.made_at).date())
        days = (start + timedelta(days=n) for n in range((last - start).days + 1))
        missing = [day for day in days if (site.id, day) not in done and not _shut(day, closed.get(site.id, []))]
        if missing:
            told.append(Gap(str(site), len(missing), _spans(missing)))
    return told


def _reads_all(firm: Enterprise, first: date, last: date) -> bool:
    own = select(func.count(DailyCheck.id)).where(
        DailyCheck.enterprise_id == firm.id, DailyCheck.check_date.between(first, last))  # fmt: skip
    shut = select(func.count(Closure.id)).where(Closure.enterprise_id == firm.id)
    with unscoped("are there other daily records of the firm", quiet=True) as session:
        every = (session.scalar(own), session.scalar(shut))
    return (current_session().scalar(own), current_session().scalar(shut)) == every


def _done(firm: Enterprise, first: date, last: date) -> set[tuple[int, date]]:
    asked = select(DailyCheck.site_id, DailyCheck.check_date).where(
        DailyCheck.enterprise_id == firm.id, DailyCheck.check_date.between(first, last),
        DailyCheck.state == CheckState.SUBMITTED,
    )  # fmt: skip
    return {(site, day) for site, day in current_session().execute(asked)}


def _closed(firm: Enterprise) -> dict[int, list[tuple[date, date | None]]]:
    asked = select(Closure.site_id, Closure.date_from, Closure.date_to).where(
        Closure.enterprise_id == firm.id, Closure.state == ClosureState.CONFIRMED
    )  # fmt: skip
    found: dict[int, list[tuple[date, date | None]]] = {}
    for site, start, end in current_session().execute(asked):
        found.setdefault(site, []).append((start, end))
    return found


def _shut(day: date, spans: Iterable[tuple[date, date | None]]) -> bool:
    return any(start <= day and (end is None or day <= end) for start, end in spans)


def _spans(days: list[date]) -> str:
    """2026-11-01 至 2026-11-05、2026-11-09."""
    found: list[list[date]] = []
    for day in days:
        if found and day - found[-1][-1] == timedelta(days=1):
            found[-1][1:] = [day]
        else:
            found.append([day])
    words = [f"{one[0]} 至 {one[-1]}" if len(one) > 1 else str(one[0]) for one in found[:MOST_SPANS]]
    return "、".join(words) + (_(" 等") if len(found) > MOST_SPANS else "")
