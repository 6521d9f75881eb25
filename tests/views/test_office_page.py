"""The office's page, ending a posting, handing work over, appointing: as each of the cast meets it in the browser."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.document import IssuedDocument
from app.core.handover import Handover, HandoverState
from app.core.office import AccessRole, Account, Family, Leaving, Posting
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.rectification import Notice
from tests.services.test_granting import administrator, person
from tests.services.test_handover import end, posting_of, second_inspector
from tests.support.house import A, B, House
from tests.views.test_web import text


def office(house: House, code: str = A) -> str:
    return f"/offices/{house.offices[code]}"


def version(house: House, username: str) -> int:
    with house.system() as session:
        return session.get_one(Posting, posting_of(house, username)).version


def ending(house: House, username: str, **more: Any) -> dict[str, Any]:
    return {"end_kind": "调动", "reason": "调往八仙筒所", "version": version(house, username), **more}


def chosen(page: str) -> dict[str, list[str]]:
    """Every ticked row of the hand-over page, as the browser would send it."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]+)" checked', page):
        found.setdefault(name, []).append(value)
    for name, value in re.findall(r'<input type="hidden" name="(rest-[^"]+)" value="([^"]+)"', page):
        found.setdefault(name, []).append(value)
    return found


# -- who is what here -------------------------------------------------------------------------------------------------


def test_the_page_says_who_is_what_since_when_and_until_when(house: House) -> None:
    with house.system() as session, unit_of_work():
        session.get_one(Posting, posting_of(house, "neiqin-a")).date_to = clock.today() + timedelta(days=4)
    page = text(house.client("suo-a").get(office(house)))
    for words in ("苏日娜", "包文斌", "王秀英", "所长", "在任", "2030年12月31日", ">5<"):
        assert words in page, words
    assert "李春梅" not in page, "she is at the other station"
    with house.system() as session:
        row = session.get_one(Posting, posting_of(house, "neiqin-a"))
        assert (row.standing.text, row.standing.tone, row.days_left) == ("在任", "warning", 5)
        row.date_to = clock.today() - timedelta(days=1)
        assert (row.standing.text, row.days_left) == ("已离任", None)
        row.date_to, row.date_from = None, clock.today() + timedelta(days=1)
        assert (row.standing.text, row.days_left) == ("将到任", None)


def test_buttons_go_by_right(house: House) -> None:
    administrator(house, "guan-a", A)
    for who, code, appoint, propose, ends, hands in (
        ("admin", A, True, True, True, False), ("guan-a", A, True, False, True, False),
        ("guan-a", B, False, False, False, False), ("suo-a", A, False, False, False, True),
        ("suo-a", B, False, False, False, False), ("ju", A, False, False, False, True),
    ):  # fmt: skip
        page = text(house.client(who).get(office(house, code)))
        told = ("/postings/add" in page, "/posting-proposals/add" in page, '/end"' in page, '/handover"' in page)
        assert told == (appoint, propose, ends, hands), (who, code)


def test_a_chief_sees_nobody_of_another_station_and_a_firm_no_page(house: House) -> None:
    page = text(house.client("suo-a").get(office(house, B)))
    assert "白海山" not in page and "李春梅" not in page
    assert house.client("firm-a").get(office(house)).status_code == 403


def test_offices_below_are_a_tree_with_counts(house: House) -> None:
    page = text(house.client("admin").get(office(house, "150525")))
    part = page[page.index("下级机构") :]
    rows = dict(re.findall(r'<a href="(/offices/\d+)">(?:\s|└)*([^<]+)</a>', part))
    assert office(house) in rows and office(house, B) in rows
    line = part[part.index(office(house)) :]
    assert re.search(r'data-label="在任"[^>]*>\s*3\s*<', line[:2000]), "所长, 监管员, 内勤, not the firm's 负责人"


def test_firms_people_stand_apart_and_are_counted(house: House) -> None:
    """Five hundred of them would hide the bureau's own."""
    with house.system() as session, unit_of_work(Verb.CREATE, "test"):
        role = session.scalars(select(AccessRole).where(AccessRole.code == "firm_officer")).one()
        for n in range(12):
            one = Account(username=f"1990000{n:04d}", name=f"店员{n}", family=Family.FIRM, office_id=house.offices[A])
            session.add(one)
            session.flush()
            session.add(Posting(account_id=one.id, office_id=house.offices[A], role_id=role.id,
                                date_from=clock.today(), date_to=None if n else clock.today()))  # fmt: skip
        session.flush()
        session.add(Posting(account_id=one.id, office_id=house.offices[A], role_id=role.id,
                            date_from=clock.today() + timedelta(days=1)))  # fmt: skip
    for who in ("admin", "suo-a"):
        page = text(house.client(who).get(office(house)))
        staff = page.partition("<h2>在这里任职的人")[2].partition("</section>")[0]
        assert "包文斌" in staff and "店员" not in staff and "企业甲" not in page, who
        firms = page.partition("<h2>企业的人员")[2].partition("</section>")[0]
        assert firms.startswith('<span class="number">13</span>'), "the 负责人 of firm-a among them"
        link = f"/postings/?office={house.offices[A]}&amp;role={role.id}"
        assert link in firms and re.search(r'data-label="在任"[^>]*>\s*12\s*<', firms), "who comes tomorrow is not here"
        listed = text(house.client(who).get(link.replace("&amp;", "&")))
        assert listed.count("<tr data-row") == 13 and ("店员3" in listed) is (who == "admin")
    assert "企业的人员" not in text(house.client("admin").get(office(house, "150525")))


# -- ending -----------------------------------------------------------------------------------------------------------


def test_ended_from_the_office_page_it_waits_on_the_chiefs_first_page(house: House) -> None:
    client, key = house.client("admin"), posting_of(house, "yuan-a")
    assert client.get(f"/postings/{key}/end").status_code == 200
    answer = client.post(f"/postings/{key}/end", data=ending(house, "yuan-a"))
    assert answer.status_code == 302 and answer.location == office(house)
    chief = house.client("suo-a")
    assert f"/postings/{key}/handover" in text(chief.get("/"))
    assert "待移交" in text(chief.get(office(house))) and "调动" in text(chief.get(office(house)))
    assert f"/postings/{key}/handover" not in text(house.client("suo-b").get("/"))
    assert house.client("yuan-a").get("/notices/").status_code == 403
    assert client.post(f"/postings/{key}/end", data=ending(house, "yuan-a")).status_code == 409


@pytest.mark.parametrize(
    "bad",
    [{"end_kind": ""}, {"end_kind": "分工调整"}, {"end_kind": "x\0"}, {"reason": ""}, {"reason": "甲" * 10_000},
     {"date_to": "2020-01-01"}, {"date_to": "昨天"}, {"date_to": "9999-99-99"}, {"version": "0"}, {"version": "x"}],
)  # fmt: skip
def test_bad_input_ends_nothing(small: House, bad: dict[str, str]) -> None:
    key = posting_of(small, "yuan-a")
    answer = small.client("admin").post(f"/postings/{key}/end", data=ending(small, "yuan-a") | bad)
    assert answer.status_code in {409, 422}
    assert small.client("yuan-a").get("/notices/").status_code == 200


def test_who_may_not_end_or_hand_over(house: House) -> None:
    key = posting_of(house, "yuan-a")
    for who, ends, hands in (
        ("suo-a", 403, 200), ("suo-b", 403, 404), ("yuan-a", 403, 403), ("yuan-b", 403, 404), ("neiqin-a", 403, 404),
        ("ju", 403, 200), ("fagui", 403, 404), ("firm-a", 403, 403), ("audit", 403, 403), ("admin", 200, 403),
    ):  # fmt: skip
        client = house.client(who)
        assert client.get(f"/postings/{key}/end").status_code == ends, who
        assert client.get(f"/postings/{key}/handover").status_code == hands, who
        assert client.post(f"/postings/{key}/handover", data={"reason": "改"}).status_code in {403, 404, 422}, who
    for url in ("/postings/999999/end", "/postings/999999/handover"):
        assert house.client("admin").get(url).status_code == 404


def test_whose_account_the_chief_may_not_read_has_no_page_with_the_name(house: House) -> None:
    """A firm's account and an administrator's hold postings here too: other families, and no work of the bureau's."""
    with house.system() as session, unit_of_work(Verb.CREATE, "test"):
        role = session.scalars(select(AccessRole).where(AccessRole.code == "office_admin")).one()
        clerk = Account(username="guanli-a", name="关丽", family=Family.SYSTEM, office_id=house.offices[A])
        session.add(clerk)
        session.flush()
        since = clock.today() - timedelta(days=9)
        posting = Posting(account_id=clerk.id, office_id=house.offices[A], role_id=role.id, date_from=since)
        session.add(posting)
        session.flush()
        key = posting.id
    for who in ("suo-a", "ju"):
        client = house.client(who)
        for one in (key, posting_of(house, "firm-a")):
            page = client.get(f"/postings/{one}")
            assert page.status_code == 200 and f"/postings/{one}/handover" not in text(page), who
            for answer in (client.get(f"/postings/{one}/handover"), client.post(f"/postings/{one}/handover")):
                assert answer.status_code == 403 and "关丽" not in text(answer) and "企业甲" not in text(answer), who
        assert f"/postings/{key}/handover" not in text(client.get(office(house))), who


# -- handing over -----------------------------------------------------------------------------------------------------


def test_the_chief_hands_all_to_one_and_the_receiver_accepts(house: House) -> None:
    other = second_inspector(house)
    end(house, "yuan-a", Leaving.TRANSFERRED)
    key, chief = posting_of(house, "yuan-a"), house.client("suo-a")
    page = text(chief.get(f"/postings/{key}/handover"))
    assert "未签发的通知书" in page and "王建国" in page and "李春梅" not in page
    answer = chief.post(f"/postings/{key}/handover", data={"to": other, "reason": "由王建国接替", **chosen(page)})
    assert answer.status_code == 302
    url = answer.location
    assert "没有要移交的工作" in text(chief.get(f"/postings/{key}/handover"))
    receiver = house.client("yuan-c")
    assert url in text(receiver.get("/")), "it waits on his first page"
    shown = text(receiver.get(url))
    assert "由王建国接替" in shown and "移交清单" in shown and "已移交" in shown
    for who, status in (("suo-b", 404), ("yuan-b", 404), ("neiqin-a", 404), ("ju", 200), ("admin", 403)):
        assert house.client(who).get(url).status_code == status, who
    number = int(url.rsplit("/", 1)[1])
    with house.system() as session:
        seen = session.get_one(Handover, number).version
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.entity == "Handover")).one().public_id
    assert receiver.get(f"/documents/{paper}").status_code == 200
    for who in ("suo-b", "yuan-b", "firm-a", "admin", "yuan-a"):
        assert house.client(who).get(f"/documents/{paper}").status_code == 404, who
    assert receiver.post(f"{url}/do/accept", data={"version": seen}).status_code == 302
    with house.system() as session:
        assert session.get_one(Handover, number).state == HandoverState.ACCEPTED
    assert receiver.post(f"{url}/do/refuse", data={"version": seen, "reason": "改"}).status_code in {403, 409}


def test_chosen_rows_by_kind_and_the_rest_stays(house: House) -> None:
    other = second_inspector(house)
    end(house, "yuan-a", Leaving.LEAVES)
    key, chief = posting_of(house, "yuan-a"), house.client("suo-a")
    rows = chosen(text(chief.get(f"/postings/{key}/handover")))
    form = {"row-Notice-0": rows["row-Notice-0"][:1], "to-Notice-0": other, "row-Notice-1": rows["row-Notice-1"],
            "to-Notice-1": "-", "reason": "先交一件"}  # fmt: skip
    assert chief.post(f"/postings/{key}/handover", data=form).status_code == 302
    with house.system() as session:
        moved = session.scalars(select(Notice.id).where(Notice.handler_id == other)).all()
    assert moved == [int(rows["row-Notice-0"][0].split(".")[0])]
    left = chosen(text(chief.get(f"/postings/{key}/handover")))
    assert left["row-Notice-0"] == rows["row-Notice-0"][1:] and left["row-Notice-1"] == rows["row-Notice-1"]


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({"to": ""}, 422), ({"to": "x"}, 422), ({"to": "9" * 40}, 422), ({"to": "-1"}, 422), ({"to": "1"}, 422),
        ({"to": "2\0"}, 422), ({"row-Notice-0": "x"}, 422), ({"row-Notice-0": "1.1; drop"}, 422),
        ({"row-Nothing-7": "1.1"}, 302), ({"reason": ""}, 422), ({"reason": "甲" * 10_000}, 422),
        ({"all-Notice-0": "1", "rest-Notice-0": "1.1 " * 30_000}, 422), ({"row-Notice-0": "99999999999999999.1"}, 404),
    ],
)  # fmt: skip
def test_bad_input_hands_nothing_wrong_over(small: House, bad: dict[str, str], status: int) -> None:
    """Nothing but 422, 404 or a hand-over without the strange field; never a 500."""
    key, chief = posting_of(small, "yuan-a"), small.client("suo-a")
    rows = chosen(text(chief.get(f"/postings/{key}/handover")))
    form = {"to": small.accounts["suo-a"], "reason": "改", **rows, **bad}
    assert chief.post(f"/postings/{key}/handover", data=form).status_code == status
    with small.system() as session:
        made = session.scalar(select(func.count(Handover.id)))
    assert made == (1 if status == 302 else 0)


def test_the_page_sent_again_is_refused_and_shows_what_is_left(house: House) -> None:
    other = second_inspector(house)
    key, chief = posting_of(house, "yuan-a"), house.client("suo-a")
    rows = chosen(text(chief.get(f"/postings/{key}/handover")))
    form = {"to": other, "reason": "移交", **rows}
    assert chief.post(f"/postings/{key}/handover", data=form).status_code == 302
    again = chief.post(f"/postings/{key}/handover", data=form)
    assert again.status_code == 409 and "没有一件可以移交" in text(again) and "没有要移交的工作" in text(again)
    with house.system() as session:
        assert session.scalar(select(func.count(Handover.id))) == 1
        assert session.scalar(select(func.count(IssuedDocument.id)).where(IssuedDocument.entity == "Handover")) == 1


def test_a_receiver_of_another_office_is_refused_beside_the_field(house: House) -> None:
    key, chief = posting_of(house, "yuan-a"), house.client("suo-a")
    rows = chosen(text(chief.get(f"/postings/{key}/handover")))
    answer = chief.post(f"/postings/{key}/handover", data={"to": house.accounts["yuan-b"], "reason": "改", **rows})
    assert answer.status_code == 422 and "没有能办理这类工作的任职" in text(answer)


# -- appointing -------------------------------------------------------------------------------------------------------


def test_the_form_offers_only_roles_one_may_give(house: House) -> None:
    administrator(house, "guan-a", A)
    person(house, "xin", Family.BUSINESS)
    page = text(house.client("guan-a").get(f"/postings/add?office={house.offices[A]}"))
    part = page[page.index('id="role"') :]
    offered = part[: part.index("</select>")]
    assert "监管员" in offered and "所长" in offered
    assert "局领导" not in offered and "系统管理员" not in offered and "审计员" not in offered


def test_two_administrators_appoint_a_third_in_the_browser(house: House) -> None:
    administrator(house, "admin-2", "150525", "sysadmin")
    target = person(house, "xin", Family.SYSTEM, "150525")
    with house.system() as session:
        role = session.scalars(select(AccessRole.id).where(AccessRole.code == "sysadmin")).one()
    first, second = house.client("admin"), house.client("admin-2")
    form = {"account": target, "role": role, "office": house.offices["150525"], "date_from": clock.today().isoformat(),
            "grounds": "人手不足"}  # fmt: skip
    answer = first.post("/posting-proposals/add", data=form)
    assert answer.status_code == 302
    url = answer.location
    assert f"{url}/do/confirm" not in text(first.get(url)) and f"{url}/do/confirm" in text(second.get(url))
    assert first.post(f"{url}/do/confirm", data={"version": 1}).status_code == 409
    for who in ("suo-a", "audit", "firm-a", "ju"):
        assert house.client(who).get(url).status_code in {403, 404}
    assert second.post(f"{url}/do/confirm", data={"version": 1}).status_code == 302
    assert house.client("xin").get("/accounts/").status_code == 200


def test_no_other_door_makes_or_changes_a_hand_over(house: House) -> None:
    """The right to make one is used by handing over only: no form, no API, no import."""
    chief = house.client("suo-a")
    for url in ("/handovers/add", "/handovers/import"):
        assert chief.get(url).status_code in {403, 404}, url
    body = {"giver": "x", "account": "x", "state": "已接收"}
    assert chief.post("/handovers/add", data=body).status_code in {403, 404, 405}
    assert chief.post("/api/v1/handovers/", json=body).status_code in {403, 404, 405}
    with house.system() as session:
        assert session.scalar(select(func.count(Handover.id))) == 0
