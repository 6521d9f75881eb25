"""Who may appoint whom, as truth tables: ceilings by subtree, never oneself, and the acts that take two."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.db import current_session
from app.core.errors import AccessRefused, Conflict, Forbidden, NotFound
from app.core.office import AccessRole, Account, Family, Leaving, Posting
from app.core.proposal import PostingProposal, ProposalState
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.models.roles import ROLES
from app.services.granting import system_administrators
from app.services.handover import end_posting
from app.services.office import add_account, add_posting
from tests.support.house import A, B, House

BUREAU = "150525"
RANKS = {role.code: (role.family, role.rank) for role in ROLES}


def person(house: House, username: str, family: Family, office: str = A) -> int:
    with house.system() as session:
        key = add_account(username, f"人{username}", family, office, "shouze-demo-2026", must_change=False).id
        session.rollback()
    house.learn()
    return key


def administrator(house: House, username: str, office: str, role: str = "office_admin") -> int:
    """An administrator of the family 系统管理, posted past all rules: the story begins after that."""
    key = person(house, username, Family.SYSTEM, office)
    with house.system() as session, unit_of_work():
        role_id = session.scalars(select(AccessRole.id).where(AccessRole.code == role)).one()
        session.add(Posting(account_id=key, office_id=house.offices[office], role_id=role_id, date_from=clock.today()))
    return key


def grant(house: House, who: str, account: int, office: str, role: str) -> str:
    """'' when it went, else the fields that were refused, or the kind of refusal."""
    with house.acting(who):
        session = current_session()
        row = Posting(
            account_id=account, office_id=house.offices[office], date_from=clock.today(),
            role=session.scalars(select(AccessRole).where(AccessRole.code == role)).one(),
        )  # fmt: skip
        try:
            save(row, Verb.CREATE)
        except Refused as refused:
            return ",".join(sorted(refused.fields))
        except (AccessRefused, Forbidden) as refused:
            return type(refused).__name__
    return ""


# -- the ceiling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [role.code for role in ROLES])
def test_what_each_administrator_may_give_alone(house: House, role: str) -> None:
    """Office administrator of station A (50), system administrator of the bureau (90), nobody else."""
    family, rank = RANKS[role]
    office_admin = administrator(house, "guan-a", A)
    target = person(house, "xinren", family)
    business = family in {Family.BUSINESS, Family.FIRM}
    assert (grant(house, "guan-a", target, A, role) == "") is (business and rank < 50)
    target = person(house, "xinren2", family)
    alone = business or role == "office_admin"
    assert (grant(house, "admin", target, A, role) == "") is alone
    for who in ("suo-a", "ju", "fagui"):
        assert grant(house, who, person(house, f"x-{who}", family), A, role) != ""
    assert office_admin


def test_an_office_administrator_stays_inside_the_subtree(house: House) -> None:
    administrator(house, "guan-a", A)
    outsider, insider = person(house, "wai", Family.BUSINESS, B), person(house, "nei", Family.BUSINESS)
    assert grant(house, "guan-a", outsider, A, "inspector") != "", "an account of another office is not even seen"
    assert grant(house, "guan-a", insider, B, "inspector") != ""
    assert grant(house, "guan-a", insider, BUREAU, "inspector") != ""
    assert grant(house, "guan-a", insider, A, "inspector") == ""


def test_rank_and_subtree_come_from_the_same_posting(house: House) -> None:
    """System administrator of station A and office administrator of the bureau: no section chief for the bureau."""
    key = administrator(house, "liang", A, "sysadmin")
    with house.system() as session, unit_of_work():
        role_id = session.scalars(select(AccessRole.id).where(AccessRole.code == "office_admin")).one()
        session.add(Posting(account_id=key, office_id=house.offices[BUREAU], role_id=role_id, date_from=clock.today()))
    target = person(house, "xin", Family.BUSINESS)
    assert grant(house, "liang", target, B, "leader") == "role"
    assert grant(house, "liang", target, B, "inspector") == ""
    assert grant(house, "liang", target, A, "leader") == ""


def test_nobody_appoints_himself_whichever_account_he_uses(house: House) -> None:
    administrator(house, "guan-a", A)
    twin = person(house, "guan-a-ban", Family.BUSINESS)
    with house.system() as session, unit_of_work():
        session.get_one(Account, twin).person_key = session.get_one(Account, house.accounts["guan-a"]).person_key
    assert grant(house, "guan-a", house.accounts["guan-a"], A, "inspector") == "account,role"
    assert grant(house, "guan-a", twin, A, "inspector") == "account"


def test_a_stored_posting_keeps_person_office_and_role(house: House) -> None:
    """To move somebody is to end one posting and begin another, so that what he leaves is handed over."""
    with house.system() as session:
        key = session.scalars(select(Posting.id).where(Posting.account_id == house.accounts["yuan-a"])).one()
        clerk = session.scalars(select(AccessRole.id).where(AccessRole.code == "clerk")).one()
    for name, value in (("office_id", house.offices[B]), ("role_id", clerk), ("account_id", house.accounts["yuan-b"])):
        with house.acting("admin"), pytest.raises(Refused) as caught, unit_of_work():
            row = current_session().get_one(Posting, key)
            setattr(row, name, value)
            save(row, Verb.UPDATE)
        assert name.removesuffix("_id") in caught.value.fields


@pytest.mark.parametrize("door", ["form", "api", "import"])
def test_the_ceiling_holds_at_every_door(house: House, door: str) -> None:
    """The same refusal in the browser's form, in the API and in an imported file."""
    administrator(house, "guan-a", A)
    target = person(house, "xin", Family.BUSINESS)
    before = count(house, Posting)
    with house.system() as session:
        leader = session.scalars(select(AccessRole).where(AccessRole.code == "leader")).one()
        role, role_public = leader.id, leader.public_id
        account_public = session.get_one(Account, target).public_id
        from app.core.office import Office

        office_public = session.get_one(Office, house.offices[A]).public_id
    client = house.client("guan-a")
    day = clock.today().isoformat()
    if door == "form":
        form = {"account": target, "role": role, "office": house.offices[A], "date_from": day}
        answer = client.post("/postings/add", data=form)
    elif door == "api":
        body = {"account": account_public, "role": role_public, "office": office_public, "date_from": day}
        answer = client.post("/api/v1/postings/", json=body)
    else:
        import io

        sheet = f"人员,机构,角色,任职起\nxin,{A},leader,{day}\n".encode()
        answer = client.post("/postings/import", data={"file": (io.BytesIO(sheet), "x.csv")},
                             content_type="multipart/form-data")  # fmt: skip
        assert client.get("/postings/import").status_code in {200, 403}
    assert answer.status_code in {302, 403, 404, 422} and count(house, Posting) == before


def count(house: House, model: Any) -> int:
    with house.system() as session:
        return int(session.scalar(select(func.count(model.id))) or 0)


# -- accounts ---------------------------------------------------------------------------------------------------------


def change(house: House, who: str, account: int, **values: Any) -> set[str]:
    with house.acting(who):
        try:
            with unit_of_work():
                row = current_session().get(Account, account)
                if row is None:
                    return {"unseen"}
                for name, value in values.items():
                    setattr(row, name, value)
                save(row, Verb.UPDATE)
        except Refused as refused:
            return set(refused.fields)
    return set()


def test_accounts_above_the_ceiling_and_families_stay(house: House) -> None:
    administrator(house, "guan", BUREAU)
    other = administrator(house, "guan-2", BUREAU)
    assert change(house, "guan", house.accounts["ju"], active=False) == {"name"}, (
        "a leader is above an office's administrator"
    )
    assert change(house, "guan", other, active=False) >= {"family"}
    assert change(house, "guan", house.accounts["yuan-a"], active=False) == set()
    assert change(house, "guan", house.accounts["guan"], active=False) >= {"active"}
    assert change(house, "admin", house.accounts["yuan-b"], family=Family.FIRM) == {"family"}
    assert change(house, "admin", house.accounts["admin"], active=False) >= {"active"}


def test_accounts_of_administration_and_audit_stay_so_whoever_made_them(house: House) -> None:
    """Without a posting yet, too: a family is judged as it was and as it becomes. One's own account may be edited."""
    administrator(house, "guan", A)
    for name, family in (("sys-10", Family.SYSTEM), ("shen-10", Family.AUDIT)):
        key = person(house, name, family, A)
        for change_to in (Family.BUSINESS, Family.FIRM, Family.SYSTEM):
            assert change(house, "guan", key, family=change_to) >= {"family"}, (name, change_to)
        assert change(house, "guan", key, name="改名") == {"family"}
        assert change(house, "admin", key, name="改名") == set()
    plain = person(house, "ren-10", Family.BUSINESS, A)
    assert change(house, "guan", plain, family=Family.AUDIT) == {"family"}
    assert change(house, "guan", plain, family=Family.FIRM) == set()
    own = house.accounts["guan"]
    assert change(house, "guan", own, name="新名字") == set()
    assert change(house, "guan", own, family=Family.BUSINESS) == {"family"}
    assert change(house, "admin", house.accounts["admin"], name="新名字") == set()


# -- two administrators -----------------------------------------------------------------------------------------------


def propose(
    house: House, who: str, account: int, role: str = "sysadmin", office: str = BUREAU, grounds: str = "人手不足"
) -> int:  # fmt: skip
    with house.acting(who):
        session = current_session()
        row = PostingProposal(
            account_id=account, office_id=house.offices[office], date_from=clock.today(),
            role=session.scalars(select(AccessRole).where(AccessRole.code == role)).one(), grounds=grounds,
        )  # fmt: skip
        return save(row, Verb.CREATE).id


def step(house: House, who: str, proposal: int, name: str) -> str:
    with house.acting(who):
        row = current_session().get(PostingProposal, proposal)
        if row is None:
            return "unseen"
        try:
            return str(run(row, name, reason="不同意").state)
        except (Conflict, Forbidden) as refused:
            return type(refused).__name__


def test_one_proposes_and_another_confirms(house: House) -> None:
    administrator(house, "admin-2", BUREAU, "sysadmin")
    target = person(house, "xin", Family.SYSTEM, BUREAU)
    key = propose(house, "admin", target)
    with house.system():
        assert system_administrators() == 2
    for who, outcome in (
        ("admin", "Conflict"), ("ju", "unseen"), ("audit", "unseen"), ("suo-a", "unseen"), ("firm-a", "unseen"),
    ):  # fmt: skip
        assert step(house, who, key, "confirm") == outcome, who
    assert step(house, "admin-2", key, "confirm") == ProposalState.APPOINTED
    assert step(house, "admin-2", key, "confirm") == "Taken", "once"
    with house.system() as session:
        made = session.scalars(select(Posting).where(Posting.account_id == target)).one()
        assert made.holds(clock.today()) and made.role.code == "sysadmin"
        assert session.get_one(PostingProposal, key).answerer_id == house.accounts["admin-2"]


def test_neither_the_appointee_nor_the_proposers_second_account_confirms(house: House) -> None:
    second = administrator(house, "admin-2", BUREAU, "sysadmin")
    third = administrator(house, "admin-3", BUREAU, "sysadmin")
    with house.system() as session, unit_of_work():
        session.get_one(Account, third).person_key = session.get_one(Account, house.accounts["admin"]).person_key
    key = propose(house, "admin", second, office=A)
    assert step(house, "admin-2", key, "confirm") == "Conflict", "nobody is appointed by his own word"
    assert step(house, "admin-3", key, "confirm") == "Conflict", "persons are compared, not accounts"


def test_an_auditor_takes_two_and_business_roles_do_not_go_this_way(house: House) -> None:
    administrator(house, "admin-2", BUREAU, "sysadmin")
    auditor, plain = person(house, "shenji", Family.AUDIT, BUREAU), person(house, "xin", Family.BUSINESS)
    assert grant(house, "admin", auditor, BUREAU, "auditor") == "role"
    key = propose(house, "admin", auditor, "auditor")
    assert step(house, "admin-2", key, "confirm") == ProposalState.APPOINTED
    with pytest.raises(Refused):
        propose(house, "admin", plain, "inspector", A)
    with pytest.raises(Refused):
        propose(house, "admin", plain, "sysadmin")  # of another family
    with pytest.raises(Refused):
        propose(house, "admin", house.accounts["admin"])


def test_a_proposal_expires_is_withdrawn_by_its_maker_and_rejected_by_another(house: House) -> None:
    administrator(house, "admin-2", BUREAU, "sysadmin")
    keys = [propose(house, "admin", person(house, f"xin-{n}", Family.SYSTEM, BUREAU)) for n in range(3)]
    with house.system() as session, unit_of_work():
        session.get_one(PostingProposal, keys[0]).expires_on = clock.today() - timedelta(days=1)
    assert step(house, "admin-2", keys[0], "confirm") == "Conflict"
    assert step(house, "admin-2", keys[1], "withdraw") == "Conflict"
    assert step(house, "admin", keys[1], "withdraw") == ProposalState.WITHDRAWN
    assert step(house, "admin-2", keys[1], "confirm") == "Taken"
    assert step(house, "admin", keys[2], "reject") == "Conflict"
    assert step(house, "admin-2", keys[2], "reject") == ProposalState.REJECTED
    with house.system() as session:
        assert session.scalar(select(func.count(Posting.id)).where(Posting.account_id.in_(
            [house.accounts[f"xin-{n}"] for n in range(3)]))) == 0  # fmt: skip


def test_only_system_administrators_propose(house: House) -> None:
    administrator(house, "guan", BUREAU)
    target = person(house, "xin", Family.SYSTEM, BUREAU)
    for who in ("guan", "ju", "suo-a", "audit"):
        with pytest.raises((Refused, AccessRefused)):
            propose(house, who, target)
    assert count(house, PostingProposal) == 0


def test_what_was_true_when_proposed_must_still_be(house: House) -> None:
    administrator(house, "admin-2", BUREAU, "sysadmin")
    target = person(house, "xin", Family.SYSTEM, BUREAU)
    key = propose(house, "admin", target)
    with house.system() as session, unit_of_work():
        session.get_one(Account, target).active = False
    assert step(house, "admin-2", key, "confirm") == "Conflict"
    with house.system() as session:
        assert session.scalar(select(func.count(Posting.id)).where(Posting.account_id == target)) == 0


# -- ending -----------------------------------------------------------------------------------------------------------


def end(house: House, who: str, username: str) -> str:
    with house.system() as session:
        key = session.scalars(select(Posting.id).where(Posting.account_id == house.accounts[username])).first() or 0
    with house.acting(who):
        try:
            end_posting(key, Leaving.LEAVES, "改")
        except (Forbidden, NotFound, Conflict) as refused:
            return type(refused).__name__
    return ""


def test_nobody_ends_what_he_could_not_give_and_one_administrator_stays(house: House) -> None:
    administrator(house, "guan", BUREAU)
    administrator(house, "guan-2", BUREAU)
    administrator(house, "admin-2", BUREAU, "sysadmin")
    for who, whom, outcome in (
        ("guan", "ju", "Forbidden"), ("guan", "guan-2", "Forbidden"), ("guan", "admin", "Forbidden"),
        ("guan", "guan", "Forbidden"), ("admin", "admin", "Forbidden"), ("guan", "yuan-a", ""),
        ("admin", "guan-2", ""), ("admin", "admin-2", ""),
    ):  # fmt: skip
        assert end(house, who, whom) == outcome, (who, whom)
    assert change(house, "admin", house.accounts["admin"], active=False) >= {"active"}


def test_by_command_a_second_administrator_but_no_third_and_no_auditor(house: House) -> None:
    person(house, "admin-2", Family.SYSTEM, BUREAU)
    person(house, "admin-3", Family.SYSTEM, BUREAU)
    person(house, "audit-2", Family.AUDIT, BUREAU)
    with house.system():
        add_posting("admin-2", BUREAU, "sysadmin")
        for name, role in (("admin-3", "sysadmin"), ("audit-2", "auditor")):
            with pytest.raises(Conflict):
                add_posting(name, BUREAU, role)
        add_posting("admin-3", A, "office_admin")
    with house.acting("admin-2") as access:
        assert [held.role for held in access.postings] == ["sysadmin"]
