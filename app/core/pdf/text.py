"""Checks on texts before they are printed, for the `validate` functions of documents; light, no renderer."""

import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from .errors import ContextError, NotReady
from .fonts import font_set

FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories without ink: control, direction overrides, halves of pairs, private, unassigned, separators."""
MAX_FIELD = 2_000
"""Characters of any one string in any context; documents set narrower limits."""
MAX_STRINGS = 5_000
MAX_DEPTH = 8


def control_characters(text: str) -> str:
    """The characters of `text` that must not reach a document, each once; a line feed may."""
    return "".join(c for c in dict.fromkeys(text) if c != "\n" and unicodedata.category(c) in FORBIDDEN)


def problem(text: object, limit: int, *, empty: bool = False) -> str | None:
    """What is wrong with one field, as a Chinese sentence, or None. `limit` in characters; `empty` allows blank."""
    if not isinstance(text, str):
        return "应为文字"
    if not text.strip() and not empty:
        return "不能为空"
    if len(text) > limit:
        return f"过长：{len(text)} 字，最多 {limit} 字"
    if bad := control_characters(text):
        return "含有不可打印的控制字符：" + " ".join(f"U+{ord(c):04X}" for c in bad[:5])
    if bad := unprintable(text):
        return f"字体中没有“{bad[:10]}”，请改用其他字"
    return None


def unprintable(text: str) -> str:
    """The characters no font of the set draws. Empty when fonts are not built: start-up and the render refuse then."""
    try:
        return font_set().missing(text)
    except NotReady:
        return ""


def strings(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(path, text) of each string in a JSON value. ContextError: nested too deep."""
    if depth > MAX_DEPTH:
        raise ContextError({path: "层次过深"})
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value, 1):
            yield from strings(item, f"{path}.{number}", depth + 1)


def refuse_unprintable(context: dict[str, Any]) -> None:
    """Check every string of a context, whatever document it is for. ContextError names each bad field."""
    found = list(strings(context))
    if len(found) > MAX_STRINGS:
        raise ContextError({"": f"内容过多：{len(found)} 项"})
    everything = "".join({text for _, text in found})
    if control_characters(everything) or unprintable(everything) or any(len(text) > MAX_FIELD for _, text in found):
        errors = {path: message for path, text in found if (message := problem(text, MAX_FIELD, empty=True))}
        raise ContextError(errors)


def day(value: object) -> date | None:
    """A date from "YYYY-MM-DD", or None when it is not one."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def chinese_date(value: str) -> str:
    """ "2026-11-03" as 2026年11月3日: Arabic digits, no leading zeros (GB/T 9704-2012, 成文日期)."""
    found = date.fromisoformat(value)
    return f"{found.year}年{found.month}月{found.day}日"


def midnight(value: str) -> datetime:
    """The start of that day in China, as the instant a document states in its metadata."""
    return datetime.combine(date.fromisoformat(value), time(), timezone(timedelta(hours=8)))


def running(text: str) -> str:
    """Running text on one line: line feeds are dropped, for a blank would leave a hole between Chinese characters."""
    return "".join(line.strip() for line in text.splitlines())
