"""The prover's own bureau: what is in it, and who may reach which row, said in the bureau's words."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event, inspect, select

from app.config import Settings
from app.core import filestore
from app.core.access.context import acting
from app.core.attachment import Attachment, attach
from app.core.db import current_session, db, unscoped
from app.core.document import IssuedDocument
from app.core.entity import Entity, registry
from app.core.handover import Handover, HandoverLine, Outcome
from app.core.importing.run import ImportRun, RunState
from app.core.jobfile import result_file
from app.core.jobs import Job, enqueue, job, sweep
from app.core.message import Message, notify
from app.core.office import Account, Leaving, Posting
from app.core.saved import BulkRun, SavedFilter, Sharing
from app.core.signin.model import EntryKind
from app.core.signin.sessions import open_session
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
from app.services.demo import make_demo
from app.services.sync import sync

SCOPED: tuple[type[Entity], ...] = (
    Enterprise, Site, Person, Appointment, Inspection, Finding, Notice, Correction, Delivery, IssuedDocument,
    SavedFilter, ImportRun, Attachment,
    RiskList, RiskItem, DailyCheck, CheckProblem, Licence, Closure, Training, Exam,
    Posting, Handover, HandoverLine,
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
         Exam: "search_text", Handover: "reason", HandoverLine: "kind"}  # fmt: skip
LED: set[type[Entity]] = {Posting, Handover, HandoverLine}  # the chief's, and theirs whom they are about
KEEPERS = ("suo-a", "yuan-a", "suo-b", "yuan-b", "firm-b")  # have filters of their own; the chiefs share one each
RECEIPT = "prover-receipt-of-a-bulk-act"
EVERYWHERE = {"ju", "fagui", "zhuanban"}
STATION = {"suo-a": "a", "yuan-a": "a", "neiqin-a": "a", "suo-b": "b", "yuan-b": "b"}
FIRMS = {"firm-a": "a", "firm-b": "b"}
UNSERVED: set[type[Entity]] = {Inspection, Finding, Notice, Correction, IssuedDocument}  # none of the demo's is served


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
                self._bring_pictures()
            with unscoped("prover: learn") as session:
                self.accounts = {row.username: row.id for row in session.scalars(select(Account))}
                self._bring_files()
                self._bring_handovers()
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
                gone = [[999_999, True, "", words_of(Inspection, 999_999)]]
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

    def _bring_handovers(self) -> None:
        """At each station an inspector's notice that went to the chief."""
        with unit_of_work() as session:
            for letter in "ab":
                giver, chief = self.accounts[f"yuan-{letter}"], self.accounts[f"suo-{letter}"]
                posting = session.scalars(select(Posting).where(Posting.account_id == giver)).one()
                notice = session.scalars(select(Notice).where(Notice.drafter_id == giver)).unique().first()
                made = Handover(posting_id=posting.id, giver_id=giver, account_id=chief, supervisor_id=chief,
                                kind=Leaving.SHARED, date=posting.date_from, office_id=posting.office_id,
                                made_office_id=posting.office_id, total=1)  # fmt: skip
                if notice is not None:
                    made.items.append(HandoverLine(kind="x", entity="Notice", row_id=notice.id, outcome=Outcome.MOVED))
                session.add(made)

    @staticmethod
    def _bring_pictures() -> None:
        """A picture to each inspection and notice and to each station's first firms."""
        content, kind = picture(), "image/png"
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
                    connection.execute(table.update().where(table.c.id == key).values({name: words_of(cls, key)}))
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
                root: Any = row if cls is not Attachment else session.get(class_of(row.entity), row.row_id)
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
                    names.get(root.account_id or 0, "") if cls in LED or isinstance(root, SavedFilter) else "",
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
                notify(key, words_of(Message, key), words_of(Message, key), "/jobs/")
                enqueue("prove", f"prove:{key}", account_id=key, title=words_of(Job, key), word=words_of(Job, key))
            db.session.remove()
        sweep()
        names = {key: username for username, key in self.accounts.items()}
        with unscoped("prover: learn private rows") as session:
            for cls in PRIVATE:
                for row in session.scalars(select(cls).where(cls.account_id.in_(names))):
                    mark = words_of(cls, row.account_id)
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
        with self.app.app_context(), unscoped("prover: sign in") as session, unit_of_work():
            key = open_session(session.get_one(Account, self.accounts[username]), EntryKind.PASSWORD)
        with client.session_transaction() as cookie:
            cookie["_user_id"] = key
        return client

    def reaches(self, username: str, row: Row) -> bool:
        """Whether that person may see that row at all, said in the bureau's words, not in grants."""
        if row.cls is SavedFilter:
            whole = username in {"ju", "admin"}  # the bureau's leader and administrator stand above every office
            return username == row.owner if row.owner else whole or STATION.get(username) == row.office
        if row.cls is ImportRun:
            return row.office == username
        if row.cls in LED:
            everywhere = {"ju", "admin"} if row.cls is Posting else {"ju"}
            return username in {*everywhere, row.owner, f"suo-{row.office}"}
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


def class_of(name: str) -> type[Entity]:
    return registry()[name]


def picture() -> bytes:
    """The smallest PNG there is: nobody looks at it."""
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    )


def words_of(cls: type[Entity], key: int) -> str:
    return f"印{cls.__name__}{key:06d}记"


@job("prove")
def leave_a_file(word: str) -> None:
    """A job whose file holds one word."""
    with result_file(f"{word}.csv", "text/csv") as out:
        out.write(word.encode())
