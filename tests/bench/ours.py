"""Our side: the application with a database of its own, as many screens as asked for, and an inspector signed in."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from flask import Flask
from sqlalchemy import String, event, func, insert, select

from app import create_app
from app.cli import upgrade_schema
from app.config import Settings
from app.core import clock, history, search_index
from app.core.access.context import acting, current_access
from app.core.db import AppSession, db, metadata, unscoped
from app.core.entity import Scoped, column
from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.view import EntityView
from app.core.office import Account, Family, Office
from app.core.pinyin import search_key
from app.core.verbs import Verb
from app.models.enterprise import Enterprise, Site
from app.models.roles import ROLES
from app.services.office import add_account, add_posting
from app.services.sync import sync
from tests.bench.firms import firms
from tests.bench.measure import Pages, counted, timed
from tests.support.house import enter_as

STATION = "150525-S01"
GROUPS = ("firms", "inspection", "rectification", "office", "settings")
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
SITES = 200


def more_screens(wanted: int) -> None:
    """Entities and screens until an inspector's navigation has `wanted` lines; call before the application is made.

    Each is an entity of its own, with its own table and its own criterion in every statement; who may do what with it
    is what grants say of firms.
    """
    from app import services, views

    services.load()
    role = next(role for role in ROLES if role.code == "inspector")
    granted = {grant.entity for grant in role.grants if Verb.READ in grant.verbs}
    pages, screens = views.declared()
    shown = [view for view in screens if view.datamodel.obj.policy_name() in granted]
    extra = [_screen(number) for number in range(wanted - len(shown))]
    views.declared = lambda: (pages, [*screens, *extra])


def _screen(number: int) -> type[EntityView]:
    model = type(f"Bench{number}", (Scoped,), {
        "__module__": __name__, "__tablename__": f"bench_{number}", "__label__": f"台账{number}",
        "__policy__": "Enterprise", "__search__": ("name",), "name": column("名称", String(120), nullable=False),
    })  # fmt: skip
    return type(f"Bench{number}View", (EntityView,), {
        "datamodel": AppInterface(model), "route_base": f"/bench-{number}", "title": f"台账{number}",
        "task": (GROUPS[number % len(GROUPS)], 100 + number), "list_columns": ["name"],
        "form_parts": [Part("台账", ["name"])], "show_parts": [("台账", ["name"])],
    })  # fmt: skip


def application(folder: str, views: int, url: str = "") -> Flask:
    """The application on a database in `folder`, which is made when absent, base data and two inspectors included; or
    on the empty one at `url`."""
    if views:
        more_screens(views)
    app = create_app(Settings(data_dir=Path(folder), database_url=url))
    with app.app_context():
        if url or not (Path(folder) / "shouze.db").exists():
            upgrade_schema()
            _people()
    return app


def _people() -> None:
    metadata.create_all(db.engine, [table for name, table in metadata.tables.items() if name.startswith("bench_")])
    with unscoped("bench"):
        sync()
        for username, number in (("one", "15052500001"), ("two", "15052500002")):
            add_account(username, username, Family.BUSINESS, STATION, "", must_change=False, certificate_no=number)
            add_posting(username, STATION, "inspector", title="监管员")


def fill(count: int) -> None:
    """`count` firms and a site at the first of them, all of one station."""
    with unscoped("bench") as session:
        connection = session.connection(execution_options={"shouze_write": True})
        office = session.scalar(select(Office.id).where(Office.code == STATION))
        common = {"office_id": office, "made_office_id": office, "version": 1, "made_at": clock.now(), "lines": 4}
        rows = [common | firm | {"search_text": search_key(firm["name"])} for firm in firms(count)]
        connection.execute(insert(Enterprise.__table__), rows)
        keys = session.execute(select(Enterprise.__table__.c.id, Enterprise.__table__.c.name).limit(SITES)).all()
        sites = [
            common | {"enterprise_id": key, "name": name, "kind": "餐饮服务企业", "state": "正常", "search_text": name}
            for key, name in keys
        ]
        connection.execute(insert(Site.__table__), sites)
        search_index.rebuild(connection, [Enterprise, Site])
        session.commit()


class Ours(Pages):
    """Our pages as an inspector of the station sees them."""

    paths: ClassVar = {"list": "/enterprises/", "form": "/sites/add", "search": "/enterprises/?q=面馆"}

    def __init__(self, folder: str, rows: int, views: int, url: str = "") -> None:
        self.app = application(folder, views, url)
        with self.app.app_context():
            fill(rows)
            with unscoped("bench") as session:
                session.connection().exec_driver_sql("ANALYZE")
                session.commit()
                one, two = session.scalars(select(Account).where(Account.username.in_(["one", "two"])))
            key = enter_as(one.id)
        self.one, self.two = one.id, two.id
        self.client = self.app.test_client()
        with self.client.session_transaction() as cookie:
            cookie["_user_id"] = key

    def ready(self) -> dict[str, int]:
        """What stands: rows stored, lines of the navigation."""
        with self.app.app_context(), unscoped("bench") as session:
            stored = session.scalar(select(func.count()).select_from(Enterprise))
        side = self.get("/enterprises/").decode().partition('id="nav"')[2].partition("</nav>")[0]
        return {"rows": int(stored or 0), "views": side.count("<li>") - 1}

    def get(self, path: str) -> bytes:
        """A page, as a browser that takes no compression gets it."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.get_data(as_text=True)[-500:])
        return bytes(answer.data)

    # -- predicate ----------------------------------------------------------------------------------------------------

    def predicate(self, count: int) -> dict[str, list[list[tuple[float, float]]]]:
        """Pairs of (with the predicate, without): a page of a list, one row, a request's first statement."""
        page = select(Enterprise).order_by(Enterprise.id.desc()).limit(25)
        one = select(Enterprise).where(Enterprise.id == 7)
        found: dict[str, list[list[tuple[float, float]]]] = {"page": [], "row": [], "first": []}
        with self.app.app_context(), acting(self.one), unscoped("bench", quiet=True) as free:
            scoped = db.session()
            for number in range(count + 5):
                pairs = {
                    "page": [timed(lambda: _read(scoped, page)), timed(lambda: _read(free, page))],
                    "row": [timed(lambda: _read(scoped, one)), timed(lambda: _read(free, one))],
                }
                current_access().compiled.clear()
                pairs["first"] = [timed(lambda: _read(scoped, one)), timed(lambda: _read(free, one))]
                if number >= 5:  # the first ones fill SQLAlchemy's cache
                    for name, pair in pairs.items():
                        found[name].append(pair)
        return found

    # -- history ------------------------------------------------------------------------------------------------------

    def saves(self, count: int) -> dict[str, Any]:
        """Save the same firm through its form, by turns with and without history."""
        listeners = (("after_flush", history._collect), ("before_commit", history._store))
        found: dict[str, Any] = {"on": [], "off": [], "statements": {}}
        token = TOKEN.findall(self.get("/enterprises/1/edit").decode())
        for number in range(2 * count + 4):
            name = "off" if number % 2 else "on"
            if name == "off":
                for listener in listeners:
                    event.remove(AppSession, *listener)
            with counted() as heard:
                sample = timed(partial(self._save, token[0], number))
            if name == "off":
                for listener in listeners:
                    event.listen(AppSession, *listener)
            if number >= 4:
                found[name].append(sample)
                found["statements"][name] = list(heard)
        return found

    def _save(self, token: str, number: int) -> None:
        firm = next(iter(firms(1)))
        # the version grows by one a save; the first has been filled in with 1
        data = firm | {"note": "", "phone": f"139{number:08d}", "version": str(number + 1), "csrf_token": token}
        data["accept-code"] = "1"  # the made-up code has no valid inner digit
        answer = self.client.post("/enterprises/1/edit", data=data)
        assert answer.status_code == 302, answer.get_data(as_text=True).partition("<main")[2][:3000]


def _read(session: Any, statement: Any) -> None:
    assert list(session.scalars(statement))
    session.expunge_all()
