"""A site goes from station A to station B: proposed, accepted, moved on its day; the sum over offices stays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Taken
from app.core.history import HistoryEntry, verify
from app.core.jobs import Job, JobState, sweep
from app.core.message import Message
from app.core.saving import save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import AppointmentRole, NoticeState, SiteKind, TransferState
from app.models.care import Caretaker
from app.models.enterprise import Enterprise, EnterpriseOffice, Site
from app.models.inspection import Inspection
from app.models.personnel import Appointment, Person
from app.models.precinct import Precinct
from app.models.rectification import Notice
from app.models.transfer import SiteTransfer, SiteTransferLine
from app.services.care import assign, divide
from app.services.enterprise import hanging_on_sites
from app.services.ledger import Wanted, Which, counts
from app.services.transfer import move_due, propose
from tests.support.house import A, B, House
from tests.support.rights import MAY, NOTHING, READS, outcome

S = TransferState


def sums(house: House) -> dict[str, dict[int, int]]:
    """Rows by entity and by the office that answers; no zeros."""
    found = {}
    with house.system() as session:
        for cls in (*hanging_on_sites(), Enterprise, Person):
            rows = session.execute(select(cls.office_id, func.count(cls.id)).group_by(cls.office_id)).all()
            found[cls.__name__] = {office: number for office, number in rows}
    return found


def ledgers(house: House) -> dict[str, int]:
    """How many firms each station's chief has in the two ledgers together."""
    found = {}
    for who in ("suo-a", "suo-b", "ju"):
        with house.acting(who):
            found[who] = counts(Wanted(Which.A, clock.today())).firms
    return found


def worked_on(house: House) -> int:
    """A site of A about which there is a signed notice."""
    with house.system() as session:
        mine = (Notice.office_id == house.offices[A], Notice.state == NoticeState.SIGNED)
        return session.scalars(select(Notice.site_id).where(*mine).order_by(Notice.id)).first() or 0


def offer(house: House, site: int, who: str = "suo-a", to: str = B, when: int = 0) -> int:
    with house.acting(who):
        return propose(site, house.offices[to], clock.today() + timedelta(days=when), reason="辖区调整").id


def answer(house: House, key: int, step: str, who: str = "suo-b", reason: str = "") -> None:
    with house.acting(who):
        run(fetch(SiteTransfer, key), step, reason=reason)


def work(house: House) -> None:
    """The worker does what waits."""
    with house.app.app_context():
        sweep()


def transfer(house: House, key: int) -> Any:
    with house.system() as session:
        row = session.get_one(SiteTransfer, key)
        return row.state, row.moved_on, {one.kind: (one.total, one.open_rows) for one in row.items}


def test_nothing_moves_until_it_is_accepted_then_all_of_it_does_and_the_sum_stays(house: House) -> None:
    site = worked_on(house)
    with house.acting("suo-a"), unit_of_work():
        assign(site, clock.today() - timedelta(days=30), house.accounts["yuan-a"])
        precinct = save(Precinct(name="孟和街"), Verb.CREATE).id
    with house.acting("suo-a"), unit_of_work():
        divide(fetch(Site, site, Verb.UPDATE), precinct)
    before, firms = sums(house), ledgers(house)
    key = offer(house, site)
    assert sums(house) == before, "while it is open nothing moves"
    answer(house, key, "accept")
    work(house)
    state, moved_on, lines = transfer(house, key)
    assert (state, moved_on) == (S.ACCEPTED, clock.today())
    after = sums(house)
    assert after != before
    assert {name: sum(rows.values()) for name, rows in after.items()} == {
        name: sum(rows.values()) for name, rows in before.items()
    }
    a, b = house.offices[A], house.offices[B]
    for name, rows in before.items():
        went = rows.get(a, 0) - after[name].get(a, 0)
        assert after[name].get(b, 0) - rows.get(b, 0) == went
    listed = {"suo-a": firms["suo-a"] - 1, "suo-b": firms["suo-b"] + 1, "ju": firms["ju"]}
    assert ledgers(house) == listed, "a firm is in the ledger of one station"
    assert before["Site"][a] - after["Site"][a] == 1
    assert lines["经营场所"] == (1, 0) and lines["责令改正通知书"][1] >= 1
    with house.system() as session:
        row = session.get_one(Site, site)
        assert (row.office_id, row.made_office_id, row.precinct_id) == (b, a, None)
        care = session.scalars(select(Caretaker)).one()
        assert care.date_to == clock.today() - timedelta(days=1) and care.office_id == b
        signed = (Notice.site_id == site, Notice.state == NoticeState.SIGNED)
        notice = session.scalars(select(Notice).where(*signed)).first()
        assert notice is not None and notice.handler_id == house.accounts["suo-b"], "who accepted has the open cases"
        assert notice.made_office_id == a
    with house.app.app_context():
        assert list(verify()) == []


def test_the_old_station_reads_what_it_made_and_the_new_one_works_on(house: House) -> None:
    site = worked_on(house)
    with house.system() as session:
        notice = session.scalars(select(Notice.id).where(Notice.site_id == site)).first() or 0
        firm = session.get_one(Site, site).enterprise_id
    rows = ((Site, site), (Notice, notice), (Enterprise, firm))
    assert [outcome(house, "suo-b", row, Verb.READ) for row in rows] == [NOTHING] * 3
    key = offer(house, site)
    assert [outcome(house, "suo-b", row, Verb.READ) for row in rows] == [NOTHING] * 3, "a proposal shows no row"
    answer(house, key, "accept")
    work(house)
    assert [outcome(house, "suo-a", row, Verb.READ) for row in rows] == [MAY] * 3
    assert outcome(house, "suo-a", (Site, site), Verb.UPDATE) == READS
    assert outcome(house, "suo-b", (Site, site), Verb.UPDATE) == MAY
    with house.acting("suo-b"):
        assert current_session().get(SiteTransfer, key).site.name  # type: ignore[union-attr]
    with house.system() as session:
        offices = {entry.office_id for entry in session.scalars(select(HistoryEntry)) if "移交场所" in str(entry.body)}
    assert offices == {house.offices[A], house.offices[B]}


RIGHTS = [
    ("suo-a", Verb.READ, MAY), ("suo-b", Verb.READ, MAY), ("yuan-b", Verb.READ, MAY), ("ju", Verb.READ, MAY),
    ("suo-a", Verb.REVOKE, MAY), ("suo-b", Verb.CONFIRM, MAY), ("suo-b", Verb.RETURN, MAY),
    ("suo-a", Verb.CONFIRM, READS), ("yuan-b", Verb.CONFIRM, READS), ("neiqin-a", Verb.REVOKE, READS),
    ("ju", Verb.CONFIRM, READS), ("firm-a", Verb.READ, NOTHING), ("admin", Verb.READ, NOTHING),
]  # fmt: skip


def test_who_reads_and_answers_a_proposal(house: House) -> None:
    key = offer(house, house.site_of(A))
    found = [(who, verb, outcome(house, who, (SiteTransfer, key), verb)) for who, verb, _said in RIGHTS]
    assert found == RIGHTS


@pytest.mark.parametrize(("who", "raised"), [("suo-b", NotFound), ("yuan-a", Forbidden), ("neiqin-a", Forbidden),
                                             ("firm-a", (Forbidden, NotFound))])  # fmt: skip
def test_who_may_not_give_it_away(small: House, who: str, raised: Any) -> None:
    with pytest.raises(raised):
        offer(small, small.site_of(A), who)
    with small.system() as session:
        assert session.scalar(select(func.count(SiteTransfer.id))) == 0


def test_headquarters_proposes_as_well_and_withdraws_its_own(small: House) -> None:
    key = offer(small, small.site_of(A), "ju")
    with pytest.raises(Forbidden):
        answer(small, key, "withdraw", "suo-a", "不移了")
    answer(small, key, "withdraw", "ju", "不移了")
    assert transfer(small, key)[0] == S.WITHDRAWN
    assert offer(small, small.site_of(A)), "then it can be proposed again"


def test_returned_it_stays_and_the_proposer_is_told_why(house: House) -> None:
    before, key = sums(house), offer(house, house.site_of(A))
    with pytest.raises(Invalid):
        answer(house, key, "refuse")
    answer(house, key, "refuse", reason="不在我所辖区")
    work(house)
    assert transfer(house, key) == (S.REFUSED, None, {}) and sums(house) == before
    with pytest.raises(Taken):
        answer(house, key, "accept")
    with house.system() as session:
        mine = Message.account_id == house.accounts["suo-a"]
        assert "不在我所辖区" in [one.text for one in session.scalars(select(Message).where(mine))]


def test_a_site_has_one_proposal_at_a_time_and_bad_ones_are_refused(house: House) -> None:
    site, today = house.site_of(A), clock.today()
    with house.acting("suo-a"):
        for office, day, reason, field in (
            (None, today, "改", "office"), (house.offices[A], today, "改", "office"), (10**15, today, "改", "office"),
            (house.offices["150525"], today, "改", "office"), (house.offices[B], None, "改", "day"),
            (house.offices[B], today - timedelta(days=1), "改", "day"),
            (house.offices[B], date(9999, 1, 1), "改", "day"),
            (house.offices[B], today, " ", "reason"), (house.offices[B], today, "长" * 10_000, "reason"),
        ):  # fmt: skip
            with pytest.raises(Invalid) as caught:
                propose(site, office, day, reason=reason)
            assert set(caught.value.fields) == {field}
    offer(house, site)
    with pytest.raises(Conflict):
        offer(house, site)


def test_what_is_accepted_for_a_later_day_moves_on_that_day_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before, key = sums(house), offer(house, house.site_of(A), when=3)
    answer(house, key, "accept")
    work(house)
    with house.app.app_context():
        move_due()
    assert sums(house) == before
    later = clock.today() + timedelta(days=3)
    monkeypatch.setattr(clock, "today", lambda: later)
    with house.app.app_context():
        move_due()
        move_due()
    assert transfer(house, key)[1] == later
    with house.system() as session:
        assert session.scalar(select(func.count(SiteTransferLine.id)).where(SiteTransferLine.kind == "经营场所")) == 1


def test_a_crash_in_the_move_leaves_nothing_half_done(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before, key = sums(house), offer(house, worked_on(house))
    answer(house, key, "accept")

    def fails(*_arguments: Any) -> None:
        raise OSError("the machine went down")

    with monkeypatch.context() as patch:
        patch.setattr("app.services.transfer._lines", fails)
        work(house)
    assert sums(house) == before and transfer(house, key)[1] is None
    with house.app.app_context():
        move_due()
    assert transfer(house, key)[1] == clock.today() and sums(house) != before
    with house.system() as session:
        assert {one.state for one in session.scalars(select(Job).where(Job.kind == "transfer.move"))} - {JobState.DONE}


# -- firms with several sites -----------------------------------------------------------------------------------------


def chain(house: House) -> tuple[int, list[int], int]:
    """A firm of A with two sites and a principal of the firm as a whole: (firm, sites, appointment)."""
    office = house.offices[A]
    with house.system() as session, unit_of_work():
        firm = Enterprise(name="双店商贸", office_id=office, lines=1)
        same = {"enterprise": firm, "kind": SiteKind.SELLER, "lines": 1, "office_id": office}
        sites = [Site(name=f"双店商贸{n}店", **same) for n in "一二"]
        person = Person(name="高双", office_id=office)
        session.add_all([firm, *sites, person])
        session.flush()
        held = Appointment(person=person, enterprise=firm, role=AppointmentRole.PRINCIPAL, date_from=date(2025, 1, 1))
        session.add(held)
        session.flush()
        return firm.id, [one.id for one in sites], held.id


def test_a_firm_stays_until_its_last_site_goes_and_both_stations_read_it_meanwhile(house: House) -> None:
    firm, sites, held = chain(house)
    what = ((Enterprise, firm), (Appointment, held))
    assert [outcome(house, "suo-b", one, Verb.READ) for one in what] == [NOTHING, NOTHING]
    answer(house, offer(house, sites[0]), "accept")
    work(house)
    assert [outcome(house, "suo-b", one, Verb.UPDATE) for one in what] == [READS, READS]
    assert [outcome(house, "suo-a", one, Verb.UPDATE) for one in what] == [MAY, MAY]
    with house.acting("suo-b"):
        site = fetch(Site, sites[0])
        assert site.enterprise is not None and site.enterprise.name == "双店商贸"
        assert [one.name for one in current_session().scalars(select(Person).where(Person.name == "高双")).unique()]
        with pytest.raises(NotFound):
            fetch(Site, sites[1])
    page = house.client("suo-b").get("/enterprises/?q=双店商贸")
    assert "双店商贸" in page.get_data(as_text=True) and page.status_code == 200
    assert "双店商贸二店" not in house.client("suo-b").get(f"/enterprises/{firm}").get_data(as_text=True)
    answer(house, offer(house, sites[1]), "accept")
    work(house)
    assert [outcome(house, "suo-b", one, Verb.UPDATE) for one in what] == [MAY, MAY]
    with house.system() as session:
        assert session.scalar(select(func.count(EnterpriseOffice.id))) == 0
        assert session.scalars(select(Person).where(Person.name == "高双")).one().office_id == house.offices[B]
        assert session.scalars(select(Inspection.office_id).where(Inspection.site_id.in_(sites))).all() == []
