"""Demo data of 摸底: one round that goes on, one station half through, the other's list handed in."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.core import clock
from app.core.access.context import acting
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.office import Account
from app.core.saving import EVERYTHING, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.data.census import GoneWhy, LineState
from app.data.enums import Line
from app.models.census import CensusLine, CensusReturn, CensusRound
from app.models.enterprise import Site
from app.models.lines import BITS
from app.services.census import fill

LASTS, BEGUN, HALF = 10, 5, 2  # days; of a list, one in so many is confirmed


def make_census(accounts: dict[str, int], made: dict[str, int]) -> None:
    """Fill a demo whose firms are there; adds to how many were made."""
    with acting(accounts["zhuanban"]):
        day = clock.today()
        row = CensusRound(name=f"{day.year} 年底数摸排", as_of=day - timedelta(days=BEGUN),
                          due=day + timedelta(days=LASTS), note="逐户到现场核对，不漏户、不重户。")  # fmt: skip
        key = save(row, Verb.CREATE).id
        run(fetch(CensusRound, key), "open")
    fill(census=key, asker=accounts["zhuanban"])
    _count(accounts["yuan-a"], every=HALF)
    _added(accounts["yuan-a"])
    sheet = _count(accounts["yuan-b"], every=1)
    with acting(accounts["suo-b"]):
        run(fetch(CensusReturn, sheet), "hand_in", looked=True)
    made["CensusRound"] = 1


def _count(inspector: int, *, every: int) -> int:
    """Confirm one in so many of a station's sites; one that is no more leaves. Returns the station's return."""
    with acting(inspector):
        office = fetch(Account, inspector).office_id
        mine = (CensusLine.office_id == office, CensusLine.state == LineState.OPEN)
        keys = list(current_session().scalars(select(CensusLine.id).where(*mine).order_by(CensusLine.id)))
        for key in keys[::every][:-1]:
            run(fetch(CensusLine, key), "confirm")
        for key in keys[-1:]:
            run(fetch(CensusLine, key), "retire", reason="铺面已转租他用，电话停机。", why=GoneWhy.LOST)
        return int(current_session().scalars(select(CensusReturn.id).where(CensusReturn.office_id == office)).one())


def _added(inspector: int) -> None:
    """A firm of one line has begun a second one next door."""
    with acting(inspector):
        office = fetch(Account, inspector).office_id
        first = current_session().scalars(select(Site).where(Site.office_id == office).order_by(Site.id)).first()
        if first is not None:
            site = Site(enterprise=first.enterprise, name=f"{first.name}分店", kind=first.kind, area_id=first.area_id,
                        address=f"{first.address}东侧", lines=BITS[Line.SALES] | BITS[Line.CATERING])  # fmt: skip
            save(site, Verb.CREATE, accepted=EVERYTHING)
