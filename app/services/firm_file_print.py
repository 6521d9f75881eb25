"""一企一档 on paper: a firm's parts cut into pieces, rendered, joined under a cover that knows where each begins.

What is read is read first and the transaction given up; rendering holds none. Nothing but the firm's pages is in memory
at a time, and the sheets of the firms before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.batched import load_batch
from app.core.db import current_session
from app.core.fab.cells import cell, label_of, said
from app.core.fab.naming import loading, shown
from app.core.pdf.join import join, starts
from app.core.pdf.pool import render_in_pool, render_pieces
from app.core.pdf.text import chinese_date
from app.core.setting import confirmed, installation_flag
from app.models.enterprise import Enterprise, Site
from app.models.setting import BUREAU, DEMO
from app.reports.firm_file import MOST as PIECE
from app.reports.handover.record import printable
from app.services import firm_file
from app.services.firm_file import BASICS, Listed, Part, Period, gather, text_of

FIRM = ("name", "code", "org_form", "legal_person", "phone", "address", "state", "must_have_director", "lines",
        "main_line", "head_code", "care", "note")  # fmt: skip
SITE = ("name", "kind", "area", "precinct", "address", "lines", "main_line", "grades", "state", "host_code", "care",
        "backing", "backing_official", "licence_kind", "licence_no", "licence_until", "must_have_director", "staff",
        "revenue", "floor_area", "seats", "meals", "special_food", "headquarters", "trade", "canteen_kind")  # fmt: skip
MOST_SITES = 200
DIGITS = "一二三四五六七八九十"
NO = ("special_food", "headquarters")  # said only where it is so


@dataclass
class Read:
    """What was read of a firm: the cover's words, and its parts in order; `rows` counts the lists of each."""

    firm: str
    bureau: str
    facts: list[list[str]]
    parts: list[tuple[str, int, list[dict[str, Any]]]]

    @property
    def size(self) -> int:
        """How many lines it takes, roughly."""
        return sum(_weight(line) for _label, _rows, tables in self.parts for one in tables for line in one["lines"])


def read(firm: Enterprise, period: Period, chosen: list[str]) -> Read:
    """What the person in context reads of the firm, in Chinese whatever the screen's language."""
    with force_locale("zh"):
        offered = firm_file.parts()
        taken = [one for one in offered if one.key in chosen]
        parts = []
        for number, part in enumerate(taken):
            label = f"{_numeral(number)}、{part.label}"
            parts.append((label, *_part(part, firm, period)))
        left = [said(one.label) for one in offered if one.key not in chosen]
        bureau = confirmed(BUREAU)[0].get(BUREAU, "")
        return Read(_cut(firm.name or str(firm), 120), _cut(bureau, 60), _cover(firm, period, left), parts)


def paper(found: Read) -> bytes:
    """The firm's file as a PDF with its own page numbers and a bookmark for each part."""
    base = {"bureau": found.bureau, "firm": found.firm, "made": clock.today().isoformat(),
            "demo": bool(installation_flag(DEMO)), "facts": [], "contents": [], "sections": []}  # fmt: skip
    current_session().rollback()
    pieces = list(render_pieces("firm_file", [base | {"sections": one} for one in _cuts(found.parts)]))
    begins, _pages = starts(pieces)
    for before in (1, 2, 3):  # pages of the cover itself: a long name or many parts may need a second one
        contents = [{"label": label, "rows": rows, "page": begins.get(label, 0) + before + 1}
                    for label, rows, _tables in found.parts]  # fmt: skip
        cover = render_in_pool("firm_file", base | {"facts": found.facts, "contents": contents}, timeout=120)
        if starts([cover])[1] == before:
            break
    return join([cover, *pieces], found.firm, upright=True)


def told(period: Period) -> str:
    """What a firm's history says of the printing."""
    return f"打印一企一档（{period.first:%Y-%m-%d} 至 {period.last:%Y-%m-%d}）"


def _numeral(number: int) -> str:
    """0 as 一, 10 as 十一."""
    return DIGITS[number] if number < 10 else f"十{DIGITS[number - 10]}"


def _cut(text: str, limit: int) -> str:
    return printable(text, limit)


# -- the cover --------------------------------------------------------------------------------------------------------


def _cover(firm: Enterprise, period: Period, left: list[str]) -> list[list[str]]:
    access = current_access()
    first, last = (chinese_date(one.isoformat()) for one in (period.first, period.last))
    unit = access.offices.get(firm.office_id)
    told = [
        *((label_of(Enterprise, name), text_of(cell(firm, name, link=False)))
          for name in shown(Enterprise, ("code", "legal_person", "address"))),
        ("监管机构", unit.name if unit is not None else ""),
        ("档案期间", f"{first}至{last}"),
        ("打印人", "　".join(filter(None, (access.person.name, _title())))),
        ("打印时间", f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"),
        ("未选择的内容", "、".join(left)),
    ]  # fmt: skip
    return [[label, _cut(text, 200)] for label, text in told if text]


def _title() -> str:
    held = current_access().chief_posting
    return said(held.title) if held is not None else ""


# -- the parts --------------------------------------------------------------------------------------------------------


def _part(part: Part, firm: Enterprise, period: Period) -> tuple[int, list[dict[str, Any]]]:
    """How many rows it has, and its tables; the firm itself has no number of rows."""
    if part.key == BASICS:
        return -1, _basics(firm)
    lists = gather(part, firm, period)
    tables = [_table(one, alone=len(lists) == 1) for one in lists]
    return sum(len(one.rows) for one in lists), tables


def _table(listed: Listed, *, alone: bool) -> dict[str, Any]:
    lines = [{"cells": "\n".join(_cut(text, 120) for text in cells), "more": [_cut(text, 1_400) for text in more]}
             for cells, more in listed.rows]  # fmt: skip
    return {"label": "" if alone else _cut(listed.label, 60), "facts": listed.silent, "heads": listed.heads,
            "lines": lines, "note": _cut(listed.note, 200)}  # fmt: skip


def _basics(firm: Enterprise) -> list[dict[str, Any]]:
    load_batch([firm], shown(Enterprise, FIRM))
    wanted = select(Site).where(Site.enterprise_id == firm.id).order_by(Site.id).limit(MOST_SITES + 1)
    sites = list(current_session().scalars(wanted.options(*loading(Site, SITE))).unique())
    load_batch(sites, shown(Site, SITE))
    tables = [_facts("主体", firm, FIRM), *(_facts(f"经营场所：{one}", one, SITE) for one in sites[:MOST_SITES])]
    if len(sites) > MOST_SITES:
        tables[-1]["note"] = f"只列出前 {MOST_SITES} 个经营场所。"
    return tables


def _facts(label: str, row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    told = [(name, text_of(cell(row, name, link=False))) for name in shown(type(row), names)]
    lines = [{"cells": f"{label_of(type(row), name)}\n{_cut(text, 1_400)}", "more": []} for name, text in told
             if text and not (name in NO and not getattr(row, name))]  # fmt: skip
    unit = current_access().offices.get(row.office_id)
    if unit is not None:
        lines.append({"cells": f"监管机构\n{unit.name}", "more": []})
    return {"label": _cut(label, 140), "facts": True, "heads": [], "lines": lines, "note": ""}


# -- pieces -----------------------------------------------------------------------------------------------------------


def _weight(line: dict[str, Any]) -> int:
    return 1 + len(line["more"])


def _cuts(parts: list[tuple[str, int, list[dict[str, Any]]]]) -> Iterator[list[dict[str, Any]]]:
    """The parts in pieces of so many lines; a list that is cut goes on with its heads."""
    piece: list[dict[str, Any]] = []
    room = PIECE
    for label, _rows, tables in parts:
        section: dict[str, Any] = {"label": label, "tables": []}
        piece.append(section)
        for table in tables:
            for chunk in _chunks(table, room):
                weight = 1 + sum(map(_weight, chunk["lines"]))
                if weight > room and any(one["tables"] for one in piece):
                    kept = [one for one in piece if one["tables"]]
                    yield kept
                    section = {"label": "" if section in kept else section["label"], "tables": []}
                    piece, room = [section], PIECE
                section["tables"].append(chunk)
                room -= weight
    if any(one["tables"] for one in piece):
        yield piece


def _chunks(table: dict[str, Any], room: int) -> Iterator[dict[str, Any]]:
    """A list in runs of lines: the first fills the room that is left, the others a piece each."""
    run: list[dict[str, Any]] = []
    used, label = 0, table["label"]
    limit = max(room - 1, PIECE // 5)
    for line in table["lines"]:
        if run and used + _weight(line) > limit:
            yield {**table, "label": label, "lines": run, "note": ""}
            run, used, limit = [], 0, PIECE - 1
            label = table["label"] and f"{table['label']}（续）"
        run.append(line)
        used += _weight(line)
    yield {**table, "label": label, "lines": run}
