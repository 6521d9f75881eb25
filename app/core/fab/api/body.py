"""What came in, read strictly: one JSON object, in UTF-8, of bounded size and depth, each name once."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from flask import request
from flask_babel import gettext as _

from app.core.errors import Invalid, ShouzeError

LARGEST = 1024 * 1024  # bytes of a body
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
DEEPEST = 6  # brackets in brackets; the deepest body (a record, its rows, a row, a reference) has four


class Unreadable(ShouzeError):
    """The body is no JSON object, or not one that has one meaning."""


class WrongType(ShouzeError):
    """The body is said to be something else than JSON."""

    status = 415


def read_body() -> dict[str, Any]:
    """The body's object. Raises WrongType, Unreadable; a body that is too large is werkzeug's 413."""
    if request.mimetype != "application/json":
        raise WrongType(_("请求的内容类型须为 application/json。"))
    request.max_content_length = LARGEST
    try:
        text = request.get_data().decode("utf-8")
        found = json.loads(text, object_pairs_hook=_once, parse_float=Decimal, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False, default=str).encode("utf-8")  # half a surrogate pair is no character
    except (ValueError, RecursionError) as error:
        raise Unreadable(_("请求的内容不是有效的 JSON。")) from error
    if not isinstance(found, dict) or _depth(found) > DEEPEST:
        raise Unreadable(_("请求的内容须为一个 JSON 对象。"))
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def version_of(body: dict[str, Any], *, needed: bool) -> int | None:
    """The version the sender had read. Raises Invalid."""
    found = body.get("version")
    if found is None and not needed:
        return None
    if isinstance(found, bool) or not isinstance(found, int):
        raise Invalid(_("有内容需要改正，尚未保存。"), {"version": _("请给出读到的版本号。")})
    return found


def accepted_in(body: dict[str, Any]) -> frozenset[str]:
    """The doubts that the sender lets pass. Raises Invalid."""
    found = body.get("accept", [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Invalid(_("有内容需要改正，尚未保存。"), {"accept": _("应为文字的列表。")})
    return frozenset(found)


def client_id_of(body: dict[str, Any]) -> str:
    """The id the device made for what it sends, in the body or the header Client-Id; "" for none. Raises Invalid."""
    found = body.get("client_id", request.headers.get("Client-Id", ""))
    if found and (not isinstance(found, str) or not CLIENT_ID.fullmatch(found)):
        raise Invalid(_("有内容需要改正，尚未保存。"), {"client_id": _("应为 16 至 64 位字母、数字、- 或 _。")})
    return str(found or "")
