"""An uploaded table, workbook or CSV, as sheets of rows; every refusal is an `XlsxError` that says what to do."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from flask_babel import lazy_gettext as _

from app.core.xlsx import Damaged, Limits, Row, TooLarge, TooManyRows, XlsxError, open_workbook

LIMITS = Limits(rows=20_000)  # of one import: more would hold the write lock for too long
TOP = 20  # rows at the top of a sheet where headings may stand
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x09\x08", b"\x09\x04", b"\x09\x02")
_OTHERS: tuple[tuple[tuple[bytes, ...], Any], ...] = (
    ((b"%PDF",), _("这是 PDF 文件。只收 Excel 工作簿（.xlsx）或 CSV 文件，改扩展名不行，请用原来的表格。")),
    ((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM"),
     _("这是图片。只收 Excel 工作簿（.xlsx）或 CSV 文件，请用原来的表格。")),
    ((b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b"), _("这是压缩包，请解压后上传里面的表格。")),
)  # fmt: skip
_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class NotATable(XlsxError):
    text = _("只收 Excel 工作簿（.xlsx）或 CSV 文件。")


class Empty(XlsxError):
    text = _("文件是空的，没有内容。请用 Excel 或 WPS 打开原来的文件，保存后重新上传。")


class LongCell(XlsxError):
    text = _("有一格的内容太长")


class Unreadable(XlsxError):
    text = _("看不懂这个 CSV 的文字编码，请用 UTF-8 或 GB18030（ANSI）另存。")


class Sheet(Protocol):
    """What a workbook's sheet and a CSV file have in common."""

    title: str
    date1904: bool

    def rows(self) -> Iterator[Row]:
        """Rows with something in them, from the top."""
        ...


class CsvSheet:
    """The one sheet of a CSV file; a row's number counts records, as a spreadsheet shows them."""

    title = "CSV"
    date1904 = False

    def __init__(self, text: str, limits: Limits) -> None:
        self.text, self.limits = text, limits

    def rows(self) -> Iterator[Row]:
        """Raises TooManyRows, Damaged."""
        lines = csv.reader(io.StringIO(self.text, newline=""), delimiter=_delimiter(self.text))
        count = 0
        try:
            for number, cells in enumerate(lines, 1):
                if not any(cell.strip() for cell in cells):
                    continue
                count += 1
                if count > self.limits.rows:
                    raise TooManyRows
                yield Row(self.title, number, tuple(cells[: self.limits.columns]))
        except csv.Error as broken:
            if "field larger" in str(broken):  # most often a quotation mark that is never closed
                text = _("第 %(line)d 行附近有一格超过 %(most)d 个字符：可能是引号没有成对，请改好后重新上传。")
                raise LongCell(text % {"line": lines.line_num, "most": csv.field_size_limit()}) from broken
            raise Damaged from broken


def _delimiter(text: str) -> str:
    """What parts the cells of the first line: the sign that stands there most often."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(",\t;", key=first.count)


@contextmanager
def open_source(data: bytes, name: str) -> Iterator[list[Any]]:
    """The sheets of an upload, usable until the block ends. The content decides what it is, the name only helps."""
    if len(data) > LIMITS.file_bytes:
        raise TooLarge(_("文件超过 %(most)d MB，请拆分后分次上传", most=LIMITS.file_bytes >> 20))
    if not data:
        raise Empty
    if data.startswith(_WORKBOOKS):
        with open_workbook(io.BytesIO(data), LIMITS) as sheets:
            yield sheets
    elif name.lower().endswith((".csv", ".txt")):
        yield [CsvSheet(decoded(data), LIMITS)]
    else:
        raise NotATable(_what_it_is(data))


def _what_it_is(data: bytes) -> Any:
    """What to say of a file that is neither: what it is where that is known, and what to do."""
    for starts, text in _OTHERS:
        if data.startswith(starts):
            return text
    head = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        return _("这是网页格式的表格，只是用了表格的扩展名。请用 Excel 或 WPS 打开后另存为 .xlsx。")
    return NotATable.text


def decoded(data: bytes) -> str:
    """A CSV file's text: UTF-16 by its mark, else UTF-8, else GB18030 (what Excel writes on a Chinese Windows)."""
    encodings = ["utf-8-sig", "gb18030"]
    for mark, encoding in _WIDE.items():
        if data.startswith(mark):
            encodings = [encoding]
            break
    else:
        if b"\0" in data:
            raise Unreadable
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable
