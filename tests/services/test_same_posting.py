"""The same posting is given once: person, office, role, over common days; of two, the end of one leaves nobody in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.db import current_session, db
from app.core.errors import Conflict, Invalid
from app.core.office import AccessRole, Account, Family, Leaving, Posting
from app.core.proposal import PostingProposal
from app.core.saving import checked, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.models.lines import Line
from app.services.handover import end_posting
from app.services.office import add_posting
from tests.services.test_granting import BUREAU, administrator, person, propose
from tests.support.house import A, B, House
from tests.support.rights import link

CATERING, MAKING = int(Line.CATERING), int(Line.PRODUCTION)


def give(
    house: House, account: int, office: str = A, role: str = "inspector", *, lines: int = 0, since: int = 0,
    until: int | None = None,
) -> set[str]:  # fmt: skip
    """An administrator appoints, from a day to a day counted from today; the fields that were refused."""
    with house.acting("admin"):
        row = Posting(
            account_id=account, office_id=house.offices[office], date_from=clock.today() + timedelta(since),
            date_to=None if until is None else clock.today() + timedelta(until),
            role=current_session().scalars(select(AccessRole).where(AccessRole.code == role)).one(), lines=lines,
        )  # fmt: skip
        try:
            save(row, Verb.CREATE)
        except Invalid as refused:
            return set(refused.fields)
    return set()


def held(house: House, account: int) -> int:
    with house.system() as session:
        return session.scalar(select(func.count(Posting.id)).where(Posting.account_id == account)) or 0


def test_the_same_again_is_refused_and_what_differs_is_not(house: House) -> None:
    xin = person(house, "xin", Family.BUSINESS)
    assert give(house, xin, until=30) == set()
    for again in ({}, {"since": 30}, {"since": -9}, {"since": -9, "until": 0}, {"since": 5, "until": 6}):
        assert give(house, xin, **again) == {"account"}, again
    for other in ({"office": B}, {"role": "clerk"}, {"since": 31}, {"since": -9, "until": -1}):
        assert give(house, xin, **other) == set(), other  # type: ignore[arg-type]  # by keyword
    assert held(house, xin) == 5


def test_lines_that_have_nothing_in_common_are_two_postings(house: House) -> None:
    xin = person(house, "xin", Family.BUSINESS)
    assert give(house, xin, lines=CATERING) == set()
    for again in ({"lines": CATERING}, {"lines": CATERING | MAKING}, {}):
        assert give(house, xin, **again) == {"account"}, again
    assert give(house, xin, lines=MAKING) == set()


def test_both_accounts_of_one_person_count(house: House) -> None:
    first, second = person(house, "xin", Family.BUSINESS), person(house, "xin-2", Family.BUSINESS)
    link(house, "xin", "xin-2")
    assert give(house, first) == set()
    assert give(house, second) == {"account"}


def test_after_the_end_it_is_given_anew_and_revoking_leaves_nobody_in(house: House) -> None:
    xin = person(house, "xin", Family.BUSINESS)
    for _time in range(2):
        assert give(house, xin) == set()
        with house.acting("admin"):
            mine = (Posting.account_id == xin, Posting.ended_at.is_(None))
            end_posting(current_session().scalars(select(Posting.id).where(*mine)).one(), Leaving.REVOKED, "撤销")
        with house.acting("xin") as access:
            assert access.postings == ()


def test_a_stored_posting_is_not_stretched_over_the_next(house: House) -> None:
    xin = person(house, "xin", Family.BUSINESS)
    assert give(house, xin, until=9) == give(house, xin, since=10) == set()
    with house.acting("admin"), pytest.raises(Invalid) as refused, unit_of_work():
        row = current_session().scalars(select(Posting).where(Posting.account_id == xin).order_by(Posting.id)).first()
        assert row is not None
        row.date_to = None
        save(row, Verb.UPDATE)
    assert set(refused.value.fields) == {"account"}


def on_screen(house: House, account: int) -> None:
    with house.system() as session:
        role = session.scalars(select(AccessRole.id).where(AccessRole.code == "inspector")).one()
    form = {"account": account, "office": house.offices[A], "role": role, "date_from": clock.today().isoformat()}
    answer = house.client("admin").post("/postings/add", data=form)
    assert answer.status_code == 422 and "已有同样的任职" in answer.get_data(as_text=True)


def by_api(house: House, account: int) -> None:
    with house.system() as session:
        role = session.scalars(select(AccessRole.public_id).where(AccessRole.code == "inspector")).one()
        key = session.get_one(Account, account).public_id
        office = session.scalars(select(Posting).where(Posting.account_id == account)).one().office.public_id
    body = {"account": key, "office": office, "role": role, "date_from": clock.today().isoformat()}
    answer = house.client("admin").post("/api/v1/postings/", json=body)
    assert answer.status_code == 422 and "account" in answer.get_json()["fields"]


def by_command(house: House, _account: int) -> None:
    with house.system(), pytest.raises(Invalid, match="已有同样的任职"):
        add_posting("xin", A, "inspector")


@pytest.mark.parametrize("door", [on_screen, by_api, by_command])
def test_it_is_refused_at_every_door(house: House, door: Callable[[House, int], None]) -> None:
    xin = person(house, "xin", Family.BUSINESS)
    assert give(house, xin) == set()
    door(house, xin)
    assert held(house, xin) == 1


def test_twice_in_one_file_is_seen_before_either_is_written(small: House) -> None:
    """An import checks rows before it flushes a hundred of them."""
    xin, day = person(small, "xin", Family.BUSINESS), clock.today()
    with small.acting("admin"), unit_of_work(Verb.CREATE) as session, session.no_autoflush:
        role = session.scalars(select(AccessRole).where(AccessRole.code == "inspector")).one()
        rows = [Posting(account_id=xin, office_id=small.offices[A], role=role, date_from=day) for _ in range(2)]
        assert not checked(rows[0]).errors
        session.add(rows[0])
        assert set(checked(rows[1]).errors) == {"account"}
        session.expunge_all()


def test_two_giving_it_at_once_give_it_once(house: House) -> None:
    xin, told, start = person(house, "xin", Family.BUSINESS), [], threading.Barrier(2)

    def go() -> None:
        start.wait()
        told.append(give(house, xin))
        with house.app.app_context():
            db.session.remove()

    threads = [threading.Thread(target=go) for _ in range(2)]
    [one.start() for one in threads]
    [one.join() for one in threads]
    assert sorted(told, key=len) == [set(), {"account"}]
    assert held(house, xin) == 1


def test_a_proposal_is_not_confirmed_beside_the_same_posting(house: House) -> None:
    administrator(house, "admin-2", BUREAU, "sysadmin")
    target = administrator(house, "xin", BUREAU, "sysadmin")
    key = propose(house, "admin", target)
    with house.acting("admin-2"), pytest.raises(Conflict, match="已有同样的任职"):
        run(current_session().get_one(PostingProposal, key), "confirm")
    assert held(house, target) == 1
