"""The two workbooks of an import: the template to fill in, and the file that came in with what is wrong marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from app.core.cells import defuse
from app.core.importing.lines import CHANGED, NEW, SAME, WRONG
from app.core.importing.source import LIMITS
from app.core.importing.target import Target
from app.core.xlsx import Row

RED, YELLOW = PatternFill("solid", fgColor="FFC7CE"), PatternFill("solid", fgColor="FFEB9C")
HEAD = PatternFill("solid", fgColor="DCE6F1")
MOST_COMMENTS = 3_000  # a spreadsheet program opens many more, but slowly
WIDEST = 40
LONGEST_CELL = 32_000  # letters; a workbook takes a few more
CHOICES = "选项"
HELP_HEADINGS = ("列", "必填", "填什么", "可填的内容", "示例", "最多字数", "说明")


# -- template ---------------------------------------------------------------------------------------------------------


def template(
    targets: Iterable[Target], words: Callable[[Target], list[str]], help_of: Callable[[Target], Any]
) -> bytes:
    """An empty workbook to fill in: headings, a sheet that explains them, lists for what can be chosen.

    `words` are the choices of a field (empty when it is free), `help_of` its row on the second sheet.
    """
    book = Workbook()
    sheet, told = book.active, book.create_sheet("填写说明")
    assert sheet is not None
    sheet.title = "数据"
    lists = book.create_sheet(CHOICES)
    lists.sheet_state = "hidden"
    told.append(HELP_HEADINGS)
    for place, target in enumerate(targets, 1):
        _column(sheet, place, target)
        told.append([defuse(str(text)) for text in help_of(target)])
        if listed := words(target):
            _choices(sheet, lists, place, listed, single=target.parser.kind != "checks")
    sheet.freeze_panes = "A2"
    for cell in told[1]:
        cell.font, cell.fill = Font(bold=True), HEAD
    for place, width in enumerate((24, 6, 14, 44, 22, 10, 44), 1):
        told.column_dimensions[get_column_letter(place)].width = width
    for row in told.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    return _bytes(book)


def _column(sheet: Any, place: int, target: Target) -> None:
    """One heading; the whole column is text, so that long codes survive, but for days."""
    cell = sheet.cell(1, place, f"{target.label} *" if target.required else target.label)
    cell.font, cell.fill = Font(bold=True, color="B0261E" if target.required else "1B2029"), HEAD
    column = sheet.column_dimensions[get_column_letter(place)]
    column.width = max(12, min(WIDEST, 2 * len(target.label) + 6))
    column.number_format = "yyyy-mm-dd" if target.parser.kind == "date" else "@"


def _choices(sheet: Any, lists: Any, place: int, words: list[str], *, single: bool) -> None:
    """A drop-down over the words; a field that takes several only suggests them."""
    letter = get_column_letter(place)
    for row, word in enumerate(words, 1):
        lists.cell(row, place, defuse(word))
    rule = DataValidation("list", formula1=f"='{CHOICES}'!${letter}$1:${letter}${len(words)}", allow_blank=True)
    rule.showErrorMessage = single
    rule.errorTitle, rule.error = "不在可选范围内", "请从下拉列表中选择。"
    rule.add(f"{letter}2:{letter}{LIMITS.rows + 1}")
    sheet.add_data_validation(rule)


# -- annotated --------------------------------------------------------------------------------------------------------


def annotated(
    title: str, rows: Iterable[Row], heading: int, findings: list[dict[str, Any]], outcomes: list[dict[str, Any]]
) -> bytes:
    """The sheet as it came in, with one column more: what happens to the row, what is wrong with it; wrong cells red,
    doubtful ones yellow, each with a comment."""
    fates = {one["row"]: one for one in outcomes}
    by_row: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in findings:
        by_row[one["row"]].append(one)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_safe_title(title))
    sheet.freeze_panes = f"A{heading + 1}"
    width = 0
    commented = written = 0
    for row in rows:
        for _blank in range(written + 1, row.number):
            sheet.append([])  # row numbers stay those of the file
        written = row.number
        width = max(width, len(row.values)) if row.number <= heading or not width else width
        cells: list[Any] = [defuse(value) for value in row.values] + [None] * max(0, width - len(row.values))
        told = by_row.get(row.number, [])
        commented += _mark(sheet, cells, told, comments=commented < MOST_COMMENTS)
        sheet.append(
            [*cells[:width], _verdict(sheet, row.number, heading, told, fates.get(row.number)), *cells[width:]]
        )
    return _bytes(book)


def _mark(sheet: Any, cells: list[Any], told: list[dict[str, Any]], *, comments: bool) -> int:
    marked = 0
    for letter in dict.fromkeys(one["column"] for one in told if one["column"]):
        mine = [one for one in told if one["column"] == letter]
        place = column_index_from_string(letter) - 1
        cells += [None] * (place + 1 - len(cells))
        cell = WriteOnlyCell(sheet, value=cells[place])
        cell.fill = RED if any(one["kind"] == "error" for one in mine) else YELLOW
        if comments:
            cell.comment = Comment("\n".join(one["text"] for one in mine)[:500], "", height=80, width=260)
            marked += 1
        cells[place] = cell
    return marked


def _verdict(sheet: Any, number: int, heading: int, told: list[dict[str, Any]], fate: dict[str, Any] | None) -> Any:
    """What stands in the added column: its heading, nothing above it, and for a row what happens to it, what changes,
    and every problem with its label."""
    if number < heading:
        return None
    if number == heading:
        cell = WriteOnlyCell(sheet, value="导入结果")
        cell.font = Font(bold=True)
        return cell
    texts = [f"{one['label']}：{one['text']}" if one["label"] else one["text"] for one in told]
    lines = [*_fate(fate), *texts] if fate is not None else texts
    cell = WriteOnlyCell(sheet, value=defuse("\n".join(lines))[:LONGEST_CELL])
    if told:
        cell.fill = RED if any(one["kind"] == "error" for one in told) else YELLOW
    if len(lines) > 1 or told:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _fate(fate: dict[str, Any]) -> list[str]:
    """What happens to a row, and line by line what changes in its record."""
    return [
        verdict_word(fate["verdict"]),
        *(f"{label}：{old or '—'} → {new or '—'}" for label, old, new in fate["diff"]),
    ]


def verdict_word(verdict: str) -> str:
    """What people call what happens to a row."""
    words = {NEW: _("新建"), CHANGED: _("修改"), SAME: _("不变"), WRONG: _("有误")}
    return str(words[verdict])


def _safe_title(title: str) -> str:
    """A sheet's name: none of the signs that a workbook forbids, at most 31 letters."""
    return "".join(" " if char in "[]:*?/\\" else char for char in title).strip("' ")[:31] or "Sheet"


def _bytes(book: Workbook) -> bytes:
    out = BytesIO()
    book.save(out)
    return out.getvalue()
