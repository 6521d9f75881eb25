"""Demo data of who answers for what: caretakers, a 片区, and a site that one station offers to the other."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.core import clock
from app.core.access.context import acting
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.office import Account
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.area import Area
from app.models.enterprise import ENDED, Site
from app.models.precinct import Precinct, PrecinctArea
from app.services.care import assign, divide
from app.services.transfer import propose

SINCE, LEFT_OUT, ASSISTED, IN_PRECINCT = 60, 9, 4, 20  # days; every so many without anybody, with a 协管; sites


def make_care(accounts: dict[str, int], made: dict[str, int]) -> None:
    """Fill a demo whose firms are there; adds to how many were made."""
    for chief, inspector in (("suo-a", "yuan-a"), ("suo-b", "yuan-b")):
        sites = _sites(accounts[chief])
        made["Caretaker"] = made.get("Caretaker", 0) + _charges(accounts[chief], accounts[inspector], sites)
    sites = _sites(accounts["suo-a"])
    made["Precinct"] = _precinct(accounts["suo-a"], sites)
    made["SiteTransfer"] = _offered(accounts["suo-a"], accounts["suo-b"], sites)


def _sites(chief: int) -> list[int]:
    """The keys of the sites in business of a chief's station."""
    with acting(chief):
        session = current_session()
        office = fetch(Account, chief).office_id
        return list(session.scalars(
            select(Site.id).where(Site.office_id == office, Site.state.not_in(ENDED)).order_by(Site.id)
        ))  # fmt: skip


def _charges(chief: int, inspector: int, sites: list[int]) -> int:
    """The inspector for most, the chief beside at some; for some nobody yet."""
    day, done = clock.today() - timedelta(days=SINCE), 0
    with acting(chief):
        for number, key in enumerate(sites, 1):
            if number % LEFT_OUT:
                assign(key, day, inspector, [] if number % ASSISTED else [chief])
                done += 1 if number % ASSISTED else 2
    return done


def _precinct(chief: int, sites: list[int]) -> int:
    with acting(chief):
        session = current_session()
        found = list(session.scalars(select(Site).where(Site.id.in_(sites)).order_by(Site.id)).unique())
        if not found:
            return 0
        area = fetch(Area, found[0].area_id)
        row = Precinct(name="孟和街片", note="孟和街以东、东环路以西。", areas=[PrecinctArea(area=area)])
        row.office_id = found[0].office_id
        save(row, Verb.CREATE)
        with unit_of_work(Verb.UPDATE):
            for site in [one for one in found if one.area_id == area.id][:IN_PRECINCT]:
                divide(site, row.id)
    return 1


def _offered(giver: int, receiver: int, sites: list[int]) -> int:
    """The last site of the one station, from next week on."""
    with acting(receiver):
        office = fetch(Account, receiver).office_id
    with acting(giver):
        if sites:
            propose(sites[-1], office, clock.today() + timedelta(days=7), reason="场所在该所辖区内。")
    return min(len(sites), 1)
