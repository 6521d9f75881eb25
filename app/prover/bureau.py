"""The prover's own bureau: every role of two offices, and rows of every entity in all places and states."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import inspect, select, update
from sqlalchemy.orm import Session

from app.config import Settings
from app.core import clock
from app.core.db import db, unscoped
from app.core.entity import Entity, Scope, registry
from app.core.handover import Handover, HandoverLine, HandoverState, Outcome
from app.core.history_entry import CHAIN
from app.core.jobs import Job, JobState
from app.core.office import AccessRole, Account, Assignment, Family, Office, Posting
from app.core.receipt import Receipt
from app.core.signin.model import EntryKind, SignInSession, digest_of
from app.core.signin.second_factor import SecondFactor
from app.core.signin.sessions import open_session
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import AppointmentRole
from app.factory import build
from app.models.lines import Line
from app.models.personnel import Appointment, Person
from app.prover.facts import Fact, Facts
from app.prover.making import CannotMakeError, Maker, Place, about_subjects, parents_of, variants_of, whole_of
from app.prover.oracle import Oracle
from app.prover.situations import rewrite, situate
from app.services.demo import CAST, A, Actor, B
from app.services.sync import sync

# what core writes by itself: the chain of history (refused by hand), answers to devices, who is put to what
BY_CORE: frozenset[type[Entity]] = frozenset({*CHAIN, Receipt, Assignment})
UNMADE = frozenset({"Receipt", "HistoryCheckpoint"})  # nobody but the system reads them, so nothing is shown of them
NARROW = Actor("narrow-a", "少看的", A, "prover_narrow")
NARROWED = (NARROW, Actor("narrow-b", "两处任职的", A, NARROW.role), Actor("wide-a", "另有任职的", A, NARROW.role))
FIRM_OF = {"firm-a": "a-catering", "firm-b": "b-catering"}
OFFICER_AT = "a-sales"  # where firm-a, principal elsewhere, is only officer: a principal's role writes nothing there
LINKED = ("suo-a", "admin")  # hold a second account each
FRESH = timedelta(minutes=10)  # a session that nobody has used so long is not relied upon
FIRM_DUTIES = dict(zip(("firm_principal", "firm_director", "firm_officer"), AppointmentRole, strict=True))
TESTED = "pbkdf2:sha256:1$prover$" + "0" * 64  # nobody signs in by password here

Key = tuple[type[Entity], int]


@dataclass(frozen=True)
class Row:
    """One row as the prover asks for it."""

    cls: type[Entity]
    id: int
    public_id: str
    place: str
    fact: Fact


def put_back(template: Path, live: Path) -> None:
    """A copy of the template in the place of a live SQLite file.

    As a new file: a connection that somebody left open holds the old one, and its log is not taken for the new one's.
    """
    for name in (live.name, f"{live.name}-wal", f"{live.name}-shm"):
        (live.parent / name).unlink(missing_ok=True)
    shutil.copy(template, live)


class Bureau:
    """Built once in a folder, on SQLite or in an empty PostgreSQL database."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        settings = Settings(data_dir=folder, testing=True, database_url=database, base_url="http://localhost")
        self.app: Flask = build(settings)
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.accounts: dict[str, int] = {}
        self.browsers: dict[str, tuple[int, FlaskClient]] = {}  # with the key of its session
        self.roles: dict[str, str] = {}
        self.offices: dict[str, str] = {}
        self.bridges: list[tuple[Key, str, Key]] = []  # row, its column, the other office's row
        self.places: dict[tuple[type[Entity], int], str] = {}
        self.kin: dict[int, int] = {}  # account → another one of the same person
        self.facts = Facts()
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        with self.app.app_context():
            self.engine = db.engine
            if inspect(self.engine).get_table_names():
                raise ValueError("the prover fills a database of its own: this one is not empty")
            upgrade()
            with unscoped("prover: build"):
                sync()
            with unscoped("prover: cast") as session, unit_of_work(Verb.CREATE, "prover"):
                self._narrow(session)
                self._cast(session)
            with unscoped("prover: rows") as session, unit_of_work(Verb.CREATE, "prover"):
                self._fill(session)
            with unscoped("prover: changes") as session, unit_of_work(Verb.UPDATE, "prover"):
                rewrite(self, session)
            db.session.remove()
            self.facts.read()
        self.oracle = Oracle(self.facts, clock.today())
        self._require_all()
        self._require_teams()
        self._keep_template()

    # ---- building ---------------------------------------------------------------------------------------------------

    def _narrow(self, session: Session) -> None:
        """A role that sees what an inspector sees, less one column of each entity; another column it may not change."""
        model = session.scalars(select(AccessRole).where(AccessRole.code == "inspector")).one()
        hidden: dict[str, list[str]] = {}
        readonly: dict[str, list[str]] = {}
        for name, cls in registry().items():
            texts = [
                key
                for key, column in inspect(cls).columns.items()
                if not (column.info.get("system") or column.info.get("derived") or column.info.get("secret"))
                and not column.foreign_keys and column.info.get("choices") is None and column.info.get("label")
                and getattr(column.type, "length", 99) is not None and key not in {"name", "entity", "title"}
                and str(column.type).startswith(("VARCHAR", "TEXT"))
            ]  # fmt: skip
            if texts and name in model.grants:
                hidden[name] = texts[:1]
                readonly[name] = texts[1:2]
        session.add(
            AccessRole(code=NARROW.role, name="少看的", family=model.family, rank=model.rank,
                       grants=model.grants, hidden=hidden, readonly=readonly)
        )  # fmt: skip
        session.flush()

    def _cast(self, session: Session) -> None:
        """The fixed cast, and somebody of each role that none of them holds."""
        offices = {office.code: office for office in session.scalars(select(Office))}
        roles = {role.code: role for role in session.scalars(select(AccessRole))}
        there = {one.role for one in (*CAST, *NARROWED)}
        further = [Actor(f"role-{code}", code, A, code) for code in sorted(set(roles) - there)]
        for one in (*CAST, *NARROWED, *further):
            role, office = roles[one.role], offices[one.office]
            account = Account(
                username=one.username, name=one.name, family=Family(role.family), office_id=office.id, password=TESTED,
                must_change_password=False, certificate_no=one.certificate,
            )  # fmt: skip
            session.add(account)
            session.flush()
            since = clock.today() - timedelta(days=365)
            session.add(
                Posting(account_id=account.id, office_id=office.id, role_id=role.id, title="", lines=one.lines,
                        date_from=since)
            )  # fmt: skip
            if role.family == Family.SYSTEM:  # who administers opens nothing without one
                session.add(SecondFactor(account_id=account.id, since=clock.now()))
            self.accounts[one.username], self.roles[one.username] = account.id, one.role
            self.offices[one.username] = one.office
        for username in LINKED:
            account = session.get_one(Account, self.accounts[username])
            other = Account(username=f"{username}-2", name=account.name, family=account.family, password=TESTED,
                            office_id=account.office_id, person_key=account.person_key)  # fmt: skip
            session.add(other)
            session.flush()
            self.kin[account.id] = other.id

    def _fill(self, session: Session) -> None:
        a, b = (session.scalars(select(Office.id).where(Office.code == code)).one() for code in (A, B))
        self.made = made = Maker(session)
        self.where = where = [
            Place("a-catering", a, a, int(Line.CATERING)), Place("a-sales", a, a, int(Line.SALES)),
            Place("b-catering", b, b, int(Line.CATERING)), Place("b-sales", b, b, int(Line.SALES)),
            Place("moved", b, a, int(Line.CATERING)),
        ]  # fmt: skip
        by_name = {one.name: one for one in where}
        for cls in registry().values():
            if cls.__scope__ is Scope.REFERENCE and session.scalar(select(cls.id).limit(1)) is None:
                made.make(cls, where[0])
        limited = [cls for cls in registry().values() if cls not in BY_CORE and cls.__scope__ is not Scope.REFERENCE]
        whole = [cls for cls in limited if not cls.__part_of__ and cls.__about__ is None]
        for cls in whole:
            for one in where:
                for values in variants_of(cls) if not self._personal(session, cls) else ():
                    self.note(made.make(cls, one, **values), one)
        self._join_firms(by_name)
        for cls in whole:
            if self._personal(session, cls):
                self._give(cls, by_name)
        for cls in [cls for cls in limited if cls.__part_of__]:
            self._parts(session, cls, by_name)
        for cls in [cls for cls in limited if cls.__about__ is not None]:
            self._papers(cls, by_name)
        self._bridge(whole, by_name)
        situate(self, session, whole, by_name)

    @staticmethod
    def _personal(session: Session, cls: type[Entity]) -> bool:
        """Whether its rows are one person's: by its scope, or because roles reach them as their own."""
        if not hasattr(cls, "account_id") or cls.__name__ == "Posting":
            return False
        roles = session.scalars(select(AccessRole))
        cells = [cell for role in roles for verb in role.grants.get(cls.policy_name(), {}).values() for cell in verb]
        return cls.__scope__ is Scope.OWN or any(cell[0] == "own" for cell in cells)

    def note(self, row: Any, place: Place) -> None:
        self.places[type(row), row.id] = place.name
        self.made.firsts.setdefault((type(row), place.name), row.id)

    def _join_firms(self, places: dict[str, Place]) -> None:
        """The firms' people: of the whole firm, or (a safety officer) of one of its sites."""
        for username, role in self.roles.items():
            if not role.startswith("firm_"):
                continue
            place = places[FIRM_OF.get(username, "a-catering")]
            person = self.made.make(Person, place, account_id=self.accounts[username])
            self.note(person, place)
            site = {} if role != "firm_officer" else {"site_id": self.made.firsts[registry()["Site"], place.name]}
            fixed = {"person_id": person.id, "site_id": None, "role": FIRM_DUTIES[role], **site}
            self.note(self.made.make(Appointment, place, **fixed), place)
            if username == "firm-a":
                fixed |= {"role": AppointmentRole.OFFICER}
                self.note(self.made.make(Appointment, places[OFFICER_AT], **fixed), places[OFFICER_AT])

    def _give(self, cls: type[Entity], places: dict[str, Place]) -> None:
        """One to each of the cast; where an office may have some, to each office too."""
        offices = {one.office_id: one for one in places.values()}
        for username, key in self.accounts.items():
            home = places["b-catering" if self.offices[username] == B else "a-catering"]
            for values in variants_of(cls) if cls.__workflow__ is not None else [{}]:
                self.note(self.made.make(cls, home, account_id=key, **values), Place(username, 0, 0, 0))
        target = inspect(cls).columns["account_id"]
        for place in offices.values() if target.nullable and hasattr(cls, "office_id") else ():
            self.note(self.made.make(cls, place, account_id=None), place)

    def _parts(self, session: Session, cls: type[Entity], places: dict[str, Place]) -> None:
        """One part of each whole."""
        whole, key = whole_of(cls)
        for row_id in list(session.scalars(select(whole.id))):
            name = self.places.get((whole, row_id))
            if name is None:
                continue
            place = places.get(name, places["a-catering"])
            row = self.made.make(cls, place, **{key: row_id})
            self.places[cls, row.id] = name
            self.made.firsts.setdefault((cls, name), row.id)

    def _papers(self, cls: type[Entity], places: dict[str, Place]) -> None:
        """One about the first row of each class that such rows may be about, in each place."""
        assert cls.__about__ is not None
        entity, key = cls.__about__
        homes = places | {"yuan-a": places["a-catering"], "yuan-b": places["b-catering"]}  # of what is one person's
        for subject in about_subjects(cls):
            for name, place in homes.items():
                row_id = self.made.firsts.get((subject, name))
                if row_id is not None:
                    row = self.made.make(cls, place, **{entity: subject.__name__, key: row_id})
                    self.note(row, place if name in places else Place(name, 0, 0, 0))

    def _bridge(self, whole: list[type[Entity]], places: dict[str, Place]) -> None:
        """Rows of one office that point at the other's: no screen makes them, and nothing may show through them."""
        for cls in whole:
            for key, other in parents_of(cls):
                for mine, theirs in (("a-catering", "b-catering"), ("b-catering", "a-catering")):
                    target = self.made.make(other, places[theirs])
                    self.note(target, places[theirs])
                    try:
                        row = self.made.make(cls, places[mine], **{key: target.id})
                    except CannotMakeError:  # a table's own rule keeps both ends together
                        continue
                    self.note(row, places[mine])
                    self.bridges.append(((cls, row.id), key, (other, target.id)))

    def _require_all(self) -> None:
        """Raise CannotMakeError for an entity without a row: nothing would be proved about it."""
        empty = [name for name, cls in self.facts.named.items() if not self.facts.rows[cls] and name not in UNMADE]
        if empty:
            raise CannotMakeError(f"no rows of {', '.join(empty)}: the prover would be blind to them")

    def _require_teams(self) -> None:
        """Raise CannotMakeError when somebody of another office, or of a sealed row, is named and not put to it."""
        for cls in (one for one in self.facts.classes if one.__team__ is not None):
            for row in self.facts.rows[cls].values():
                for who in self.oracle.named(cls, row):
                    if (cls.policy_name(), row["id"]) not in self.oracle.person(who).assigned:
                        raise CannotMakeError(f"{cls.__name__} {row['id']} names account {who} and lets it not in")

    # ---- using ------------------------------------------------------------------------------------------------------

    def client(self, username: str) -> FlaskClient:
        """A browser with a session of its own."""
        with self.app.app_context():
            with unscoped("prover: sign-in", quiet=True) as session, unit_of_work(Verb.READ, "prover"):
                key = open_session(session.get_one(Account, self.accounts[username]), EntryKind.PASSWORD)
            self.facts.changes(inspect(cls).local_table.name for cls in (SignInSession, Account, *CHAIN))
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = key
        return client

    def sitting(self, client: FlaskClient) -> int:
        """The key of a browser's session."""
        with client.session_transaction() as cookie:
            digest = digest_of(cookie["_user_id"].partition(".")[2])
        return next(key for key, fact in self.facts.rows[SignInSession].items() if fact["digest"] == digest)

    def browser(self, username: str) -> FlaskClient:
        """The account's browser, kept from one try to the next while its session is good."""
        known = self.browsers.get(username)
        fact = self.facts.rows[SignInSession].get(known[0]) if known is not None else None
        if known is None or fact is None or fact["ended_at"] is not None or clock.now() - fact["seen_at"] > FRESH:
            client = self.client(username)
            self.browsers[username] = known = (self.sitting(client), client)
        return known[1]

    def rows(self, cls: type[Entity]) -> Iterator[Row]:
        """The rows that were made of an entity, with where they belong."""
        for key, fact in self.facts.rows[cls].items():
            place = self.places.get((cls, key))
            if place is not None:
                yield Row(cls, key, fact["public_id"], place, fact)

    def row(self, cls: type[Entity], key: int) -> Row:
        """One of them."""
        fact = self.facts.rows[cls][key]
        return Row(cls, key, fact["public_id"], self.places.get((cls, key), ""), fact)

    @contextmanager
    def altered(self, cls: type[Entity], key: int, **values: Any) -> Iterator[None]:
        """A row with other values for a while, written past the program: a posting revoked, an account closed."""
        before = {name: self.facts.rows[cls][key][name] for name in values}
        self._alter(cls, key, values)
        try:
            yield
        finally:
            self._alter(cls, key, before)

    @contextmanager
    def taken_over(self, row: Row, account_id: int) -> Iterator[None]:
        """As if the account had once accepted the row in a hand-over."""
        line = next(iter(self.facts.rows[HandoverLine].values()))
        accepted = {"account_id": account_id, "state": HandoverState.ACCEPTED.value}
        told = {"entity": row.cls.__name__, "row_id": row.id, "outcome": Outcome.MOVED.value}
        with self.altered(Handover, line["handover_id"], **accepted), self.altered(HandoverLine, line["id"], **told):
            yield

    def posting_of(self, username: str) -> int:
        """The key of an account's first posting."""
        rows = self.facts.rows[Posting].items()
        return next(key for key, fact in rows if fact["account_id"] == self.accounts[username])

    def _alter(self, cls: type[Entity], key: int, values: dict[str, Any]) -> None:
        table = inspect(cls).local_table
        with self.engine.connect().execution_options(shouze_write=True) as connection, connection.begin():
            connection.execute(update(table).where(table.c.id == key).values(values))
        with self.app.app_context():
            self.facts.read([cls])
        self.oracle.forget()

    def _keep_template(self) -> None:
        if self.engine.dialect.name == "sqlite":
            self.close()
            shutil.copy(self.folder / "shouze.db", self.folder / "template.db")

    def restore(self) -> None:
        """As it was built (SQLite only). Nobody is signed in: numbers of sessions begin again."""
        self.close()
        self.browsers.clear()
        put_back(self.folder / "template.db", self.folder / "shouze.db")
        with self.app.app_context():
            self.facts.read()
        self.oracle.forget()

    def drop_jobs(self, keys: list[int]) -> None:
        """Take back jobs that a try has asked for: so many wait that the next try would be told to wait too."""
        with self.app.app_context(), unscoped("prover: drop jobs", quiet=True) as session, unit_of_work():
            gone = update(Job.__table__).where(Job.__table__.c.id.in_(keys)).values(state=JobState.CANCELLED)
            session.connection().execute(gone)
        with self.app.app_context():
            self.facts.changes({Job.__tablename__})

    def close(self) -> None:
        """Give back every connection."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
