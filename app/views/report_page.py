"""What pages with one table, a few filters and a workbook share: reading the address, turning pages."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_babel import gettext as _

from app.core.access.context import current_access
from app.core.errors import Invalid
from app.core.fab.declaration import Answer
from app.core.fab.download import download
from app.core.history import record
from app.core.screen import Cell
from app.core.tables import XLSX_TYPE, Table, TableColumn, at_once, write_xlsx
from app.core.verbs import Verb

SIZE = 50
MOST_ROWS = 20_000  # of a workbook that is made while somebody waits


@dataclass
class Choice:
    """A filter that is chosen from a list."""

    name: str
    label: str
    value: str
    options: list[tuple[str, str]]


@dataclass
class ReportScreen:
    """One page of a report."""

    title: Any
    subtitle: str
    base: str
    heads: list[str]
    rows: list[list[Cell]]
    total: int
    page: int
    choices: list[Choice]
    figures: list[tuple[str, int]] = field(default_factory=list)
    tabs: list[tuple[str, str, bool]] = field(default_factory=list)
    empty: str = ""
    foot: list[Cell] = field(default_factory=list)  # the sum of the rows
    may_export: bool = False

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // SIZE))

    @property
    def first(self) -> int:
        """How many rows are on the pages before."""
        return (self.page - 1) * SIZE

    def url(self, **changes: Any) -> str:
        """This page with other arguments."""
        return self.base + query(**changes)


def query(**changes: Any) -> str:
    """The arguments of the address, with changes."""
    args = {name: value for name, value in request.args.items() if value} | changes
    kept = {name: str(value) for name, value in args.items() if value not in (None, "")}
    return f"?{urlencode(kept)}" if kept else ""


def number(name: str, default: int = 0, *, most: int = 2**62) -> int:
    """A number of the address. Raises Invalid."""
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19) or int(text) > most:
        raise Invalid(_("地址里的条件不对。"))
    return int(text)


def page_number() -> int:
    """Which page is asked for."""
    return min(max(1, number("page", 1)), 100_000)


def office() -> int | None:
    """The office asked for, one of those there are. Raises Invalid."""
    found = number("office")
    if found and found not in current_access().offices:
        raise Invalid(_("地址里的条件不对。"))
    return found or None


def office_choice(chosen: int | None) -> list[Choice]:
    """The offices whose rows the person reaches, when there are several."""
    access = current_access()
    reached = {unit for held in access.postings for unit in access.subtree(held.office_id)}
    units = sorted((unit for unit in access.offices.values() if unit.id in reached), key=lambda one: one.path)
    options = [("", str(_("全部"))), *((str(unit.id), unit.name) for unit in units)]
    return [Choice("office", _("机构"), str(chosen or ""), options)] if len(units) > 1 else []


def workbook(title: str, note: str, columns: Sequence[TableColumn], rows: list[list[Any]]) -> Answer:
    """The rows as a workbook to keep; that it was made stands in the log."""
    out = io.BytesIO()
    write_xlsx(Table(title, note, list(columns), at_once(rows)), out)
    record(Verb.EXPORT, "导出报表", office_id=current_access().person.office_id, name=title)
    return download(out, XLSX_TYPE, f"{title}.xlsx")
