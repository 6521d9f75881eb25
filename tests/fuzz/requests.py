"""Hostile requests to a route: its arguments, its query, its body, each mostly plausible with something wrong in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_from_bytes

from flask import Flask
from hypothesis import strategies as st
from werkzeug.routing import Rule

LONG = "长" * 10_000
# values that have broken somebody's program: every one of them may stand wherever a value may
NASTY: list[str | bytes] = [
    "", " ", "0", "1", "2", "-1", "7",
    "25", "99999999999999999999999", "9" * 5_000, "1e999", "NaN", "Infinity", "1.5", "１",
    "true", "null", "undefined", "[]", "{}", "\0", "1\0",
    "\r\n", "\x1b[0m", "\ufeff", "\u202e", "\ud7ff", "😀" * 50, LONG,
    "x" * 10_000, "'", "\"'--", "%", "_",
    "\\", "%00", "%ff", "../../etc/passwd", "//evil.example", "javascript:alert(1)",
    "{{7*7}}", "${7*7}", "<script>", "2026-02-30",
    "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "2026-01-05",
    "2026-W01", "昨天", "正常", "草稿", "已签发", "小餐饮",
    "name", "-state", "password", "id_card", "site.name", "DELETE",
    "json", "csv", "A" * 22, "A" * 23, b"\xff\xfe", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80",
]  # fmt: skip
NAMES = [
    "page", "size", "order", "q", "format", "_method",
    "next", "columns", "filter", "version", "id", "office_id", "reason",
    "accept-code", "accept-phone", "inspection", "enterprise", "site",
    "person", "locale", "state", "kind", "csrf_token",
    "__class__", "a[]", "a.b", "中文", "\0", "x" * 300,
]  # fmt: skip
# what fills the forms well enough to get past the first check
PLAUSIBLE = {
    "name": "模糊店", "party": "当事人", "conduct": "违法行为",
    "address": "某街 1 号", "state": "正常", "version": "1",
    "lines": "4", "role": "食品安全员", "date": "2026-01-05", "date_from": "2026-01-01", "date_to": "2026-12-31",
    "place": "现场", "selection": "计划指定", "deadline": "2027-01-01",
    "reason": "理由", "receiver": "王五", "fact": "事实",
    "demand": "要求", "method": "直接", "purpose": "违反",
    "username": "new-user", "family": "监管业务", "code": "F-1",
    "year": "2026", "opening": "5", "title": "标题", "article": "一", "key": "k", "value": "值", "short_name": "简称",
    "document": "文件", "kinds": "责令改正通知书", "mobile": "13900000000",
    "purposes": "违反", "short": "短", "summary": "写",
}  # fmt: skip
STEPS = ["submit", "review", "return_draft", "sign", "serve", "void", "discard", "complete", "confirm", "reopen"]


@dataclass(frozen=True)
class Target:
    """A route with one method, and what its entity's forms and filters are called."""

    rule: str
    method: str
    converters: tuple[tuple[str, str], ...]  # argument → converter
    fields: tuple[str, ...]
    rows: tuple[str, ...]  # relations edited inside the form

    @property
    def api(self) -> bool:
        return self.rule.startswith("/api/v1/")


@dataclass(frozen=True)
class Hit:
    """One request, ready to be sent: raw path and query as a server gets them."""

    method: str
    path: bytes
    query: str
    body: bytes
    kind: str
    accept: str

    def __repr__(self) -> str:
        body = self.body[:300] + (b"..." if len(self.body) > 300 else b"")
        return f"{self.method} {self.path[:120]!r} ? {self.query[:300]} [{self.kind}] {body!r}"


def targets(app: Flask) -> list[Target]:
    """Every route and method of the application, from its own map: a new route is here by itself."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: (one.rule == "/logout/", one.rule)):
        fields, rows = _names(app, rule)
        converters = tuple((name, type(one).__name__) for name, one in sorted(rule._converters.items()))
        found += [Target(rule.rule, method, converters, fields, rows) for method in sorted(rule.methods or ())]
    return found


def _names(app: Flask, rule: Rule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Form fields, filters and step fields of the view behind a route, and its child rows."""
    owner: Any = getattr(app.view_functions[rule.endpoint], "__self__", None)
    view = getattr(owner, "view", owner)
    if not hasattr(view, "form_parts"):
        return (), ()
    fields = [name for part in view.form_parts for name in part.columns] + list(view.list_filters)
    fields += [f"{name}{end}" for name in view.list_filters for end in ("_from", "_to")]
    fields += [name for _form, names in view.asks.values() for name in names]
    return tuple(dict.fromkeys(fields)), tuple(one.relation for part in view.form_parts for one in part.rows)


# -- strategies -------------------------------------------------------------------------------------------------------

anything = st.one_of(st.sampled_from(NASTY), st.text(max_size=20), st.binary(max_size=12))


def hits(target: Target, ids: list[str]) -> st.SearchStrategy[Hit]:
    """Requests to this route; `ids` are public ids that exist."""
    return st.builds(
        Hit,
        st.just(target.method),
        _path(target, ids),
        _query(target),
        *_body(target, ids),
        st.sampled_from(["text/html", "application/json", "*/*", ""]),
    )


def _path(target: Target, ids: list[str]) -> st.SearchStrategy[bytes]:
    parts: list[st.SearchStrategy[bytes]] = []
    converters = dict(target.converters)
    for piece in _pieces(target.rule):
        if piece.startswith("<"):
            name = piece.strip("<>").rpartition(":")[2]
            parts.append(_argument(name, converters[name], ids))
        else:
            parts.append(st.just(piece.encode()))
    return st.tuples(*parts).map(b"".join)


def _pieces(rule: str) -> list[str]:
    found, rest = [], rule
    while "<" in rest:
        before, _open, rest = rest.partition("<")
        name, _close, rest = rest.partition(">")
        found += [before, f"<{name}>"]
    return [one for one in [*found, rest] if one]


def _argument(name: str, converter: str, ids: list[str]) -> st.SearchStrategy[bytes]:
    good: st.SearchStrategy[str] = st.sampled_from(STEPS) if name == "name" else st.sampled_from(ids)
    if converter == "IntegerConverter":
        good = st.integers(1, 60).map(str)
    return st.one_of(good.map(str.encode), good.map(str.encode), anything.map(_bytes))


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "replace")


def _pairs(target: Target) -> st.SearchStrategy[list[tuple[str, str | bytes]]]:
    names = st.one_of(st.sampled_from([*target.fields, *NAMES]), st.text(max_size=10))
    return st.lists(st.tuples(names, anything), max_size=6)


def _encoded(pairs: list[tuple[str, str | bytes]]) -> str:
    return "&".join(f"{quote(name, errors='replace')}={quote_from_bytes(_bytes(value))}" for name, value in pairs)


def _query(target: Target) -> st.SearchStrategy[str]:
    raw = st.sampled_from(["", "&&&=", "%", "%zz", "a=%ff%fe", "page=%00", "?=?", ";" * 500, "a=1&" * 2_000])
    return st.one_of(_pairs(target).map(_encoded), _pairs(target).map(_encoded), raw)


def _body(target: Target, ids: list[str]) -> tuple[st.SearchStrategy[bytes], st.SearchStrategy[str]]:
    """Body and content type. Independent, so that each body also comes under a wrong type."""
    if target.method in {"GET", "HEAD", "OPTIONS"}:
        return st.just(b""), st.just("")
    kinds = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=xx",
    "multipart/form-data", "text/plain",
             "application/json", "application/json; charset=utf-16", "", "\0", "a" * 500]  # fmt: skip
    likely = "application/json" if target.api else kinds[0]
    kind = st.one_of(st.just(likely), st.just(likely), st.sampled_from(kinds))
    if target.api:
        return st.one_of(_json(target, ids), _json(target, ids), st.binary(max_size=30), _broken_json()), kind
    multipart = st.lists(st.tuples(st.sampled_from([*target.fields, *NAMES[:12]]), anything, st.booleans()), max_size=4)
    return st.one_of(_form(target, ids), _form(target, ids), multipart.map(_multipart), _broken_multipart()), kind


def _typed(target: Target, ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """A well-filled form, a few of its values replaced."""
    start: dict[str, Any] = {name: PLAUSIBLE.get(name, "1") for name in (*target.fields, "version", "reason")}
    wrong = st.sampled_from(list(start)) if start else st.nothing()
    value = st.one_of(anything, st.sampled_from(ids), st.integers(1, 40).map(str))
    return st.dictionaries(wrong, value, max_size=4).map(lambda changes: start | changes)


def _form(target: Target, ids: list[str]) -> st.SearchStrategy[bytes]:
    rows = st.lists(st.tuples(st.integers(0, 99_999), st.sampled_from(["fact", "demand",
    "id", "removed", "x"]), anything),
                    max_size=4)  # fmt: skip

    def build(typed: dict[str, Any], more: list[tuple[str, Any]], inner: list[tuple[int, str, Any]]) -> bytes:
        children = [(f"{relation}-{n}-{name}", value) for relation in target.rows for n, name, value in inner]
        return _encoded([*typed.items(), *children, *more, *more[:1]]).encode()

    return st.builds(build, _typed(target, ids), _pairs(target), rows)


def _multipart(parts: list[tuple[str, str | bytes, bool]]) -> bytes:
    """Files where text is expected, and text where files are."""
    found = b""
    for name, value, is_file in parts:
        file = b'; filename="../\xe7\x85\xa7\xe7\x89\x87.php"\r\nContent-Type: image/png' if is_file else b""
        head = b'--xx\r\nContent-Disposition: form-data; name="' + name.encode("utf-8", "replace") + b'"' + file
        found += head + b"\r\n\r\n" + _bytes(value) + b"\r\n"
    return found + b"--xx--\r\n"


def _broken_multipart() -> st.SearchStrategy[bytes]:
    return st.sampled_from([
        b"--xx", b"--xx\r\n", b"--xx\r\nContent-Disposition: form-data\r\n\r\nx", b"--xx--" * 50, b"\r\n" * 500,
        b'--xx\r\nContent-Disposition: form-data; name="a"; filename*=utf-8\'\'%ff\r\n\r\nx\r\n--xx--',
        b'--xx\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/x; charset=no\r\n\r\n\xff\r\n--xx--',
        b'--xx\r\nContent-Disposition: form-data; name="' + b"a" * 20_000 + b'"\r\n\r\nx\r\n--xx--',
    ])  # fmt: skip


def _json(target: Target, ids: list[str]) -> st.SearchStrategy[bytes]:
    leaf = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(ids),
        st.sampled_from([one for one in NASTY if isinstance(one, str)]),
    )  # fmt: skip
    tree = st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    )
    ref = st.sampled_from(ids).map(lambda one: {"id": one, "text": ""})
    names = st.sampled_from(
        [*target.fields, *target.rows, "version", "accept", "client_id", "reason", "id", "lines", "office"]
    )
    row = st.dictionaries(st.sampled_from(["fact", "demand", "id", "key_item", "x"]), st.one_of(leaf, ref), max_size=4)
    changes = st.dictionaries(names, st.one_of(tree, ref, st.lists(row, max_size=3)), max_size=5)
    start: dict[str, Any] = {name: PLAUSIBLE[name] for name in target.fields if name in PLAUSIBLE and name != "lines"}
    start |= {"version": 1} if target.method in {"PUT", "PATCH"} else {}
    whole = st.one_of(changes.map(lambda some: start | some), changes.map(lambda some: start | some), tree)
    return whole.map(lambda found: json.dumps(found, ensure_ascii=True).encode())


def _broken_json() -> st.SearchStrategy[bytes]:
    return st.sampled_from([
        b"", b"{", b'{"a":1,"a":2}', b"[" * 20_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
        b'{"version": ' + b"9" * 9_000 + b"}",
        b'{"name": "\\ud800"}', b'\xef\xbb\xbf{"name": "x"}', b'{"name": "' + b"x" * 1_200_000 + b'"}',
    ])  # fmt: skip
