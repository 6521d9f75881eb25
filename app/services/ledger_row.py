"""One row of a ledger: every cell read, checked and, where it is wrong, named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from itertools import zip_longest
from typing import Any

from flask_babel import lazy_gettext as _
from openpyxl.utils import get_column_letter

from app.core.cells import lost_digits, parse_date, text_of, undefuse
from app.core.codes import (
    FREE_TEXT,
    Verdict,
    check_credit_code,
    check_id_card,
    check_licence,
    check_phone,
    normalise,
    org_form,
)
from app.core.xlsx import Row
from app.data import areas
from app.data.enums import LINE_OF, AppointmentRole, LicenceKind, SiteKind
from app.data.ledger_columns import BY_KEY, COUNT_KEYS, LINES, NOTHING, RISKS, SITE_KINDS, STATES

ERROR, WARNING = "error", "warning"
_SEPARATORS = re.compile(r"[、,，;；/\n]")
_BRACKETS = re.compile(r"[（(]([^）)]*)[）)]")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)", re.ASCII)
_PERSON = re.compile(r"[^\W\d_]{1,15}(?:[·•・][^\W\d_]{1,15}){0,4}")
_COUNT = re.compile(r"(\d{1,9})(?:\.\d+)?\s*(?:人|㎡|平方米|平米|m2|m²|座|个|位|万元|万)?", re.IGNORECASE | re.ASCII)
_ROLES = {
    "principal": AppointmentRole.PRINCIPAL,
    "director": AppointmentRole.DIRECTOR,
    "officer": AppointmentRole.OFFICER,
}
_SMALL = (SiteKind.WORKSHOP, SiteKind.SMALL_CATERER, SiteKind.GROCERY, SiteKind.STALL)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell, a row (`column` "") or the file (`row` 0); `severity` is "error" or "warning"."""

    sheet: str
    row: int
    column: str
    heading: str
    value: str
    message: str
    severity: str


@dataclass(frozen=True, slots=True)
class LedgerPerson:
    """A person as a ledger names them; phone and id card may be ""."""

    name: str
    role: AppointmentRole
    phone: str = ""
    id_card: str = ""
    full_time: bool | None = None


@dataclass(slots=True)
class LedgerRow:
    """One site of a firm. `rows` are the sheet rows it was read from; with `has_errors` it should not be imported.

    Words are those of `app.data.enums`, "" where the ledger says nothing. `counts` holds employees, floor_area (m²),
    seats, diners (a meal) and revenue (ten thousand yuan) where given.
    """

    name: str
    code: str
    sheet: str = ""
    rows: tuple[int, ...] = ()
    org_form: str = ""
    legal_person: str = ""
    phone: str = ""
    address: str = ""
    area_code: str = ""
    site_kind: str = ""
    lines: tuple[str, ...] = ()
    licence_no: str = ""
    licence_kind: str = ""
    valid_to: date | None = None
    risk: str = ""
    state: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    office: str = ""
    remark: str = ""
    people: tuple[LedgerPerson, ...] = ()
    has_errors: bool = False
    code_cell: tuple[str, str] = field(
        default=("", ""), compare=False
    )  # column and heading of its code, for what is found later


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields of a sheet are: key to 0-based columns, and the headings as written."""

    places: Mapping[str, tuple[int, ...]]
    headings: Mapping[int, str]


class RowReader:
    """Reads the rows of one sheet; what is wrong goes to `problems` in the order of the cells."""

    def __init__(self, layout: Layout, today: date, problems: list[Problem], *, date1904: bool = False) -> None:
        self.layout, self.today, self.problems, self.date1904 = layout, today, problems, date1904
        self.row = Row("", 0, ())
        self.texts: list[str] = []

    def load(self, row: Row) -> list[str]:
        """Take a row up; gives its cells as text."""
        self.row, self.texts = row, [text_of(value) for value in row.values]
        return self.texts

    def read(self) -> LedgerRow:
        """The site in the row taken up. Never raises: a cell that cannot be read is left blank and named."""
        row = self.row
        before = len(self.problems)
        code = self._checked("code", check_credit_code)
        kind = self._word("site_kind", SITE_KINDS)
        licence = self._checked("licence_no", _check_registration if kind in _SMALL else check_licence)
        site = LedgerRow(
            name=self._name(), code=code, sheet=row.sheet, rows=(row.number,), org_form=org_form(code),
            legal_person=self._text("legal_person"), phone=self._checked("phone", check_phone),
            address=self._text("address"), area_code=self._area(), site_kind=kind, lines=self._lines(kind),
            licence_no=licence, licence_kind=_licence_kind(licence, kind), valid_to=self._valid_to(),
            risk=self._word("risk", RISKS), state=self._word("state", STATES), counts=self._counts(),
            office=self._text("office"), remark=self._text("remark"), people=tuple(self._people()),
        )  # fmt: skip
        site.code_cell = self._place("code")
        site.has_errors = any(problem.severity == ERROR for problem in self.problems[before:])
        return site

    def problem(self, key: str, message: Any, severity: str = ERROR, value: Any = None) -> None:
        """Name the first cell of a field."""
        places = self.layout.places.get(key, ())
        column, heading = self._place(key)
        shown = text_of(self._raw(places[0]) if value is None and places else value)
        if BY_KEY[key].secret and len(shown) > 8:
            shown = shown[:4] + "*" * (len(shown) - 8) + shown[-4:]
        self.problems.append(
            Problem(self.row.sheet, self.row.number, column, heading, shown[:200], str(message), severity)
        )

    def _place(self, key: str) -> tuple[str, str]:
        """Column letter and heading of a field's first cell."""
        places = self.layout.places.get(key, ())
        if not places:
            return "", BY_KEY[key].title
        return get_column_letter(places[0] + 1), self.layout.headings[places[0]]

    def _raw(self, place: int) -> Any:
        return self.row.values[place] if place < len(self.row.values) else None

    def _text(self, key: str) -> str:
        """The text of a field, its columns joined by line ends; "" for the many ways of writing "none"."""
        places = self.layout.places.get(key, ())
        texts = [self.texts[place] for place in places if place < len(self.texts) and self.texts[place]]
        if not texts:
            return ""
        text = "\n".join(map(undefuse, texts))
        if text.startswith("#") and text.rstrip("!?/0A").upper() in ("#N", "#REF", "#VALUE", "#NAME", "#DIV", "#NULL"):
            self.problem(key, _("公式出错，请改成文字"))
            return ""
        return "" if text in NOTHING else text

    def _name(self) -> str:
        name = self._text("name").replace("\n", "")
        if not name:
            self.problem("name", _("单位名称未填写"))
        elif len(name) > 120:
            self.problem("name", _("单位名称超过 120 个字"))
        return name

    def _checked(self, key: str, check: Callable[[object], Verdict]) -> str:
        """A code through its check. A code that fails is still given, normalised, so that messages can name it."""
        text = self._text(key)
        if not text:
            if BY_KEY[key].mandatory:
                self.problem(key, _("未填写"))
            return ""
        if self._lost(key):
            return ""
        verdict = check(text)
        for message in verdict.errors:
            self.problem(key, message)
        for message in verdict.warnings:
            self.problem(key, message, WARNING)
        return verdict.value

    def _lost(self, key: str) -> bool:
        lost = any(lost_digits(self._raw(place)) for place in self.layout.places.get(key, ()))
        if lost:
            self.problem(key, _("以数字格式保存，15 位之后已丢失，请把该列设为文本后重新填写"))
        return lost

    def _word(self, key: str, words: Mapping[str, str]) -> str:
        text = self._text(key)
        if not text:
            return ""
        found = words.get(text) or words.get(normalise(text))
        if found is None:
            self.problem(key, _("不认识的填法，请按填写说明选择"), WARNING)
        return "" if found is None else str(found)

    def _lines(self, kind: str) -> tuple[str, ...]:
        lines = []
        for word in filter(None, (part.strip() for part in _SEPARATORS.split(self._text("lines")))):
            if word in LINES:
                lines.append(str(LINES[word]))
            else:
                self.problem("lines", _("不认识的业务线“%(word)s”", word=word), WARNING)
        if not lines and kind:
            return (str(LINE_OF[SiteKind(kind)]),)
        return tuple(dict.fromkeys(lines))

    def _area(self) -> str:
        text = self._text("area")
        if not text:
            return _area_in(self._text("address"))
        code = _area_names().get(text.removeprefix("奈曼旗").replace(" ", ""), "")
        if not code:
            self.problem("area", _("不是本旗的苏木乡镇、街道"))
        return code

    def _valid_to(self) -> date | None:
        text = self._text("valid_to")
        if not text or text == "长期":
            return None
        raw = self._raw(self.layout.places["valid_to"][0])
        value = text.rsplit("至", 1)[-1] if isinstance(raw, str) else raw
        try:
            day = parse_date(value, self.date1904)
        except ValueError:
            self.problem("valid_to", _("不是日期，应如 2026-11-23"))
            return None
        if day is not None and day < self.today:
            self.problem("valid_to", _("许可证已过期"), WARNING)
        return day

    def _counts(self) -> dict[str, int]:
        counts = {}
        for key in COUNT_KEYS:
            text = self._text(key).replace(",", "")
            if not text:
                continue
            found = _COUNT.fullmatch(normalise(text))
            if found:
                counts[key] = int(found[1])
            else:
                self.problem(key, _("应为不小于 0 的数字"))
        return counts

    def _people(self) -> Iterator[LedgerPerson]:
        for key, role in _ROLES.items():
            names = [name for name in _SEPARATORS.split(self._text(key)) if name.strip() not in NOTHING]
            phones = self._listed(f"{key}_phone")
            cards = [] if self._lost(f"{key}_id") else self._listed(f"{key}_id")
            if len(phones) > len(names):
                self.problem(f"{key}_phone", _("电话多于姓名，多出的未读取"), WARNING)
            if len(cards) > len(names):
                self.problem(f"{key}_id", _("身份证号多于姓名，多出的未读取"), WARNING)
            for name, phone, card in zip_longest(names, phones[: len(names)], cards[: len(names)], fillvalue=""):
                yield self._person(key, role, name, phone, card)

    def _listed(self, key: str) -> list[str]:
        text = self._text(key)
        parts = [part.strip() for part in re.split(r"[、,，;；/\s]+", text)] if text else []
        return ["" if part in NOTHING else part for part in parts]

    def _person(self, key: str, role: AppointmentRole, text: str, phone: str, card: str) -> LedgerPerson:
        remarks = "".join(_BRACKETS.findall(text))
        inside = _PHONE.search(text)
        name = _PHONE.sub("", _BRACKETS.sub("", text)).strip(" :：-")
        name = name if name.isascii() else name.replace(" ", "")
        if not _PERSON.fullmatch(name.replace(" ", "")):
            self.problem(key, _("姓名“%(name)s”填写有误", name=name), value=text)
        phone = phone or (inside[0] if inside else "")
        phone = self._each(f"{key}_phone", check_phone(phone), phone) if phone else ""
        card = self._each(f"{key}_id", check_id_card(card, self.today), card) if card else ""
        full_time = False if "兼" in remarks else True if "专" in remarks else None
        return LedgerPerson(name, role, phone, card, full_time)

    def _each(self, key: str, verdict: Verdict, value: str) -> str:
        for message in verdict.errors:
            self.problem(key, message, value=value)
        return verdict.value


def _check_registration(value: object) -> Verdict:
    """The number of a small shop or workshop: its format is regional, so free text there is nothing to warn of."""
    verdict = check_licence(value)
    return replace(verdict, warnings=()) if verdict.kind == FREE_TEXT else verdict


def _licence_kind(number: str, kind: str) -> str:
    known = {"SC": LicenceKind.PRODUCTION, "JY": LicenceKind.OPERATION, "YB": LicenceKind.PREPACKED_FILING}
    if not number:
        return ""
    return str(known.get(number[:2]) or (LicenceKind.SMALL_REGISTRATION if kind in _SMALL else LicenceKind.OTHER))


@cache
def _area_names() -> dict[str, str]:
    return {name: area.code for area in areas() for name in (area.name, area.code, *area.aliases)}


def _area_in(address: str) -> str:
    """The area whose full name an address holds, the longest first; "" when none does."""
    names = sorted((area for area in areas()), key=lambda area: -len(area.name))
    return next((area.code for area in names if area.name.removesuffix("办事处") in address), "")
