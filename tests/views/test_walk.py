"""Walks over the whole house: every route, template, form, name, setting and text, those still to come included."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from flask import render_template, template_rendered
from flask_babel import force_locale
from jinja2 import meta
from markupsafe import escape
from sqlalchemy import inspect, select

from app.config import Settings
from app.core import clock
from app.core.access.context import acting
from app.core.codes import make_id_card
from app.core.db import current_session, unscoped
from app.core.document import IssuedDocument
from app.core.fab import fields
from app.core.fab.gate import PUBLIC, SIGNED_IN, gate_of
from app.core.office import AccessRole, Account, Family
from app.core.screen import Badge
from app.core.signin import phone
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.factory import GROUPS
from app.models.check import DailyCheck, RiskList
from app.models.enterprise import Site
from app.models.personnel import Appointment, Person
from app.services.demo import CAST
from app.services.grading import lines_of
from app.views import declared
from tests.support.house import A, House
from tests.support.imports import Desk, firm_rows, firms_file
from tests.ui_preview.samples import PAGES

ROOT = Path(__file__).parents[2]
HAN = re.compile(r"[\u4e00-\u9fff]")
# what Python says of an object of its own, as it stands in a page or in JSON
REPR = re.compile(
    r"(?:<|&lt;)(?:built-in |bound )?(?:method|function)\b|object at 0x[0-9a-f]{4}|\b[A-Z]\w+\([a-z_]+=(?:'|&#39;)"
)
NAMES = [view.__name__ for view in declared()[1]]
PEOPLE = [one.username for one in CAST]


def views(house: House) -> dict[str, Any]:
    return {type(view).__name__: view for view in house.app.extensions["shouze_shell"].views}


def test_the_walk_sees_every_screen(small: House) -> None:
    assert sorted(views(small)) == sorted(NAMES) and len(NAMES) >= 15


# -- routes -----------------------------------------------------------------------------------------------------------


def test_every_route_has_a_gate_that_can_be_answered(small: House) -> None:
    """Public, signed in, or a verb; and a verb is asked of an entity that some role knows."""
    with small.system() as session:
        known = {entity for grants in session.scalars(select(AccessRole.grants)) for entity in grants}
    counted = 0
    for rule in small.app.url_map.iter_rules():
        function: Any = small.app.view_functions[rule.endpoint]
        gate = gate_of(function)
        assert gate in {PUBLIC, SIGNED_IN} or isinstance(gate, Verb), rule
        if isinstance(gate, Verb):
            assert function.__self__.entity_name in known, rule
            counted += 1
    assert counted > 150


def test_what_is_public_is_known_by_name(small: House) -> None:
    """A new public route is a decision, not an accident."""
    functions = small.app.view_functions
    assert {name for name, function in functions.items() if gate_of(function) == PUBLIC} == {
        "SignInView.login", "SignInView.code", "SignInView.language", "DocumentView.verify", "static_asset",
        "ActivateView.type_code", "ActivateView.activate", "PhoneView.open_page", "PhoneView.forget",
    }  # fmt: skip


# -- templates --------------------------------------------------------------------------------------------------------


@contextmanager
def rendered(house: House) -> Iterator[set[str]]:
    """The names of the templates that are rendered meanwhile."""
    names: set[str] = set()

    def note(_app: Any, template: Any, **_more: Any) -> None:
        names.add(str(template.name))

    template_rendered.connect(note, house.app)
    try:
        yield names
    finally:
        template_rendered.disconnect(note, house.app)


def test_every_template_is_rendered_by_a_route_or_the_harness(small: House) -> None:
    folder = ROOT / "app" / "templates"
    ours = {path.relative_to(folder).as_posix() for path in folder.rglob("*.html")}
    with small.system() as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.kind == "notice")).first()
        assert paper is not None
        words = {"key": paper.public_id, "code": paper.code, "digest": "x", "name": "submit", "size": "thumb"}
    with rendered(small) as seen:
        for username in ("yuan-a", "suo-a", "ju", "admin", None):
            client = small.client(username)
            for rule in small.app.url_map.iter_rules():
                if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/v1/e"):
                    url = re.sub(r"<int:\w+>", "3", rule.rule)
                    answer = client.get(re.sub(r"<(\w+)>", lambda found: words.get(found[1], "x"), url))
                    if answer.mimetype in {"text/html", "application/json"}:
                        told = answer.get_data(as_text=True)
                        assert not REPR.search(told), (username, url, REPR.search(told))
        small.client("admin").get("/roles/add?family=监管业务")
        small.client("suo-a").get("/takeover/", follow_redirects=True)
        desk = Desk(small, "neiqin-a")  # pages that come after an upload
        desk.upload(firms_file(firm_rows(1)))
        desk.attempt()
        desk.result()
        telephone(small)
    pages = {name for name in ours if not name.startswith("macros/") and name != "base.html"}
    assert pages - seen - {template for template, _context in PAGES.values()} == set()
    assert len(pages & seen) >= len(pages) * 0.75, pages - seen
    kept = {"macros/icon.html", "macros/nav.html"}  # drawn by `shell.kept_macros`, called by every page
    assert {"icon", "nav_side", "nav_thumb"} <= small.app.jinja_env.globals.keys()
    assert _reached(small, pages | kept) == ours, "a macro or a base that no page uses"


def telephone(house: House) -> None:
    """The pages that a printed card and a remembered telephone open."""
    code, person = phone.new_code(), house.accounts["firm-a"]
    with house.system() as session, unit_of_work():
        phone.put_code(person, code)
        key = session.scalars(select(Person.id).where(Person.account_id == person)).one()
    house.client("neiqin-a").post("/activation/cards", data={"ids": key})
    client = house.app.test_client()
    client.get(f"/activate/{code}")
    client.post(f"/activate/{code}", data={"pin": "830276", "repeat": "830276", "agree": "1"})
    client.get("/phone/")


def _reached(house: House, names: set[str]) -> set[str]:
    """These templates and what they extend, include and import; compiling each on the way."""
    environment, found = house.app.jinja_env, set[str]()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        environment.get_template(name)
        assert environment.loader is not None
        source = environment.loader.get_source(environment, name)[0]
        ahead += [one for one in meta.find_referenced_templates(environment.parse(source)) if one]
    return found


def test_the_walk_would_notice_a_template_of_no_use(small: House) -> None:
    with rendered(small) as seen, small.app.test_request_context("/"):
        render_template("error.html", code=404, heading="x", text="", hints=[], back_url=None)
    assert seen == {"error.html"}
    assert "macros/field.html" not in _reached(small, {"error.html"})


@pytest.mark.parametrize("value", [{}.copy, Badge("在任"), object(), House.client, len])
def test_the_walk_would_notice_what_only_python_says(value: Any) -> None:
    assert REPR.search(str(escape(str(value)))) and REPR.search(str(value))
    assert not REPR.search("在任 (method) GB(2760) function f(x) object")


@pytest.mark.parametrize("name", NAMES)
def test_no_answer_of_the_api_says_what_only_python_says(small: House, name: str) -> None:
    """Every row of the first page, as everybody who may read some."""
    view, asked = views(small)[name], 0
    for username in ("ju", "suo-a", "admin", "audit", "firm-a"):
        answer = small.client(username).get(f"/api/v1{view.route_base}/")
        assert answer.status_code in {200, 403}, answer.get_data(as_text=True)
        if answer.status_code == 200:
            assert not REPR.search(answer.get_data(as_text=True)), REPR.search(answer.get_data(as_text=True))
            asked += 1
    assert asked, "nobody of these reads it"


# -- forms ------------------------------------------------------------------------------------------------------------


def account(username: str) -> Any:
    return lambda house: str(house.accounts[username])


def station(house: House) -> str:
    return str(house.offices[A])


def role(code: str) -> Any:
    def found(house: House) -> str:
        with house.system() as session:
            return str(session.scalars(select(AccessRole.id).where(AccessRole.code == code)).one())

    return found


def new_auditor(house: House) -> str:
    """An account of the auditors' family that the administrator answers for."""
    with house.system() as session, unit_of_work():
        one = Account(username="walk-audit", name="新审计员", family=Family.AUDIT, password="")
        one.office_id = house.offices[A]
        session.add(one)
        session.flush()
        return str(one.id)


def own_site(house: House) -> str:
    return str(house.site_of(A))


def line_of_own_site(house: House) -> str:
    with house.system() as session:
        return str(lines_of(session.get_one(Site, house.site_of(A)))[0].value)


def site_with_an_officer(house: House) -> tuple[str, str]:
    """A site of station A without a record of today, and somebody who may check there."""
    with house.system() as session:
        today = select(DailyCheck.site_id).where(DailyCheck.check_date == clock.today())
        found = session.execute(
            select(Site.id, Appointment.person_id)
            .join(Appointment, Appointment.enterprise_id == Site.enterprise_id)
            .where(Site.office_id == house.offices[A], Appointment.role == "食品安全员", Appointment.date_to.is_(None),
                   Appointment.site_id.is_(None), Site.id.not_in(today))
            .order_by(Site.id)
        ).first()  # fmt: skip
    assert found is not None
    return str(found[0]), str(found[1])


def template(house: House) -> str:
    with house.system() as session:
        found = session.scalars(select(RiskList.id).where(RiskList.template, RiskList.line == "食品销售")).one()
    return str(found)


# what an entity needs beyond the first value that fits each needed field; a new entity that needs more belongs here
SPECIAL: dict[str, dict[str, Any]] = {
    "Inspection": {"inspector": account("yuan-a"), "co_inspector": account("suo-a")},
    "Notice": {"deadline": "2099-01-01"},
    "Office": {"parent": station, "kind": "所"},
    "Posting": {"account": account("yuan-b"), "role": role("inspector"), "office": station},
    "PostingProposal": {"account": new_auditor, "role": role("auditor"), "office": station},
    "Delegation": {"account": account("yuan-a")},
    "DailyCheck": {
        "site": lambda house: site_with_an_officer(house)[0],
        "person": lambda house: site_with_an_officer(house)[1],
    },
    "SelfAssessment": {"year": str(clock.today().year)},
    "DirectorRule": {"kinds-0-id": "", "kinds-0-kind": "学校食堂"},
    "SizeYardstick": {"staff": "7"},
    "StaffChange": {"id_card": make_id_card(date(1985, 3, 2), 5)},
    "Licence": {
        "site": own_site,
        "kind": "其他",
        "number": "奈市监登字0001",
        "issued_on": "2026-01-01",
        "valid_from": "2026-01-01",
        "valid_to": "2027-01-01",
        "accept-number": "1",
    },
    "RiskGrading": {"site": own_site, "line": line_of_own_site},
    "RiskList": {"site": own_site, "line": "食品销售", "base": template},
    "Account": {"username": "walker", "family": "监管业务", "office": station},
}


def filled(house: House, username: str, view: Any) -> dict[str, str]:
    """The least that should save: a value for each needed field, of what this person may choose."""
    special = SPECIAL.get(view.entity_name, {})
    form: dict[str, str] = {}
    with house.app.test_request_context(), acting(house.accounts[username]):
        for name, one in view.edit_form(formdata=None)._fields.items():
            column = inspect(view.model).columns.get(name)
            needed = not one.nullable or (column is not None and not column.nullable)
            if name in special:
                form[name] = special[name](house) if callable(special[name]) else special[name]
            elif needed and (value := fitting(one, name)):
                form[name] = value
    return form | {name: value for name, value in special.items() if "-" in name}


def fitting(one: Any, name: str) -> str:
    """The first value that fits a field."""
    if isinstance(one, fields.Lookup):
        found = current_session().scalars(select(one.model.id).order_by(one.model.id)).first()
        return str(found or "")
    if isinstance(one, (fields.Choice, fields.Bits)):
        return str(next(iter(one.choices()))[0])
    if isinstance(one, fields.Tick):
        return ""
    if isinstance(one, fields.Day):
        return clock.today().isoformat()
    return "7" if isinstance(one, (fields.Whole, fields.Number)) else f"walk-{name}"[: one.meta_info["maxlength"] or 20]


def who_may(house: House, view: Any, verb: Verb) -> str | None:
    """Somebody of the cast who may do this to some row of the entity."""
    for username in PEOPLE:
        with house.acting(username) as access:
            if access.may(view.entity_name, verb):
                return username
    return None


@pytest.mark.parametrize("name", NAMES)
def test_every_form_opens_and_saves(house: House, name: str) -> None:
    """As somebody who may; and what was made opens again as page, form and JSON."""
    view = views(house)[name]
    if not view.form_parts:
        closed = {200} if view.own_form else {403, 404}
        assert house.client("admin").get(f"{view.route_base}/add").status_code in closed
        return
    maker = who_may(house, view, Verb.CREATE)
    if maker is None:
        change_one(house, view)
        return
    client = house.client(maker)
    assert client.get(f"{view.route_base}/add").status_code == 200
    form = filled(house, maker, view)
    answer = client.post(f"{view.route_base}/add", data=form)
    assert answer.status_code == 302, (maker, form, re.findall(r'-error"[^>]*>([^<]*)', answer.get_data(as_text=True)))
    page = answer.location
    assert client.get(page).status_code == 200
    assert client.get(f"{page}/edit").status_code in {200, 403}
    assert client.get(f"{view.route_base}/lookup").get_json()["results"]
    key = int(page.rsplit("/", 1)[1])
    with house.app.app_context(), unscoped("test") as session:
        public = session.get_one(view.model, key).public_id
    assert client.get(f"/api/v1{view.route_base}/{public}").get_json()["id"] == public


def change_one(house: House, view: Any) -> None:
    """Where nobody makes rows (the program does), somebody changes one: its form opens and saves."""
    editor = who_may(house, view, Verb.UPDATE)
    assert editor is not None, f"{view.entity_name} has a form that nobody can open"
    client = house.client(editor)
    with house.system() as session:
        rows = [(row.id, row.version) for row in session.scalars(select(view.model))]
    for key, version in rows:
        if client.get(f"{view.route_base}/{key}/edit").status_code == 200:
            form = filled(house, editor, view) | {"version": str(version)}
            assert client.post(f"{view.route_base}/{key}/edit", data=form).status_code == 302
            return
    pytest.fail(f"no row of {view.entity_name} can be edited by {editor}")


# -- names and words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_the_navigation_is_stable_and_its_label_translated(small: House, name: str) -> None:
    view = views(small)[name]
    assert re.fullmatch(r"/[a-z]+(-[a-z]+)*", view.route_base)
    assert re.fullmatch(r"[A-Z][A-Za-z]+", view.entity_name)
    assert view.task[0] in GROUPS and view.task[1] > 0
    with small.app.test_request_context():
        with force_locale("zh"):
            assert HAN.search(str(view.title))
        with force_locale("en"):
            assert str(view.title) and not HAN.search(str(view.title))


def test_places_in_the_navigation_are_taken_once(small: House) -> None:
    places = [view.task for view in views(small).values()]
    assert len(set(places)) == len(places)
    with small.app.test_request_context(), force_locale("en"):
        assert all(re.fullmatch(r"[a-z]+", key) and not HAN.search(str(label)) for key, label in GROUPS.items())


def test_every_setting_is_documented() -> None:
    told = (ROOT / "docs/settings.md").read_text()
    names = {f"SHOUZE_{one.name.upper()}" for one in dataclasses.fields(Settings) if one.name != "testing"}
    assert len(names) > 10
    assert {name for name in names if f"| `{name}` |" not in told} == set()


def test_every_text_is_chinese_and_has_english() -> None:
    with (ROOT / "translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        texts = [one for one in read_po(file) if one.id]
    assert len(texts) > 700
    assert [one.id for one in texts if not re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", str(one.id))] == []
    assert [one.id for one in texts if not re.search("[A-Za-z]", str(one.string)) and len(str(one.id)) > 2] == []
    assert [one.id for one in texts if one.string in {"", one.id} or one.fuzzy] == []
