"""Units of work: the lock first, one commit, nothing written outside; two writers on one row."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.core.db import current_session
from app.core.errors import Conflict, WriteOutsideUnit
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.writing import act, retry_once, unit_of_work
from app.models.enterprise import Enterprise, Site
from tests.support.house import A, House


def test_a_change_outside_a_unit_of_work_is_refused(house: House) -> None:
    site = house.site_of(A)
    with house.acting("yuan-a"):
        session = current_session()
        session.get_one(Site, site).name = "悄悄改"
        with pytest.raises(WriteOutsideUnit):
            session.flush()
        session.rollback()
        session.add(Enterprise(name="悄悄加"))
        with pytest.raises(WriteOutsideUnit):
            session.commit()
        session.rollback()
    with house.system() as session:
        assert session.get_one(Site, site).name != "悄悄改"


def test_an_error_inside_rolls_everything_back(house: House) -> None:
    site = house.site_of(A)
    with house.acting("yuan-a"):
        with pytest.raises(ZeroDivisionError), unit_of_work() as session:
            session.get_one(Site, site).name = "半途"
            session.flush()
            raise ZeroDivisionError
        assert current_session().get_one(Site, site).name != "半途"


def test_inner_units_join_the_outer_one(house: House) -> None:
    site = house.site_of(A)
    with house.acting("yuan-a"):
        with pytest.raises(ZeroDivisionError), unit_of_work(Verb.UPDATE, "外"):
            with unit_of_work(Verb.CREATE, "内") as session:
                session.get_one(Site, site).name = "内层"
            raise ZeroDivisionError
        assert current_session().get_one(Site, site).name != "内层"


def test_read_then_write_by_eight_threads_loses_nothing(house: House) -> None:
    """Deferred transactions fail here with "database is locked"; the write lock first does not."""
    site, rounds = house.site_of(A), 12
    barrier = threading.Barrier(8)

    def work(number: int) -> int:
        barrier.wait()
        done = 0
        for _ in range(rounds):
            with house.acting("yuan-a"), unit_of_work() as session:
                row = session.scalars(select(Site).where(Site.id == site).with_for_update()).one()
                row.address = str(int(row.address if row.address.isdigit() else 0) + 1)
                done += 1
        return done

    with house.acting("yuan-a"), unit_of_work() as session:
        session.get_one(Site, site).address = "0"
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 8 * rounds
    with house.system() as session:
        assert session.get_one(Site, site).address == str(8 * rounds)


def test_the_second_writer_of_a_stale_row_is_told(house: House) -> None:
    site = house.site_of(A)
    with house.acting("yuan-a"):
        with pytest.raises(Conflict), unit_of_work() as session:
            row = session.get_one(Site, site)
            session.connection().execute(
                Site.__table__.update().where(Site.__table__.c.id == site).values(version=row.version + 1)
            )
            row.name = "旧版本上的修改"
            session.flush()
        assert current_session().get_one(Site, site).name != "旧版本上的修改"


def test_a_deadlock_victim_is_tried_once_more() -> None:
    class Victim(Exception):
        sqlstate = "40P01"

    calls: list[int] = []

    def fails(times: int) -> str:
        calls.append(1)
        if len(calls) <= times:
            raise OperationalError("SELECT", {}, Victim())
        return "done"

    assert retry_once(lambda: fails(1)) == "done"
    calls.clear()
    with pytest.raises(OperationalError):
        retry_once(lambda: fails(2))
    assert len(calls) == 2


def test_an_act_carries_its_verb_and_reason(house: House) -> None:
    seen: list[tuple[str, str]] = []

    @act(Verb.SERVE)
    def serve(*, reason: str) -> None:
        unit = current_session().info["unit"]
        seen.append((unit.verb, unit.reason))

    with house.acting("yuan-a"):
        serve(reason="当面送达")
    assert seen == [("serve", "当面送达")]


def test_saving_says_what_is_wrong_field_by_field(house: House) -> None:
    with house.acting("yuan-a"):
        with pytest.raises(Refused) as refused:
            save(Enterprise(name="", code="9115052", state="不存在", address="x" * 201), Verb.CREATE)
        assert {"name", "code", "state", "address"} <= set(refused.value.fields)
        with pytest.raises(Refused) as control:
            save(Enterprise(name="坏\x00字"), Verb.CREATE)
        assert "name" in control.value.fields


def test_a_doubt_needs_a_tick(house: House) -> None:
    """The inner (GB 11714) digit wrong, the outer right: a warning that needs a tick (domain §9.1)."""
    from app.core.codes import check_credit_code, make_credit_code

    good = make_credit_code(900_001)
    doubtful = next(
        code
        for digit in "0123456789X"
        for check in "0123456789ABCDEFGHJKLMNPQRTUWXY"
        if (verdict := check_credit_code(code := good[:16] + digit + check)) and verdict.ok and verdict.warnings
    )
    with house.acting("yuan-a"):
        with pytest.raises(Refused) as refused:
            save(Enterprise(name="奈曼旗存疑店", code=doubtful), Verb.CREATE)
        assert [doubt.name for doubt in refused.value.doubts] == ["accept-code"]
        assert save(Enterprise(name="奈曼旗存疑店", code=doubtful), Verb.CREATE, accepted=frozenset({"accept-code"})).id


def test_one_code_is_one_firm_whatever_the_office(house: House) -> None:
    with house.system() as session:
        code = session.scalars(select(Enterprise.code).where(Enterprise.office_id != house.offices[A])).first()
    with house.acting("yuan-a"), pytest.raises(Refused) as refused:
        save(Enterprise(name="奈曼旗重复店", code=code), Verb.CREATE)
    assert set(refused.value.fields) == {"code"}
