"""Workbooks of strangers: the bad ones are refused before they are parsed, the odd cells are understood."""

from __future__ import annotations

import io
import tempfile
import zipfile
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import cells, xlsx

MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def workbook(rows: list[list[Any]], merges: tuple[str, ...] = (), title: str = "台账") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for merge in merges:
        sheet.merge_cells(merge)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def rebuilt(data: bytes, replace: dict[str, bytes] | None = None, add: dict[str, bytes] | None = None) -> bytes:
    """The same archive with members replaced or added, deflated."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, (replace or {}).get(name, old.read(name)))
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return out.getvalue()


GOOD = workbook([["名称", "代码"], ["甲店", "1"]])
SHEET = "xl/worksheets/sheet1.xml"
TYPES = "[Content_Types].xml"


def read(data: bytes, **limits: int) -> list[xlsx.Row]:
    with xlsx.open_workbook(io.BytesIO(data), xlsx.Limits(**limits)) as sheets:
        return [row for sheet in sheets for row in sheet.rows()]


def table(kind: str) -> bytes:
    return rebuilt(GOOD, {TYPES: types(f"application/vnd.{kind}.main+xml")})


def types(content_type: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        return archive.read(TYPES).replace(MAIN.encode(), content_type.encode())


def encrypted_member() -> bytes:
    data = bytearray(GOOD)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def lying_bomb() -> bytes:
    """Declares a hundred bytes for a member that holds a million."""
    data = bytearray(rebuilt(GOOD, add={"xl/x.xml": b" " * 1_000_000}))
    for mark, size_at, name_at in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        at = data.find(mark)
        while at >= 0:
            if data[at + name_at : at + name_at + 8] == b"xl/x.xml":
                data[at + size_at : at + size_at + 4] = (100).to_bytes(4, "little")
            at = data.find(mark, at + 4)
    return bytes(data)


def many_entries() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(2100):
            archive.writestr(f"{number}", b"")
    return out.getvalue()


def duplicated() -> bytes:
    out = io.BytesIO(GOOD)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr(SHEET, b"<x/>")
    return out.getvalue()


def row_of(count: int) -> bytes:
    """One row of so many cells, too varied for the ratio to give it away."""
    return b"<sheetData><row>" + b"".join(b"<c r='%x'/>" % (n * 2654435761 % 2**32) for n in range(count))


DTD = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]><worksheet>&b;</worksheet>'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
BAD = {
    "empty": (lambda: b"", xlsx.NotXlsx),
    "csv renamed": (lambda: "名称,代码\n".encode("gbk"), xlsx.NotXlsx),
    "html renamed": (lambda: b"<html><table>", xlsx.NotXlsx),
    "another zip": (lambda: rebuilt(many_small()), xlsx.NotXlsx),
    "word": (lambda: table("openxmlformats-officedocument.wordprocessingml.document"), xlsx.NotXlsx),
    "old xls": (lambda: OLE + "Workbook".encode("utf-16-le"), xlsx.OldFormat),
    "biff 3": (lambda: b"\x09\x02\x06\x00" + b"\0" * 20, xlsx.OldFormat),
    "xlsb": (lambda: table("ms-excel.sheet.binary.macroEnabled"), xlsx.OldFormat),
    "password": (lambda: OLE + "EncryptedPackage".encode("utf-16-le"), xlsx.Encrypted),
    "zip password": (encrypted_member, xlsx.Encrypted),
    "macro part": (lambda: rebuilt(GOOD, add={"xl/vbaProject.bin": b"x"}), xlsx.HasMacros),
    "macro type": (lambda: table("ms-excel.sheet.macroEnabled"), xlsx.HasMacros),
    "ratio": (lambda: rebuilt(GOOD, add={"xl/media/a.bin": b"\0" * (11 << 20)}), xlsx.ZipBomb),
    "lying sizes": (lying_bomb, xlsx.Damaged),
    "entries": (many_entries, xlsx.ZipBomb),
    "one endless row": (lambda: rebuilt(GOOD, {SHEET: row_of(900_000)}), xlsx.ZipBomb),
    "dtd": (lambda: rebuilt(GOOD, {SHEET: DTD}), xlsx.ExternalContent),
    "dtd in utf-16": (lambda: rebuilt(GOOD, {SHEET: DTD.decode().encode("utf-16")}), xlsx.Damaged),
    "dtd in types": (lambda: rebuilt(GOOD, {TYPES: DTD}), xlsx.Damaged),
    "external link": (lambda: rebuilt(GOOD, add={"xl/externalLinks/externalLink1.xml": b"<x/>"}), xlsx.ExternalContent),
    "same name twice": (duplicated, xlsx.Damaged),
    "cut off": (lambda: GOOD[:-30], xlsx.Damaged),
    "flipped bytes": (lambda: GOOD[:60] + b"\xff" * 40 + GOOD[100:], xlsx.Damaged),
    "broken xml": (lambda: rebuilt(GOOD, {SHEET: b"<worksheet><sheetData><row><c"}), xlsx.Damaged),
    "no workbook part": (lambda: rebuilt(GOOD, {"xl/workbook.xml": b"<x/>"}), xlsx.Damaged),
}


def many_small() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", b"x")
    return out.getvalue()


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_by_name(name: str) -> None:
    make, error = BAD[name]
    with pytest.raises(error) as caught:
        read(make())
    assert type(caught.value) is error
    assert str(caught.value)


def test_a_file_over_the_limit_is_not_read_to_its_end() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert 0 < size < 3000
            return b"x" * size

    with pytest.raises(xlsx.TooLarge), xlsx.open_workbook(Endless(), xlsx.Limits(file_bytes=2000)):
        pass


def test_row_and_sheet_limits() -> None:
    data = workbook([[n] for n in range(20)])
    assert len(read(data, rows=20)) == 20
    with pytest.raises(xlsx.TooManyRows):
        read(data, rows=19)
    with pytest.raises(xlsx.TooLarge):
        read(data, sheets=0)
    assert read(workbook([[1, 2, 3]]), columns=2)[0].values == (1, 2)


def test_a_row_number_beyond_the_last_is_refused() -> None:
    spread = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    row = b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>'
    far = b"<worksheet %b><sheetData>%b</sheetData></worksheet>" % (spread, row)
    with pytest.raises(xlsx.Damaged):
        read(rebuilt(GOOD, {SHEET: far}))


def test_blank_rows_are_skipped_and_rows_keep_their_numbers() -> None:
    rows = read(workbook([["标题"], [], [None, "x"], ["", ""], ["y"]]))
    assert [row.number for row in rows] == [1, 3, 5]
    assert rows[1].cell(1) == xlsx.Cell("台账", 3, "B", "x")


def test_merged_cells_are_filled_right_and_down() -> None:
    table = [["单位", "安全员", None], [None, "姓名", "电话"], ["甲", "张", 1], [None, "李", 2]]
    rows = read(workbook(table, ("A1:A2", "B1:C1", "A3:A4")))
    assert [row.values for row in rows[:2]] == [("单位", "安全员", "安全员"), ("单位", "姓名", "电话")]
    assert [row.values for row in rows[2:]] == [("甲", "张", 1), ("甲", "李", 2)]


def test_hidden_sheets_are_not_read() -> None:
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    book.create_sheet("字典").sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    with xlsx.open_workbook(io.BytesIO(stream.getvalue())) as sheets:
        assert [sheet.title for sheet in sheets] == ["台账"]


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = tmp_path.parent / "good.xlsx"
    path.write_bytes(GOOD)
    with xlsx.open_workbook(path) as sheets:
        assert sheets
    for make, error in BAD.values():
        with pytest.raises(error):
            read(make())
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_a_corrupted_file_is_read_or_refused_but_never_crashes(at: int, garbage: bytes) -> None:
    with suppress(xlsx.XlsxError):
        read(GOOD[:at] + garbage + GOOD[at + len(garbage) :])


DAY = date(2026, 11, 23)
MIDNIGHT = datetime(2026, 11, 23)
MORNING = MIDNIGHT.replace(hour=8, minute=30)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23",
        "2026/11/23",
        "2026.11.23",
        "2026年11月23日",
        "20261123",
        20261123,
        46349,
        46349.0,
        "46349",
        46349.75,
        MORNING,
        DAY,
        "２０２６-１１-２３",
        "\u30002026 年 11 月 23 日\u00a0",
        "2026-11-23 08:30:00",
        "2026-11-23T00:00:00.000",
        "2026年11月23",
    ],
    ids=repr,
)
def test_dates_in_every_notation(value: object) -> None:
    assert cells.parse_date(value) == DAY


def test_dates_of_a_mac_and_none() -> None:
    assert cells.parse_date(46349 - 1462, date1904=True) == DAY
    assert cells.parse_date("  ") is None
    assert cells.parse_date(None) is None


NOT_DAYS = ["26-11-23", "2026-13-01", "2026-02-30", "长期", "2026年11月", 5, "inf", "1e400", 123456, True]


@pytest.mark.parametrize("value", NOT_DAYS, ids=repr)
def test_not_dates(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cells.parse_date(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("\u3000甲\u00a0 乙\u200b ", "甲 乙"),
        (13800138000.0, "13800138000"),
        (13800138000, "13800138000"),
        (1.5, "1.5"),
        ("张三_x000D_\n 李四 \n\n", "张三\n李四"),
        (MIDNIGHT, "2026-11-23"),
        (True, "是"),
        (False, "否"),
        (MORNING, "2026-11-23 08:30:00"),
    ],
    ids=repr,
)
def test_cells_as_text(value: object, text: str) -> None:
    assert cells.text_of(value) == text


@pytest.mark.parametrize(
    ("value", "lost"),
    [
        (150525199001010000, True),
        (1.50525199001010e17, True),
        ("1.50525E+17", True),
        ("150525199001010015", False),
        (13800138000, False),
        (150525600012345, False),
        (True, False),
        (None, False),
    ],
    ids=repr,
)
def test_long_codes_in_number_cells_are_noticed(value: object, lost: bool) -> None:
    assert cells.lost_digits(value) is lost


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@x", "＝1", " =1", "\u3000+1", "\t=1"])
def test_formulas_are_written_as_text(text: str) -> None:
    assert cells.defuse(text) == f"'{text}"
    assert cells.undefuse(f"'{text}") == text


def test_other_values_are_written_as_they_are() -> None:
    assert [cells.defuse(value) for value in ("甲", "'甲", 5, None, "a\x00b")] == ["甲", "'甲", 5, None, "ab"]
    assert cells.undefuse("'甲") == "'甲"
