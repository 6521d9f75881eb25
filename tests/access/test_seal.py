"""Seal: an unannounced visit is known to its inspectors and to who sealed it until it opens, at every door."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.message import Message
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.models.inspection import Finding, Inspection
from tests.support.house import House
from tests.support.imports import page
from tests.support.rights import MAY, NOTHING, R, W, change, outcome, put_to, scene

MARK, PLACE = "暗访冷库的安排", "A站catering店"
# the visit of yuan-a and suo-a, sealed by the section: who knows of it, who once it is open
KNOWING = [
    ("yuan-a", MAY, MAY),
    ("suo-a", MAY, MAY),
    ("gu-canyin", MAY, MAY),
    ("neiqin-a", NOTHING, MAY),
    ("fagui", NOTHING, MAY),
    ("zhuanban", NOTHING, MAY),
    ("ju", NOTHING, MAY),
    ("yuan-b", NOTHING, NOTHING),
    ("firm-a", NOTHING, NOTHING),
    ("admin", NOTHING, NOTHING),
]
# who may seal which visit: who approves one; inspectors do not seal for themselves
SEALING = [
    ("suo-a", "A catering visit", MAY),
    ("gu-canyin", "A catering visit", MAY),
    ("ju", "B making visit", MAY),
    ("gu-canyin", "A making visit", NOTHING),
    ("yuan-a", "A catering visit", "reads only"),
    ("fagui", "A catering visit", "reads only"),
    ("suo-b", "A catering visit", NOTHING),
]
# every door through which a list, a word or a number of visits comes out
DOORS = [
    "/inspections/",
    "/inspections/?q=%E6%9A%97%E8%AE%BF%E5%86%B7%E5%BA%93",
    "/inspections/?state=%E8%8D%89%E7%A8%BF&unannounced=0&order=-date",
    "/inspections/lookup?q=%E6%9A%97%E8%AE%BF%E5%86%B7%E5%BA%93",
    "/search?q=%E6%9A%97%E8%AE%BF%E5%86%B7%E5%BA%93",
    "/api/v1/inspections/",
    "/api/v1/inspections/?q=%E6%9A%97%E8%AE%BF%E5%86%B7%E5%BA%93",
    "/sites/{site}",
    "/enterprises/{firm}",
    "/",
]
OWN_DOORS = ["/inspections/{key}", "/inspections/{key}/edit", "/inspections/{key}/access", "/inspections/{key}/do/void",
             "/inspections/{key}/delete", "/notices/add?inspection={key}"]  # fmt: skip


def sealed(house: House, by: str = "gu-canyin", **inputs: object) -> dict[str, tuple[type, int]]:
    rows = scene(house)
    change(house, rows["A catering visit"], summary=MARK)
    with house.acting(by):
        run(fetch(Inspection, rows["A catering visit"][1]), "seal", **inputs)
    return rows


def test_who_knows_of_a_sealed_visit_and_who_of_an_open_one(house: House) -> None:
    rows = sealed(house)
    visit = rows["A catering visit"]
    closed = [outcome(house, who, visit, R) for who, _closed, _open in KNOWING]
    with house.acting("yuan-a"):
        run(fetch(Inspection, visit[1]), "open")
    opened = [outcome(house, who, visit, R) for who, _closed, _open in KNOWING]
    found = list(zip([who for who, *_rest in KNOWING], closed, opened, strict=True))
    assert found == KNOWING


def test_who_seals(house: House) -> None:
    rows = scene(house)
    found = [(who, what, outcome(house, who, rows[what], Verb.SEAL)) for who, what, _word in SEALING]
    assert found == SEALING


def test_it_opens_by_itself_at_the_hour_and_when_the_visit_is_done_or_dropped(house: House) -> None:
    rows = sealed(house, until=clock.now() + timedelta(hours=2))
    visit = rows["A catering visit"]
    assert outcome(house, "neiqin-a", visit, R) == NOTHING
    instant = clock.now() + timedelta(hours=2, seconds=1)
    with clock.set_clock(lambda: instant):
        assert outcome(house, "neiqin-a", visit, R) == MAY
        with house.acting("yuan-a"), pytest.raises(Conflict):
            run(fetch(Inspection, visit[1]), "open")
    with house.acting("yuan-a"):
        run(fetch(Inspection, visit[1]), "void", reason="线索不实")
    assert outcome(house, "neiqin-a", visit, R) == MAY


def test_a_seal_is_not_set_for_the_past_nor_twice_nor_by_who_may_not(house: House) -> None:
    rows = scene(house)
    key = rows["A catering visit"][1]
    with house.acting("yuan-a"), pytest.raises(Forbidden):
        run(fetch(Inspection, key), "seal")
    with house.acting("suo-a"):
        with pytest.raises(Invalid):
            run(fetch(Inspection, key), "seal", until=clock.now() - timedelta(minutes=1))
        run(fetch(Inspection, key), "seal")
        with pytest.raises(Conflict):
            run(fetch(Inspection, key), "seal")


def test_an_inspector_named_while_it_is_sealed_is_let_in_and_one_taken_off_is_out(house: House) -> None:
    rows = sealed(house)
    visit = rows["A catering visit"]
    change(house, visit, co_inspector_id=house.accounts["yuan-b"])
    assert outcome(house, "yuan-b", visit, W) == MAY
    assert outcome(house, "suo-a", visit, R) == NOTHING


def test_being_put_to_it_opens_the_seal_but_grants_nothing(house: House) -> None:
    rows = sealed(house)
    for who in ("firm-a", "admin", "shi"):
        put_to(house, who, rows["A catering visit"])
        assert outcome(house, who, rows["A catering visit"], R) == NOTHING


@pytest.mark.parametrize("who", ["neiqin-a", "ju"])
def test_every_door_is_blind_to_it(house: House, who: str) -> None:
    rows = sealed(house)
    keys = {"key": rows["A catering visit"][1], "site": rows["A catering site"][1], "firm": rows["A catering firm"][1]}
    client = house.client(who)
    for door in DOORS:
        answer = client.get(door.format(**keys))
        assert answer.status_code in {200, 403}, door
        assert MARK not in said(answer.get_data()), door
        assert f'/inspections/{keys["key"]}"' not in page(answer), door
        if door.startswith(("/inspections/", "/api/")):
            assert PLACE not in said(answer.get_data()), door
    for form in ("csv", "xlsx"):
        answer = client.post("/inspections/export", data={"format": form}, buffered=True)
        assert answer.status_code in {200, 403}
        assert PLACE not in said(answer.get_data()), form
    for door in OWN_DOORS:
        assert client.get(door.format(**keys)).status_code in {403, 404}, door
    with house.system() as session:
        public_id = session.get_one(Inspection, keys["key"]).public_id
    assert client.get(f"/api/v1/inspections/{public_id}").status_code == 404
    bulk = client.post("/inspections/bulk", data={"act": "void", "ids": keys["key"]})
    assert MARK not in page(bulk)
    assert MARK not in page(house.client("ju").get("/messages/"))


def test_it_counts_nowhere_and_its_findings_are_sealed_with_it(house: House) -> None:
    rows = scene(house)
    key = rows["A catering visit"][1]
    with house.acting("suo-a"):
        visit = fetch(Inspection, key, W)
        run(visit, "seal")
    with house.system() as session:
        with unit_of_work():
            session.add(Finding(inspection_id=key, fact=MARK))
        everything = session.scalar(
            select(func.count(Inspection.id)).where(Inspection.office_id == house.offices["150525-S01"])
        )
    with house.acting("neiqin-a"):
        session = current_session()
        assert session.scalar(select(func.count(Inspection.id))) == (everything or 0) - 1
        assert session.scalar(select(func.count(Finding.id)).where(Finding.inspection_id == key)) == 0
        assert session.scalar(select(func.count(Message.id)).where(Message.text.contains(MARK))) == 0


def test_those_who_know_see_it_at_the_same_doors(house: House) -> None:
    rows = sealed(house)
    client = house.client("yuan-a")
    assert f"/inspections/{rows['A catering visit'][1]}" in page(client.get(DOORS[1]))
    assert MARK in said(client.get("/api/v1/inspections/").get_data())
    exported = client.post("/inspections/export", data={"format": "xlsx"}, buffered=True)
    assert PLACE in said(exported.get_data())
    shown = page(client.get(f"/inspections/{rows['A catering visit'][1]}"))
    assert "启封" in shown
    form = page(house.client("suo-a").get(f"/inspections/{rows['A making visit'][1]}/do/seal"))
    assert "封存至" in form


def said(content: bytes) -> str:
    if not content.startswith(b"PK"):
        text = content.decode(errors="ignore")
        return json.dumps(json.loads(text), ensure_ascii=False) if text.startswith("{") else text
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
