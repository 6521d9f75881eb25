"""What a newcomer found by attacking the screens, each with the story that failed."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from sqlalchemy import select

from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.licence import Closure
from app.models.personnel import Person
from tests.support.house import A, House

STYLE = Path(__file__).parents[2] / "app" / "static" / "app.css"


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def firm_site(house: House, username: str = "firm-a") -> Site:
    """The one site of a firm's user."""
    with house.acting(username):
        from app.core.db import current_session

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
