"""A small bureau to tell stories with: the fixed cast, two stations, two dozen firms, work in every state."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from app import create_app
from app.config import Settings
from app.core.access.context import Access, acting
from app.core.db import current_session, db, unscoped
from app.core.office import Account, Office
from app.core.signin.model import EntryKind
from app.core.signin.sessions import open_session
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.enterprise import Site
from app.prover.bureau import put_back
from app.services.demo import make_demo
from app.services.sync import sync
from tests.support.postgres import database_name, drop_database, fresh_database

A, B = "150525-S01", "150525-S02"


def enter_as(account_id: int) -> str:
    """A session as after a sign-in; returns the cookie's key."""
    with unscoped("test") as session, unit_of_work(Verb.UPDATE, "test"):
        return open_session(session.get_one(Account, account_id), EntryKind.PASSWORD)


@dataclass
class House:
    """One test's bureau, restored from a template before each test."""

    app: Flask
    restore: Callable[[], None]
    accounts: dict[str, int] = field(default_factory=dict)
    offices: dict[str, int] = field(default_factory=dict)

    def learn(self) -> None:
        """Read the keys the stories need."""
        with self.system() as session:
            self.accounts = {name: key for name, key in session.execute(select(Account.username, Account.id))}
            self.offices = {code: key for code, key in session.execute(select(Office.code, Office.id))}

    def close(self) -> None:
        """Give back every connection: one that is collected open is an error."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    @contextmanager
    def system(self) -> Iterator[Session]:
        """Act as the system: unscoped."""
        with self.app.app_context(), unscoped("test") as session:
            yield session

    @contextmanager
    def acting(self, username: str) -> Iterator[Access]:
        """Act as one of the cast, outside a request."""
        with self.app.app_context(), acting(self.accounts[username]) as access:
            yield access

    def client(self, username: str | None = None) -> FlaskClient:
        """A browser; signed in when a name is given (by its cookie, as after a sign-in)."""
        client = self.app.test_client()
        if username is not None:
            with self.app.app_context():
                key = enter_as(self.accounts[username])
            with client.session_transaction() as cookie:
                cookie["_user_id"] = key
        return client

    def site_of(self, code: str, skip: int = 0) -> int:
        """The key of a site that an office answers for."""
        with self.system() as session:
            found = session.scalars(select(Site.id).where(Site.office_id == self.offices[code]).order_by(Site.id)).all()
        return found[skip]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL that runs meanwhile, without BEGIN and COMMIT."""
        told: list[str] = []

        def listen(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith("BEGIN"):  # ours is sent as a statement (core.db)
                told.append(statement)

        with self.app.app_context():
            engine: Engine = db.engine
        event.listen(engine, "before_cursor_execute", listen)
        try:
            yield told
        finally:
            event.remove(engine, "before_cursor_execute", listen)


def build(app: Flask) -> None:
    """Schema, base data, cast and work."""
    with app.app_context():
        upgrade()
        with unscoped("test house"):
            sync()
        make_demo(firms=30, days=4, seed=7, care=False)  # who answers for sites is each story's own
        current_session().rollback()
        db.session.remove()
        db.engine.dispose()


def on_sqlite(folder: Path) -> House:
    """A house in a folder; its template lies beside it."""
    app = create_app(Settings(data_dir=folder, database_url="", testing=True, base_url="http://localhost"))
    app.config["WTF_CSRF_ENABLED"] = False
    build(app)
    live, template = folder / "shouze.db", folder / "template.db"
    shutil.copy(live, template)

    def restore() -> None:
        house.close()
        put_back(template, live)
        shutil.rmtree(folder / "anchors", ignore_errors=True)  # heads that were kept are those of what is gone

    house = House(app, restore)
    house.learn()
    return house


def on_postgres(folder: Path, server: str) -> House:
    """The same on PostgreSQL; each test's database is a copy of the template's."""
    template = fresh_database(server).replace("postgresql://", "postgresql+psycopg://")
    maker = create_app(Settings(data_dir=folder, database_url=template, testing=True, base_url="http://localhost"))
    build(maker)
    live = fresh_database(server, database_name(template)).replace("postgresql://", "postgresql+psycopg://")
    app = create_app(Settings(data_dir=folder, database_url=live, testing=True, base_url="http://localhost"))
    app.config["WTF_CSRF_ENABLED"] = False

    def restore() -> None:
        house.close()
        drop_database(live)
        _copy(server, template, live)
        shutil.rmtree(folder / "anchors", ignore_errors=True)

    house = House(app, restore)
    house.learn()
    return house


def _copy(server: str, template: str, live: str) -> None:
    from tests.support.postgres import _administer

    sql = f'CREATE DATABASE "{database_name(live)}" TEMPLATE "{database_name(template)}" STRATEGY file_copy'
    _administer(server, sql)
