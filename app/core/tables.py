"""A table written out as XLSX or CSV, chunk by chunk: memory stays the same however many rows come.

Above the column heads stand two rows: the title, and what the table is (filter, time, person, number of rows). In CSV
they are plain rows too: neither Excel nor WPS knows comments in CSV, a "#" would only be a stray sign, and whoever
reads the file by program skips two lines.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any

from app.core.cells import defuse

CSV_TYPE = "text/csv"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {"date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm", "code": "@"}
HEAD_ROWS = 3
A4 = 9  # as a workbook numbers papers
WIDEST, NARROWEST, MANY = 48, 8, 6  # characters; columns that no longer fit upright paper
# what a text that `defuse` changes begins with, and what it drops wherever it stands
_SUSPECT = frozenset(" \u00a0\u3000=+-@＝＋－＠\t\r\n")
_CONTROLS = bytes({*range(32)} - {*b"\t\n\r"})


@dataclass(frozen=True)
class TableColumn:
    """A column: its head, and what its values are: text, code, number, date, datetime."""

    label: str
    kind: str = "text"


Chunk = list[Sequence[Any]]  # the values of each column, for the rows of one chunk


def at_once(rows: Sequence[Sequence[Any]]) -> Iterator[Chunk]:
    """The one chunk of rows that are all there."""
    return iter([list(zip(*rows, strict=True))] if rows else [])


@dataclass
class Table:
    """What is written. `chunks` yields columns of values; `told` is called with the number of rows written so far."""

    title: str
    note: str
    columns: list[TableColumn]
    chunks: Iterator[Chunk]
    told: Callable[[int], None] = lambda _rows: None


def defused(values: Sequence[Any]) -> Sequence[Any]:
    """A column's values with every text defused; the same object when none needs it, as hardly any does."""
    try:
        data = "".join(values).encode("utf-8", "surrogatepass")
    except TypeError:  # something that is no text
        return [defuse(value) for value in values]
    # two passes over the column, not a search a cell
    if len(data.translate(None, _CONTROLS)) == len(data) and _SUSPECT.isdisjoint({value[:1] for value in values}):
        return values
    return [defuse(value) for value in values]


def write_csv(table: Table, out: IO[bytes]) -> int:
    """UTF-8 with a BOM, so that Excel and WPS read Chinese; CRLF. Returns the number of rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    out.write(codecs.BOM_UTF8)
    writer.writerow([defuse(table.title)])
    writer.writerow([defuse(table.note)])
    writer.writerow([defuse(column.label) for column in table.columns])
    kinds = [column.kind for column in table.columns]
    rows = 0
    for chunk in table.chunks:
        columns = [_as_text(kind, values) for kind, values in zip(kinds, chunk, strict=True)]
        writer.writerows(zip(*columns, strict=True))
        rows += len(columns[0])
        _pour(text, out)
        table.told(rows)
    _pour(text, out)
    return rows


def _pour(text: io.StringIO, out: IO[bytes]) -> None:
    """What has gathered goes out: encoded at once, since row by row that takes as long as all the rest."""
    out.write(text.getvalue().encode())
    text.seek(0)
    text.truncate()


def _as_text(kind: str, values: Sequence[Any]) -> Sequence[Any]:
    if kind == "date":
        return [value.isoformat() if value else "" for value in values]
    if kind == "datetime":
        return [value.isoformat(" ", "minutes") if value else "" for value in values]
    return values if kind == "number" else defused(values)


def write_xlsx(table: Table, out: IO[bytes]) -> int:
    """A workbook of one sheet: real dates and numbers, codes as text, head frozen. Returns the number of rows."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_name(table.title))
    try:
        rows = _fill(sheet, table)
    except BaseException:
        with suppress(Exception):
            book.save(_Nowhere())  # the one way to have openpyxl drop its temporary file
        raise
    book.save(out)
    return rows


def write_book(tables: Sequence[Table], out: IO[bytes]) -> int:
    """A workbook with a sheet a table, told apart by number where two have one name. Returns the number of rows."""
    from openpyxl import Workbook

    book, rows, names = Workbook(write_only=True), 0, set[str]()
    try:
        for table in tables:
            name, number = _sheet_name(table.title), 2
            while name.lower() in names:
                name, number = f"{_sheet_name(table.title)[:27]} {number}", number + 1
            names.add(name.lower())
            rows += _fill(book.create_sheet(name), table)
    except BaseException:
        with suppress(Exception):
            book.save(_Nowhere())
        raise
    book.save(out)
    return rows


def _fill(sheet: Any, table: Table) -> int:
    first = next(table.chunks, None)
    _lay_out(sheet, table, first or [])
    for row in _head(sheet, table):
        sheet.append(row)
    cells = [_styled(sheet, FORMATS.get(column.kind)) for column in table.columns]
    rows = 0
    for chunk in chain([first] if first else [], table.chunks):
        for values in zip(*(defused(column) for column in chunk), strict=True):
            for cell, value in zip(cells, values, strict=True):
                cell.value = value  # each cell is written before it is filled again
            sheet.append(cells)
            rows += 1
        table.told(rows)
    return rows


def _styled(sheet: Any, number_format: str | None = None, **styles: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet)
    if number_format:
        cell.number_format = number_format
    for name, value in styles.items():
        setattr(cell, name, value)
    return cell


def _head(sheet: Any, table: Table) -> Iterator[list[Any]]:
    """Title, note, column heads."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    for text, font in ((table.title, Font(bold=True, size=14)), (table.note, Font(color="595F69"))):
        cell = _styled(sheet, font=font, alignment=Alignment(vertical="center"))
        cell.value = defuse(text)
        yield [cell]
    line = Border(bottom=Side("thin", color="868F9D"))
    fill = PatternFill("solid", start_color="F1F4F8")
    heads = []
    for column in table.columns:
        cell = _styled(sheet, font=Font(bold=True), border=line, fill=fill, alignment=Alignment(vertical="center"))
        cell.value = defuse(column.label)
        heads.append(cell)
    yield heads


def _lay_out(sheet: Any, table: Table, first: Chunk) -> None:
    """Widths by what the first rows hold, the head frozen; on paper the head on each page, landscape when many."""
    from openpyxl.utils import get_column_letter

    for number, column in enumerate(table.columns):
        texts = [column.label, *(str(value) for value in (first[number][:200] if first else []) if value is not None)]
        width = {"date": 11, "datetime": 17}.get(column.kind) or max(map(_width, texts))
        wide = min(max(width, _width(column.label)) + 2, WIDEST)
        sheet.column_dimensions[get_column_letter(number + 1)].width = max(wide, NARROWEST)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 26, 20
    sheet.freeze_panes = f"A{HEAD_ROWS + 1}"
    sheet.print_title_rows = f"{HEAD_ROWS}:{HEAD_ROWS}"
    sheet.page_setup.paperSize = A4
    sheet.page_setup.orientation = "landscape" if len(table.columns) > MANY else "portrait"
    sheet.sheet_properties.pageSetUpPr = _fit()
    sheet.page_setup.fitToHeight = 0
    sheet.oddFooter.center.text = "&P / &N"


def _fit() -> Any:
    from openpyxl.worksheet.properties import PageSetupProperties

    return PageSetupProperties(fitToPage=True)


def _width(text: str) -> int:
    """Columns of a sheet that a text takes: a Chinese character is two wide."""
    return sum(2 if char > "\u2e7f" else 1 for char in text)


def _sheet_name(title: str) -> str:
    """A name Excel takes: at most 31 characters, none of its reserved ones."""
    return re.sub(r"[\\/*?:\[\]\x00-\x1f']", " ", title).strip()[:31] or "Sheet"


class _Nowhere:
    """Takes bytes and keeps none."""

    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""
