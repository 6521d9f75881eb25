"""A cell of a file as the value of a form's field: what people write for days, yes and no, choices and lines."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from flask_babel import gettext as _

from app.core.cells import lost_digits, parse_date, text_of, undefuse
from app.core.codes import normalise
from app.core.fab import fields as f
from app.core.fab.cells import said

_YES = {"是", "有", "对", "√", "✓", "Y", "YES", "TRUE", "1"}
_NO = {"否", "无", "×", "✗", "N", "NO", "FALSE", "0"}
_PARTS = re.compile(r"[、,，;；/\n|]+")
_FAULTS = {"#REF!", "#VALUE!", "#N/A", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
_UNFIT = {"Cc", "Cs", "Co", "Cn"}
MOST_NAMED = 12  # choices in a message


def text_in(raw: Any) -> str:
    """A cell's text. Raises ValueError for the error of a formula and for characters that no screen shows."""
    text = undefuse(text_of(raw))
    if text in _FAULTS:
        raise ValueError(_("单元格里是公式的错误值。"))
    if not text.isprintable() and any(unicodedata.category(c) in _UNFIT and c not in "\r\n\t" for c in text):
        raise ValueError(_("含有不能显示的字符，请删除后重新输入。"))
    return text


def value_in(field: Any, raw: Any, date1904: bool) -> Any:
    """The value of a cell that is not blank; for a relation the text that names the row. Raises ValueError."""
    if isinstance(field, f.Day):
        return _day(raw, date1904)
    text = text_in(raw)
    if isinstance(field, f.Lookup):
        return text
    if isinstance(field, f.Tick):
        return _tick(text)
    if isinstance(field, f.Bits):
        return _bits(field, text)
    if isinstance(field, f.Choice):
        return field.parse(_choice(field, text))
    if isinstance(field, (f.Whole, f.Number)):
        return field.parse(normalise(text).replace(",", ""))
    if lost_digits(raw):
        raise ValueError(_("长数字被表格软件截断了，请把单元格设为文本后重填。"))
    return field.parse(normalise(text) if field.meta_info.get("format") == "code" else text)


def _day(raw: Any, date1904: bool) -> Any:
    try:
        return parse_date(raw, date1904)
    except (ValueError, OverflowError):
        raise ValueError(_("请按 年-月-日 填写日期，例如 2026-11-23。")) from None


def _tick(text: str) -> bool:
    word = normalise(text)
    if word not in _YES | _NO:
        raise ValueError(_("请填写“是”或“否”。"))
    return word in _YES


def _table(field: Any) -> dict[str, str]:
    """What people write for each choice of a field, made once a form: the value, its label in both languages."""
    if not hasattr(field, "written"):
        coded = not isinstance(field, f.Bits)  # bits are numbers: nobody writes them
        field.written = {  # kept on the form, which lives for one request
            normalise(word): str(value)
            for value, label in field.choices()
            for word in (*([value] if coded else []), label, said(label))
        }
    found: dict[str, str] = field.written
    return found


def _choice(field: Any, text: str) -> str:
    if (found := _table(field).get(normalise(text))) is None:
        raise ValueError(_("只能填：%(words)s", words=words_of(field)))
    return found


def _bits(field: Any, text: str) -> int:
    found, table = 0, _table(field)
    for part in filter(None, (normalise(one) for one in _PARTS.split(text))):
        near = {table[part]} if part in table else {
            bit for word, bit in table.items() if len(part) > 1 and word.startswith(part)
        }  # fmt: skip
        if len(near) != 1:
            raise ValueError(_("只能填：%(words)s", words=words_of(field)))
        found |= int(near.pop())
    return found


def words_of(field: Any) -> str:
    """The choices of a field as a message names them; a long list ends with dots."""
    words = [said(label) for _value, label in field.choices()]
    return str(_("、").join(words[:MOST_NAMED])) + ("…" if len(words) > MOST_NAMED else "")
