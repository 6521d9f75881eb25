"""The same questions as `stock.py` asks Flask-AppBuilder, asked of our screens; the answers must be the other ones."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, String, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped
from werkzeug.datastructures import MultiDict

from app.core.entity import BigId, column
from app.core.fab.converter import row_form
from app.core.types import UtcDateTime
from app.models.enterprise import Enterprise
from app.models.inspection import Inspection
from tests.support.house import A, House


class Apart(DeclarativeBase):
    """Tables of these tests only, outside the platform's own."""


class Record(Apart):
    """A column of each kind that stock forms break on."""

    __tablename__ = "record"
    id: Mapped[int] = column("键", BigId, primary_key=True)
    facts: Mapped[Any] = column("事实", JSON)
    moment: Mapped[datetime | None] = column("时刻", UtcDateTime)
    done: Mapped[bool] = column("完成", Boolean, nullable=False)
    note: Mapped[str | None] = column("备注", String(20))


def typed(small: House, **values: str) -> Any:
    """The record's form with these values typed in."""
    with small.app.test_request_context():
        form = row_form(Record, ["facts", "moment", "done", "note"])(formdata=MultiDict(values))  # type: ignore[arg-type]
        form.validate()
        return form


def page(house: House, path: str, username: str = "yuan-a") -> str:
    return house.client(username).get(path).get_data(as_text=True)


# -- fields -----------------------------------------------------------------------------------------------------------


def test_json_is_a_value_and_is_shown_as_json(small: House) -> None:
    form = typed(small, facts='{"项": [1, true, null]}')
    assert form.facts.data == {"项": [1, True, None]}
    again = row_form(Record, ["facts"])(data={"facts": {"项": True}})  # type: ignore[arg-type]
    assert again.facts.shown() == '{"项": true}'


@pytest.mark.parametrize("text", ["{'a': 1}", "{", "NaN", "[" * 100_000])
def test_what_is_no_json_is_an_error_and_stays_as_typed(small: House, text: str) -> None:
    form = typed(small, facts=text)
    assert form.facts.errors and form.facts.shown() == text


def test_a_needed_boolean_can_be_no(small: House) -> None:
    form = typed(small)
    assert form.done.data is False and not form.done.errors


def test_an_instant_is_read_as_the_native_picker_writes_it(small: House) -> None:
    form = typed(small, moment="2026-11-20T08:30")
    assert form.moment.data == datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
    again = row_form(Record, ["moment"])(data={"moment": form.moment.data})  # type: ignore[arg-type]
    assert again.moment.shown() == "2026-11-20T08:30"
    assert typed(small, moment="昨天").moment.errors


def test_no_parent_is_chosen_for_the_person(small: House) -> None:
    form = page(small, "/sites/add")
    assert re.search(r'<input type="hidden" name="enterprise" value="">', form)


def test_an_unknown_choice_is_told_beside_its_field(small: House) -> None:
    answer = small.client("yuan-a").post("/enterprises/add", data={"name": "甲", "state": "飞了"})
    assert answer.status_code == 422 and "不在可选范围内" in answer.get_data(as_text=True)


# -- lists ------------------------------------------------------------------------------------------------------------


def test_more_rows_cost_no_more_statements(house: House) -> None:
    client = house.client("ju")
    client.get("/inspections/")
    counts = []
    for size in (1, 100):
        with house.statements() as told:
            assert client.get(f"/inspections/?size={size}").status_code == 200
        counts.append(len(told))
    assert counts[0] == counts[1]


def test_a_page_has_at_most_a_hundred_rows(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.core.fab import listing

    monkeypatch.setattr(listing, "SIZES", (1, 2, 5))
    assert page(small, "/enterprises/?size=100000").count("<tr data-row") == 5


def test_a_form_does_not_carry_the_table_it_points_at(small: House) -> None:
    with small.system() as session:
        names = session.scalars(select(Enterprise.name)).all()
    form = page(small, "/sites/add")
    assert len(names) > 20 and not [name for name in names if name in form]


# -- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/enterprises/", "/enterprises/add", "/sites/", "/nowhere", "/login/"])
def test_every_page_names_its_language_and_has_one_heading(small: House, path: str) -> None:
    found = page(small, path)
    assert 'lang="zh-CN"' in found.split("<body")[0]
    assert len(re.findall(r"<h1[ >]", found)) == 1
    title = re.search(r"<title>([^<]+)</title>", found)
    assert title is not None and title[1].strip()


def test_titles_differ(small: House) -> None:
    titles = [re.search(r"<title>([^<]+)</title>", page(small, path)) for path in ("/", "/enterprises/", "/sites/")]
    assert len({one[1] for one in titles if one is not None}) == 3


def test_a_chinese_page_holds_no_english_words(small: House) -> None:
    body = page(small, "/inspections/").partition("<main")[2].partition("</main>")[0]
    words = re.sub(r"<[^>]+>|&\w+;", " ", f"<main{body}")
    assert set(re.findall(r"[A-Za-z]{2,}", words)) <= {"Excel", "xlsx", "CSV"}


def test_names_are_in_chinese_order(small: House) -> None:
    from app.core.office import Account

    with small.system() as session:
        name = session.scalars(select(Account.name).where(Account.username == "yuan-a")).one()
    assert name in page(small, "/") and " " not in name


# -- security ---------------------------------------------------------------------------------------------------------


def test_opening_an_address_deletes_nothing(small: House) -> None:
    with small.system() as session:
        drafts = session.scalars(select(Inspection.id).where(Inspection.office_id == small.offices[A])).all()
        before = session.scalar(select(func.count(Inspection.id)))
    client = small.client("yuan-a")
    for key in drafts:
        client.get(f"/inspections/{key}/delete")
        client.get(f"/inspections/{key}/do/void")
        client.get(f"/inspections/{key}?_method=DELETE")
    with small.system() as session:
        assert session.scalar(select(func.count(Inspection.id))) == before


def test_a_duplicate_is_told_without_sql(small: House) -> None:
    with small.system() as session:
        code = session.scalars(select(Enterprise.code).where(Enterprise.code.is_not(None))).first()
    form = {"name": "奈曼旗重码店", "code": str(code), "state": "正常", "address": "某街 1 号", "legal_person": "王"}
    answer = small.client("yuan-a").post("/enterprises/add", data=form)
    told = answer.get_data(as_text=True)
    assert answer.status_code in {409, 422} and "已属于另一个" in told
    assert not re.search(r"INSERT|UNIQUE|IntegrityError|sqlite|psycopg", told)


def test_a_host_header_sends_nobody_away(small: House) -> None:
    answer = small.app.test_client().get("/notices/", base_url="http://evil.example")
    assert answer.status_code in {302, 400}
    assert not answer.headers.get("Location", "").startswith("http://evil")
