"""What an import's pages tell: each row's fate before it is written, the records after, and what to do when refused."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.core.codes import make_id_card, make_mobile
from app.core.fab import import_view
from app.core.importing import act
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise
from tests.support.house import House
from tests.support.imports import Desk, firm_rows, firms_file, page, workbook
from tests.views.test_import import IMPORTED, firm, grant


def tried(house: House, username: str, base: str, data: bytes, **options: str) -> Desk:
    desk = Desk(house, username, base)
    assert desk.upload(data).status_code == 302
    assert desk.attempt(**options).status_code == 302
    return desk


def fates(text: str) -> list[tuple[int, str, str]]:
    """Row, what happens and the whole line of the page, in the page's order."""
    table = text[text.index('id="rows"') :]
    rows = re.findall(r'<tr><th scope="row" class="place">第 (\d+) 行</th><td>(.*?)</tr>', table, re.DOTALL)
    return [(int(n), re.sub(r"<[^>]+>", "|", line).strip("|").split("|")[0], line) for n, line in rows]


# -- row by row -------------------------------------------------------------------------------------------------------


def test_the_trial_says_what_happens_to_each_row(house: House) -> None:
    rows = firm_rows(5)
    Desk(house, "neiqin-a").through(firms_file(rows[:3]))
    renamed = ("奈曼旗导入新名酒楼", *rows[1][1:5], "停业")
    desk = tried(house, "neiqin-a", "/enterprises", firms_file([rows[0], renamed, rows[3], ("", *rows[4][1:])]))
    assert desk.counts() == (1, 1, 1, 1)
    told = fates(desk.result())
    assert [(n, word) for n, word, _line in told] == [(3, "修改"), (4, "新建"), (5, "有误"), (2, "不变")]
    changed = told[0][2]
    assert f"<del>{rows[1][0]}</del><ins>{renamed[0]}</ins>" in changed, "a firm that is renamed is seen"
    assert "<del>正常</del><ins>停业</ins>" in changed and "电话" not in changed
    assert changed.count("<del>") == 2, "what the system counts for itself is no change to people"
    assert f'href="/enterprises/{firm(house, rows[1][1]).id}"' in changed
    assert rows[3][0] in told[1][2] and "href" not in told[1][2]
    only = fates(page(desk.client.get(f"{desk.url}?only=new")))
    assert [n for n, _word, _line in only] == [4]
    assert len(fates(page(desk.client.get(f"{desk.url}?only=nosuch%00")))) == 4
    book = load_workbook(BytesIO(desk.client.get(f"{desk.url}/checked.xlsx").data)).worksheets[0]
    assert [str(book[f"G{n}"].value).split("\n")[0] for n in (2, 3, 4, 5)] == ["不变", "修改", "新建", "有误"]
    assert f"{rows[1][0]} → {renamed[0]}" in str(book["G3"].value)


def test_a_clean_file_has_its_marked_workbook_too(house: House) -> None:
    desk = tried(house, "neiqin-a", "/enterprises", firms_file(firm_rows(2)))
    assert f"{desk.url}/checked.xlsx" in desk.result()
    sheet = load_workbook(BytesIO(desk.client.get(f"{desk.url}/checked.xlsx").data)).worksheets[0]
    assert [sheet["G2"].value, sheet["G3"].value] == ["新建", "新建"]


def test_what_is_seen_in_part_is_told_in_part(house: House) -> None:
    card, mobile, other = make_id_card(date(1990, 3, 4), 5), make_mobile(501), make_mobile(502)
    headings = ["姓名", "手机", "身份证号"]
    Desk(house, "neiqin-a", "/people").through(workbook(headings, ["钱二二", mobile, card]))
    desk = tried(house, "neiqin-a", "/people", workbook(headings, ["钱二二", mobile, ""]), erase="1")
    told = desk.result()
    assert desk.counts() == (0, 1, 0, 0), told
    assert f"<del>{card[:4]}**********{card[-4:]}</del><ins>—</ins>" in told and card not in told
    marked = load_workbook(BytesIO(desk.client.get(f"{desk.url}/checked.xlsx").data)).worksheets[0]
    assert card not in str(marked["D2"].value) and card[:4] in str(marked["D2"].value)
    moved = tried(house, "neiqin-a", "/people", workbook(headings, ["钱二二", other, card]))
    assert f"<del>{mobile}</del><ins>{other}</ins>" in moved.result(), "whose number one sees whole on the record"


def test_a_hidden_column_is_not_told(house: House) -> None:
    rows = firm_rows(1)
    Desk(house, "neiqin-a").through(firms_file(rows))
    desk = tried(house, "neiqin-a", "/enterprises", firms_file([(*rows[0][:4], "换了地址", "正常")]))
    assert "换了地址" in desk.result()
    grant(house, "clerk", lambda _grants: None, hidden={"Enterprise": ["address"]})
    again = tried(house, "neiqin-a", "/enterprises", firms_file([("改名店", *rows[0][1:4], "换了地址", "停业")]))
    assert again.counts() == (0, 1, 0, 0)
    assert "换了地址" not in again.result() and rows[0][4] not in again.result()


def test_relations_and_days_are_told_as_people_say_them(house: House) -> None:
    rows, mobile = firm_rows(1), make_mobile(77)
    Desk(house, "neiqin-a").through(firms_file(rows))
    places = [[rows[0][1], name, "小餐饮", "餐饮服务"] for name in ("总店", "分店")]
    Desk(house, "neiqin-a", "/sites").through(workbook(["主体", "场所名称", "主体类型", "条线"], *places))
    Desk(house, "neiqin-a", "/people").through(workbook(["姓名", "手机"], ["赵一一", mobile]))
    headings = ["人员", "主体", "只在场所", "岗位", "任职起", "任职止"]
    before, after = (
        [mobile, rows[0][1], site, "食品安全员", "2020-01-01", day]
        for site, day in (("总店", "2021-05-06"), ("分店", "2022-05-06"))
    )
    Desk(house, "neiqin-a", "/appointments").through(workbook(headings, before))
    desk = tried(house, "neiqin-a", "/appointments", workbook(headings, after))
    told = fates(desk.result())
    assert [word for _n, word, _line in told] == ["修改"], desk.result()
    assert "<del>总店</del><ins>分店</ins>" in told[0][2]
    assert "<del>2021年5月6日</del><ins>2022年5月6日</ins>" in told[0][2]


def test_of_a_long_list_the_page_tells_the_first_and_the_workbook_all(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_view, "MOST_ROWS", 5)
    monkeypatch.setattr(act, "MOST_LISTED", 4)
    rows = firm_rows(9)
    Desk(house, "neiqin-a").through(firms_file(rows[:8]))
    desk = tried(
        house, "neiqin-a", "/enterprises", firms_file([*rows[:7], (rows[7][0], *rows[7][1:5], "停业"), rows[8]])
    )
    told = desk.result()
    assert [n for n, _word, _line in fates(told)] == [9, 10, 2, 3, 4], "what changes comes first"
    assert "只列出前 5 行" in told
    sheet = load_workbook(BytesIO(desk.client.get(f"{desk.url}/checked.xlsx").data)).worksheets[0]
    assert [str(sheet[f"G{n}"].value).split("\n")[0] for n in range(2, 11)] == ["不变"] * 7 + ["修改", "新建"]


def test_after_writing_the_records_are_linked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act, "MOST_LISTED", 2)
    rows = firm_rows(4)
    Desk(house, "neiqin-a").through(firms_file(rows[:1]))
    desk = Desk(house, "neiqin-a")
    desk.through(firms_file([(*rows[0][:5], "停业"), *rows[1:]]))
    told = desk.result()
    for code in (rows[0][1], rows[1][1]):
        assert f'<a href="/enterprises/{firm(house, code).id}">' in told, code
    assert f'"/enterprises/{firm(house, rows[2][1]).id}"' not in told and "只列出前 2 条" in told
    with house.system() as session, unit_of_work():
        session.delete(session.scalars(select(Enterprise).where(Enterprise.code == rows[1][1])).one())
    assert rows[1][0] not in desk.result(), "what is gone is not offered"
    desk.undo()
    assert "写入的记录" not in desk.result()


# -- what to do when it is refused ------------------------------------------------------------------------------------


def test_headings_without_rows_are_called_that(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file([]))
    answer = desk.attempt()
    assert answer.status_code == 422 and "第 1 行表头的下面，要导入的列里没有数据" in page(answer)
    assert desk.kept().state == "待对应" and "都有" not in page(answer)


def test_after_a_refusal_it_is_tried_again_by_one_button(house: House) -> None:
    rows = firm_rows(2)
    Desk(house, "neiqin-a").through(firms_file(rows[:1]))
    desk = tried(house, "neiqin-a", "/enterprises", firms_file([(*rows[0][:4], "别处", "正常"), rows[1]]))
    assert f"{desk.url}/again" not in desk.result(), "nothing has changed yet"
    with house.system() as session, unit_of_work():
        session.scalars(select(Enterprise).where(Enterprise.code == rows[0][1])).one().address = "所里改的地址"
    answer = desk.write()
    assert answer.status_code == 409 and f'action="{desk.url}/again"' in page(answer)
    assert "写入 2 条" not in page(answer), "what would be refused again is not offered"
    again = desk.client.post(f"{desk.url}/again")
    assert again.status_code == 302 and again.location == desk.url
    told = desk.result()
    assert "已重新试导入" in told and "<del>所里改的地址</del><ins>别处</ins>" in told
    assert desk.write().status_code == 302
    assert firm(house, rows[0][1]).address == "别处"
    assert desk.client.post(f"{desk.url}/again").status_code == 409, "what is written is not tried again"


def test_trying_again_is_for_who_brought_the_file(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file(firm_rows(1)))
    assert desk.client.post(f"{desk.url}/again").location == f"{desk.url}/columns", "its columns come first"
    desk.attempt()
    assert house.client("suo-a").post(f"{desk.url}/again").status_code == 404
    assert house.client("ju").post(f"{desk.url}/again").status_code == 403
    assert desk.client.post(f"{desk.url.replace('/enterprises', '/sites')}/again").status_code == 404


# -- undone one after the other ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["neiqin-a", "suo-a"])
def test_what_only_another_undo_touched_can_be_taken_back(house: House, second: str) -> None:
    rows = firm_rows(3)
    first = Desk(house, "neiqin-a")
    first.through(firms_file(rows))
    later = [Desk(house, name) for name in (second, "neiqin-a")]
    later[0].through(firms_file([(*rows[0][:5], "停业"), (*rows[1][:5], "停业"), rows[2]]))
    later[1].through(firms_file([(*rows[0][:4], "别处", "停业")]))
    for desk in reversed(later):
        desk.undo()
        assert "全部撤销" in desk.result()
    assert (firm(house, rows[0][1]).address, firm(house, rows[0][1]).state) == (rows[0][4], "正常")
    with house.system() as session, unit_of_work():
        session.scalars(select(Enterprise).where(Enterprise.code == rows[1][1])).one().note = "后来改的"
    first.undo()
    told = first.result()
    assert rows[1][0] in told and "导入之后又被改过" in told and rows[0][0] not in told
    with house.system() as session:
        assert session.scalars(select(Enterprise.code).where(IMPORTED)).all() == [rows[1][1]]


def test_what_was_edited_between_two_imports_stays(house: House) -> None:
    rows = firm_rows(1)
    first = Desk(house, "neiqin-a")
    first.through(firms_file(rows))
    with house.system() as session, unit_of_work():
        session.scalars(select(Enterprise).where(Enterprise.code == rows[0][1])).one().note = "改过"
    second = Desk(house, "neiqin-a")
    second.through(firms_file([(*rows[0][:5], "停业")]))
    second.undo()
    first.undo()
    assert "导入之后又被改过" in first.result()
    assert firm(house, rows[0][1]).note == "改过"
