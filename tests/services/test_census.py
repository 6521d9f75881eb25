"""摸底: a round from opening to accepted; added, retired, moved and merged sites are each counted once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import AccessRefused, Conflict, Forbidden, Invalid, NotFound
from app.core.jobs import sweep
from app.core.merging import Choice, merge
from app.core.message import Message
from app.core.saving import EVERYTHING, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.census import GoneWhy, LineState, RoundState, SheetState
from app.data.enums import SiteState
from app.models.census import CensusLine, CensusReturn, CensusRound
from app.models.enterprise import ENDED, Enterprise, Site
from app.models.transfer import SiteTransfer
from app.services.census import fill
from app.services.census_figures import By, figures, of_several_lines, undecided, whole
from app.services.ledger import Wanted, Which, counts
from app.services.transfer import propose
from tests.support.house import A, B, House

L, S = LineState, SheetState


def opened(house: House, who: str = "zhuanban") -> int:
    """A round that is open, its lists made."""
    with house.acting(who):
        row = CensusRound(name="年底摸排", as_of=clock.today(), due=clock.today() + timedelta(days=7))
        key = save(row, Verb.CREATE).id
        run(fetch(CensusRound, key), "open")
    work(house)
    return key


def work(house: House) -> None:
    with house.app.app_context():
        sweep()


def sheet_of(house: House, code: str) -> int:
    with house.system() as session:
        found = select(CensusReturn.id).where(CensusReturn.office_id == house.offices[code])
        return session.scalars(found.order_by(CensusReturn.id.desc())).first() or 0


def line_of(house: House, site: int) -> Any:
    with house.system() as session:
        row = session.scalars(select(CensusLine).where(CensusLine.site_id == site)).one()
        return row.state, row.why, row.sheet_id, row.id


def states(house: House, census: int, who: str = "zhuanban") -> tuple[int, dict[str, dict[str, int]]]:
    """The sum, and each station's figures without zeros."""
    with house.acting(who):
        row = fetch(CensusRound, census)
        rows = {one.label: {name: number for name, number in one.states.items() if number}
                for one in figures(row, By.STATION)}  # fmt: skip
        assert sum(sum(one.values()) for one in rows.values()) == whole(row).total
        return whole(row).total, rows


def confirm_all(house: House, who: str, sheet: int) -> None:
    with house.acting(who):
        waiting = select(CensusLine.id).where(CensusLine.sheet_id == sheet, CensusLine.state == L.OPEN)
        for key in list(current_session().scalars(waiting)):
            run(fetch(CensusLine, key), "confirm")


def hand_in(house: House, who: str, sheet: int) -> None:
    with house.acting(who):
        run(fetch(CensusReturn, sheet), "hand_in", looked=True)


def test_a_round_from_opening_to_accepted(house: House) -> None:
    with house.system() as session:
        sites = session.scalar(select(func.count(Site.id)).where(Site.state.not_in(ENDED)))
    with house.acting("yuan-a"), pytest.raises(AccessRefused):
        save(CensusRound(name="私开", as_of=clock.today(), due=clock.today()), Verb.CREATE)
    census = opened(house)
    total, _rows = states(house, census)
    assert total == sites, "each site in being once"
    with house.system() as session:
        told = session.scalars(select(Message.url).where(Message.account_id == house.accounts["suo-a"])).all()
    mine, theirs = sheet_of(house, A), sheet_of(house, B)
    assert f"/census-returns/{mine}" in told
    with house.app.app_context():
        fill(census=census, asker=house.accounts["zhuanban"])
    assert states(house, census)[0] == sites, "the job run again makes nothing twice"

    with house.acting("suo-a"), pytest.raises(Conflict, match="待核"):
        run(fetch(CensusReturn, mine), "hand_in", looked=True)
    with house.acting("yuan-a"), pytest.raises(NotFound):
        fetch(CensusReturn, theirs)
    confirm_all(house, "yuan-a", mine)
    with house.acting("yuan-a"), pytest.raises(Forbidden):
        run(fetch(CensusReturn, mine), "hand_in", looked=True)
    hand_in(house, "suo-a", mine)
    with house.acting("yuan-a"):
        line = current_session().scalars(select(CensusLine.id).where(CensusLine.sheet_id == mine)).first()
        with pytest.raises(Conflict, match="已上报"):
            run(fetch(CensusLine, line), "reopen")
    with house.acting("suo-a"), pytest.raises(Forbidden):
        run(fetch(CensusReturn, mine), "accept")
    with house.acting("zhuanban"):
        run(fetch(CensusReturn, mine), "return", reason="漏了两家")
    with house.acting("yuan-a"):
        run(fetch(CensusLine, line), "reopen")
        run(fetch(CensusLine, line), "confirm")
    hand_in(house, "suo-a", mine)
    with house.acting("ju"):
        run(fetch(CensusReturn, mine), "accept")
    with house.acting("zhuanban"):
        run(fetch(CensusRound, census), "end")
        assert fetch(CensusRound, census).state == RoundState.ENDED
    with house.acting("suo-b"), pytest.raises(Conflict, match="结束"):
        run(fetch(CensusReturn, theirs), "hand_in", looked=True)


def test_a_site_entered_or_closed_meanwhile_is_in_the_list_and_in_no_sealed_one(house: House) -> None:
    census = opened(house)
    before, mine = states(house, census)[0], sheet_of(house, A)

    def enter(name: str) -> int:
        with house.acting("neiqin-a"):
            old = fetch(Site, house.site_of(A))
            site = Site(enterprise=old.enterprise, name=name, kind=old.kind, lines=5, address=name)
            return save(site, Verb.CREATE, accepted=EVERYTHING).id

    new = enter("新开的店")
    assert line_of(house, new)[:3] == (L.ADDED, None, mine)
    assert states(house, census)[0] == before + 1
    with house.acting("neiqin-a"), unit_of_work():
        site = fetch(Site, new)
        site.state = SiteState.DEREGISTERED
        save(site, Verb.UPDATE, accepted=EVERYTHING)
    assert line_of(house, new)[:2] == (L.GONE, GoneWhy.CLOSED)
    other = enter("两条线的店")
    with house.acting("zhuanban"):
        row = fetch(CensusRound, census)
        several, by_line = of_several_lines(row), figures(row, By.LINE)
        assert sum(one.total for one in by_line) >= whole(row).total + several
        assert sum(one.total for one in figures(row, By.SIZE)) == whole(row).total
    confirm_all(house, "yuan-a", mine)
    hand_in(house, "suo-a", mine)
    handed = states(house, census)
    late = enter("上报后开的店")
    with house.system() as session:
        assert session.scalar(select(CensusLine.id).where(CensusLine.site_id == late)) is None
    with house.acting("neiqin-a"), unit_of_work():
        site = fetch(Site, other)
        site.state, site.kind = SiteState.DEREGISTERED, "食杂店"
        save(site, Verb.UPDATE, accepted=EVERYTHING)
    assert states(house, census) == handed, "what was handed in stays as it was"


def test_retiring_goes_the_sites_own_way_and_the_firm_leaves_the_ledger_with_its_last_site(house: House) -> None:
    census = opened(house)
    with house.system() as session:
        alone = select(Site.enterprise_id).group_by(Site.enterprise_id).having(func.count(Site.id) == 1)
        mine = (Site.office_id == house.offices[A], Site.state == SiteState.OPEN, Site.enterprise_id.in_(alone))
        site = session.scalars(select(Site).where(*mine).order_by(Site.id)).first()
        assert site is not None
        key, firm = site.id, site.enterprise_id
    line = line_of(house, key)[3]
    with house.acting("suo-a"):
        before = counts(Wanted(Which.A, clock.today())).firms
        with pytest.raises(Invalid):
            run(fetch(CensusLine, line), "retire", reason="没了", why=GoneWhy.DUPLICATE)
        run(fetch(CensusLine, line), "retire", reason="去年就关了", why=GoneWhy.CLOSED)
        assert fetch(Site, key).state == SiteState.DEREGISTERED
        assert fetch(Enterprise, firm).state == SiteState.DEREGISTERED
        assert counts(Wanted(Which.A, clock.today())).firms == before - 1
        assert fetch(CensusLine, line).reason == "去年就关了"
        with pytest.raises(Conflict, match="注销"):
            run(fetch(CensusLine, line), "reopen")
    assert states(house, census)[1]


def test_a_site_that_goes_to_another_station_is_counted_once(house: House) -> None:
    census = opened(house)
    total, _rows = states(house, census)
    first, second = house.site_of(A), house.site_of(A, 1)
    mine, theirs = sheet_of(house, A), sheet_of(house, B)

    def give(site: int) -> None:
        with house.acting("suo-a"):
            key = propose(site, house.offices[B], clock.today(), reason="辖区调整").id
        with house.acting("suo-b"):
            run(fetch(SiteTransfer, key), "accept")
        work(house)

    with house.acting("yuan-a"):
        run(fetch(CensusLine, line_of(house, first)[3]), "confirm")
    give(first)
    assert line_of(house, first)[:3] == (L.OPEN, None, theirs), "who answers now judges it"
    confirm_all(house, "yuan-b", theirs)
    hand_in(house, "suo-b", theirs)
    give(second)
    assert line_of(house, second)[:3] == (L.CONFIRMED, None, mine), "what was handed in does not change"
    assert states(house, census)[0] == total
    confirm_all(house, "yuan-a", mine)
    hand_in(house, "suo-a", mine)


def test_doubles_are_found_asked_about_and_leave_by_merging(house: House) -> None:
    census, mine = opened(house), sheet_of(house, A)
    with house.acting("neiqin-a"):
        old = fetch(Site, house.site_of(A))
        kept, before = old.id, undecided(census, mine)
        twin = Site(enterprise=old.enterprise, name=old.name, kind=old.kind, lines=old.lines, address=old.address)
        gone = save(twin, Verb.CREATE, accepted=EVERYTHING).id
        kept_version = fetch(Site, kept).version
        assert undecided(census, mine) == before + 1
    confirm_all(house, "yuan-a", mine)
    with house.acting("suo-b"):
        assert undecided(census, mine) == 0, "another station's doubles are not counted out to it"
    with house.acting("suo-a"), pytest.raises(Invalid) as refused:
        run(fetch(CensusReturn, mine), "hand_in")
    assert f"{before + 1} 对疑似重复" in refused.value.fields["looked"]
    total, _rows = states(house, census)
    with house.acting("neiqin-a"):
        pair = fetch(Site, kept), fetch(Site, gone)
        merge(*pair, Choice(frozenset(), frozenset(), "录了两次", (kept_version, pair[1].version)))
    assert line_of(house, gone)[:2] == (L.GONE, GoneWhy.DUPLICATE)
    assert line_of(house, kept)[0] == L.CONFIRMED
    assert states(house, census)[0] == total, "both lines stay; one of them counts"
    with house.acting("suo-a"):
        assert undecided(census, mine) == before
        run(fetch(CensusReturn, mine), "hand_in", looked=before > 0)


def test_a_killed_job_leaves_parts_and_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.census.PART", 7)
    with house.acting("zhuanban"):
        row = CensusRound(name="年底摸排", as_of=clock.today(), due=clock.today())
        census = save(row, Verb.CREATE).id
        run(fetch(CensusRound, census), "open")
    with monkeypatch.context() as broken:
        broken.setattr("app.services.census.tick", lambda: (_ for _ in ()).throw(RuntimeError("killed")))
        work(house)
    with house.system() as session:
        assert session.scalar(select(func.count(CensusLine.id))) == 7
    with house.acting("suo-a"), pytest.raises(Conflict, match="还在建立"):
        run(fetch(CensusReturn, sheet_of(house, A)), "hand_in", looked=True)
    work(house)
    with house.system() as session:
        sites = session.scalar(select(func.count(Site.id)).where(Site.state.not_in(ENDED)))
        assert session.scalar(select(func.count(CensusLine.id))) == sites
