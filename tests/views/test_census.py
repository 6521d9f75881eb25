"""摸底 on screen: the figures, their workbook, what the other station and a firm see of it."""

from __future__ import annotations

import io
from datetime import timedelta

from openpyxl import load_workbook
from sqlalchemy import select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.models.census import CensusLine, CensusReturn, CensusRound
from app.services.census_figures import By, figures
from tests.services.test_census import confirm_all, hand_in, opened, sheet_of
from tests.support.house import A, B, House
from tests.support.imports import page


def test_the_figures_on_screen_are_those_of_the_workbook_and_each_reads_his_own(house: House) -> None:
    census = opened(house)
    mine, theirs = sheet_of(house, A), sheet_of(house, B)
    confirm_all(house, "yuan-a", mine)
    bureau, chief = house.client("zhuanban"), house.client("suo-b")
    with house.acting("zhuanban"):
        row = current_session().get_one(CensusRound, census)
        told = [[one.label, one.total, one.judged] for one in figures(row, By.STATION)]
    for by in By:
        assert bureau.get(f"/census/?round={census}&by={by}").status_code == 200
    shown = page(bureau.get(f"/census/?round={census}"))
    assert f"/census-returns/{mine}" in shown and f"/census-returns/{theirs}" in shown
    book = load_workbook(io.BytesIO(bureau.post(f"/census/export?round={census}").data))
    cells = [[cell.value for cell in line[:3]] for line in book.active.iter_rows()]
    assert [line for line in cells if line in told] == told
    assert ["合计", sum(one[1] for one in told), sum(one[2] for one in told)] in cells

    shown = page(chief.get(f"/census/?round={census}"))
    assert f"/census-returns/{theirs}" in shown and f"/census-returns/{mine}" not in shown
    assert chief.get(f"/census-returns/{mine}").status_code == 404
    assert chief.get(f"/census-lines/?sheet={mine}").status_code == 200
    with house.acting("suo-b"):
        assert current_session().scalar(select(CensusLine.id).where(CensusLine.sheet_id == mine)) is None
    for who in ("firm-a", "admin", "shi"):
        assert house.client(who).get("/census/").status_code in {403, 404}
    for wrong in ("round=999999", "round=x", "by=x", f"round={2**70}"):
        assert bureau.get(f"/census/?{wrong}").status_code in {400, 404, 422}
    assert bureau.get("/duplicates/?of=Site&census=999999").status_code == 404
    assert bureau.get(f"/duplicates/?of=Enterprise&census={census}").status_code == 200


def test_what_is_to_hand_in_and_what_to_answer_stands_on_the_home_page(house: House) -> None:
    bureau, chief, inspector = (house.client(who) for who in ("zhuanban", "suo-a", "yuan-a"))
    to_hand_in, to_answer = "待上报的摸底表", "待认可的摸底表"
    assert to_hand_in not in page(chief.get("/")) and to_answer not in page(bureau.get("/"))
    opened(house)
    mine = sheet_of(house, A)
    shown = page(chief.get("/"))
    assert to_hand_in in shown and f"/census-returns/{mine}" in shown and to_answer not in shown
    assert f"/census-returns/{sheet_of(house, B)}" not in shown
    assert to_hand_in not in page(inspector.get("/")), "an inspector confirms lines, the chief hands in"
    confirm_all(house, "yuan-a", mine)
    hand_in(house, "suo-a", mine)
    assert to_hand_in not in page(chief.get("/"))
    shown = page(bureau.get("/"))
    assert to_answer in shown and f"/census-returns/{mine}" in shown
    assert f"/census-returns/{mine}" in page(bureau.get("/census-returns/?state=已上报"))
    with house.acting("ju"):
        run(fetch(CensusReturn, mine), "accept")
    assert to_answer not in page(bureau.get("/"))


def test_a_round_that_has_ended_waits_for_nobody(house: House) -> None:
    census = opened(house)
    with house.acting("zhuanban"):
        run(fetch(CensusRound, census), "end")
    assert "待上报的摸底表" not in page(house.client("suo-a").get("/"))


def test_a_station_that_is_late_stands_in_red(house: House) -> None:
    census = opened(house)
    with house.system() as session, unit_of_work():
        row = session.get_one(CensusRound, census)
        row.as_of = row.due = clock.today() - timedelta(days=1)
    assert "逾期" in page(house.client("zhuanban").get(f"/census/?round={census}"))
    mine = house.client("suo-a")
    assert "逾期" in page(mine.get(f"/census-returns/{sheet_of(house, A)}"))
    line = house.site_of(A)
    with house.acting("suo-a"):
        key = current_session().scalar(select(CensusLine.id).where(CensusLine.site_id == line))
    shown = mine.post(f"/census-lines/{key}/do/retire", data={"reason": "关了", "version": "1"})
    assert shown.status_code == 422 and "退出原因" in page(shown)
    shown = mine.post("/census-lines/bulk", data={"act": "retire", "ids": str(key)})
    assert "已关停（登记为注销）" in page(shown)
