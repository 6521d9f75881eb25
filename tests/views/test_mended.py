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
