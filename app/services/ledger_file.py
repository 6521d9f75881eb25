"""The ledger of firms (台账) as a workbook: read what the stations keep, write what they are to fill in.

A ledger is one or more sheets with a heading row somewhere in the first twenty rows, under titles, possibly
two rows high with merged cells. One row is one site of a firm, or one more person of it.

Rows with the same credit code are the same firm:

- same address and licence as an earlier row, or none given: the same site. The people are joined, blanks are filled
  from the later row, and a value that differs is named; the earlier one stands. A row that adds nothing is named too.
- another address or another licence: another site of the firm, a row of its own.
- another name: an error of the later row; one code cannot belong to two firms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from flask_babel import lazy_gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from app.core.cells import defuse, text_of
from app.core.xlsx import Limits, Row, Sheet, Source, open_workbook
from app.data import areas
from app.data.enums import AppointmentRole
from app.data.ledger_columns import (
    BY_HEADING,
    BY_KEY,
    COLUMNS,
    COUNT_KEYS,
    GENERIC_ID,
    GENERIC_PHONE,
    PERSON_KEYS,
    fold_heading,
)
from app.services.ledger_row import ERROR, WARNING, Layout, LedgerPerson, LedgerRow, Problem, RowReader

__all__ = ["COLUMNS", "Ledger", "LedgerPerson", "LedgerRow", "Problem", "read_ledger", "write_ledger", "write_template"]

TITLE = "食品生产经营主体台账"
_HEAD_ROWS = 20
_FEWEST_HEADINGS = 3
_FOOTER = re.compile(r"(合计|总计|小计|填表|制表|审核人|注[:：]|说明[:：]|备注[:：]|单位负责人[:：])")
_NOT_COMPARED = ("sheet", "rows", "people", "counts", "has_errors", "code_cell")
_COMPARED = tuple(f.name for f in fields(LedgerRow) if f.name not in _NOT_COMPARED)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was read: `rows` in the order of the file, `problems` in the order they were met."""

    rows: list[LedgerRow]
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep their row, or the file, from being imported."""
        return [problem for problem in self.problems if problem.severity == ERROR]


def read_ledger(source: Source, today: date, limits: Limits | None = None) -> Ledger:
    """Read and check a ledger; nothing in a cell makes it fail.

    Raises `core.xlsx.XlsxError` when the file itself cannot be taken. A sheet without the mandatory headings is
    named in a file-level problem (`row` 0) and not read. Rows with errors are given too, marked; see the module for
    the rule by which rows of one firm become one.
    """
    ledger = Ledger([], [])
    with open_workbook(source, limits) as sheets:
        found = [_read_sheet(sheet, today, ledger) for sheet in sheets]
    if not any(found):
        message = _("没有找到台账：前 %(rows)d 行里没有“单位名称”“统一社会信用代码”等表头", rows=_HEAD_ROWS)
        ledger.problems.append(Problem("", 0, "", "", "", str(message), ERROR))
    return ledger


def _read_sheet(sheet: Sheet, today: date, ledger: Ledger) -> bool:
    rows = sheet.rows()
    top = list(islice(rows, _HEAD_ROWS))
    layout, first = _find_layout(top)
    if layout is None:
        if top:
            _note(ledger, sheet, _("未找到表头，此工作表未读取"), WARNING)
        return False
    _note_headings(ledger, sheet, layout)
    missing = [column.title for column in COLUMNS if column.mandatory and column.key not in layout.places]
    if missing:
        _note(ledger, sheet, _("缺少必需的列：%(titles)s", titles="、".join(missing)), ERROR)
        return True
    reader = RowReader(layout, today, ledger.problems, date1904=sheet.date1904)
    merger = _Merger(ledger, reader)
    for row in chain(top[first:], rows):
        if _is_entry(reader.load(row), layout):
            merger.add(reader.read())
    return True


def _note(ledger: Ledger, sheet: Sheet, message: Any, severity: str) -> None:
    ledger.problems.append(Problem(sheet.title, 0, "", "", "", str(message), severity))


def _note_headings(ledger: Ledger, sheet: Sheet, layout: Layout) -> None:
    used = {place for places in layout.places.values() for place in places}
    for place, heading in layout.headings.items():
        if place not in used and heading:
            message = str(_("不认识的表头，此列未读取"))
            column = get_column_letter(place + 1)
            ledger.problems.append(Problem(sheet.title, 0, column, heading, heading, message, WARNING))


def _is_entry(texts: list[str], layout: Layout) -> bool:
    """Whether a row holds a firm: not a total, a signature line, or the headings once more on the next page."""
    filled = [text for text in texts if text]
    name, code = (
        next((texts[place] for place in layout.places[key] if place < len(texts)), "") for key in ("name", "code")
    )
    if _FOOTER.match(filled[0]) and not any(char.isdigit() for char in code):
        return False
    if not (name or code):
        return len(filled) > 1
    return BY_HEADING.get(fold_heading(name)) != "name"


# ---- finding the headings ----------------------------------------------------------------------------------------


def _find_layout(top: list[Row]) -> tuple[Layout | None, int]:
    """The layout with most fields among single rows and pairs of rows, and the index of the row after it."""
    best: tuple[int, Layout | None, int] = (2 * _FEWEST_HEADINGS - 1, None, 0)
    for index, row in enumerate(top):
        upper = [text_of(value).replace("\n", "") for value in row.values]
        candidates = [([(text, "") for text in upper], 1)]
        if index + 1 < len(top) and top[index + 1].number == row.number + 1:
            lower = [text_of(value).replace("\n", "") for value in top[index + 1].values]
            width = max(len(upper), len(lower))
            padded = [texts + [""] * (width - len(texts)) for texts in (upper, lower)]
            candidates.append((list(zip(*padded, strict=True)), 2))
        for pairs, height in candidates:
            layout = _layout(pairs)
            score = 2 * len(layout.places) + (height == 1)  # a line of titles above one row of headings adds nothing
            if score > best[0]:
                best = (score, layout, index + height)
    return best[1], best[2]


def _layout(pairs: list[tuple[str, str]]) -> Layout:
    places: dict[str, tuple[int, ...]] = {}
    person = ""
    for place, (upper, lower) in enumerate(pairs):
        key = _key_of(upper, lower)
        heading = fold_heading(lower or upper)
        if key in ("", "phone") and person and heading in GENERIC_PHONE and f"{person}_phone" not in places:
            key = f"{person}_phone"
        elif key == "" and person and heading in GENERIC_ID and f"{person}_id" not in places:
            key = f"{person}_id"
        if not key or (key in places and not key.startswith("officer")):
            continue
        places[key] = (*places.get(key, ()), place)
        if not key.endswith(("_phone", "_id")):
            person = key if key in PERSON_KEYS else ""
    headings = {place: (lower if lower == upper else f"{upper}{lower}") for place, (upper, lower) in enumerate(pairs)}
    return Layout(places, headings)


def _key_of(upper: str, lower: str) -> str:
    """The field of a heading: a group with its part ("食品安全员" over "电话"), the part, or the group alone."""
    tries = [upper] if lower in ("", upper) else [upper + lower, lower]
    for text in tries:
        for heading in (text, *re.split(r"[/、或]", text)):
            key = BY_HEADING.get(fold_heading(heading))
            if key:
                return key
    return ""


# ---- rows of one firm --------------------------------------------------------------------------------------------


class _Merger:
    """Puts the rows of one firm together by the rule of the module."""

    def __init__(self, ledger: Ledger, reader: RowReader) -> None:
        self.ledger, self.reader = ledger, reader
        self.by_code: dict[str, list[LedgerRow]] = {}
        for row in ledger.rows:
            self.by_code.setdefault(row.code, []).append(row)

    def add(self, new: LedgerRow) -> None:
        known = self.by_code.setdefault(new.code, []) if new.code else []
        if known and new.name and known[0].name != new.name:
            where = {"where": _where(known[0]), "name": known[0].name}
            self.reader.problem("name", _("同一代码在%(where)s是“%(name)s”", **where))
            new.has_errors = True
        elif site := next((row for row in known if _same_site(row, new)), None):
            self._join(site, new)
            return
        elif known:
            self.reader.problem(
                "code", _("代码与%(where)s相同，作为同一单位的另一场所", where=_where(known[0])), WARNING
            )
        known.append(new)
        self.ledger.rows.append(new)

    def _join(self, site: LedgerRow, new: LedgerRow) -> None:
        where = _where(site)
        people = {(person.role, person.name, person.id_card or person.phone) for person in site.people}
        more = tuple(p for p in new.people if (p.role, p.name, p.id_card or p.phone) not in people)
        added = bool(more)
        for name in _COMPARED:
            old, value = getattr(site, name), getattr(new, name)
            if value and not old:
                setattr(site, name, value)
                added = True
            elif value and old and value != old:
                self.reader.problem(
                    name if name in BY_KEY else "code", _("与%(where)s不一致，以前者为准", where=where), WARNING
                )
        if not added:
            self.reader.problem("code", _("与%(where)s重复", where=where), WARNING)
        site.counts = new.counts | site.counts
        site.people += more
        site.rows += new.rows
        site.has_errors |= new.has_errors


def _same_site(row: LedgerRow, new: LedgerRow) -> bool:
    return all(not ours or not theirs or ours == theirs for ours, theirs in (
        (row.address, new.address), (row.licence_no, new.licence_no),
    ))  # fmt: skip


def _where(row: LedgerRow) -> str:
    return str(_("“%(sheet)s”第 %(row)d 行", sheet=row.sheet, row=row.rows[0] if row.rows else 0))


# ---- writing -----------------------------------------------------------------------------------------------------


def write_ledger(target: str | Path | IO[bytes], rows: Iterable[LedgerRow], title: str = TITLE) -> None:
    """Write a ledger that `read_ledger` reads back; every cell is text, and none can act as a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("台账")
    for place, column in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    sheet.freeze_panes = "C4"
    sheet.append([_cell(sheet, title, Font(bold=True, size=16))])
    sheet.append([_cell(sheet, column.hint, Font(italic=True, size=9)) for column in COLUMNS])
    sheet.append([_cell(sheet, _heading(column), Font(bold=True)) for column in COLUMNS])
    names = {area.code: area.name for area in areas()}
    for number, row in enumerate(rows, 1):
        # a firm's blank cells are left out; those of a template are there to be text, so that long codes survive
        sheet.append([_cell(sheet, text) if text or not row.name else None for text in _texts(number, row, names)])
    book.save(str(target) if isinstance(target, Path) else target)


def write_template(target: str | Path | IO[bytes]) -> None:
    """Write an empty ledger to fill in: titles, hints and headings, cells set to text so that long codes survive."""
    blank = LedgerRow(name="", code="")
    write_ledger(target, (replace(blank) for _number in range(200)))


def _heading(column: Any) -> str:
    return f"{column.title}*" if column.mandatory else str(column.title)


def _cell(sheet: Any, text: str, font: Font | None = None) -> Any:
    cell = WriteOnlyCell(sheet, value=defuse(text))
    cell.number_format = "@"
    if font is not None:
        cell.font = font
        cell.alignment = Alignment(wrap_text=False, vertical="center")
    return cell


def _texts(number: int, row: LedgerRow, area_names: dict[str, str]) -> Iterator[str]:
    people: dict[str, list[LedgerPerson]] = {key: [] for key in PERSON_KEYS}
    roles = dict(zip(AppointmentRole, PERSON_KEYS, strict=True))
    for person in row.people:
        people[roles[person.role]].append(person)
    known = {
        "number": str(number) if row.name else "",
        "area": area_names.get(row.area_code, ""),
        "lines": "、".join(row.lines),
        "valid_to": row.valid_to.isoformat() if row.valid_to else "",
    } | {key: str(row.counts[key]) for key in COUNT_KEYS if key in row.counts}
    for key, listed in people.items():
        known[key] = "、".join(_signed(person) for person in listed)
        known[f"{key}_phone"] = _joined([person.phone for person in listed])
        known[f"{key}_id"] = _joined([person.id_card for person in listed])
    for column in COLUMNS:
        yield known[column.key] if column.key in known else str(getattr(row, column.key, ""))


def _signed(person: LedgerPerson) -> str:
    return person.name + {None: "", True: "（专职）", False: "（兼职）"}[person.full_time]


def _joined(values: list[str]) -> str:
    return "、".join(value or "无" for value in values) if any(values) else ""
