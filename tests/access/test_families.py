"""Families are exclusive: system, audit, business and firm never meet in one account, whichever door is tried."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from app.core import clock
from app.core.db import db
from app.core.errors import AccessRefused, Invalid, ShouzeError
from app.core.office import AccessRole, Account, Family, Posting
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.services.office import add_posting
from tests.support.house import House
from tests.support.rights import R, outcome, post, put_to, scene

# account, role, whether they go together
PAIRS = [
    ("yuan-a", "chief", True),
    ("admin", "chief", False),
    ("audit", "inspector", False),
    ("firm-a", "clerk", False),
    ("yuan-a", "sysadmin", False),
    ("yuan-a", "auditor", False),
    ("yuan-a", "firm_officer", False),
    ("audit", "sysadmin", False),
    ("admin", "auditor", False),
    ("firm-a", "firm_officer", True),
]


@pytest.mark.parametrize(("who", "code", "fits"), PAIRS)
def test_the_database_takes_no_mixed_posting(house: House, who: str, code: str, fits: bool) -> None:
    if fits:
        post(house, who, code, "A")
        return
    with pytest.raises(AccessRefused):
        post(house, who, code, "A")
    with house.app.app_context(), pytest.raises(Invalid):
        from app.core.db import unscoped

        with unscoped("test"):
            add_posting(who, "150525-S01", code)
    with house.acting("admin"), pytest.raises(ShouzeError):
        session = db.session
        role = session.scalars(select(AccessRole).where(AccessRole.code == code)).one()
        account = session.get(Account, house.accounts[who])
        save(Posting(account=account, role=role, office_id=house.offices["150525-S01"], date_from=clock.today()),
             Verb.CREATE)  # fmt: skip


@pytest.mark.parametrize(("who", "code", "fits"), PAIRS)
def test_the_form_and_the_api_take_none(house: House, who: str, code: str, fits: bool) -> None:
    with house.system() as session:
        role = session.scalars(select(AccessRole).where(AccessRole.code == code)).one()
        account = session.get_one(Account, house.accounts[who])
        before = len(list(session.scalars(select(Posting.id))))
        office = house.offices["150525-S01"]
        public = {"account": account.public_id, "role": role.public_id}
    form = {"account": house.accounts[who], "role": role.id, "office": office, "date_from": "2026-11-01"}
    body = {**public, "date_from": "2026-11-01"}
    client = house.client("admin")
    answers = [
        client.post("/postings/add", data=form).status_code,
        client.post("/api/v1/postings/", json=body).status_code,
    ]
    with house.system() as session:
        after = len(list(session.scalars(select(Posting.id))))
    if not fits:
        assert after == before and all(400 <= code < 500 for code in answers), answers


# an account or a role that changes its family while postings join them
def test_neither_end_of_a_posting_changes_its_family(house: House) -> None:
    with house.system() as session, pytest.raises(AccessRefused), unit_of_work():
        session.get_one(Account, house.accounts["yuan-a"]).family = Family.SYSTEM
    with house.system() as session, pytest.raises(AccessRefused), unit_of_work():
        session.scalars(select(AccessRole).where(AccessRole.code == "chief")).one().family = Family.SYSTEM
    with house.system() as session:
        row = session.get_one(Account, house.accounts["yuan-a"])
        version, name, office = row.version, row.name, row.office_id
    form = {"version": version, "username": "yuan-a", "name": name, "office": office, "active": "1",
            "family": Family.SYSTEM.value}  # fmt: skip
    key = house.accounts["yuan-a"]
    assert house.client("admin").post(f"/accounts/{key}/edit", data=form).status_code in {403, 409, 422}
    with house.system() as session:
        assert session.get_one(Account, key).family == Family.BUSINESS


def test_a_mixed_posting_that_is_in_the_database_all_the_same_gives_nothing(house: House) -> None:
    rows = scene(house)
    with house.system() as session, unit_of_work():
        chief = session.scalars(select(AccessRole.id).where(AccessRole.code == "chief")).one()
        session.connection().execute(
            text("UPDATE posting SET role_id = :role WHERE account_id = :account"),
            {"role": chief, "account": house.accounts["admin"]},
        )
    assert outcome(house, "admin", rows["A catering site"], R) == "sees nothing"
    with house.acting("admin") as access:
        assert access.postings == ()


@pytest.mark.parametrize("who", ["admin", "audit", "firm-b", "shi"])
def test_a_task_gives_no_business_to_another_family(house: House, who: str) -> None:
    rows = scene(house)
    put_to(house, who, rows["A catering visit"])
    assert outcome(house, who, rows["A catering visit"], R) == "sees nothing"
