"""Whoever changes the history behind the program's back is found out, down to the first bad entry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.cli import main
from app.core import anchors, clock
from app.core.document import IssuedDocument
from app.core.errors import AccessRefused
from app.core.history import _store, record, remark, verify
from app.core.history_entry import HistoryCheckpoint, HistoryEntry, HistoryHead, HistoryLink, seal_of, summary_of
from app.core.history_verify import Break, verify_office
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Site
from tests.support.house import A, B, House
from tests.support.tampering import unguarded

ENTRIES, LINKS, HEADS = HistoryEntry.__table__, HistoryLink.__table__, HistoryHead.__table__
COLUMNS = sorted(column.name for column in ENTRIES.columns if column.name != "id")


@contextmanager
def opened(house: House) -> Iterator[Session]:
    """The database open to whoever holds it; what is done to it is undone afterwards."""
    with house.system() as session:
        unguarded(session)
        try:
            yield session
        finally:
            session.rollback()


def chain_of(session: Session, office: int) -> list[Any]:
    return list(session.execute(select(*ENTRIES.c).where(ENTRIES.c.office_id == office).order_by(ENTRIES.c.seq)))


def rename_both(house: House) -> None:
    """One act on two records, so that an entry has a further one."""
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "一起更名") as session:
        for number, key in enumerate((house.site_of(A), house.site_of(A, 1))):
            session.get_one(Site, key).name = f"新名字{number}"


def other(value: Any, where: int) -> Any:
    """Something else than this value, one byte of it at most."""
    if value is None:
        return 1
    if isinstance(value, str):
        at = where % max(len(value), 1)
        return f"{value[:at]}{'y' if value[at : at + 1] == 'x' else 'x'}{value[at + 1 :]}"
    if isinstance(value, int):
        return value + 100_000 + where
    return value + timedelta(microseconds=1 + where)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(COLUMNS), st.integers(0, 10_000), st.integers(0, 10_000))
def test_any_byte_of_any_entry_that_is_changed_is_found(house: House, column: str, which: int, where: int) -> None:
    office = house.offices[A]
    with opened(house) as session:
        told = chain_of(session, office)
        entry = told[which % len(told)]
        changed = {column: other(getattr(entry, column), where)}
        session.execute(update(HistoryEntry).where(HistoryEntry.id == entry.id).values(changed))
        found = verify_office(session, office)
    assert found is not None
    assert (found.office_id, found.seq) == (office, entry.seq)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["removed", "swapped", "doubled", "before the first", "after the last"]), st.data())
def test_entries_removed_swapped_or_put_in_are_found(house: House, what: str, data: st.DataObject) -> None:
    office = house.offices[A]
    with opened(house) as session:
        told = chain_of(session, office)
        places = st.integers(0, len(told) - 1)
        first, second = sorted((data.draw(places), data.draw(places)))
        expected = _rearrange(session, told, what, first, second)
        found = verify_office(session, office)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.seq == expected


def _rearrange(session: Session, told: list[Any], what: str, first: int, second: int) -> int | None:
    """Do it; the number of the entry that must be named, None when nothing was done."""
    one, two = told[first], told[second]
    if what == "removed":
        session.execute(delete(HistoryEntry).where(HistoryEntry.id == one.id))
        return int(one.seq)
    if what == "swapped":
        if first == second:
            return None
        parts = [name for name in COLUMNS if name not in {"seq", "office_id", "public_id"}]
        for row, place in ((one, two), (two, one)):
            values = {name: getattr(row, name) for name in parts}
            session.execute(update(HistoryEntry).where(HistoryEntry.id == place.id).values(values))
        return int(one.seq)
    seq = {"before the first": 0, "after the last": told[-1].seq + 1, "doubled": told[-1].seq + 7}[what]
    copied = {name: getattr(one, name) for name in COLUMNS} | {"seq": seq, "public_id": public_id()}
    session.execute(insert(HistoryEntry).values(copied))
    return int(min(seq, told[-1].seq + 1))


@pytest.mark.parametrize("what", ["removed", "put in", "changed", "moved past the end"])
def test_the_further_records_of_an_entry_are_covered_too(house: House, what: str) -> None:
    rename_both(house)
    office = house.offices[A]
    with opened(house) as session:
        link = session.execute(select(*LINKS.c).where(LINKS.c.office_id == office).order_by(LINKS.c.id.desc())).first()
        assert link is not None
        mine, last = LINKS.c.id == link.id, chain_of(session, office)[-1].seq
        copied = {"office_id": office, "seq": 2, "entity": "Site", "row_id": 7, "public_id": public_id(), "version": 1}
        expected, act = {
            "removed": (link.seq, delete(HistoryLink).where(mine)),
            "put in": (2, insert(HistoryLink).values(copied)),
            "changed": (link.seq, update(HistoryLink).where(mine).values(row_id=link.row_id + 1)),
            "moved past the end": (link.seq, update(HistoryLink).where(mine).values(seq=last + 5)),
        }[what]
        assert verify_office(session, office) is None
        session.execute(act)
        found = verify_office(session, office)
    assert found is not None
    assert found.seq == expected


def cut(connection: Connection, office: int, seq: int) -> None:
    """Take the end of a chain off and set its head back, so that nothing in the chain itself is wrong."""
    mine = ENTRIES.c.office_id == office
    connection.execute(delete(LINKS).where(LINKS.c.office_id == office, LINKS.c.seq > seq))
    connection.execute(delete(ENTRIES).where(mine, ENTRIES.c.seq > seq))
    link = connection.scalar(select(ENTRIES.c.hash).where(mine, ENTRIES.c.seq == seq))
    connection.execute(update(HEADS).where(HEADS.c.office_id == office).values(seq=seq, hash=link))


def damage(house: House, act: Callable[[Connection], None]) -> list[Break]:
    """What `verify` finds after this was done to the database."""
    with house.system() as session:
        act(unguarded(session))
        session.commit()
        return list(verify())


def test_a_chain_cut_back_to_an_older_state_is_found_by_the_file_of_the_day(house: House) -> None:
    office = house.offices[B]  # no paper of this station has kept its head
    with house.system() as session:
        session.execute(select(IssuedDocument.id))
        path = anchors.anchor()
        last = chain_of(session, office)[-1].seq
    found = damage(house, lambda connection: cut(connection, office, last - 2))
    path.unlink()
    mine = [one for one in found if one.office_id == office]
    assert [one.seq for one in mine] == [last - 1]
    assert path.name in mine[0].what or "留存的链头" in mine[0].what


def test_a_chain_cut_before_a_signed_paper_is_found_by_the_paper(house: House) -> None:
    with house.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.chain_head != "")).first()
        assert paper is not None
        office, head, number = paper.made_office_id, paper.chain_head, paper.number
        seq = session.scalars(select(HistoryEntry.seq).where(HistoryEntry.hash == head)).one()
    found = damage(house, lambda connection: cut(connection, office, seq - 1))
    assert [(one.office_id, one.seq) for one in found] == [(office, seq)]
    assert number in found[0].what


def test_a_chain_written_anew_with_the_key_is_found_by_the_file(house: House) -> None:
    """The last acts of a station are taken back and told otherwise, with the running program's own key."""
    office = house.offices[A]
    with house.system() as session:
        last = chain_of(session, office)[-1].seq
        path = anchors.anchor()
    assert damage(house, lambda connection: cut(connection, office, last - 1)) != []
    with house.acting("yuan-a"):
        record(Verb.READ, "没有发生过的事", office_id=office)
    with house.app.app_context():
        found = list(verify())
    path.unlink()
    told = [(one.office_id, one.seq) for one in found if "留存" in one.what and path.name in one.what]
    assert told == [(office, last)]


def test_a_chain_cut_back_after_the_newest_file_is_found_by_its_heads_seal(house: House) -> None:
    """No file and no paper knows of the last acts: the head that says they are not there is none of the program's."""
    office = house.offices[B]
    with house.acting("yuan-b"):
        for what in ("一", "二", "三"):
            record(Verb.READ, what, office_id=office)
    with house.system() as session:
        last = chain_of(session, office)[-1].seq
        assert list(verify()) == []
    found = damage(house, lambda connection: cut(connection, office, last - 2))
    assert [(one.office_id, one.seq) for one in found] == [(office, last - 1)]
    assert "截断" in found[0].what


def test_an_act_that_comes_to_nothing_gives_no_alarm(house: House) -> None:
    """A number that the database gave is lost with the transaction; no seal is made, and the next act makes one."""
    site, office = house.site_of(A), house.offices[A]
    for fails in (True, False, True):
        with house.acting("yuan-a"), suppress(RuntimeError), unit_of_work(Verb.UPDATE, "试") as session:
            session.get_one(Site, site).name = f"新名字{fails}"
            session.flush()
            record_inside(session, office)
            if fails:
                raise RuntimeError
        with house.system():
            assert list(verify()) == []


def record_inside(session: Session, office: int) -> None:
    """An entry is written as before a commit, and its number is given."""
    remark(Verb.READ, "其间", office_id=office, session=session)
    _store(session)


def test_a_checkpoint_with_nothing_after_it_is_found(house: House) -> None:
    """The newest entry stays whatever retention takes away: a chain that ends at its checkpoint was cut."""
    office = house.offices[B]
    with house.system() as session:
        last = chain_of(session, office)[-1]
        sealed = {"office_id": office, "seq": last.seq, "hash": last.hash, "at": last.at, "version": 1,
                  "seal": seal_of(office, last.seq, last.hash, last.at)}  # fmt: skip
    found = damage(house, lambda connection: _forge(connection, sealed))
    assert [(one.office_id, one.seq) for one in found] == [(office, last.seq + 1)]


@pytest.mark.parametrize(("form", "told"), [(2, "可疑的请求 ['a=1', 'b']"), (3, "可疑的请求 a=1、b")])
def test_what_an_older_form_said_of_an_entry_is_what_it_is_held_against(form: int, told: str) -> None:
    assert summary_of({"v": form, "reason": "可疑的请求", "facts": {"forged": ["a=1", "b"]}}) == told


def test_a_file_that_was_changed_says_so(house: House) -> None:
    with house.system():
        path = anchors.anchor()
        told = json.loads(path.read_text())
        told["heads"][0][1] += 1
        path.write_text(json.dumps(told))
        found = list(verify())
        path.unlink()
    assert [(one.office_id, one.seq) for one in found] == [(0, 0)]
    assert path.name in found[0].what


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\x00", b'{"seal": 1, "heads": 7, "at": "x"}'])
def test_a_file_of_anything_else_is_named_and_nothing_breaks(small: House, content: bytes) -> None:
    with small.system():
        path = anchors.folder() / "2026-01-01.json"
        path.write_bytes(content)
        found = list(verify())
        path.unlink()
    assert [one.what for one in found if path.name in one.what]


def test_heads_are_kept_once_a_day_whole_and_for_a_backup_whenever_asked(small: House) -> None:
    from app.core.jobs import ask_daily, sweep

    with small.system():
        sweep()
        ask_daily()
        sweep()
        path = anchors.anchor()
        before = path.read_bytes()
        record(Verb.READ, "之后的事")
        assert anchors.anchor().read_bytes() == before
        assert path.stat().st_mode & 0o777 == 0o600
        backup = anchors.folder() / "backup-of-a-test.json"
        anchors.anchor(backup)
        heads = anchors.read(backup)
        assert isinstance(heads, list)
        assert backup.read_bytes() != before
        assert not list(anchors.folder().glob(".*"))
        assert list(verify()) == []
        path.unlink()
        backup.unlink()
    assert len(heads) >= 2


# -- nobody changes it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [HistoryEntry, HistoryLink, HistoryHead])
@pytest.mark.parametrize("act", ["UPDATE", "DELETE"])
def test_the_database_itself_refuses(house: House, model: Any, act: str) -> None:
    rename_both(house)
    with house.system() as session:
        connection = session.connection(execution_options={"shouze_write": True})
        table = model.__table__
        statement = update(table).values(seq=1) if act == "UPDATE" else delete(table)
        with pytest.raises(DBAPIError, match="append-only"):
            connection.execute(statement)
        session.rollback()
        assert list(verify()) == []


@pytest.mark.parametrize("who", [None, "audit", "admin", "ju"])
@pytest.mark.parametrize("how", ["add", "change", "delete"])
def test_the_session_refuses_rows_by_hand_whoever_asks(house: House, who: str | None, how: str) -> None:
    with house.system() as session:
        before = session.scalar(select(func.count(HistoryEntry.id)))
    context = house.acting(who) if who else house.system()
    with context, pytest.raises(AccessRefused), unit_of_work(Verb.UPDATE, "改历史") as session:
        if how == "add":
            session.add(HistoryEntry(office_id=0, seq=10**6, body="{}", hash="0" * 64, verb="read"))
        else:
            row = session.scalars(select(HistoryEntry).limit(1)).first()
            if row is None:
                raise AccessRefused("not even read")
            if how == "change":
                row.summary = "改过"
            else:
                session.delete(row)
        session.flush()
    with house.system() as session:
        assert session.scalar(select(func.count(HistoryEntry.id))) == before
        assert list(verify()) == []


def test_a_forged_checkpoint_hides_nothing(house: House) -> None:
    """Who holds the database puts a checkpoint of their own before the end, so that what is below may go."""
    office = house.offices[A]
    with house.system() as session:
        third = chain_of(session, office)[2]
    values = {"office_id": office, "seq": 3, "hash": third.hash, "at": third.at, "seal": "0" * 64, "version": 1}
    found = damage(house, lambda connection: _forge(connection, values))
    assert [(one.office_id, one.seq) for one in found] == [(office, 3)]


def _forge(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(insert(HistoryCheckpoint.__table__).values(values))
    office, seq = values["office_id"], values["seq"]
    connection.execute(delete(LINKS).where(LINKS.c.office_id == office, LINKS.c.seq <= seq))
    connection.execute(delete(ENTRIES).where(ENTRIES.c.office_id == office, ENTRIES.c.seq <= seq))


def test_the_command_names_office_number_time_and_what(small: House) -> None:
    office = small.offices[A]
    with small.system() as session:
        third = chain_of(session, office)[2]
        unguarded(session).execute(update(ENTRIES).where(ENTRIES.c.id == third.id).values(summary="改过"))
        session.commit()
    answer = small.app.test_cli_runner().invoke(main, ["audit", "verify"])
    assert answer.exit_code == 1, answer.exception
    assert answer.output, answer.exception
    line = answer.output.splitlines()[0]
    for word in ("大沁他拉", " 3 ", f"{clock.local(third.at):%Y-%m-%d %H:%M}", "summary"):
        assert word in line
