"""`shouze prove-access`: every route as every role of two offices on rows of the other, reading and writing.

A bureau of its own is built in a temporary folder. What a role may reach is said here a second time, in plain words and
independent of the grants (`reaches`): the prover compares the running application with it. A leak is a foreign row's
name in an answer, or a foreign row that a request changed.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event, inspect, select

from app.config import Settings
from app.core.db import current_session, db, unscoped
from app.core.document import IssuedDocument
from app.core.entity import Entity
from app.core.fab.cells import base_of
from app.core.office import Account
from app.factory import build
from app.models.check import CheckProblem, DailyCheck, RiskItem, RiskList
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Finding, Inspection
from app.models.licence import Closure, Licence
from app.models.lines import Line
from app.models.personnel import Appointment, Person
from app.models.rectification import Correction, Delivery, Notice
from app.models.training import Exam, Training
from app.services.demo import CAST, make_demo
from app.services.sync import sync

SCOPED: tuple[type[Entity], ...] = (
    Enterprise, Site, Person, Appointment, Inspection, Finding, Notice, Correction, Delivery, IssuedDocument,
    RiskList, RiskItem, DailyCheck, CheckProblem, Licence, Closure, Training, Exam,
)  # fmt: skip
MARKS = {Enterprise: "name", Site: "name", Person: "name", Inspection: "summary", Finding: "fact", Notice: "conduct",
         Correction: "fact", IssuedDocument: "code", RiskList: "title", RiskItem: "text", DailyCheck: "unit",
         CheckProblem: "note", Licence: "number", Closure: "reason", Training: "topic",
         Exam: "search_text"}  # fmt: skip
EVERYWHERE = {"ju", "fagui", "zhuanban"}
STATION = {"suo-a": "a", "yuan-a": "a", "neiqin-a": "a", "suo-b": "b", "yuan-b": "b"}
FIRMS = {"firm-a": "a", "firm-b": "b"}
UNSERVED: set[type[Entity]] = {Inspection, Finding, Notice, Correction, IssuedDocument}  # none of the demo's is served


@dataclass
class Outcome:
    """Counts and leaks; `line()` is what the command prints."""

    requests: int = 0
    paths: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    offices: set[str] = field(default_factory=set)
    leaks: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Paths × roles × offices, tries, leaks."""
        counts = f"{len(self.paths)} paths × {len(self.roles)} roles × {len(self.offices)} offices"
        return f"{counts}: {self.requests} tries, {len(self.leaks)} leaks"


@dataclass(frozen=True)
class Row:
    """A row as the prover knows it: where it belongs and the words that would give it away."""

    cls: type[Entity]
    id: int
    public_id: str
    office: str
    lines: int
    firms: frozenset[int]
    mark: str


class House:
    """The prover's own bureau, built once."""

    def __init__(self, folder: Path) -> None:
        self.app: Flask = build(Settings(data_dir=folder, testing=True, database_url="", base_url="http://localhost"))
        self.app.config["WTF_CSRF_ENABLED"] = False
        with self.app.app_context():
            self.engine = db.engine
            upgrade()
            with unscoped("prover: build"):
                sync()
            make_demo(firms=40, days=4, seed=11)
            db.session.remove()
            with unscoped("prover: learn") as session:
                self._mark_rows()
                self.accounts = {row.username: row.id for row in session.scalars(select(Account))}
                self.rows = list(self._rows())
                self.firms = self._firms()

    def _mark_rows(self) -> None:
        """Give every row words that occur nowhere else, so that finding them means seeing the row."""
        session = current_session()
        connection = session.connection(execution_options={"shouze_write": True})
        for cls, name in MARKS.items():
            table = inspect(cls).local_table
            for key in session.scalars(select(cls.id)).all():
                if name != "code":
                    connection.execute(table.update().where(table.c.id == key).values({name: _mark(cls, key)}))
        session.commit()
        session.expire_all()

    def _rows(self) -> Iterator[Row]:
        session = current_session()
        letters = self._letters()
        for cls in SCOPED:
            for row in session.scalars(select(cls)).unique():
                root: Any = row
                while root.__part_of__:
                    root = getattr(root, root.__part_of__)
                if isinstance(root, RiskList) and root.template:
                    continue  # everybody reads the templates
                mark = str(getattr(row, MARKS[cls])) if cls in MARKS else ""
                yield Row(
                    cls,
                    row.id,
                    row.public_id,
                    letters.get(root.office_id, "other"),
                    root.lines,
                    self._about(root),
                    mark,
                )

    @staticmethod
    def _about(root: Any) -> frozenset[int]:
        """The firms a row is about: a person is about each firm where they are somebody."""
        if isinstance(root, Enterprise):
            return frozenset({root.id})
        if isinstance(root, Person):
            return frozenset(post.enterprise_id for post in root.appointments)
        return frozenset({root.enterprise_id}) if root.enterprise_id else frozenset()

    @staticmethod
    def _letters() -> dict[int, str]:
        accounts = current_session().scalars(select(Account).where(Account.username.in_(["suo-a", "suo-b"])))
        return {row.office_id: row.username[-1] for row in accounts}

    def _firms(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for username in FIRMS:
            posts = select(Appointment.enterprise_id).join(Person).where(Person.account_id == self.accounts[username])
            found[username] = set(current_session().scalars(posts))
        return found

    def client(self, username: str) -> FlaskClient:
        """A signed-in browser."""
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = f"{self.accounts[username]}.0"
            cookie["_fresh"] = True
        return client

    def reaches(self, username: str, row: Row) -> bool:
        """Whether that person may see that row at all, said in the bureau's words, not in grants."""
        if username in EVERYWHERE:
            return True
        if username in STATION:
            return row.office == STATION[username]
        if username == "gu-canyin":
            return row.lines == 0 or bool(row.lines & Line.CATERING)
        return username in FIRMS and bool(row.firms & self.firms[username]) and row.cls not in UNSERVED

    @contextmanager
    def writes(self) -> Iterator[list[str]]:
        """The statements that write to a scoped table meanwhile: without one, nothing can have changed."""
        told: list[str] = []
        pattern = re.compile(
            rf"(INSERT INTO|UPDATE|DELETE FROM) ({'|'.join(inspect(c).local_table.name for c in SCOPED)})\b"
        )

        def listen(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if pattern.match(statement):
                told.append(statement)

        event.listen(self.engine, "before_cursor_execute", listen)
        try:
            yield told
        finally:
            event.remove(self.engine, "before_cursor_execute", listen)

    def digest(self, foreign: list[Row]) -> str:
        """A fingerprint of these rows, to see that no request changed one."""
        keys: dict[type[Entity], list[int]] = {}
        for row in foreign:
            keys.setdefault(row.cls, []).append(row.id)
        told = hashlib.sha256()
        with self.app.app_context(), unscoped("prover: fingerprint", quiet=True) as session:
            for cls, ids in keys.items():
                table = inspect(cls).local_table
                kept = session.connection().execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id))
                told.update(repr(kept.all()).encode())
        return told.hexdigest()


def _mark(cls: type[Entity], key: int) -> str:
    return f"印{cls.__name__}{key:06d}记"


def prove(only: set[str] | None = None) -> Outcome:
    """Build, try everything, count. `only` limits the accounts (tests)."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="shouze-prove-") as folder:
        house = House(Path(folder))
        for actor in CAST:
            if only is None or actor.username in only:
                _try_as(house, actor.username, outcome)
                outcome.roles.add(actor.role)
                outcome.offices.add(actor.office)
    return outcome


def _try_as(house: House, username: str, outcome: Outcome) -> None:
    foreign = [row for row in house.rows if not house.reaches(username, row)]
    picked = _one_of_each(foreign)
    own = {row.cls: row for row in house.rows if house.reaches(username, row)}
    before = house.digest(foreign)
    marks = {row.mark: row for row in foreign if row.mark}
    client = house.client(username)
    for rule, method, url, data, typed in _tries(house, picked, own):
        outcome.requests += 1
        outcome.paths.add(f"{method} {rule}")
        with house.writes() as written:
            answer = client.open(url, method=method, data=data, follow_redirects=False)
        seen = set(re.findall(r"印[A-Za-z]+\d{6}记", answer.get_data().decode(errors="ignore"))) - {typed}
        outcome.leaks += [f"{username} {method} {url}: saw {mark}" for mark in sorted(seen & marks.keys())]
        if answer.status_code >= 500:
            outcome.leaks.append(f"{username} {method} {url}: HTTP {answer.status_code}")
        if written and house.digest(foreign) != before:
            outcome.leaks.append(f"{username} {method} {url}: changed a foreign row")
            before = house.digest(foreign)


def _one_of_each(rows: list[Row]) -> list[Row]:
    found: dict[tuple[type[Entity], str], Row] = {}
    for row in rows:
        found.setdefault((row.cls, row.office), row)
    return list(found.values())


Try = tuple[str, str, str, dict[str, str] | None, str]


def _tries(house: House, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """Every route of the running application: lists and look-ups in every order and filter, rows by guessed id."""
    rules = sorted(house.app.url_map.iter_rules(), key=lambda rule: rule.rule)
    for rule in rules:
        if "POST" in (rule.methods or ()) and rule.rule in {"/login/", "/logout/", "/password/"}:
            continue
        names = set(rule.arguments)
        if not names:
            yield from _open_lists(rule.rule, foreign)
            if "POST" in (rule.methods or ()):
                yield from _makes(rule.rule, foreign, own)
        elif "key" in names:
            yield from _by_key(rule, foreign, own)
        elif names == {"code"}:
            yield rule.rule, "GET", rule.rule.replace("<code>", "zh"), None, ""


def _open_lists(path: str, foreign: list[Row]) -> Iterator[Try]:
    yield path, "GET", path, None, ""
    if path.endswith(("/", "/lookup", "search")):
        for order in ("name", "-state", "password", "id_card", "office_id"):
            yield path, "GET", f"{path}?order={order}&size=100", None, ""
        for row in _about(path, foreign) or foreign[:3]:
            if row.mark:
                yield path, "GET", f"{path}?q={row.mark}", None, row.mark
        yield path, "GET", f"{path}?state=草稿&office_id=1&q=印", None, ""
    if path.endswith("/add"):
        for row in foreign:
            if name := PARENTS.get(row.cls):
                yield path, "GET", f"{path}?{name}={row.id}", None, ""


def _about(path: str, rows: list[Row]) -> list[Row]:
    """The rows whose screens are under a path."""
    return [row for row in rows if (base := base_of(row.cls)) and path.startswith(f"{base}/")]


def _makes(path: str, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """A new row that points at a foreign one, and says it belongs elsewhere."""
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
        "date_to": "2027-01-01", "score": "95",
    }  # fmt: skip


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
)


def _by_key(rule: Any, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """Rows by guessed key: read, steps, edit, delete; and an own row edited so that it points at or moves to theirs."""
    posts = "POST" in (rule.methods or ())
    papers = rule.rule.startswith("/documents/")
    for row in [row for row in foreign if row.cls is IssuedDocument] if papers else _about(rule.rule, foreign):
        base = re.sub(r"<(int:)?key>", row.public_id if papers else str(row.id), rule.rule)
        for url in [base.replace("<name>", step) for step in STEPS] if "<name>" in base else [base]:
            yield rule.rule, "GET", url, None, ""
            if posts:
                yield rule.rule, "POST", url, _form(row, own), ""
    if posts and rule.rule.endswith("/edit"):
        for mine in _about(rule.rule, list(own.values())):
            for row in foreign:
                yield rule.rule, "POST", re.sub(r"<(int:)?key>", str(mine.id), rule.rule), _form(row, own), ""
