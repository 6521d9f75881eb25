"""What a newcomer found by attacking the screens, each with the story that failed."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from app.core import clock
from app.core.db import current_session
from app.core.fab import paging
from app.core.saving import save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import CheckState, Line
from app.models.check import DailyCheck, RiskList
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from app.models.licence import Closure
from app.models.personnel import Person
from app.services.risk_list import next_edition
from tests.support.house import A, House

STYLE = Path(__file__).parents[2] / "app" / "static" / "app.css"


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def firm_site(house: House, username: str = "firm-a") -> Site:
    """The one site of a firm's user."""
    with house.acting(username):
        return current_session().scalars(select(Site)).unique().one()


# ---- search --------------------------------------------------------------------------------------------------------


def test_the_examples_of_the_search_help_find_something(house: House) -> None:
    client = house.client("ju")
    examples = re.findall("例如“([^”]+)”", text(client.get("/search")))
    assert len(examples) == 2
    for typed in examples:
        assert "data-row" in text(client.get("/search", query_string={"q": typed})), typed


def test_words_parted_by_a_space_must_all_match_in_any_order(house: House) -> None:
    client = house.client("yuan-a")
    for typed in ("超市 大沁他拉", "大沁他拉　超市", "chaoshi 奈曼"):
        page = text(client.get("/enterprises/", query_string={"q": typed}))
        assert "祥家便民超市" in page and "小江面馆" not in page, typed
    assert "data-row" not in text(client.get("/enterprises/", query_string={"q": "超市 面馆"}))
    found = client.get("/enterprises/lookup", query_string={"q": "超市 大沁他拉"}).get_json()["results"]
    assert found and all("超市" in one["text"] for one in found)


def test_a_firm_is_found_by_its_legal_person_and_its_telephone(house: House) -> None:
    with house.system() as session:
        firm = session.scalars(select(Enterprise).where(Enterprise.office_id == house.offices[A],
                                                        Enterprise.phone.is_not(None))).first()  # fmt: skip
    assert firm is not None
    for typed in (firm.legal_person, firm.phone):
        assert f'"/enterprises/{firm.id}"' in text(house.client("suo-a").get("/search", query_string={"q": typed}))
        assert f'"/enterprises/{firm.id}"' not in text(house.client("suo-b").get("/search", query_string={"q": typed}))


def test_people_are_in_the_search_over_everything(house: House) -> None:
    with house.system() as session:
        person = session.scalars(select(Person).where(Person.office_id == house.offices[A])).first()
    assert person is not None
    assert f'"/people/{person.id}"' in text(house.client("suo-a").get("/search", query_string={"q": person.name}))
    assert f'"/people/{person.id}"' not in text(house.client("suo-b").get("/search", query_string={"q": person.name}))


# ---- what is the station's -------------------------------------------------------------------------------------------


def test_a_firm_does_not_see_what_the_station_notes_about_it(house: House) -> None:
    site = firm_site(house)
    with house.system() as session, unit_of_work():
        firm = session.get_one(Enterprise, site.enterprise_id)
        firm.note, key = "本所内部：重点盯", firm.public_id
    for who, seen in (("firm-a", False), ("suo-a", True)):
        client = house.client(who)
        assert ("重点盯" in text(client.get(f"/enterprises/{site.enterprise_id}"))) is seen
        assert ("note" in client.get(f"/api/v1/enterprises/{key}").get_json()) is seen


def test_a_firm_does_not_order_its_own_closure(house: House) -> None:
    site = firm_site(house)
    client = house.client("firm-a")
    assert "责令停产停业" not in text(client.get("/closures/add"))
    form = {"site": str(site.id), "kind": "责令停产停业", "date_from": "2027-03-01", "reason": "自己写的"}
    assert client.post("/closures/add", data=form).status_code == 422
    with house.system() as session:
        key = session.get_one(Site, site.id).public_id
        assert session.scalars(select(Closure).where(Closure.reason == "自己写的")).first() is None
    body = {"site": key, "kind": "责令停产停业", "date_from": "2027-03-01", "reason": "自己写的"}
    assert client.post("/api/v1/closures/", json=body).status_code == 422
    assert house.client("suo-a").post("/closures/add", data={**form, "reason": "所里写的"}).status_code == 302


# ---- forms -----------------------------------------------------------------------------------------------------------


def test_what_a_person_must_choose_is_marked_everywhere(small: House) -> None:
    client = small.client("suo-a")
    assert re.search(r'<legend>条线<span class="req"', text(client.get("/sites/add")))
    book = load_workbook(BytesIO(client.get("/sites/import/template.xlsx").get_data()))
    heads = [cell.value for cell in next(book.worksheets[0].iter_rows(max_row=1))]
    assert "条线 *" in heads
    told = {row[0].value: row[1].value for row in book.worksheets[1].iter_rows() if row[0].value}
    assert told["条线"] == "必填"


# ---- look ------------------------------------------------------------------------------------------------------------


def test_no_font_that_lacks_signs_stands_before_the_system_s(small: House) -> None:
    stack = re.search(r"--font: ([^;]+);", STYLE.read_text())
    assert stack is not None and small
    names = [name.strip(' "') for name in stack[1].split(",")]
    assert "WenQuanYi Micro Hei" not in names[: names.index("system-ui")]


def test_without_the_script_a_name_that_is_one_row_s_is_enough(house: House) -> None:
    site = firm_site(house)
    client = house.client("suo-a")
    with house.system() as session:
        name = session.get_one(Enterprise, site.enterprise_id).name
    form = {
        "enterprise": "",
        "enterprise__text": name,
        "name": "二店",
        "kind": site.kind,
        "lines": "1",
        "state": "正常",
    }
    made = client.post("/sites/add", data=form)
    assert made.status_code == 302, text(made)
    found = text(client.get("/sites/", query_string={"enterprise": "", "enterprise__text": name}))
    assert "二店" in found and found.count("data-row") == 2
    key = re.search(r"\d+$", made.location)
    assert key is not None
    typed = {**form, "enterprise": str(site.enterprise_id), "enterprise__text": "没有这家", "version": "1"}
    wrong = text(client.post(f"{made.location}/edit", data=typed))
    assert "请从列表中选择" in wrong and 'value="没有这家"' in wrong
    assert "“没有这家”（没有这个值）" in text(client.get("/sites/?enterprise__text=没有这家&enterprise="))


def test_a_name_of_two_rows_or_of_another_station_s_is_not_taken(house: House) -> None:
    site = firm_site(house)
    with house.system() as session, unit_of_work():
        first = session.get_one(Enterprise, site.enterprise_id)
        name, beside = first.name, (Enterprise.office_id == first.office_id, Enterprise.id != first.id)
        other = session.scalars(select(Enterprise).where(*beside)).first()
        assert other is not None
        other.name = name
    form = {
        "enterprise": "",
        "enterprise__text": name,
        "name": "二店",
        "kind": site.kind,
        "lines": "1",
        "state": "正常",
    }
    assert "不止一条" in text(house.client("suo-a").post("/sites/add", data=form))
    assert "请从列表中选择" in text(house.client("suo-b").post("/sites/add", data=form))


def test_without_the_script_a_row_is_added_by_the_server(small: House) -> None:
    client = small.client("yuan-a")
    page = text(client.get("/inspections/add"))
    assert re.search(r'<button class="btn plain add" name="rows-add" value="findings" formnovalidate', page)
    once = text(client.post("/inspections/add", data={"rows-add": "findings", "summary": "写了一半"}))
    assert 'name="findings-0-fact"' in once and "写了一半" in once
    more = {"rows-add": "findings", "findings-0-fact": "地面有积水", "findings-0-id": ""}
    twice = text(client.post("/inspections/add", data=more))
    assert "地面有积水" in twice and 'name="findings-1-fact"' in twice


def test_the_only_site_of_a_firm_is_there_already(house: House) -> None:
    site = firm_site(house)
    client = house.client("firm-a")
    page = text(client.get("/closures/add"))
    assert re.search(rf'<input type="hidden" name="site" value="{site.id}"><input type="text"[^>]*value="[^"]+"', page)
    assert f'name="enterprise" value="{site.enterprise_id}"' in text(client.get("/trainings/add"))
    assert 'name="site" value=""' in text(house.client("suo-a").get("/closures/add"))


# ---- paper -----------------------------------------------------------------------------------------------------------


def test_paper_shows_dates_in_full(house: House) -> None:
    client = house.client("suo-a")
    today = clock.today()
    full = f"{today.year}年{today.month}月{today.day}日"
    style = STYLE.read_text().partition("@media print")[2]
    assert "[data-on]::after { content: attr(data-on)" in style
    made = client.post("/enterprises/add", data={"name": "今天开的店", "state": "正常"})
    record = text(client.get(made.location))
    assert re.search(rf'<span class="date" data-on="{full} \d\d:\d\d">今天', record), "history"
    listed = text(client.get("/people/?size=100"))
    assert re.search(r'class="date"[^>]* data-on="\d{4}年', listed)
    assert not re.search(r'class="date"(?![^>]*data-on)[^>]*>\s*(今天|昨天|\d+月)', record + listed)
    chip = text(client.get(f"/inspections/?date_from={today}"))
    assert f"检查日期：{full} 起" in chip


def test_a_printed_list_says_which_page_it_is_and_offers_all(house: House) -> None:
    client = house.client("ju")
    first = text(client.get("/enterprises/?size=10&order=name&state=正常"))
    pages = re.search(r"<b>第 1 页，共 (\d+) 页</b>", first)
    assert pages is not None and int(pages[1]) > 1
    link = re.search(r'<a href="([^"]*print=all[^"]*)"', first)
    assert link is not None
    whole = text(client.get(unescape(link[1])))
    with house.system() as session:
        wanted = session.scalar(select(func.count(Enterprise.id)).where(Enterprise.state == "正常"))
    assert whole.count("<tr data-row") == wanted and "共 " not in whole.partition('class="printhead"')[2][:400]
    assert "data-print-now" in whole and "print=all" not in whole
    assert "<b>第" not in text(client.get("/enterprises/?size=100&state=正常"))


def test_all_on_paper_ends_where_counting_does(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "COUNT_CAP", 5)
    whole = text(small.client("ju").get("/enterprises/?print=all"))
    assert whole.count("<tr data-row") == 5 and "只有前 1,000 条" in whole


# ---- many at once ----------------------------------------------------------------------------------------------------


def test_a_list_of_many_items_is_one_line_in_the_history(house: House) -> None:
    site = firm_site(house)
    with house.acting("firm-a"):
        session = current_session()
        base = session.scalars(select(RiskList).where(RiskList.template, RiskList.line == Line.CATERING)).unique().one()
        made = next_edition(base)
        made.site, made.template = session.get_one(Site, site.id), False
        items = len(made.points)
        key = save(made, Verb.CREATE).id
    page = text(house.client("firm-a").get(f"/risk-lists/{key}"))
    trail = page.partition('id="history"')[2]
    assert items > 10 and f"新增 {items} 条" in trail
    assert "第 1 条" not in trail and "改动 1 处" in trail


def test_before_a_bulk_act_one_is_told_how_many_can_go(house: House) -> None:
    client, site = house.client("firm-a"), firm_site(house)
    with house.system() as session:
        rows = session.scalars(select(DailyCheck).where(DailyCheck.site_id == site.id)).all()
    sent = [row.id for row in rows if row.state == CheckState.SUBMITTED][:3]
    assert sent
    form = {"act": "delete", "ids": [str(key) for key in sent]}
    page = text(client.post("/daily-checks/bulk", data=form))
    assert f"选中的里面 0 条可以办理，{len(sent)} 条现在不能办理" in page and 'class="btn danger"' not in page
    station = house.client("yuan-a")
    with house.system() as session, unit_of_work():
        visits = session.scalars(select(Inspection).where(Inspection.office_id == house.offices[A])).all()
        visits[0].state, (draft, done) = "草稿", (one.id for one in visits[:2])
        assert visits[1].state != "草稿"
    page = text(station.post("/inspections/bulk", data={"act": "void", "ids": [str(draft), str(done)]}))
    assert "选中的里面 1 条可以办理，1 条现在不能办理" in page and "作废 1 条" in page


# ---- where one is ----------------------------------------------------------------------------------------------------


def test_a_form_says_which_record_it_changes_and_leads_back(small: House) -> None:
    client = small.client("suo-a")
    with small.system() as session:
        firm = session.scalars(select(Enterprise).where(Enterprise.office_id == small.offices[A])).first()
    assert firm is not None
    page = text(client.get(f"/enterprises/{firm.id}/edit"))
    assert f"<h1>修改主体：{firm.name}</h1>" in page
    crumbs = re.search(r'<nav class="crumbs".*?</nav>', page, re.DOTALL)
    assert crumbs is not None and f'href="/enterprises/{firm.id}"' in crumbs[0] and 'href="/enterprises/"' in crumbs[0]
    assert 'class="crumbs"' in text(client.get("/enterprises/add"))


def test_a_list_on_a_phone_can_be_sorted(small: House) -> None:
    page = text(small.client("suo-a").get("/enterprises/?order=name"))
    menu = re.search(r'<details class="menu sortby">.*?</details>', page, re.DOTALL)
    assert menu is not None and menu[0].count("<a href=") == 3 and 'aria-current="true"' in menu[0]
    style = STYLE.read_text()
    phone = style.partition("@media screen and (max-width: 720px)")[2]
    assert ".sortby { display: none; }" in style and ".sortby { display: inline-block;" in phone
