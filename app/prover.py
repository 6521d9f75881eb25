"""`shouze prove-access`: every route as every role of two offices on rows of the other, reading and writing.

A bureau of its own is built in a temporary folder. What a role may reach is said here a second time, in plain words and
independent of the grants (`reaches`): the prover compares the running application with it. A leak is a foreign row's
name in an answer, or a foreign row that a request changed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event, inspect, select
from werkzeug.test import TestResponse

from app.config import Settings
from app.core import filestore
from app.core.access.context import acting
from app.core.attachment import Attachment, attach
from app.core.db import current_session, db, unscoped
from app.core.document import IssuedDocument
from app.core.entity import Entity, registry
from app.core.fab import fields
from app.core.fab.cells import base_of
from app.core.fab.gate import API
from app.core.importing.run import ImportRun, RunState
from app.core.jobfile import result_file
from app.core.jobs import Job, enqueue, job, sweep
from app.core.message import Message, notify
from app.core.office import Account
from app.core.saved import BulkRun, SavedFilter, Sharing
from app.core.verbs import Verb
from app.core.writing import unit_of_work
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
    SavedFilter, ImportRun, Attachment,
    RiskList, RiskItem, DailyCheck, CheckProblem, Licence, Closure, Training, Exam,
)  # fmt: skip
IMPORTED: tuple[type[Entity], ...] = (Enterprise, Site, Person, Appointment)
MAKERS = ("neiqin-a", "yuan-b")  # whose imports nobody else may see
PRIVATE: tuple[type[Entity], ...] = (Message, Job)  # one account's, and nobody else's whatever their rank
BY_PUBLIC_ID: dict[str, type[Entity]] = {"/documents/": IssuedDocument, "/messages/": Message, "/jobs/": Job,
                                         "/files/": Attachment}  # fmt: skip
MARKS = {Enterprise: "name", Site: "name", Person: "name", Inspection: "summary", Finding: "fact", Notice: "conduct",
         Correction: "fact", IssuedDocument: "code", SavedFilter: "name", ImportRun: "file_name",
         Attachment: "name", RiskList: "title", RiskItem: "text", DailyCheck: "unit",
         CheckProblem: "note", Licence: "number", Closure: "reason", Training: "topic",
         Exam: "search_text"}  # fmt: skip
KEEPERS = ("suo-a", "yuan-a", "suo-b", "yuan-b", "firm-b")  # have filters of their own; the chiefs share one each
RECEIPT = "prover-receipt-of-a-bulk-act"
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
    """A row as the prover knows it: where it belongs (an import: to whom), and the words that would give it away."""

    cls: type[Entity]
    id: int
    public_id: str
    office: str
    lines: int
    firms: frozenset[int]
    mark: str
    owner: str = ""  # whose own it is, where rows belong to persons
    entity: str = ""
    about: type[Entity] | None = None


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
            with unscoped("prover: build"), unit_of_work():
                self._keep_filters()
            with unscoped("prover: files"):
                self._add_files()
            with unscoped("prover: learn") as session:
                self.accounts = {row.username: row.id for row in session.scalars(select(Account))}
                self._bring_files()
                self._mark_rows()
                self.inspector = session.get_one(Account, self.accounts["yuan-a"]).public_id
                self.rows = list(self._rows())
                self.firms = self._firms()
            self.rows += self._private()

    @staticmethod
    def _keep_filters() -> None:
        """Filters of persons and of offices, and the answer of a bulk act of the other station."""
        session = current_session()
        for account in session.scalars(select(Account).where(Account.username.in_(KEEPERS))):
            whose: list[int | None] = [account.id]
            if account.username.startswith("suo"):
                whose.append(None)
            for owner in whose:
                session.add(SavedFilter(
                    entity="Inspection", name="筛选", arguments="q=a", account_id=owner, office_id=account.office_id,
                    sharing=Sharing.OWN if owner else Sharing.OFFICE,
                ))  # fmt: skip
            if account.username in {"suo-b", "firm-b"}:
                gone = [[999_999, True, "", _mark(Inspection, 999_999)]]
                session.add(BulkRun(
                    account_id=account.id, key=f"{RECEIPT}-{account.username}", entity="Inspection", act="void",
                    digest="", outcomes=gone,
                ))  # fmt: skip

    def _bring_files(self) -> None:
        """An import of each kind for two of the cast, tried and open."""
        with unit_of_work():
            for maker in MAKERS:
                for cls in IMPORTED:
                    run = ImportRun(
                        account_id=self.accounts[maker], entity=cls.__name__, file_name="x", sha256="0", stored="none",
                        state=RunState.TRIED, result={"bad": [], "doubts": 0, "plan": ""}, mapping=[],
                    )  # fmt: skip
                    current_session().add(run)

    @staticmethod
    def _add_files() -> None:
        """A picture to each inspection and notice and to each station's first firms."""
        content, kind = _picture(), "image/png"
        with unit_of_work(Verb.CREATE, "prover: files") as session:
            for cls in (Inspection, Notice, Enterprise, Site, Appointment):
                for row in session.scalars(select(cls).order_by(cls.id).limit(60)).unique():
                    file = filestore.new_name()
                    for copy in ("", *filestore.COPIES):
                        filestore.write(filestore.place(file, copy), content)
                    sha256 = hashlib.sha256(content).hexdigest()
                    attach(row, [filestore.Pending(file, "x.png", kind, len(content), sha256, 1, 1)], Verb.CREATE)

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
        names = {key: name for name, key in self.accounts.items()}
        for run in session.scalars(select(ImportRun)):
            yield Row(
                ImportRun,
                run.id,
                run.public_id,
                names[run.account_id],
                0,
                frozenset(),
                run.file_name,
                entity=run.entity,
            )
        for cls in (cls for cls in SCOPED if cls is not ImportRun):
            for row in session.scalars(select(cls)).unique():
                root: Any = row if cls is not Attachment else session.get(_class_of(row.entity), row.row_id)
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
                    getattr(root, "lines", 0) or self._lines(root),
                    self._about(root),
                    mark,
                    names.get(root.account_id or 0, "") if isinstance(root, SavedFilter) else "",
                    about=type(root),
                )

    def _lines(self, root: Any) -> int:
        """The lines of the firms that a row of no line is about."""
        session = current_session()
        found = 0
        for key in self._about(root):
            found |= session.get_one(Enterprise, key).lines
        return found

    def _private(self) -> Iterator[Row]:
        """A message and a finished job with a file for everybody of the cast, each with words of its own."""
        for key in self.accounts.values():
            with acting(key), unit_of_work():
                notify(key, _mark(Message, key), _mark(Message, key), "/jobs/")
                enqueue("prove", f"prove:{key}", account_id=key, title=_mark(Job, key), word=_mark(Job, key))
            db.session.remove()
        sweep()
        names = {key: username for username, key in self.accounts.items()}
        with unscoped("prover: learn private rows") as session:
            for cls in PRIVATE:
                for row in session.scalars(select(cls).where(cls.account_id.in_(names))):
                    mark = _mark(cls, row.account_id)
                    yield Row(cls, row.id, row.public_id, "other", 0, frozenset(), mark, names[row.account_id])

    @staticmethod
    def _about(root: Any) -> frozenset[int]:
        """The firms a row is about: a person is about each firm where they are somebody."""
        if isinstance(root, Enterprise):
            return frozenset({root.id})
        if isinstance(root, Person):
            return frozenset(post.enterprise_id for post in root.appointments)
        about = getattr(root, "enterprise_id", None)
        return frozenset({about}) if about else frozenset()

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
        if row.cls is SavedFilter:
            whole = username in {"ju", "admin"}  # the bureau's leader and administrator stand above every office
            return username == row.owner if row.owner else whole or STATION.get(username) == row.office
        if row.cls is ImportRun:
            return row.office == username
        if row.owner:
            return row.owner == username
        if username in EVERYWHERE:
            return True
        if username in STATION:
            return row.office == STATION[username]
        if username == "gu-canyin":
            return row.lines == 0 or bool(row.lines & Line.CATERING)
        served = row.cls not in UNSERVED and row.about not in UNSERVED
        return username in FIRMS and bool(row.firms & self.firms[username]) and served

    @contextmanager
    def writes(self) -> Iterator[list[str]]:
        """The statements that write to a scoped table meanwhile: without one, nothing can have changed."""
        told: list[str] = []
        tables = "|".join(inspect(cls).local_table.name for cls in (*SCOPED, *PRIVATE))
        pattern = re.compile(rf"(INSERT INTO|UPDATE|DELETE FROM) ({tables})\b")

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


def _class_of(name: str) -> type[Entity]:
    return registry()[name]


def _picture() -> bytes:
    """The smallest PNG there is: nobody looks at it."""
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    )


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
            body: dict[str, Any] = {"json": data} if rule.startswith(API) else {"data": data}
            answer = client.open(url, method=method, follow_redirects=False, buffered=True, **body)
        seen = set(re.findall(r"印[A-Za-z]+\d{6}记", text_of(answer))) - {typed}
        outcome.leaks += [f"{username} {method} {url}: saw {mark}" for mark in sorted(seen & marks.keys())]
        if answer.status_code >= 500:
            outcome.leaks.append(f"{username} {method} {url}: HTTP {answer.status_code}")
        if written and house.digest(foreign) != before:
            outcome.leaks.append(f"{username} {method} {url}: changed a foreign row")
            before = house.digest(foreign)


def _one_of_each(rows: list[Row]) -> list[Row]:
    found: dict[tuple[type[Entity], str, str], Row] = {}
    for row in rows:
        found.setdefault((row.cls, row.office, row.entity), row)
    return list(found.values())


Try = tuple[str, str, str, dict[str, Any] | None, str]


def _tries(house: House, foreign: list[Row], own: dict[type[Entity], Row]) -> Iterator[Try]:
    """Every route of the running application: lists and look-ups in every order and filter, rows by guessed id."""
    rules = sorted(house.app.url_map.iter_rules(), key=lambda rule: rule.rule)
    for rule in rules:
        if "POST" in (rule.methods or ()) and rule.rule in {"/login/", "/logout/", "/password/"}:
            continue
        names = set(rule.arguments)
        if rule.rule.startswith(API):
            yield from _api(house, rule, foreign, own)
        elif not names:
            yield from _open_lists(rule.rule, foreign)
            if rule.rule.endswith("/export"):
                yield from _exports(rule.rule, foreign)
            elif "POST" in (rule.methods or ()):
                yield from _makes(rule.rule, foreign, own)
        elif "key" in names:
            yield from _by_key(rule, foreign, own)
        elif names == {"saved"}:
            yield from _saved(rule, foreign)
        elif names == {"run"} and "/import/" in rule.rule:
            yield from _by_run(rule, foreign)
        elif names == {"run"}:
            for username in ("suo-b", "firm-b"):
                yield rule.rule, "GET", rule.rule.replace("<run>", f"{RECEIPT}-{username}"), None, ""
        elif "token" in names:
            yield from _waiting(rule)
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


def text_of(answer: TestResponse) -> str:
    """What an answer says; a workbook says what its sheets do."""
    content = answer.get_data()
    if not content.startswith(b"PK"):
        return content.decode(errors="ignore")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


@job("prove")
def leave_a_file(word: str) -> None:
    """A job whose file holds one word."""
    with result_file(f"{word}.csv", "text/csv") as out:
        out.write(word.encode())


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
        "date_to": "2027-01-01", "score": "95",
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
