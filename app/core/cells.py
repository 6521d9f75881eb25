"""Spreadsheet cells as people fill them in: text, days, long codes; and text that is no formula."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from app.core.codes import INVISIBLE

_FULL_DIGITS = {0xFF10 + digit: 0x30 + digit for digit in range(10)}
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_TIME = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2})?(\.0+)?$", re.ASCII)
_SERIAL = re.compile(r"[1-7]\d{4}(\.\d+)?", re.ASCII)  # 1927 to 2119: outside it a bare number is no date
_EXACT = 10**15


def text_of(value: Any) -> str:
    """A cell as text: whole numbers without ".0", days as 2026-11-23, blanks of every kind trimmed, line ends kept."""
    if value is None:
        return ""
    if isinstance(value, str):
        if value.isprintable() and "  " not in value and "_x" not in value:
            return value.strip()
        lines = value.replace("_x000D_", "").translate(INVISIBLE).splitlines()
        return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < _EXACT else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return str(value)


def lost_digits(value: Any) -> bool:
    """Whether a long code was typed into a number cell: Excel keeps 15 digits and makes the rest zeros."""
    if isinstance(value, str):
        return re.fullmatch(r"\d(\.\d+)?[Ee]\+?1[5-9]", value.strip()) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _EXACT


def parse_date(value: Any, date1904: bool = False) -> date | None:
    """A day out of a date cell, a serial number, or 2026-11-23, 2026/11/23, 2026.11.23, 2026年11月23日, 20261123.

    None for a blank cell; ValueError for anything else, two-digit years and days that do not exist among it.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = text_of(value).translate(_FULL_DIGITS)
    if not text:
        return None
    text = "".join(_TIME.sub("", text).split())
    found = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    if found:
        return date(int(found[1]), int(found[2]), int(found[3]))
    if not _SERIAL.fullmatch(text):
        raise ValueError(f"not a date: {text}")
    return (date(1904, 1, 1) if date1904 else date(1899, 12, 30)) + timedelta(days=int(text[:5]))


_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def defuse(value: Any) -> Any:
    """Text for a cell that no spreadsheet takes for a formula: an apostrophe goes before =, +, - and @.

    Control characters that a workbook cannot hold are dropped. Anything but text comes back as it is.
    """
    if not isinstance(value, str):
        return value
    text: str = ILLEGAL_CHARACTERS_RE.sub("", value)
    return f"'{text}" if text.lstrip(" \u00a0\u3000").startswith(_FORMULA) else text


def undefuse(text: str) -> str:
    """The text that `defuse` was given, for a sheet that comes back."""
    return text[1:] if text[:1] == "'" and defuse(text[1:]) == text else text
