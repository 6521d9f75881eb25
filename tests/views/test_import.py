"""Importing: the template, the columns, the trial, the writing, the undoing, as the stations do it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from app.core import clock, jobs, worker
from app.core.codes import make_credit_code, make_id_card, make_mobile
from app.core.history import HistoryEntry, verify
from app.core.importing import act
from app.core.importing import run as runs
from app.core.importing.run import ImportMapping, ImportRun
from app.core.office import AccessRole
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment, Person
from tests.support.house import A, B, House
from tests.support.imports import FIRM_HEADINGS, Desk, firm_rows, firms_file, page, with_member, workbook


def count(house: House, model: Any, *clauses: Any) -> int:
    with house.system() as session:
        return int(session.scalar(select(func.count(model.id)).where(*clauses)) or 0)


def firm(house: House, code: str) -> Enterprise:
    with house.system() as session:
        return session.scalars(select(Enterprise).where(Enterprise.code == code)).one()


def files(house: House) -> list[Path]:
    with house.app.app_context():
        return list(runs.folder().iterdir())


def empty(house: House) -> None:
    """The folder outlives the database that a test restores."""
    for path in files(house):
        path.unlink()


IMPORTED = Enterprise.name.like("奈曼旗导入饭店%")


# -- the story --------------------------------------------------------------------------------------------------------


def test_the_clerk_brings_thirty_firms_their_sites_and_their_people(house: House) -> None:
    rows = firm_rows(30)
    changes = HistoryEntry.verb == Verb.IMPORT, HistoryEntry.office_id == house.offices[A]
    told_before = count(house, HistoryEntry, *changes)
    firms = Desk(house, "neiqin-a")
    assert firms.upload(firms_file(rows)).status_code == 302
    assert firms.attempt().status_code == 302
    assert firms.counts() == (30, 0, 0, 0)
    assert count(house, Enterprise, IMPORTED) == 0, "a trial writes nothing"
    assert firms.write().status_code == 302
    assert count(house, Enterprise, IMPORTED, Enterprise.office_id == house.offices[A]) == 30

    sites = Desk(house, "neiqin-a", "/sites")
    told = [(code, f"{name}总店", "大沁他拉镇", "小餐饮", "餐饮服务", "正常") for name, code, *_rest in rows]
    head = ("所属主体", "场所名称", "所属苏木乡镇", "主体类型", "条线", "经营状态")
    sites.upload(workbook(head, *told))
    sites.attempt(["enterprise", "name", "area", "kind", "lines", "state"])
    assert sites.counts() == (30, 0, 0, 0), sites.result()
    assert sites.write().status_code == 302
    assert firm(house, rows[0][1]).lines == 4, "the firm has its site's lines"

    people = Desk(house, "neiqin-a", "/people")
    cast = [
        (f"李{'甲乙丙丁戊己庚辛壬癸'[n % 10]}{n}", make_mobile(9000 + n), make_id_card(date(1980, 1, 2), n))
        for n in range(30)
    ]
    assert people.through(workbook(("姓名", "手机号码", "身份证号"), *cast)).status_code == 302

    posts = Desk(house, "neiqin-a", "/appointments")
    told = [
        (card, code, "食品安全员", "是", "2026-01-05")
        for (_n, _m, card), (_name, code, *_r) in zip(cast, rows, strict=True)
    ]
    assert posts.through(workbook(("人员", "主体", "岗位", "专职", "任职起"), *told)).status_code == 302
    assert posts.counts() == (30, 0, 0, 0)
    with house.system() as session:
        one = session.scalars(select(Appointment).join(Person).where(Person.name == cast[3][0])).one()
        assert (one.enterprise.code, one.full_time, one.date_from) == (rows[3][1], True, date(2026, 1, 5))
        assert one.office_id == house.offices[A]
    told = count(house, HistoryEntry, *changes) - told_before
    assert told == 8, "for each of four files what it changed, and which file it was"
    with house.app.app_context():
        assert list(verify()) == []


def test_the_same_file_again_changes_nothing(house: House) -> None:
    data = firms_file(firm_rows(12))
    Desk(house, "neiqin-a").through(data)
    again = Desk(house, "neiqin-a")
    again.upload(data)
    again.attempt()
    assert again.counts() == (0, 0, 12, 0)
    assert "没有要写入的" in again.result()
    assert again.write().status_code == 302
    assert count(house, Enterprise, IMPORTED) == 12
    assert firm(house, make_credit_code(7000)).version == 1


@pytest.mark.parametrize("base", ["/enterprises", "/people"])
def test_what_was_taken_out_comes_back_without_its_stars(house: House, base: str) -> None:
    """An export writes telephones and ID cards in part only: sent back, they stay what they were."""
    with house.client("suo-a").post(f"{base}/export", data={"format": "xlsx"}) as out:
        taken = out.get_data()
    with house.system() as session:
        before = dict(session.execute(select(Enterprise.id, Enterprise.phone)).all())
    back = Desk(house, "suo-a", base)
    back.upload(taken)
    back.attempt()
    new, changed, same, wrong = back.counts()
    assert (new, changed, wrong) == (0, 0, 0), back.result()
    assert same > 5
    with house.system() as session:
        assert dict(session.execute(select(Enterprise.id, Enterprise.phone)).all()) == before


def test_stars_that_stand_for_nothing_are_named(house: House) -> None:
    rows = firm_rows(2)
    Desk(house, "neiqin-a").through(firms_file(rows[:1]))
    desk = Desk(house, "neiqin-a")
    desk.upload(
        firms_file([(*rows[0][:3], "1881****9999", *rows[0][4:]), (*rows[1][:3], "1990****0000", *rows[1][4:])])
    )
    desk.attempt()
    assert desk.counts() == (0, 0, 0, 2)
    assert "打了星号" in desk.result()


def test_a_second_edition_of_the_file_changes_what_differs(house: House) -> None:
    rows = firm_rows(5)
    Desk(house, "neiqin-a").through(firms_file(rows))
    edited = [(*rows[0][:4], "换了地址", "停业"), (*rows[1][:3], "", "", ""), *rows[2:]]
    second = Desk(house, "neiqin-a")
    second.upload(firms_file(edited))
    second.attempt()
    assert second.counts() == (0, 1, 4, 0), "a blank cell erases nothing"
    second.write()
    changed = firm(house, rows[0][1])
    assert (changed.address, changed.state, changed.phone) == ("换了地址", "停业", rows[0][3])
    erasing = Desk(house, "neiqin-a")
    erasing.upload(firms_file([(*rows[1][:3], "", "", "")]))
    erasing.attempt(erase="1")
    assert erasing.counts() == (0, 1, 0, 0)
    erasing.write()
    cleared = firm(house, rows[1][1])
    assert (cleared.phone, cleared.address, cleared.state) == (None, "", "正常"), "what must not be empty stays"


# -- template and columns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/enterprises", "/sites", "/people", "/appointments"])
def test_the_template_comes_back_as_it_was_filled_in(small: House, base: str) -> None:
    desk = Desk(small, "neiqin-a", base)
    answer = desk.client.get(f"{base}/import/template.xlsx")
    assert answer.status_code == 200 and answer.mimetype.endswith("spreadsheetml.sheet")
    book = load_workbook(BytesIO(answer.data))
    assert book.sheetnames == ["数据", "填写说明", "选项"] and book["选项"].sheet_state == "hidden"
    headings = [str(cell.value) for cell in book["数据"][1]]
    assert any(text.endswith(" *") for text in headings), "what is required is marked"
    assert len(list(book["填写说明"].iter_rows())) == len(headings) + 1
    book["数据"].append(["甲"] * len(headings))
    out = BytesIO()
    book.save(out)
    desk.upload(out.getvalue())
    chosen = desk.chosen(desk.columns())
    assert list(chosen) == headings
    assert "" not in chosen.values() and len(set(chosen.values())) == len(headings)


def test_choices_are_lists_in_the_template(small: House) -> None:
    answer = small.client("neiqin-a").get("/sites/import/template.xlsx")
    book = load_workbook(BytesIO(answer.data))
    rules = {str(rule.sqref).partition("2:")[0]: rule.formula1 for rule in book["数据"].data_validations.dataValidation}
    headings = {str(cell.value): cell.column_letter for cell in book["数据"][1]}
    for heading in ("经营状态", "风险等级", "所属苏木乡镇"):
        letter = headings[heading]
        words = [cell.value for cell in book["选项"][letter] if cell.value]
        assert rules[letter] == f"='选项'!${letter}$1:${letter}${len(words)}" and words


def test_headings_in_another_order_under_a_title(small: House) -> None:
    desk = Desk(small, "neiqin-a")
    name, code, *_rest = firm_rows(1)[0]
    desk.upload(
        workbook(
            ["2026 年主体台账"],
            [],
            ["序号", "信用代码：", " 企业 名称 ", "负责人", "备注说明"],
            [1, code, name, "李四", "好"],
        )
    )
    text = desk.columns()
    assert desk.chosen(text) == {
        "序号": "",
        "信用代码：": "code",
        "企业 名称": "name",
        "负责人": "legal_person",
        "备注说明": "note",
    }
    desk.attempt()
    desk.write()
    assert (firm(small, code).name, firm(small, code).legal_person, firm(small, code).note) == (name, "李四", "好")


def test_a_choice_of_columns_is_remembered_for_the_same_headings(house: House) -> None:
    name, code, *_rest = firm_rows(1)[0]
    data = workbook(["甲栏", "乙栏", "丙栏"], [name, code, "无用"])
    first = Desk(house, "neiqin-a")
    first.upload(data)
    assert set(first.chosen(first.columns()).values()) == {""}
    assert first.attempt(["name", "code", ""]).status_code == 302
    turned = Desk(house, "neiqin-a")
    turned.upload(workbook(["丙栏", "乙栏", "甲栏"], ["无用", code, name]))
    assert turned.chosen(turned.columns()) == {"丙栏": "", "乙栏": "code", "甲栏": "name"}
    other = Desk(house, "suo-a")
    other.upload(data)
    assert set(other.chosen(other.columns()).values()) == {""}, "what one account chose is its own"
    assert count(house, ImportMapping) == 1


def test_another_sheet_and_heading_row_can_be_chosen(small: House) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "台账"
    for row in (FIRM_HEADINGS, firm_rows(1)[0]):
        book.active.append(row)
    more = book.create_sheet("补充")
    for row in (["说明", "单位"], FIRM_HEADINGS, firm_rows(1, 7100)[0]):
        more.append(row)
    out = BytesIO()
    book.save(out)
    desk = Desk(small, "neiqin-a")
    desk.upload(out.getvalue())
    assert desk.kept().sheet == "台账"
    assert desk.attempt(sheet="补充").status_code == 302
    assert (desk.kept().sheet, desk.kept().heading, desk.counts()) == ("补充", 2, (1, 0, 0, 0))
    for sheet, row in (("没有", "9"), ("补充", "x"), ("补充", "9" * 40), ("", "-1")):
        assert desk.client.get(f"{desk.url}/columns", query_string={"sheet": sheet, "row": row}).status_code == 200


@pytest.mark.parametrize(
    ("mapping", "word"),
    [(["", ""], "请至少为一列"), (["name", "name"], "选了同一项"), (["office_id", "search_text"], "请至少为一列")],
)
def test_a_mapping_that_says_nothing_or_twice_the_same(small: House, mapping: list[str], word: str) -> None:
    desk = Desk(small, "neiqin-a")
    desk.upload(workbook(["甲", "乙"], ["一", "二"]))
    answer = desk.attempt(mapping)
    assert answer.status_code == 422 and word in page(answer)


# -- what is wrong ----------------------------------------------------------------------------------------------------


def spoilt() -> list[tuple[Any, ...]]:
    good = firm_rows(9)
    return [
        ("", *good[0][1:]),  # no name
        (good[1][0], good[1][1][:-1] + "*", *good[1][2:]),  # a code that cannot be
        (*good[2][:5], "飞了"),  # a state that is none
        ("长" * 200, *good[3][1:]),
        (good[4][0], 911505251234567890, *good[4][2:]),  # a long number that lost its end
        ("#REF!", *good[5][1:]),
        good[6],
        good[6],  # the same again
        (*good[8][:3], "12", *good[8][4:]),  # a telephone to be looked at
    ]


def test_every_bad_cell_is_named_and_the_good_rows_can_go(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file(spoilt()))
    desk.attempt()
    assert desk.counts() == (2, 0, 0, 7), desk.result()
    told = desk.result()
    for word in (
        "A2",
        "请填写",
        "B3",
        "F4",
        "只能填：",
        "A5",
        "最多 120",
        "B6",
        "被表格软件截断",
        "A7",
        "公式的错误值",
        "与第 8 行重复",
        "D10",
    ):
        assert word in told, word
    for ticks in ({}, {"accept": "1"}, {"skip_bad": "1"}):
        assert desk.write(**ticks).status_code == 422, ticks
    assert count(house, Enterprise, IMPORTED) == 0
    assert desk.write(skip_bad="1", accept="1").status_code == 302
    assert count(house, Enterprise, IMPORTED) == 2
    assert desk.kept().wrong == 7


def test_the_marked_workbook_says_what_is_wrong_where(small: House) -> None:
    desk = Desk(small, "neiqin-a")
    desk.upload(firms_file(spoilt()))
    desk.attempt()
    answer = desk.client.get(f"{desk.url}/checked.xlsx")
    assert answer.status_code == 200
    sheet = load_workbook(BytesIO(answer.data)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == [*FIRM_HEADINGS, "导入结果"]
    assert "请填写" in str(sheet["G2"].value) and sheet["A2"].fill.fgColor.rgb == "00FFC7CE"
    assert "不在" in str(sheet["F4"].comment.text) or "只能填" in str(sheet["F4"].comment.text)
    assert sheet["D10"].fill.fgColor.rgb == "00FFEB9C" and sheet["G8"].value == "新建"
    again = Desk(small, "neiqin-a")
    again.upload(answer.data)
    assert again.chosen(again.columns())["导入结果"] == "", "it can be mended and brought again"
    again.attempt()
    assert again.counts() == desk.counts()


def test_names_that_are_not_there_or_are_not_one(house: House) -> None:
    with house.system() as session:
        foreign = session.scalars(select(Enterprise.name).where(Enterprise.office_id == house.offices[B])).first()
        own = session.scalars(select(Enterprise).where(Enterprise.office_id == house.offices[A])).first()
        assert own is not None
    Desk(house, "neiqin-a").through(
        workbook(["单位名称", "信用代码"], ["同名店", make_credit_code(7201)], ["同名店", make_credit_code(7202)])
    )
    desk = Desk(house, "neiqin-a", "/sites")
    rows = [
        [name, f"场所{n}", "小餐饮", "餐饮"]
        for n, name in enumerate((foreign, "没有这家", "同名店", own.name, own.code or own.name))
    ]
    desk.upload(workbook(["主体", "场所名称", "主体类型", "条线"], *rows))
    desk.attempt()
    told = desk.result()
    assert desk.counts() == (2, 0, 0, 3), told
    assert f"没有找到“{foreign}”" in told and "没有找到“没有这家”" in told, (
        "another office's firm is as one that is not there"
    )
    assert "“同名店”有 2 个" in told and make_credit_code(7201) in told


def test_a_name_of_two_places_is_cleared_up_by_the_firm(house: House) -> None:
    rows = firm_rows(2)
    Desk(house, "neiqin-a").through(firms_file(rows))
    sites = Desk(house, "neiqin-a", "/sites")
    sites.upload(
        workbook(["主体", "场所名称", "主体类型", "条线"], *([one[1], "总店", "小餐饮", "餐饮服务"] for one in rows))
    )
    sites.attempt()
    sites.write()
    Desk(house, "neiqin-a", "/people").through(workbook(["姓名", "手机"], ["赵一一", make_mobile(77)]))
    posts = Desk(house, "neiqin-a", "/appointments")
    posts.upload(
        workbook(
            ["人员", "主体", "只在场所", "岗位", "任职起"],
            [make_mobile(77), rows[1][1], "总店", "食品安全员", "2026-01-01"],
        )
    )
    posts.attempt()
    posts.write()
    with house.system() as session:
        one = session.scalars(select(Appointment).join(Person).where(Person.name == "赵一一")).one()
        assert one.site is not None and one.site.enterprise.code == rows[1][1]


def test_the_firms_of_another_office_cannot_be_taken(house: House) -> None:
    """A code that is taken elsewhere is told as the form tells it; the row of the other office is not touched."""
    with house.system() as session:
        other = session.scalars(
            select(Enterprise).where(Enterprise.office_id == house.offices[B], Enterprise.code.is_not(None))
        ).first()
        assert other is not None
    desk = Desk(house, "neiqin-a")
    desk.upload(workbook(["单位名称", "信用代码"], ["抢来的店", other.code]))
    desk.attempt()
    assert desk.counts() == (0, 0, 0, 1) and "已属于另一个在册主体" in desk.result()
    desk.write(skip_bad="1")
    assert firm(house, other.code or "").name == other.name


# -- files ------------------------------------------------------------------------------------------------------------


def csv_of(encoding: str, delimiter: str = ",") -> bytes:
    lines = [FIRM_HEADINGS, *firm_rows(3)]
    return "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines).encode(encoding)


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("gb18030", ","), ("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t")]
)
def test_csv_in_the_encodings_that_occur(small: House, encoding: str, delimiter: str) -> None:
    desk = Desk(small, "neiqin-a")
    assert desk.upload(csv_of(encoding, delimiter), "台账.csv").status_code == 302
    desk.attempt()
    assert desk.counts() == (3, 0, 0, 0)
    desk.write()
    assert firm(small, make_credit_code(7001)).name == "奈曼旗导入饭店7001号"


def test_days_count_from_1904_where_the_workbook_does(small: House) -> None:
    rows = firm_rows(1)
    Desk(small, "neiqin-a").through(firms_file(rows))
    desk = Desk(small, "neiqin-a", "/sites")
    head = ["主体", "场所名称", "主体类型", "条线", "许可有效期至"]
    days = [date(2027, 5, 6), "2027年5月7日", "2027/5/8", "20270509", "五月"]
    told = [[rows[0][1], f"场所{n}", "小餐饮", "餐饮服务", day] for n, day in enumerate(days)]
    desk.upload(workbook(head, *told, mac=True))
    desk.attempt()
    assert desk.counts() == (4, 0, 0, 1) and "E6" in desk.result()
    desk.write(skip_bad="1")
    with small.system() as session:
        found = session.scalars(
            select(Site.licence_until).where(Site.name.in_([f"场所{n}" for n in range(4)])).order_by(Site.name)
        )
        assert list(found) == [date(2027, 5, day) for day in (6, 7, 8, 9)]


def test_a_formula_counts_by_its_stored_result(small: House) -> None:
    """openpyxl stores none; a result is put in by hand, as Excel does."""
    import re
    import zipfile

    data = workbook(["单位名称", "信用代码", "备注"], ["=CONCAT(1)", make_credit_code(7300), "=1+1"])
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                empty_one = rb'<c r="A2"[^>]*><f>CONCAT\(1\)</f><v ?/?>(</v>)?</c>'
                content = re.sub(empty_one, '<c r="A2" t="str"><f>CONCAT(1)</f><v>算出来的店</v></c>'.encode(), content)
            target.writestr(item, content)
    desk = Desk(small, "neiqin-a")
    desk.upload(out.getvalue())
    desk.attempt()
    desk.write()
    assert (firm(small, make_credit_code(7300)).name, firm(small, make_credit_code(7300)).note) == ("算出来的店", None)


GOOD = firms_file(firm_rows(1))
HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "macro": (with_member(GOOD, "xl/vbaProject.bin", b"x"), "a.xlsx", "带有宏"),
    "bomb": (with_member(GOOD, "xl/worksheets/sheet9.xml", b" " * (60 << 20)), "a.xlsx", "体积异常"),
    "picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "a.xlsx", "只收 Excel"),
    "pdf": (b"%PDF-1.7\n" + b"\0" * 99, "a.xlsx", "这是 PDF 文件"),
    "rar": (b"Rar!\x1a\x07\x00", "a.xlsx", "这是压缩包"),
    "page": (b"<html><table><tr><td>a</td></tr></table>", "a.xls", "网页格式的表格"),
    "no bytes": (b"", "a.xlsx", "文件是空的"),
    "picture as csv": (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "a.csv", "文字编码"),
    "old": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", "旧格式"),
    "text": ("名称\n甲".encode(), "a.docx", "只收 Excel"),
    "nothing": (b"", "a.csv", "没有内容"),
    "half a character": (b"\xff\xfe\xff", "a.csv", "文字编码"),
    "no encoding": (b"\x81\x20\xff", "a.csv", "文字编码"),
    "a long cell": (b"a,b\n" + b"x" * 200_000, "a.csv", "第 2 行附近有一格超过 131072 个字符"),
    "cut off": (GOOD[:-200], "a.xlsx", "已损坏"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_is_no_table_is_refused_and_not_kept(small: House, kind: str) -> None:
    data, name, word = HOSTILE[kind]
    empty(small)
    desk = Desk(small, "neiqin-a")
    answer = desk.upload(data, name)
    assert answer.status_code == 422 and word in page(answer), page(answer)[-2000:]
    assert count(small, ImportRun) == 0
    assert files(small) == []


def test_a_hundred_megabytes_are_refused_unread(small: House) -> None:
    client = small.client("neiqin-a")
    told = {"CONTENT_LENGTH": str(100 << 20), "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    answer = client.post("/enterprises/import", input_stream=BytesIO(b"--x"), environ_overrides=told)
    assert answer.status_code == 413 and "文件太大" in page(answer)
    assert client.post("/enterprises/import", data={}).status_code == 422


def test_a_strange_file_name_is_kept_as_a_name_only(small: House) -> None:
    empty(small)
    desk = Desk(small, "neiqin-a")
    desk.upload(GOOD, "../../etc/密码\x01<b>.xlsx")
    assert desk.kept().file_name == "密码<b>.xlsx"
    assert "密码&lt;b&gt;.xlsx" in desk.columns()
    (stored,) = files(small)
    assert stored.name == desk.kept().stored and stored.stat().st_mode & 0o077 == 0


def test_more_rows_than_one_import_takes(small: House) -> None:
    desk = Desk(small, "neiqin-a")
    desk.upload(("单位名称\n" + "某店\n" * 20_001).encode(), "a.csv")
    answer = desk.attempt(["name"])
    assert answer.status_code == 422 and "行数超过上限" in page(answer)
    assert desk.kept().state == "待对应" and desk.write().status_code == 409


def test_any_address_of_a_run_gives_a_page(small: House) -> None:
    desk = Desk(small, "neiqin-a")
    desk.upload(GOOD)
    for key in ("%00", "a%00b", "x" * 10_000, "../x", "%ff", "1"):
        for tail in ("", "/columns", "/checked.xlsx"):
            assert desk.client.get(f"/enterprises/import/{key}{tail}").status_code == 404, (key, tail)
    for form in ({}, {"c0": "x" * 10_000, "c99999": "name"}, {"sheet": "\0", "row": "\0", "c0": "name", "c1": "\0"}):
        assert desk.client.post(f"{desk.url}/columns", data=form).status_code in {302, 422}, form
    assert desk.client.get("/roles/import").status_code == 403


def test_cells_that_no_column_can_hold(house: House) -> None:
    rows = [
        ("甲\x00店", "", ""),
        ("乙" * 10_000, "", ""),
        ("=cmd|' /C calc'!A0", "9" * 40, "丙"),
        ("丁\ud83d\ude00店", "", "x" * 20_001),
    ]
    body = "单位名称,信用代码,备注\n" + "\n".join(",".join(row) for row in rows)
    desk = Desk(house, "neiqin-a")
    desk.upload(body.encode("utf-16", "surrogatepass"), "a.csv")
    assert desk.attempt().status_code == 302
    assert desk.counts() == (0, 0, 0, 4), desk.result()
    assert desk.client.get(f"{desk.url}/checked.xlsx").status_code == 200


# -- who may ----------------------------------------------------------------------------------------------------------


def test_a_run_is_its_makers_alone(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.through(firms_file(firm_rows(2)))
    open_one = Desk(house, "neiqin-a")
    open_one.upload(GOOD)
    for username in ("suo-a", "yuan-a", "yuan-b"):
        client = house.client(username)
        for run in (desk.url, open_one.url):
            for tail in ("", "/columns", "/checked.xlsx"):
                assert client.get(f"{run}{tail}").status_code == 404, (username, tail)
            for tail in ("", "/columns", "/undo", "/discard"):
                assert client.post(f"{run}{tail}").status_code == 404, (username, tail)
        assert "台账.xlsx" not in page(client.get("/enterprises/import"))
    for username in ("ju", "fagui", "firm-a", "audit", "admin"):
        client = house.client(username)
        assert client.get("/enterprises/import").status_code == 403
        assert client.get(desk.url).status_code == 403 and client.post(f"{desk.url}/undo").status_code == 403
        assert "/enterprises/import" not in page(client.get("/enterprises/"))
    assert "/enterprises/import" in page(desk.client.get("/enterprises/"))
    assert desk.client.get(f"/sites/import/{desk.run}").status_code == 404, "a run of another entity"
    assert desk.client.get("/enterprises/import/x").status_code == 404
    assert count(house, Enterprise, IMPORTED) == 2


def grant(house: House, code: str, change: Any, **columns: Any) -> None:
    with house.system() as session, unit_of_work():
        role = session.scalars(select(AccessRole).where(AccessRole.code == code)).one()
        grants = {entity: dict(verbs) for entity, verbs in role.grants.items()}
        change(grants)
        role.grants = grants
        for name, value in columns.items():
            setattr(role, name, value)


def test_importing_gives_no_right_to_make_or_change(house: House) -> None:
    rows = firm_rows(2)
    Desk(house, "neiqin-a").through(firms_file(rows[:1]))
    grant(house, "clerk", lambda grants: [grants["Enterprise"].pop(verb) for verb in ("create", "update")])
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file([(*rows[0][:4], "别处", "正常"), rows[1]]))
    desk.attempt()
    assert desk.counts() == (0, 0, 0, 2)
    assert "不能新建" in desk.result() and "不能修改" in desk.result()
    assert desk.write(skip_bad="1").status_code == 302
    assert count(house, Enterprise, IMPORTED) == 1 and firm(house, rows[0][1]).version == 1


def test_a_hidden_column_is_nowhere(house: House) -> None:
    grant(
        house,
        "clerk",
        lambda _grants: None,
        hidden={"Enterprise": ["phone"]},
        readonly={"Enterprise": ["legal_person"]},
    )
    desk = Desk(house, "neiqin-a")
    book = load_workbook(BytesIO(desk.client.get("/enterprises/import/template.xlsx").data))
    assert not {"联系电话", "法定代表人（负责人、经营者）"} & {cell.value for cell in book["数据"][1]}
    desk.upload(firms_file(firm_rows(1)))
    chosen = desk.chosen(desk.columns())
    assert (chosen["联系电话"], chosen["法定代表人"]) == ("", "")
    desk.attempt(["name", "code", "legal_person", "phone", "address", "state"])
    desk.write()
    made = firm(house, make_credit_code(7000))
    assert (made.phone, made.legal_person, made.address) == (None, "", "大沁他拉镇某街 7000 号")


# -- writing ----------------------------------------------------------------------------------------------------------


def test_pressed_twice_at_once_it_is_written_once(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file(firm_rows(20)))
    desk.attempt()
    clients, barrier = [house.client("neiqin-a") for _n in range(3)], threading.Barrier(3)

    def press(client: Any) -> int:
        barrier.wait()
        return int(client.post(desk.url).status_code)

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(press, clients)) == [302, 409, 409]
    assert count(house, Enterprise, IMPORTED) == 20
    assert desk.write().status_code == 409, "and later"


def test_two_with_the_same_rows_at_once(house: House) -> None:
    """Sites have no unique rule in the database: the second import must see what the first has made."""
    rows = firm_rows(3)
    Desk(house, "neiqin-a").through(firms_file(rows))
    data = workbook(["主体", "场所名称", "主体类型", "条线"], *([one[1], "总店", "小餐饮", "餐饮服务"] for one in rows))
    desks = [Desk(house, name, "/sites") for name in ("neiqin-a", "suo-a", "yuan-a")]
    for desk in desks:
        desk.upload(data)
        desk.attempt()
    barrier = threading.Barrier(3)

    def press(desk: Desk) -> int:
        barrier.wait()
        return int(desk.write().status_code)

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(press, desks)) == [302, 409, 409]
    assert count(house, Site, Site.name == "总店", Site.enterprise_id.in_(select(Enterprise.id).where(IMPORTED))) == 3


@pytest.mark.parametrize("what", ["made", "changed", "file", "columns"])
def test_what_changed_since_the_trial_is_tried_again(house: House, what: str) -> None:
    rows = firm_rows(4)
    Desk(house, "neiqin-a").through(firms_file(rows[:1]))
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file([(*rows[0][:4], "别处", "正常"), *rows[1:]]))
    desk.attempt()
    if what == "made":
        Desk(house, "suo-a").through(firms_file(rows[3:]))
    elif what == "changed":
        with house.system() as session, unit_of_work():
            session.scalars(select(Enterprise).where(Enterprise.code == rows[0][1])).one().note = "改过"
    elif what == "file":
        with house.app.app_context():
            (runs.folder() / desk.kept().stored).write_bytes(firms_file(firm_rows(9)))
    else:
        with house.system() as session, unit_of_work():
            row = session.scalars(select(ImportRun).where(ImportRun.public_id == desk.run)).one()
            row.mapping = ["name", "code", "", "", "", ""]
    answer = desk.write()
    assert answer.status_code == 409 and ("有了变化" in page(answer) or "已经删除" in page(answer))
    assert firm(house, rows[0][1]).address != "别处"
    assert count(house, Enterprise, IMPORTED) == (2 if what == "made" else 1)


def test_killed_in_the_middle_nothing_is_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(house, "neiqin-a")
    desk.upload(firms_file(firm_rows(20)))
    desk.attempt()
    before = count(house, HistoryEntry)

    def die(_lines: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(act, "undo_text", die)  # every row is flushed, nothing is committed
        with pytest.raises(KeyboardInterrupt):
            desk.write()
    assert (count(house, Enterprise, IMPORTED), count(house, HistoryEntry), desk.kept().state) == (
        0,
        before,
        "已试导入",
    )
    assert desk.write().status_code == 302
    assert count(house, Enterprise, IMPORTED) == 20


# -- undoing ----------------------------------------------------------------------------------------------------------


def test_an_import_is_taken_back(house: House) -> None:
    rows = firm_rows(6)
    Desk(house, "neiqin-a").through(firms_file(rows[:2]))
    desk = Desk(house, "neiqin-a")
    desk.through(firms_file([(*rows[0][:3], "", "改了的地址", "停业"), *rows[1:]]))
    assert desk.counts() == (4, 1, 1, 0)
    assert desk.undo().status_code == 302
    told = desk.result()
    assert "已撤销" in told and "全部撤销" in told
    assert count(house, Enterprise, IMPORTED) == 2
    back = firm(house, rows[0][1])
    assert (back.address, back.state, back.phone) == (rows[0][4], "正常", rows[0][3])
    assert desk.undo().status_code == 409, "once"
    with house.app.app_context():
        assert list(verify()) == []
    again = Desk(house, "neiqin-a")
    again.through(firms_file(rows))
    assert again.counts() == (4, 0, 2, 0), "and can be brought again"


def test_a_person_gets_back_sealed_values_and_days(house: House) -> None:
    card, mobile = make_id_card(date(1990, 3, 4), 5), make_mobile(501)
    people = Desk(house, "neiqin-a", "/people")
    people.through(workbook(["姓名", "手机", "身份证号"], ["钱二二", mobile, card]))
    desk = Desk(house, "neiqin-a", "/people")
    desk.through(workbook(["姓名", "手机", "身份证号"], ["钱二二改", make_mobile(502), card]))
    assert desk.counts() == (0, 1, 0, 0)
    with house.system() as session:
        sealed = session.connection().exec_driver_sql("SELECT undo FROM import_part ORDER BY id DESC LIMIT 1").scalar()
        assert mobile.encode() not in bytes(sealed), "what was before is sealed as it was in its column"
    desk.undo()
    with house.system() as session:
        person = session.scalars(select(Person).where(Person.name == "钱二二")).one()
        assert (person.mobile, person.id_card) == (mobile, card)
        from app.core.crypto import digest

        assert person.mobile_digest == digest(mobile, "person.mobile")


def test_what_was_touched_since_stays(house: House) -> None:
    rows = firm_rows(5)
    Desk(house, "neiqin-a").through(firms_file(rows[:1]))
    desk = Desk(house, "neiqin-a")
    desk.through(firms_file([(*rows[0][:4], "导入的地址", "正常"), *rows[1:]]))
    with house.system() as session, unit_of_work():
        for code in (rows[0][1], rows[1][1]):
            session.scalars(select(Enterprise).where(Enterprise.code == code)).one().note = "后来改的"
    sites = Desk(house, "neiqin-a", "/sites")
    sites.upload(workbook(["主体", "场所名称", "主体类型", "条线"], [rows[2][1], "后来的场所", "小餐饮", "餐饮服务"]))
    sites.attempt()
    sites.write()
    desk.undo()
    told = desk.result()
    for text in (rows[0][0], rows[1][0], "导入之后又被改过"):
        assert text in told, text
    assert firm(house, rows[0][1]).address == "导入的地址"
    assert count(house, Enterprise, IMPORTED) == 3, "one from before, one edited, one with a site"
    assert len(desk.kept().result["left"]) == 3
    with house.app.app_context():
        assert list(verify()) == []


def test_a_firm_that_got_a_site_without_being_touched_stays(house: House) -> None:
    rows = firm_rows(3)
    desk = Desk(house, "neiqin-a")
    desk.through(firms_file(rows))
    with house.system() as session, unit_of_work():
        parent = session.scalars(select(Enterprise).where(Enterprise.code == rows[1][1])).one()
        session.add(Site(enterprise_id=parent.id, name="别处来的", kind="小餐饮", lines=0, office_id=parent.office_id))
    desk.undo()
    assert "已有其他记录用到它" in desk.result()
    assert count(house, Enterprise, IMPORTED) == 1


def test_after_a_day_it_stands(house: House) -> None:
    desk = Desk(house, "neiqin-a")
    desk.through(firms_file(firm_rows(1)))
    assert "/undo" in desk.result()
    later = clock.now() + timedelta(days=1, minutes=1)
    with clock.set_clock(lambda: later):
        desk.client = house.client("neiqin-a")  # the session of the day before has ended
        assert "/undo" not in desk.result()
        assert desk.undo().status_code == 409
    assert count(house, Enterprise, IMPORTED) == 1


# -- files go ---------------------------------------------------------------------------------------------------------


def test_the_file_goes_with_the_end_of_its_run_or_after_seven_days(small: House) -> None:
    empty(small)
    desk = Desk(small, "neiqin-a")
    desk.upload(GOOD)
    desk.attempt()
    assert len(files(small)) == 2
    desk.write()
    assert files(small) == []
    dropped = Desk(small, "neiqin-a")
    dropped.upload(GOOD)
    assert dropped.client.post(f"{dropped.url}/discard").status_code == 302
    assert files(small) == [] and dropped.client.get(dropped.url).status_code == 404
    old = Desk(small, "neiqin-a")
    old.upload(firms_file(firm_rows(2)))
    old.attempt()
    with small.app.app_context():
        assert runs.forget_old() == 0
        later = clock.now() + timedelta(days=7, minutes=1)
        with clock.set_clock(lambda: later):
            hourly = worker.install(small.app, small.app.extensions["shouze_settings"]).files_now
            jobs.wake.clear()
            hourly.call_local()
            assert files(small) == [] and runs.forget_old() == 0
    assert "已经删除" in old.result()
    assert old.write().status_code == 409 and old.attempt_gone().status_code == 409
    assert old.client.get(f"{old.url}/checked.xlsx").status_code == 404


def test_rows_that_nothing_identifies_come_once(house: House) -> None:
    """Inspections have no key of their own: their file is taken once."""
    grant(house, "inspector", lambda grants: grants["Inspection"].update({"import": [["subtree", None]]}))
    with house.system() as session:
        place = session.get_one(Site, house.site_of(A))
        site = place.licence_no or place.name
    head = ["经营场所", "检查日期", "检查类型", "选取方式", "检查地点", "检查人员", "协同检查人员", "检查结果"]
    row = [site, clock.today(), "日常监督检查", "计划指定", "现场", "yuan-a", "suo-a", "符合"]
    mapping = ["site", "date", "kind", "selection", "place", "inspector", "co_inspector", "result"]
    data = workbook(head, row)
    for expected in (302, 409):
        desk = Desk(house, "yuan-a", "/inspections")
        assert "每一行都会新建" in page(desk.client.get("/inspections/import"))
        desk.upload(data)
        assert desk.attempt(mapping).status_code == 302
        assert desk.counts() == (1, 0, 0, 0), desk.result()
        answer = desk.write()
        assert answer.status_code == expected, page(answer)
    assert "已经导入过" in page(answer)
