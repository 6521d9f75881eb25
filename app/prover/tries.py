"""What is tried: every route of the running application, with rows that are not the person's."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from app.core.entity import Entity
from app.core.fab import fields
from app.core.fab.cells import base_of
from app.core.fab.gate import API
from app.core.importing.run import ImportRun
from app.core.office import Account
from app.core.saved import SavedFilter
from app.models.check import DailyCheck, RiskList
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Inspection
from app.models.personnel import Person
from app.models.rectification import Notice
from app.models.training import Exam
from app.prover.house import BY_PUBLIC_ID, RECEIPT, House, Row

Try = tuple[str, str, str, dict[str, Any] | None, str]
KNOWN = ({"digest", "name"},)  # the stylesheet and the script: nobody's rows


def tries(house: House, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """Every route of the running application: lists and look-ups in every order and filter, rows by guessed id."""
    for rule in sorted(house.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        posts = "POST" in (rule.methods or ())
        if posts and rule.rule in {"/login/", "/logout/", "/password/"}:
            continue
        if rule.rule.startswith(API):
            yield from _api(house, rule, foreign, own)
        elif rule.arguments:
            yield from _with_arguments(rule, foreign, own)
        else:
            yield from _open_lists(rule.rule, foreign)
            if rule.rule.endswith("/export"):
                yield from _exports(rule.rule, foreign)
            elif posts:
                yield from _makes(rule.rule, foreign, own)


def _with_arguments(rule: Any, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """Routes that name something; one whose arguments nobody knows here is an error, not a gap."""
    names = set(rule.arguments)
    if "key" in names:
        yield from _by_key(rule, foreign, own)
    elif names == {"saved"}:
        yield from _saved(rule, foreign)
    elif names == {"run"}:
        yield from _by_run(rule, foreign) if "/import/" in rule.rule else _answers(rule)
    elif "token" in names:
        yield from _waiting(rule)
    elif names == {"code"}:
        yield rule.rule, "GET", rule.rule.replace("<code>", "zh"), None, ""
    elif names not in KNOWN:
        raise LookupError(f"the prover does not know how to try {rule.rule}")


def _answers(rule: Any) -> Iterator[Try]:
    """Another's answer of a bulk act."""
    for username in ("suo-b", "firm-b"):
        yield rule.rule, "GET", rule.rule.replace("<run>", f"{RECEIPT}-{username}"), None, ""


def _open_lists(path: str, foreign: list[Row]) -> Iterator[Try]:
    yield path, "GET", path, None, ""
    if path.endswith(("/", "/lookup", "search")):
        for order in ("name", "-state", "password", "id_card", "office_id"):
            yield path, "GET", f"{path}?order={order}&size=100", None, ""
        for row in _about(path, foreign) or foreign[:3]:
            if row.mark:
                yield path, "GET", f"{path}?q={row.mark}", None, row.mark
        yield path, "GET", f"{path}?state=草稿&office_id=1&q=印", None, ""
        for row in foreign:
            if name := PARENTS.get(row.cls):
                yield path, "GET", f"{path}?{name}={row.id}", None, ""
    if path.endswith("/add"):
        for row in foreign:
            if name := PARENTS.get(row.cls):
                yield path, "GET", f"{path}?{name}={row.id}", None, ""


def _exports(path: str, foreign: list[Row]) -> Iterator[Try]:
    """The list as a file, by every order and filter that a list is tried with."""
    base = path.removesuffix("export")
    for number, (_path, _method, url, _data, typed) in enumerate(_open_lists(base, foreign)):
        query = url.partition("?")[2]
        for format_ in ("csv",) if number else ("csv", "xlsx"):
            yield path, "POST", f"{path}?{query}", {"format": format_}, typed


def _about(path: str, rows: list[Row]) -> list[Row]:
    """The rows whose screens are under a path."""
    return [row for row in rows if (base := base_of(row.cls)) and path.startswith(f"{base}/")]


def _saved(rule: Any, foreign: list[Row]) -> Iterator[Try]:
    """Another's saved filter: made the own default, deleted."""
    for row in foreign:
        if row.cls is SavedFilter:
            yield rule.rule, "POST", rule.rule.replace("<int:saved>", str(row.id)), {}, ""


def _bulk(path: str, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """Foreign rows among the ticked ones, in every act: asked about, and done."""
    for row in _about(path, foreign):
        for act in (*STEPS, "delete"):
            form = _form(row, own) | {"act": act, "ids": str(row.id), "key": f"{act}-{row.cls.__name__}-{row.id:016d}"}
            yield path, "POST", path, form, ""
            yield path, "POST", path, form | {"sure": "1"}, ""


def _makes(path: str, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """A new row that points at a foreign one, and says it belongs elsewhere; for bulk acts, a foreign row ticked."""
    if path.endswith("/bulk"):
        yield from _bulk(path, foreign, own)
        return
    for row in foreign:
        if row.cls in PARENTS:
            yield path, "POST", path, _form(row, own), ""


def _form(row: Row, own: dict[type[Entity], Row]) -> dict[str, str]:
    """A form that fits every entity: what it does not know it ignores. The foreign row is every parent it could be."""
    form = {name: str(own[cls].id) for cls, name in PARENTS.items() if cls in own}
    if row.cls in PARENTS:
        form[PARENTS[row.cls]] = str(row.id)
    child = str(row.id)
    return form | {
        "name": "改", "party": "改", "conduct": "改", "address": "改", "kind": "小餐饮", "lines": "4", "state": "正常",
        "role": "食品安全员", "date_from": "2026-01-01", "date": "2026-01-01", "place": "现场", "selection": "计划指定",
        "inspector": "3", "co_inspector": "4", "deadline": "2027-01-01", "office_id": "1", "office": "1",
        "corrections-0-id": child, "corrections-0-fact": "改", "corrections-0-demand": "改", "findings-0-id": child,
        "findings-0-fact": "改", "version": "1", "reason": "改", "method": "直接", "receiver": "改", "server": "3",
        "co_server": "4", "account": "5", "document": "改", "made_office_id": "1", "enterprise_id": child,
        "site_id": child,
        "check_date": "2026-11-20", "answers-P01": "符合", "late_reason": "改", "then": "submit", "number": "改",
        "hours": "4", "topic": "改", "title": "改", "line": "餐饮服务", "points-0-id": child,
        "points-0-code": "C01", "points-0-text": "改", "points-0-frequency": "日", "valid_from": "2027-01-01",
        "date_to": "2027-01-01", "score": "95", "end_kind": "撤销", "to": "3",
        "row-Notice-0": f"{child}.1", "row-Inspection-0": f"{child}.1",
    }  # fmt: skip


def _api(house: House, rule: Any, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """The same through the API: lists, rows by guessed id, an own row or a new one that points at a foreign row."""
    path = rule.rule.removeprefix(API)
    if not rule.arguments:
        if "GET" in rule.methods:
            yield from (
                (rule.rule, method, f"{API}{url}", *rest) for _p, method, url, *rest in _open_lists(path, foreign)
            )
        for row in foreign if "POST" in rule.methods else []:
            if row.cls in PARENTS:
                yield rule.rule, "POST", rule.rule, _body(house, rule.rule, row, own), ""
        return
    methods = sorted(rule.methods - {"HEAD", "OPTIONS"})
    for row in _about(path, foreign):
        base = rule.rule.replace("<key>", row.public_id)
        for url in [base.replace("<name>", step) for step in STEPS] if "<name>" in base else [base]:
            for method in methods:
                step = {"reason": "改"} if "<name>" in rule.rule else _body(house, rule.rule, row, own) | {"version": 1}
                yield rule.rule, method, url, None if method == "GET" else step, ""
    if rule.methods & {"PATCH", "PUT"}:
        for mine, row in itertools.product(_about(path, list(own.values())), foreign):
            body = _body(house, rule.rule, row, own) | {"version": 1}
            yield rule.rule, methods[0], rule.rule.replace("<key>", mine.public_id), body, ""


def _body(house: House, path: str, row: Row, own: dict[type[Entity], Row]) -> dict[str, Any]:
    """What a form that points at a foreign row would be as JSON: only the names that the entity takes."""
    api = next(one for one in house.app.extensions["shouze_apis"] if path.startswith(f"{one.route_base}/"))
    typed = _form(row, own)
    targets = {cls: one.public_id for cls, one in own.items()} | {row.cls: row.public_id, Account: house.inspector}
    body: dict[str, Any] = {}
    for name, unbound in vars(api.view.edit_form).items():
        kind, model = getattr(unbound, "field_class", None), getattr(unbound, "kwargs", {}).get("model")
        if model is not None and model in targets:
            body[name] = targets[model]
        elif kind is fields.Bits:
            body[name] = [4]
        elif kind is not None and model is None and kind is not fields.Tick and name in typed:
            body[name] = typed[name]
    for rows in api.child_rows():
        body[rows.relation] = [{"id": row.public_id, "fact": "改", "demand": "改"}]
    return body


PARENTS: dict[type[Entity], str] = {
    Enterprise: "enterprise", Site: "site", Person: "person", Inspection: "inspection", Notice: "notice",
    RiskList: "base", DailyCheck: "corrects", Exam: "retake_of",
}  # fmt: skip
STEPS = (
    "submit",
    "review",
    "return_draft",
    "sign",
    "return_review",
    "serve",
    "void",
    "discard",
    "complete",
    "confirm",
    "put_in_force",
    "retire",
    "withdraw",
    "replace",
    "cancel",
    "revoke",
    "return",
    "reopen",
    "accept",
    "refuse",
    "reject",
)


def _by_run(rule: Any, foreign: list[Row]) -> Iterator[Try]:
    """Another's imports, by their public id: their pages, their files, writing, undoing and dropping them."""
    for run in (row for row in foreign if row.cls is ImportRun):
        if not rule.rule.startswith(f"{base_of(run.entity)}/"):
            continue
        url = rule.rule.replace("<run>", run.public_id)
        if "GET" in rule.methods:
            yield rule.rule, "GET", url, None, ""
        if "POST" in rule.methods:
            yield rule.rule, "POST", url, {"c0": "name", "skip_bad": "1", "accept": "1"}, ""


FILLINGS = {
    "<name>": STEPS,
    "<column>": ("id_card", "mobile", "phone", "name"),
    "<size>": ("thumb", "screen", "download"),
}


def _filled(url: str) -> list[str]:
    """The address with each value that its other argument can take."""
    for gap, values in FILLINGS.items():
        if gap in url:
            return [url.replace(gap, value) for value in values]
    return [url]


def _waiting(rule: Any) -> Iterator[Try]:
    """Files that wait for a form: of nobody, and by names that are no names."""
    for token in ("A" * 27, "..", "x"):
        url = rule.rule.replace("<token>", token).replace("<name>", "B" * 27)
        yield rule.rule, "GET", url, None, ""
        yield rule.rule, "POST", url, {}, ""


def _by_key(rule: Any, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """Rows by guessed key: read, steps, edit, delete; and an own row edited so that it points at or moves to theirs."""
    posts = "POST" in (rule.methods or ())
    outside = next((cls for base, cls in BY_PUBLIC_ID.items() if rule.rule.startswith(base)), None)
    for row in [row for row in foreign if row.cls is outside] if outside else _about(rule.rule, foreign):
        base = re.sub(r"<(int:)?key>", row.public_id if outside else str(row.id), rule.rule)
        for url in _filled(base):
            if "GET" in (rule.methods or ()):
                yield rule.rule, "GET", url, None, ""
            if posts:
                yield rule.rule, "POST", url, _form(row, own), ""
    if posts and rule.rule.endswith("/edit"):
        for mine in _about(rule.rule, list(own.values())):
            for row in foreign:
                yield rule.rule, "POST", re.sub(r"<(int:)?key>", str(mine.id), rule.rule), _form(row, own), ""
