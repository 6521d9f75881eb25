"""Ledgers as stations keep them: found under titles, in one row of headings or two, every bad cell named."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.core import codes
from app.data.enums import AppointmentRole
from app.data.ledger_columns import BY_HEADING, COLUMNS, fold_heading
from app.services.demo_firms import ledger_rows, make_firms
from app.services.ledger_file import Ledger, LedgerPerson, LedgerRow, read_ledger, write_ledger, write_template

TODAY = date(2026, 11, 23)
CODE, OTHER = "91150525MA0N00016F", "92150525MA13X00289"
CARD = "150525199001010015"
SAMPLE = Path(__file__).parents[1] / "data" / "ledger-200.xlsx"
HEAD = ["序号", "单位名称", "统一社会信用代码", "法定代表人", "联系电话", "经营地址", "所属乡镇"]


def ledger(rows: Sequence[Sequence[Any]], merges: Sequence[str] = ()) -> Ledger:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "台账"
    for row in rows:
        sheet.append(list(row))
    for merge in merges:
        sheet.merge_cells(merge)
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    return read_ledger(stream, TODAY)


def told(found: Ledger) -> list[tuple[int, str, str, str]]:
    return [(p.row, p.column, p.heading, p.severity) for p in found.problems]


def test_the_sample_reads_without_an_error() -> None:
    found = read_ledger(SAMPLE, TODAY)
    assert len({row.code for row in found.rows}) == 200
    assert found.errors == []
    assert not any(row.has_errors for row in found.rows)


def test_what_is_written_is_read_back() -> None:
    rows = [row for firm in make_firms(120, seed=5) for row in ledger_rows(firm)]
    stream = io.BytesIO()
    write_ledger(stream, rows)
    stream.seek(0)
    found = read_ledger(stream, TODAY)
    for row, again in zip(rows, found.rows, strict=True):
        assert again.rows
        again.sheet, again.rows = "", ()
        assert again == row


def test_the_template_is_empty_but_complete() -> None:
    stream = io.BytesIO()
    write_template(stream)
    stream.seek(0)
    found = read_ledger(stream, TODAY)
    assert (found.rows, found.problems) == ([], [])


def test_headings_below_titles_and_footers_above_nothing() -> None:
    found = ledger(
        [
            ["奈曼旗食品生产经营主体台账"],
            ["填表单位：八仙筒所", None, None, "单位：户"],
            [],
            HEAD,
            [1, "甲店", CODE, "张三", 13800138000, "奈曼旗八仙筒镇一号", "八仙筒"],
            ["合计", 1, None, 5],
            ["填表人：李四", None, "审核人：王五"],
            HEAD,
        ]
    )
    assert [row.name for row in found.rows] == ["甲店"]
    assert found.rows[0].area_code == "150525101"
    assert found.rows[0].phone == "13800138000"
    assert found.problems == []


def test_two_rows_of_merged_headings_and_one_firm_over_two_rows() -> None:
    found = ledger(
        [
            ["单位名称", "信用代码", "食品安全总监", None, "食品安全员", None, None],
            [None, None, "姓名", "电话", "姓名", "联系电话", "身份证号码"],
            ["甲公司", CODE, "张三", "13800138000", "李四", "0475-4212345", CARD],
            [None, None, None, None, "王五", None, None],
        ],
        ["A1:A2", "B1:B2", "C1:D1", "E1:G1", "A3:A4", "B3:B4", "C3:C4", "D3:D4"],
    )
    assert found.problems == []
    assert len(found.rows) == 1
    assert found.rows[0].rows == (3, 4)
    assert found.rows[0].people == (
        LedgerPerson("张三", AppointmentRole.DIRECTOR, "13800138000"),
        LedgerPerson("李四", AppointmentRole.OFFICER, "0475-4212345", CARD),
        LedgerPerson("王五", AppointmentRole.OFFICER),
    )


def test_a_telephone_column_belongs_to_the_person_before_it() -> None:
    found = ledger(
        [
            [
                "企业名称",
                "注册号",
                "法定代表人/负责人",
                "联系电话",
                "食品安全总监",
                "联系电话",
                "食品安全员",
                "电话",
                "身份证号",
            ],
            [
                "甲",
                CODE,
                "张三",
                "13800138000",
                "李四",
                "13800138001",
                "王五、赵六（兼职）",
                "13800138002，无",
                f"{CARD}；无",
            ],
        ]
    )
    row = found.rows[0]
    assert row.phone == "13800138000"
    assert [(p.name, p.phone, p.id_card, p.full_time) for p in row.people] == [
        ("李四", "13800138001", "", None),
        ("王五", "13800138002", CARD, None),
        ("赵六", "", "", False),
    ]
    assert found.problems == []


def test_every_bad_cell_is_named() -> None:
    head = [*HEAD, "食品安全员", "食品安全员身份证号", "有效期至", "从业人数", "风险等级", "许可证编号"]
    found = ledger(
        [
            head,
            [
                1,
                None,
                CODE[:-1] + "E",
                "张三",
                "1380013",
                "x",
                "科尔沁镇",
                "李4",
                CARD[:-1] + "6",
                "2026.13.1",
                "许多",
                "E",
                "JY11105000000001",
            ],
        ]
    )
    assert {(p.column, p.heading, p.severity) for p in found.problems} == {
        ("B", "单位名称", "error"),
        ("C", "统一社会信用代码", "error"),
        ("E", "联系电话", "error"),
        ("G", "所属乡镇", "error"),
        ("H", "食品安全员", "error"),
        ("I", "食品安全员身份证号", "error"),
        ("J", "有效期至", "error"),
        ("K", "从业人数", "error"),
        ("L", "风险等级", "warning"),
        ("M", "许可证编号", "warning"),
    }
    assert {(p.sheet, p.row) for p in found.problems} == {("台账", 2)}
    assert all(p.message for p in found.problems)
    card = next(p for p in found.problems if p.column == "I")
    assert card.value == "1505**********0016"
    assert found.rows[0].has_errors


DAYS = ["2026-12-31", "2026/12/31", "2026.12.31", "2026年12月31日", 20261231, 46387, datetime(2026, 12, 31)]


@pytest.mark.parametrize("value", [*DAYS, "2021-01-01至2026-12-31"], ids=repr)
def test_dates(value: object) -> None:
    found = ledger([["名称", "信用代码", "有效期"], ["甲", CODE, value]])
    assert found.rows[0].valid_to == date(2026, 12, 31)
    assert found.problems == []


def test_an_expired_licence_warns_and_an_endless_one_does_not() -> None:
    head = ["名称", "信用代码", "有效期"]
    assert told(ledger([head, ["甲", CODE, "2026-11-22"]])) == [(2, "C", "有效期", "warning")]
    assert ledger([head, ["甲", CODE, "长期"], ["乙", OTHER, "2026-11-23"]]).problems == []


def test_a_code_in_a_number_cell_has_lost_its_end() -> None:
    found = ledger([["名称", "信用代码", "法人"], ["甲", 911101083303521997, "张三"]])
    assert told(found) == [(2, "B", "信用代码", "error")]
    assert "文本" in found.problems[0].message


def test_one_code_with_two_names_is_an_error() -> None:
    found = ledger([HEAD, [1, "甲店", CODE], [2, "乙店", CODE]])
    assert told(found) == [(3, "B", "单位名称", "error")]
    assert "第 2 行" in found.problems[0].message
    assert [row.has_errors for row in found.rows] == [False, True]


def test_another_address_is_another_site() -> None:
    found = ledger([HEAD, [1, "甲店", CODE, "张", None, "一号"], [2, "甲店", CODE, "张", None, "二号"]])
    assert [row.address for row in found.rows] == ["一号", "二号"]
    assert told(found) == [(3, "C", "统一社会信用代码", "warning")]


def test_a_repeated_row_is_one_firm_and_differences_are_named() -> None:
    rows = [HEAD, [1, "甲店", CODE, "张三", None, "一号"], [2, "甲店", CODE, "李四", "13800138000", "一号"]]
    found = ledger([*rows, [3, "甲店", CODE, "张三", None, "一号"]])
    assert [(row.legal_person, row.phone, row.rows) for row in found.rows] == [("张三", "13800138000", (2, 3, 4))]
    assert told(found) == [(3, "D", "法定代表人", "warning"), (4, "C", "统一社会信用代码", "warning")]


def test_missing_and_unknown_headings() -> None:
    found = ledger([["单位名称", "法定代表人", "联系电话", "星座"], ["甲", "张三", "13800138000", "狮子"]])
    assert told(found) == [(0, "D", "星座", "warning"), (0, "", "", "error")]
    assert "统一社会信用代码" in found.problems[1].message
    assert found.rows == []


def test_a_workbook_without_a_ledger() -> None:
    found = ledger([["随便", "写写"]])
    assert [(p.row, p.severity) for p in found.problems] == [(0, "warning"), (0, "error")]


def test_a_row_without_name_and_code_is_named() -> None:
    found = ledger([HEAD, [1, "甲店", CODE], [2, None, None, "李四", "13800138000"]])
    assert told(found) == [(3, "C", "统一社会信用代码", "error"), (3, "B", "单位名称", "error")]


def test_formulas_come_back_as_the_text_they_were() -> None:
    stream = io.BytesIO()
    write_ledger(stream, [LedgerRow(name='=HYPERLINK("http://x")', code=CODE, remark="+86", address="@x")])
    stream.seek(0)
    sheet = openpyxl.load_workbook(stream).worksheets[0]
    values = [cell for row in sheet.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in values} <= {"s", "inlineStr"}
    assert not [cell.value for cell in values if str(cell.value).startswith(("=", "+", "-", "@"))]
    stream.seek(0)
    row = read_ledger(stream, TODAY).rows[0]
    assert (row.name, row.remark, row.address) == ('=HYPERLINK("http://x")', "+86", "@x")


def test_every_heading_means_one_field() -> None:
    for column in COLUMNS:
        for heading in (column.title, *column.aliases):
            assert BY_HEADING[fold_heading(heading)] == column.key


def test_small_shops_need_no_known_licence_number() -> None:
    head = ["名称", "信用代码", "业态", "许可证号"]
    assert ledger([head, ["甲", OTHER, "小食杂店", "蒙登 12 号"]]).problems == []
    found = ledger([head, ["甲", OTHER, "超市", "蒙登 12 号"], ["乙", CODE, "飞船", "x"]])
    assert [p.column for p in found.problems] == ["D", "C", "D"]
    assert found.rows[0].lines == ("食品销售",)


def test_thousands_of_rows_stay_in_order() -> None:
    """Nothing is lost on the way; the speed of it is the bench's matter."""
    stream = io.BytesIO()
    rows = [LedgerRow(name=f"店{n}", code=codes.make_credit_code(n)) for n in range(3_000)]
    write_ledger(stream, rows)
    stream.seek(0)
    found = read_ledger(stream, TODAY)
    assert [row.code for row in found.rows] == [row.code for row in rows]
    assert found.problems == []
