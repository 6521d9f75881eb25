"""What a person may do, why, and why not: told to them, their office's administrators, auditors; to nobody else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.access.explain import explain
from app.core.office import AccessRole, Account, Assignment, Posting
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import NoticeState
from app.models.enterprise import Site
from app.models.inspection import Inspection
from app.models.rectification import Delegation, Notice
from tests.support.house import A, B, House
from tests.views.test_web import text


def notice_of(house: House, code: str, state: str = NoticeState.DRAFT) -> int:
    with house.system() as session:
        found = select(Notice.id).where(Notice.office_id == house.offices[code], Notice.state == state)
        return int(session.scalars(found.order_by(Notice.id)).first() or 0)


def verdicts(page: str) -> dict[str, tuple[bool, str]]:
    """Act → whether, why."""
    rows = re.findall(
        r'<th scope="row">([^<]+)</th>.*?<span class="state[^>]*>([^<]+)</span></td><td[^>]*>(.*?)</td>', page
    )
    return {act: (can == "能", why) for act, can, why in rows}


def asked(house: House, asker: str, person: str, record: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    answer = house.client(asker).get(f"/accounts/{house.accounts[person]}/explain", query_string={"record": record})
    return answer.status_code, verdicts(text(answer))


def office_admin(house: House, code: str) -> None:
    """`shi` becomes the administrator of one station, and nothing else."""
    with house.system() as session, unit_of_work():
        account = session.scalars(select(Account).where(Account.username == "shi")).one()
        posting = session.scalars(select(Posting).where(Posting.account_id == account.id)).one()
        role = session.scalars(select(AccessRole).where(AccessRole.code == "office_admin")).one()
        session.delete(posting)  # families never meet in one account
        session.flush()
        account.family, account.office_id = role.family, house.offices[code]
        session.flush()
        session.add(Posting(account_id=account.id, office_id=account.office_id, role_id=role.id,
                            date_from=clock.today()))  # fmt: skip


# -- what one may do --------------------------------------------------------------------------------------------------


def test_a_persons_page_says_what_through_which_posting(house: House) -> None:
    page = text(house.client("admin").get(f"/accounts/{house.accounts['yuan-a']}/abilities"))
    for word in ("包文斌", "监管员", "大沁他拉", "责令改正通知书", "登记送达", "本机构及下级"):
        assert word in page, word
    assert "审核通过" not in page
    assert f"/accounts/{house.accounts['yuan-a']}/abilities" in text(
        house.client("admin").get(f"/accounts/{house.accounts['yuan-a']}")
    )


def test_delegations_and_assignments_are_told_too(house: House) -> None:
    today = clock.today()
    with house.system() as session, unit_of_work():
        session.add(Delegation(account_id=house.accounts["suo-a"], office_id=house.offices[A], document="授权〔1〕",
                               date_from=today, date_to=today))  # fmt: skip
        visit = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[B])).first()
        assert visit is not None
        session.add(
            Assignment(account_id=house.accounts["suo-a"], entity="Inspection", row_id=visit.id, date_from=today)
        )
    page = text(house.client("audit").get(f"/accounts/{house.accounts['suo-a']}/abilities"))
    assert "受权签发" in page and "授权签发" in page and "签发" in page
    assert re.search(r"现在的指派：\s*检查 1", page)


@pytest.mark.parametrize("who", ["yuan-a", "firm-a", "shi", "ju", "audit", "admin", "gu-canyin"])
def test_everybody_sees_their_own(small: House, who: str) -> None:
    client, key = small.client(who), small.accounts[who]
    answer = client.get(f"/accounts/{key}/abilities")
    assert answer.status_code == 200
    assert f"/accounts/{key}/abilities" in text(client.get("/")), "the menu leads there"
    assert client.get(f"/accounts/{key}/explain").status_code == 200


@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [
        ("yuan-a", "suo-a", 403),
        ("suo-a", "yuan-a", 403),
        ("ju", "yuan-a", 403),
        ("yuan-a", "firm-b", 404),
        ("firm-a", "yuan-a", 404),
        ("firm-a", "firm-b", 404),
        ("audit", "yuan-b", 200),
        ("admin", "firm-b", 200),
    ],
)
def test_of_others_it_is_told_to_administrators_and_auditors(small: House, who: str, whose: str, status: int) -> None:
    for page in ("abilities", "explain"):
        assert small.client(who).get(f"/accounts/{small.accounts[whose]}/{page}").status_code == status


def test_an_office_administrator_is_told_of_their_own_people_only(house: House) -> None:
    office_admin(house, A)
    client = house.client("shi")
    assert client.get(f"/accounts/{house.accounts['yuan-a']}/abilities").status_code == 200
    for whose in ("yuan-b", "ju", "audit"):
        assert client.get(f"/accounts/{house.accounts[whose]}/abilities").status_code == 404
    status, told = asked(house, "shi", "yuan-a", f"/notices/{notice_of(house, A)}")
    assert status == 200 and told["修改"][0]
    assert asked(house, "shi", "yuan-a", f"/notices/{notice_of(house, B)}")[0] == 404


def test_a_posting_elsewhere_is_counted_and_not_named(house: House) -> None:
    office_admin(house, A)
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == "chief")).one()
        session.add(Posting(account_id=house.accounts["yuan-a"], office_id=house.offices[B], role_id=role.id,
                            title="代理所长", date_from=clock.today()))  # fmt: skip
    page = text(house.client("shi").get(f"/accounts/{house.accounts['yuan-a']}/abilities"))
    assert "另有 1 项任职" in page and "其他机构的任职" in page
    assert "代理所长" not in page and "八仙筒" not in page
    own = text(house.client("yuan-a").get(f"/accounts/{house.accounts['yuan-a']}/abilities"))
    assert "代理所长" in own and "八仙筒" in own


def test_a_closed_account_may_do_nothing(house: House) -> None:
    with house.system() as session, unit_of_work():
        session.scalars(select(Account).where(Account.username == "yuan-a")).one().active = False
    page = text(house.client("admin").get(f"/accounts/{house.accounts['yuan-a']}/abilities"))
    assert "账号已停用" in page
    told = asked(house, "audit", "yuan-a", f"/notices/{notice_of(house, A)}")[1]
    assert told and not any(can for can, _why in told.values())


# -- this person on this record ---------------------------------------------------------------------------------------


def test_each_act_is_decided_by_a_posting_or_lacks_something(house: House) -> None:
    status, told = asked(house, "audit", "yuan-a", f"http://localhost/notices/{notice_of(house, A)}?x=1")
    assert status == 200
    assert told["查看"] == (True, told["查看"][1]) and "大沁他拉" in told["查看"][1] and "监管员" in told["查看"][1]
    assert told["审核通过"] == (False, "所任角色没有这项权限")
    assert not told["登记送达"][0] and "现在是“草稿”，这项权限只在“已签发”时有" in told["登记送达"][1]
    status, told = asked(house, "audit", "yuan-b", f"/notices/{notice_of(house, A)}")
    assert not told["查看"][0] and "由其他机构负责" in told["查看"][1]


def test_another_line_is_the_nearest_reason(house: House) -> None:
    with house.system() as session, unit_of_work():
        site = session.scalars(select(Site).where(Site.office_id == house.offices[A])).first()
        assert site is not None
        site.lines = 1
        key = site.id
    told = asked(house, "audit", "gu-canyin", f"/sites/{key}")[1]
    assert not told["查看"][0] and "不在所管的条线（餐饮" in told["查看"][1]


def test_a_step_that_the_same_person_may_not_take_says_so(house: House) -> None:
    key = notice_of(house, A, NoticeState.IN_REVIEW)
    with house.system() as session, unit_of_work():
        found = session.scalars(select(Notice).where(Notice.office_id == house.offices[A])).first()
        assert found is not None
        key = found.id
        found.state, found.drafter_id = NoticeState.IN_REVIEW, house.accounts["suo-a"]
    told = asked(house, "audit", "suo-a", f"/notices/{key}")[1]
    assert told["审核通过"] == (False, "起草和审核不能由同一人办理。")
    assert told["退回（待审核）"][0] and not told["退回（待签发）"][0]


def test_a_seal_is_told_to_auditors_and_hides_the_record_from_administrators(house: House) -> None:
    with house.system() as session, unit_of_work():
        visit = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[A])).first()
        assert visit is not None
        visit.sealed, visit.approver_id = True, house.accounts["ju"]
        key = visit.id
    told = asked(house, "audit", "suo-a", f"/inspections/{key}")[1]
    assert not told["查看"][0] and "已封存" in told["查看"][1]
    assert asked(house, "audit", "ju", f"/inspections/{key}")[1]["查看"][0]
    assert asked(house, "admin", "suo-a", f"/inspections/{key}")[0] == 404


def test_ones_own_question_never_tells_whether_a_foreign_record_is_there(house: House) -> None:
    there, gone = notice_of(house, B), 99_999
    pages = [asked(house, "yuan-a", "yuan-a", f"/notices/{key}") for key in (there, gone)]
    assert pages[0] == pages[1]
    assert "不及于您" in pages[0][1]["查看"][1]
    for who in ("firm-a", "suo-a"):
        assert asked(house, who, who, f"/notices/{there}") == asked(house, who, who, f"/notices/{gone}")


@pytest.mark.parametrize(
    "query",
    ["record=x", "record=%00", "record=-1", "entity=Notice&record=x", "entity=Nothing&record=1", "record=/nowhere/1",
     "record=" + "9" * 400, "record=１&entity=Notice", "entity=%00&record=/notices/", "record=javascript:alert(1)"],
)  # fmt: skip
def test_what_names_no_record_is_told_beside_the_field(small: House, query: str) -> None:
    answer = small.client("audit").get(f"/accounts/{small.accounts['yuan-a']}/explain?{query}")
    assert answer.status_code == 422 and "请粘贴记录的地址" in text(answer)


def test_a_number_with_its_entity_does_as_well_as_an_address(small: House) -> None:
    key = notice_of(small, A)
    url = f"/accounts/{small.accounts['yuan-a']}/explain"
    one = verdicts(text(small.client("audit").get(f"{url}?entity=Notice&record={key}")))
    assert one and one == verdicts(text(small.client("audit").get(f"{url}?record=/notices/{key}")))
    assert small.client("audit").get(f"{url}?entity=Notice&record={'9' * 18}").status_code == 404


# -- the reasons themselves -------------------------------------------------------------------------------------------


def test_of_several_postings_the_nearest_says_what_is_missing(house: House) -> None:
    """Chief in B, inspector in A: for reviewing a draft of A, the chief's posting is at the wrong office."""
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == "chief")).one()
        session.add(Posting(account_id=house.accounts["yuan-a"], office_id=house.offices[B], role_id=role.id,
                            date_from=clock.today() - timedelta(days=1)))  # fmt: skip
    with house.system() as session:
        notice: Any = session.scalars(select(Notice).where(Notice.id == notice_of(house, A))).one()
        session.expunge(notice)
    with house.acting("yuan-a") as access:
        assert explain(access, Verb.REVIEW, notice).missing == "office"
        assert explain(access, Verb.SERVE, notice).missing == "state"
        assert explain(access, Verb.SIGN, notice).missing == ""
        assert explain(access, Verb.UPDATE, notice).allowed
