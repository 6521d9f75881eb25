"""What the screens of an import need of a declaration: its fields as targets, the template, the page of columns."""

from __future__ import annotations

from itertools import islice
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from openpyxl.utils import get_column_letter
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.access.veil import withheld
from app.core.cells import text_of
from app.core.db import current_session
from app.core.errors import Conflict, Invalid
from app.core.fab import fields as f
from app.core.fab.cells import one_of, said
from app.core.fab.declaration import Declaration
from app.core.importing import books
from app.core.importing.naming import naming_of
from app.core.importing.run import ImportMapping, ImportRun, content
from app.core.importing.source import LIMITS, TOP, open_source
from app.core.importing.target import Target, best_heading, fold, guess, score
from app.core.xlsx import Row

SAMPLES = 3
MOST_REMEMBERED = 400  # headings of one account and entity
LONGEST_TITLE = 100  # letters of a sheet's name
MOST_LISTED = 500  # rows of a reference list in the template


def targets_of(view: Declaration) -> dict[str, Target]:
    """The fields of the entity's form that this person may fill in, in order."""
    kept = withheld(view.model)
    form = view.add_form()
    found = {}
    for name in (name for part in view.form_parts for name in part.columns if name not in kept):
        parser = form._fields[name]
        with force_locale("zh"):
            label = str(parser.label.text)
        other = parser.model if isinstance(parser, f.Lookup) else None
        required = not parser.nullable and not isinstance(parser, f.Tick)
        found[name] = Target(name, label, parser, required, other, view.import_names.get(name, ()))
    return found


# -- template ---------------------------------------------------------------------------------------------------------


def template_of(view: Declaration) -> bytes:
    """The workbook to fill in, in Chinese whatever the person's language: that is what the offices keep."""
    with force_locale("zh"):
        return books.template(targets_of(view).values(), _listed, _explained)


def _listed(target: Target) -> list[str]:
    parser = target.parser
    if isinstance(parser, f.Tick):
        return ["是", "否"]
    if isinstance(parser, (f.Choice, f.Bits, f.Pick)):
        return [str(label) for _value, label in parser.choices()][:MOST_LISTED]
    return []


def _explained(target: Target) -> tuple[Any, ...]:
    """A field's row on the second sheet: label, required, kind, choices, example, length, help."""
    parser, words = target.parser, _listed(target)
    kind, example = _kind_of(target)
    return (
        target.label, "必填" if target.required else "", kind, "、".join(words[:60]), words[0] if words else example,
        parser.meta_info.get("maxlength") or "", str(parser.description or ""),
    )  # fmt: skip


def _kind_of(target: Target) -> tuple[str, str]:
    parser = target.parser
    if target.other is not None:
        labels = [said(target.other.__table__.columns[name].info.get("label")) for name in _naming_columns(target)]
        return f"{one_of(target.other)}：{'或'.join(labels)}", ""
    kinds: tuple[tuple[type[Any], str, str], ...] = (
        (f.Day, "日期", "2026-11-23"), (f.Tick, "是或否", "是"), (f.Bits, "可填几项，用顿号分开", ""),
        (f.Choice, "选一项", ""), (f.Whole, "整数", "12"), (f.Number, "数字", "12.5"), (f.Code, "编号", ""),
        (f.Tel, "电话", "13900000000"), (f.Long, "文字，可以分行", ""),
    )  # fmt: skip
    return next(((word, example) for cls, word, example in kinds if isinstance(parser, cls)), ("文字", ""))


def _naming_columns(target: Target) -> list[str]:
    assert target.other is not None
    hidden = current_access().hidden(target.other.policy_name())
    return [name for name in naming_of(target.other).found_by if name not in hidden]


# -- columns ----------------------------------------------------------------------------------------------------------


class Top:
    """The upper rows of each sheet of a run's file, and the sheet and heading row that are chosen."""

    def __init__(self, data: bytes, name: str) -> None:
        self.sheets: dict[str, list[Row]] = {}
        with open_source(data, name) as sheets:
            for (
                sheet
            ) in sheets:  # no program makes a longer title, or the same twice: the first counts, as when reading
                if len(sheet.title) <= LONGEST_TITLE and sheet.title not in self.sheets:
                    self.sheets[sheet.title] = list(islice(sheet.rows(), TOP))
        if not any(self.sheets.values()):
            raise Invalid(_("文件里没有内容。"))

    def choose(self, targets: dict[str, Target], sheet: str = "", row: str = "") -> tuple[str, int]:
        """The sheet and the heading's row number: those asked for when they exist, else the best."""
        fields = targets.values()
        title = sheet if self.sheets.get(sheet) else max(self.sheets, key=lambda one: score(self.sheets[one], fields))
        numbers = [one.number for one in self.sheets[title]]
        if row.isascii() and row.isdigit() and len(row) < 9 and int(row) in numbers:
            return title, int(row)
        return title, numbers[best_heading(self.sheets[title], fields)]

    def choices(self, title: str) -> list[tuple[int, str]]:
        """The rows that may hold the headings, with how they begin."""
        rows = ((row.number, [text_of(value) for value in row.values]) for row in self.sheets[title])
        return [(number, "｜".join(text for text in texts if text)[:40]) for number, texts in rows]

    def rows(self, title: str, number: int) -> tuple[Row, list[Row]]:
        """The heading row and some below it."""
        rows = self.sheets[title]
        place = next(n for n, row in enumerate(rows) if row.number == number)
        return rows[place], rows[place + 1 : place + 1 + SAMPLES]

    def headings(self, title: str, number: int) -> list[str]:
        """The heading of every column that has anything in it."""
        heading, below = self.rows(title, number)
        width = min(max(len(row.values) for row in (heading, *below)), LIMITS.columns)
        return [text_of(value) for value in _wide(heading.values, width)]

    def columns(self, title: str, number: int, chosen: list[str]) -> list[dict[str, Any]]:
        """The page's rows: letter, heading, samples, the field chosen."""
        _heading, below = self.rows(title, number)
        return [
            {"place": place, "letter": get_column_letter(place + 1), "heading": heading[:60], "field": chosen[place],
             "samples": [text_of(value)[:40] for row in below if (value := _at(row.values, place)) not in (None, "")]}
            for place, heading in enumerate(self.headings(title, number))
        ]  # fmt: skip


def _wide(values: tuple[Any, ...], width: int) -> list[Any]:
    return [*values[:width], *[None] * (width - len(values))]


def _at(values: tuple[Any, ...], place: int) -> Any:
    return values[place] if place < len(values) else None


def top_of(run: ImportRun) -> Top:
    """The upper rows of a run's file. Raises Conflict once the file is gone."""
    data = content(run)
    if data is None:
        raise Conflict(_("上传的文件已经删除，请重新上传。"))
    return Top(data, run.file_name)


def guessed(run: ImportRun, top: Top, title: str, number: int, targets: dict[str, Target]) -> list[str]:
    """The field of each column: as chosen before for this very place, else remembered, else guessed."""
    headings = top.headings(title, number)
    if (run.sheet, run.heading) == (title, number) and len(run.mapping) == len(headings):
        return [name if name in targets else "" for name in run.mapping]
    kept = remembered(run.entity)
    return guess(headings, list(targets.values()), kept.headings if kept else {})


def remembered(entity: str) -> ImportMapping | None:
    """What this account chose the last times."""
    return current_session().scalars(select(ImportMapping).where(ImportMapping.entity == entity)).one_or_none()


def remember(entity: str, headings: list[str], mapping: list[str]) -> None:
    """Keep what was chosen, the newest first; in the unit of work in force."""
    session, person = current_session(), current_access().person
    kept = remembered(entity) or ImportMapping(account_id=person.id, entity=entity, headings={})
    new = {fold(heading): name for heading, name in zip(headings, mapping, strict=True) if fold(heading)}
    merged = new | {heading: name for heading, name in kept.headings.items() if heading not in new}
    kept.headings = dict(list(merged.items())[:MOST_REMEMBERED])
    session.add(kept)


def require_mapping(mapping: list[str], targets: dict[str, Target]) -> None:
    """Raise Invalid when no column is wanted, or one field comes from two."""
    used = [name for name in mapping if name]
    if not used:
        raise Invalid(_("请至少为一列选择内容。"))
    twice = [targets[name].parser.label.text for name in dict.fromkeys(used) if used.count(name) > 1]
    if twice:
        raise Invalid(_("有两列选了同一项：%(names)s", names=_("、").join(map(str, twice))))
