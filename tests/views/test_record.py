"""What lies behind a record's page: history field by field, who can see it, masked values, names instead of keys."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.fab import trail
from app.core.history import HistoryEntry, verify
from app.core.office import AccessRole, Posting
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Finding, Inspection
from app.models.personnel import Person
from tests.support.house import A, B, House
from tests.views.test_web import firm_form, text, versioned, visit_form


def made(answer: Any) -> int:
    assert answer.status_code == 302, text(answer)
    return int(answer.location.rsplit("/", 1)[1])


def events(house: House, who: str, model: Any, key: int) -> list[Any]:
    with house.acting(who):
        from app.core.access.fetch import fetch

        return trail.events(fetch(model, key))[0]


# -- history ----------------------------------------------------------------------------------------------------------


def visit_with_findings(house: House) -> tuple[int, list[str]]:
    key = made(house.client("yuan-a").post("/inspections/add", data=visit_form(house)))
    with house.system() as session:
        return key, [str(one.id) for one in session.get_one(Inspection, key).findings]


def change(house: House, key: int, findings: list[str], **changes: str) -> None:
    form = visit_form(house) | {"findings-0-id": findings[0], "findings-3-id": findings[1]}
    form["version"] = versioned(house, Inspection, key)
    made(house.client("yuan-a").post(f"/inspections/{key}/edit", data=form | changes))


def test_history_names_fields_rows_and_people(house: House) -> None:
    key, findings = visit_with_findings(house)
    other = house.site_of(A, 1)
    change(house, key, findings, summary="查得更细", site=str(other), **{"findings-3-fact": "换了说法"})
    change(house, key, findings, summary="查得更细", site=str(other), **{"findings-3-removed": "1"})
    newest, second, first = events(house, "suo-a", Inspection, key)
    told = {one["field"]: (one["old"], one["new"]) for one in second.changes}
    with house.system() as session:
        names = [session.get_one(Site, each).name for each in (house.site_of(A), other)]
    assert told["经营场所"] == tuple(names)
    assert told["检查情况"] == ("检查", "查得更细")
    assert told["发现的问题 第 2 条 · 问题（时间、地点、事实）"] == ("第二个问题", "换了说法")
    assert (second.who, second.what) == ("包文斌", "修改")
    gone = {one["field"]: (one["old"], one["new"]) for one in newest.changes}
    assert gone["发现的问题 第 2 条 · 问题（时间、地点、事实）"] == ("换了说法", "")
    assert first.what == "新建"
    page = text(house.client("suo-a").get(f"/inspections/{key}/history"))
    assert "换了说法" in page and names[1] in page and "包文斌" in page
    assert house.client("yuan-b").get(f"/inspections/{key}/history").status_code == 404


def test_history_names_nothing_that_the_reader_may_not_see(house: House) -> None:
    """A firm reads its record; the row it once pointed at is another's, so it stays unnamed."""
    with house.system() as session, unit_of_work():
        site = session.get_one(Site, house.site_of(A))
        foreign = session.get_one(Enterprise, session.get_one(Site, house.site_of(B)).enterprise_id)
        own, name = site.enterprise_id, foreign.name
        site.enterprise_id = foreign.id
        session.flush()
        site.enterprise_id = own
    told = events(house, "yuan-a", Site, house.site_of(A))
    lines = [line for one in told for line in one.changes if line["field"] == "主体"]
    assert any(line["new"] == "（您无权查看）" for line in lines)
    assert name not in json.dumps([line["old"] + line["new"] for line in lines], ensure_ascii=False)


def test_history_keeps_to_its_own_record_when_one_transaction_changed_several(house: House) -> None:
    first, one = visit_with_findings(house)
    second, two = visit_with_findings(house)
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE, "一起改") as session:
        for key, words in ((int(one[0]), "只在第一份"), (int(two[0]), "只在第二份")):
            session.get_one(Finding, key).fact = words
    for key, mine, theirs in ((first, "只在第一份", "只在第二份"), (second, "只在第二份", "只在第一份")):
        page = text(house.client("yuan-a").get(f"/inspections/{key}/history"))
        assert mine in page and theirs not in page


def test_hidden_columns_are_absent_and_secret_ones_not_kept(house: House) -> None:
    from app.core.codes import make_mobile

    with house.acting("yuan-a"):
        key = save(Person(name="保密人", mobile=make_mobile(77)), Verb.CREATE).id
        with unit_of_work() as session:
            person = session.get_one(Person, key)
            person.mobile, person.name = make_mobile(78), "改名人"
    told = {one["field"]: (one["old"], one["new"]) for one in events(house, "suo-a", Person, key)[0].changes}
    assert told == {"姓名": ("保密人", "改名人"), "手机": ("不记录", "不记录")}
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == "chief")).one()
        role.hidden = {"Person": ["mobile"]}
    told = {one["field"] for one in events(house, "suo-a", Person, key)[0].changes}
    assert told == {"姓名"}


def test_history_goes_back_to_the_beginning_thirty_a_page(small: House) -> None:
    key = made(small.client("yuan-a").post("/enterprises/add", data=firm_form(name="第0名")))
    for n in range(1, 65):
        with small.acting("yuan-a"), unit_of_work() as session:
            session.get_one(Enterprise, key).name = f"第{n}名"
    client = small.client("yuan-a")
    url, seen, pages = f"/enterprises/{key}", [], 0
    while url:
        page = text(client.get(url))
        part = page[page.index('class="trail"') :]
        seen += re.findall(r"<ins>第(\d+)名</ins>", part)
        found = re.search(r'href="(/enterprises/\d+/history\?before=\d+)"', part)
        url, pages = (found[1] if found else ""), pages + 1
    assert seen == [str(n) for n in range(64, 0, -1)]
    assert pages == 3


@pytest.mark.parametrize("before", ["0", "-1", "x", "9" * 30, "%00", "１"])
def test_any_place_in_history_gives_a_page(small: House, before: str) -> None:
    assert small.client("yuan-a").get(f"/sites/{small.site_of(A)}/history?before={before}").status_code == 200


# -- names instead of keys --------------------------------------------------------------------------------------------


def test_a_firms_office_is_named(house: House) -> None:
    with house.system() as session:
        firm = session.scalars(select(Enterprise).where(Enterprise.office_id == house.offices[A])).first()
    assert firm is not None
    page = text(house.client("yuan-a").get(f"/enterprises/{firm.id}"))
    facts = page[page.index('id="facts"') :]
    assert re.search(r"<dt>所属机构</dt><dd>(<a[^>]*>)?大沁他拉", facts)


# -- who can see it ---------------------------------------------------------------------------------------------------


def watchers(house: House, who: str, url: str) -> dict[str, tuple[str, str, str]]:
    page = text(house.client(who).get(url))
    rows = re.findall(r'<th scope="row">([^<]*)</th>' + r'<td data-label="[^"]*">([^<]*)</td>' * 3, page)
    return {name: (title, does, why) for name, title, does, why in rows}


def test_access_tells_who_may_read_and_write_and_why(house: House) -> None:
    key, _findings = visit_with_findings(house)
    found = watchers(house, "yuan-a", f"/inspections/{key}/access")
    assert found["苏日娜"] == ("所长", "查看、修改、完成、作废、封存、启封", "本机构及下级机构的记录")
    assert found["王秀英"][1] == "查看"
    assert found["巴特尔"][2] == "本机构及下级机构的记录"
    assert found["周丽华"][2] == "所管条线的记录"
    with house.system() as session:
        everybody = {row.username: row.name for row in session.scalars(select(_account()))}
    for username, name in everybody.items():
        client = house.client(username)
        assert (client.get(f"/inspections/{key}").status_code == 200) == (name in found), username


def _account() -> Any:
    from app.core.office import Account

    return Account


def test_access_of_a_firm_names_its_people_and_of_a_sealed_visit_only_those_put_to_it(house: House) -> None:
    with house.system() as session:
        from app.models.personnel import Appointment

        account = house.accounts["firm-a"]
        firm = session.scalars(
            select(Appointment.enterprise_id).join(Person).where(Person.account_id == account)
        ).first()
        name = session.get_one(_account(), account).name
    assert watchers(house, "suo-a", f"/enterprises/{firm}/access")[name][2] == "本人任职单位的记录"
    key, _findings = visit_with_findings(house)
    with house.system() as session, unit_of_work():
        session.get_one(Inspection, key).sealed = True
    found = watchers(house, "yuan-a", f"/inspections/{key}/access")
    assert set(found) == {"包文斌", "苏日娜"}, "its two inspectors"
    assert "已封存" in text(house.client("yuan-a").get(f"/inspections/{key}/access"))


def test_access_is_shown_to_the_bureaus_own_and_costs_little(house: House) -> None:
    with house.system() as session:
        from app.models.personnel import Appointment

        posts = select(Appointment.enterprise_id).join(Person).where(Person.account_id == house.accounts["firm-a"])
        firm = session.scalars(posts).first()
    client = house.client("firm-a")
    assert client.get(f"/enterprises/{firm}").status_code == 200
    assert client.get(f"/enterprises/{firm}/access").status_code == 403
    assert "/access" not in text(client.get(f"/enterprises/{firm}"))
    assert house.client("yuan-b").get(f"/enterprises/{firm}/access").status_code == 404
    assert house.client("admin").get(f"/offices/{house.offices[A]}/access").status_code == 200
    client = house.client("yuan-a")
    client.get(f"/enterprises/{firm}/access")
    with house.system() as session, unit_of_work():  # a hundred more inspectors cost no more statements
        role = session.scalars(select(AccessRole).where(AccessRole.code == "inspector")).one()
        for n in range(100):
            account = _account()(username=f"many-{n}", name=f"第{n}人", family="监管业务", office_id=house.offices[A])
            session.add(account)
            session.flush()
            session.add(
                Posting(account_id=account.id, office_id=house.offices[A], role_id=role.id, date_from=clock.today())
            )
    with house.statements() as told:
        page = text(client.get(f"/enterprises/{firm}/access"))
    assert len(told) <= 60, len(told)
    assert "下面是前 50 人" in page and page.count('<th scope="row">') == 50


# -- masks ------------------------------------------------------------------------------------------------------------


def somebody(house: House) -> tuple[int, str, str]:
    with house.system() as session:
        person = session.scalars(select(Person).where(Person.office_id == house.offices[A])).first()
        assert person is not None and person.id_card and person.mobile
        return person.id, person.id_card, person.mobile


def test_an_id_card_is_masked_and_each_full_view_stands_in_history(house: House) -> None:
    key, card, mobile = somebody(house)
    client = house.client("yuan-a")
    page = text(client.get(f"/people/{key}"))
    assert card not in page and card[:4] + "*" * 10 + card[-4:] in page
    assert mobile in page, "plain to the posting that covers the firm"
    assert card in text(client.post(f"/people/{key}/reveal/id_card"))
    assert client.post(f"/people/{key}/reveal/id_card", headers={"Accept": "application/json"}).json == {"value": card}
    told = [one for one in events(house, "suo-a", Person, key) if one.what == "查看全文"]
    assert [(one.who, one.reason) for one in told] == [("包文斌", "身份证号")] * 2
    with house.system() as session:
        assert list(verify()) == []
        assert card not in "".join(session.scalars(select(HistoryEntry.body)))


def test_without_the_verb_the_whole_is_not_shown(house: House) -> None:
    key, card, _mobile = somebody(house)
    for username, code in (("fagui", 403), ("zhuanban", 403), ("yuan-b", 404), ("firm-b", 403), ("admin", 403)):
        answer = house.client(username).post(f"/people/{key}/reveal/id_card")
        assert answer.status_code == code and card not in text(answer), username
    assert "/reveal/" not in text(house.client("fagui").get(f"/people/{key}"))
    client = house.client("yuan-a")
    for column in ("name", "password", "mobile_digest", "id_card_digest", "x" * 10_000, "__class__"):
        assert client.post(f"/people/{key}/reveal/{column}").status_code == 404, column
    assert client.get(f"/people/{key}/reveal/id_card").status_code == 405


def test_the_office_that_answered_once_sees_telephones_in_part(house: House) -> None:
    key, _card, mobile = somebody(house)
    with house.system() as session, unit_of_work():
        session.get_one(Person, key).office_id = house.offices[B]
    page = text(house.client("suo-a").get(f"/people/{key}"))
    assert mobile not in page and f"{mobile[:4]}****{mobile[-4:]}" in page
    assert mobile not in text(house.client("suo-a").get("/people/?size=100"))
    assert house.client("suo-a").post(f"/people/{key}/reveal/mobile").status_code == 403
    assert mobile in text(house.client("suo-b").get(f"/people/{key}"))


def test_editing_never_shows_the_id_card_and_keeps_it_unless_another_is_typed(house: House) -> None:
    key, card, mobile = somebody(house)
    client = house.client("yuan-a")
    page = text(client.get(f"/people/{key}/edit"))
    assert card not in page and "data-private" in page

    def put(**changes: str) -> str | None:
        form = {"name": "改了名", "mobile": mobile, "version": versioned(house, Person, key)} | changes
        made(client.post(f"/people/{key}/edit", data=form))
        with house.system() as session:
            return session.get_one(Person, key).id_card

    assert put(id_card="") == card
    assert put() == card
    assert put(id_card="-") is None
    assert put(id_card=card) == card


def test_an_emptied_field_that_is_never_empty_in_the_database_is_saved(house: House) -> None:
    key = made(house.client("yuan-a").post("/enterprises/add", data=firm_form()))
    form = firm_form(legal_person="", address="", version=versioned(house, Enterprise, key))
    made(house.client("yuan-a").post(f"/enterprises/{key}/edit", data=form))
    with house.system() as session:
        assert session.get_one(Enterprise, key).address == ""
