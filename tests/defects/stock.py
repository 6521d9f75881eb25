"""A stock Flask-AppBuilder application as its documentation sets one up, and a probe a defect: does it show there?

Run as a program (`python -m tests.defects.stock`) in a process of its own, because FAB has one table registry a
process: prints {defect: shown}. Each probe asks a single thread's question; the answer of our own screens to the same
question is in `test_defects.py`.
"""

from __future__ import annotations

import enum
import io
import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.actions import action
from flask_appbuilder.api import ModelRestApi
from flask_appbuilder.filemanager import ImageManager
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.filters import FilterEqual
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    String,
    UniqueConstraint,
    event,
    select,
)
from sqlalchemy.orm import relationship
from werkzeug.datastructures import FileStorage

FIRMS = 400


class Grade(enum.Enum):
    """风险等级."""

    A = "A"
    B = "B"


class Office(Model):
    """机构."""

    __tablename__ = "office"
    id = Column(Integer, primary_key=True)
    name = Column(String(60), nullable=False)

    def __repr__(self) -> str:
        return str(self.name)


class Firm(Model):
    """主体."""

    __tablename__ = "firm"
    __table_args__ = (UniqueConstraint("office_id", "name"),)
    id = Column(Integer, primary_key=True)
    name = Column(String(60), nullable=False)
    code = Column(String(18), unique=True)
    office_id = Column(Integer, ForeignKey("office.id"), nullable=False)
    office = relationship(Office)

    def __repr__(self) -> str:
        return str(self.name)


class Check(Model):
    """检查, with a column of each kind and rows of its own."""

    __tablename__ = "check"
    id = Column(Integer, primary_key=True)
    title = Column(String(60), nullable=False)
    day = Column(Date)
    moment = Column(DateTime)
    done = Column(Boolean, nullable=False, default=True)
    grade = Column(Enum(Grade))
    facts = Column(JSON)
    firm_id = Column(Integer, ForeignKey("firm.id"), nullable=False)
    office_id = Column(Integer, ForeignKey("office.id"), nullable=False)
    firm = relationship(Firm)
    office = relationship(Office)

    def __repr__(self) -> str:
        return str(self.title)


class Round(Model):
    """检查轮次, with rows of its own."""

    __tablename__ = "round"
    id = Column(Integer, primary_key=True)
    name = Column(String(60), nullable=False)
    items = relationship("RoundItem")


class RoundItem(Model):
    """A row of a round."""

    __tablename__ = "round_item"
    id = Column(Integer, primary_key=True)
    name = Column(String(60))
    round_id = Column(Integer, ForeignKey("round.id"))

    def __repr__(self) -> str:
        return str(self.name)


SCOPE: list[list[Any]] = [["office_id", FilterEqual, 1]]  # the documented row filter: this person's office is 1


class FirmView(ModelView):
    """Firms of office 1."""

    datamodel = SQLAInterface(Firm)
    list_columns: ClassVar = ["name", "office"]
    base_filters = SCOPE


class CheckView(ModelView):
    """Checks of office 1."""

    datamodel = SQLAInterface(Check)
    list_columns: ClassVar = ["title", "day", "firm", "office"]
    search_columns: ClassVar = ["title", "day", "done"]
    base_filters = SCOPE
    acted: ClassVar[list[str]] = []

    @action("finish", "Finish", confirmation="Sure?", multiple=True, single=True)
    def finish(self, rows: Any) -> Any:
        """An act on ticked rows."""
        for row in rows if isinstance(rows, list) else [rows]:
            self.acted.append(str(row))
        return self.response(200)

    def response(self, status: int) -> Any:
        """An empty answer."""
        return "", status


class RoundView(ModelView):
    """Rounds."""

    datamodel = SQLAInterface(Round)
    list_columns: ClassVar = ["name"]


class FirmApi(ModelRestApi):
    """Firms over REST."""

    resource_name = "firm"
    datamodel = SQLAInterface(Firm)
    allow_browser_login = True
    base_filters = SCOPE
    add_columns: ClassVar = ["name", "office"]


class Stock:
    """The application with a browser of its administrator, and its statements."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.statements = folder, list[str]()
        self.app = Flask("stock")
        self.app.config.update(
            SECRET_KEY="stock", SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / 'stock.db'}", BABEL_DEFAULT_LOCALE="zh",
            LANGUAGES={"zh": {"flag": "cn", "name": "中文"}}, FAB_PASSWORD_HASH_METHOD="pbkdf2:sha256:1",
            WTF_CSRF_ENABLED=False,  # only each form's own token; what has none is asked for by its own probe
            IMG_UPLOAD_URL="/images/", IMG_SIZE=(9, 9, True),
            IMG_UPLOAD_FOLDER=str(folder / "images") + "/", UPLOAD_FOLDER=str(folder / "files") + "/",
        )  # fmt: skip
        self.db = SQLA()
        with self.app.app_context():
            self.db.init_app(self.app)
            fab = AppBuilder(self.app, self.db.session)
            fab.add_view(FirmView, "Firms", category="Work")
            fab.add_view(CheckView, "Checks", category="Work")
            fab.add_view(RoundView, "检查轮次", category="Work")
            fab.add_api(FirmApi)
            Model.metadata.create_all(self.db.engine)
            fab.sm.add_user("admin", "国", "建", "a@example.org", fab.sm.find_role("Admin"), password="stock")
            self._fill()
            event.listen(self.db.engine, "before_cursor_execute", lambda *told: self.statements.append(told[2]))
        self.client = self.signed_in()

    def _fill(self) -> None:
        session = self.db.session
        session.add_all([Office(id=1, name="甲所"), Office(id=2, name="乙所")])
        session.add_all([Firm(id=n, name=f"甲店{n}", office_id=1) for n in range(1, FIRMS + 1)])
        session.add(Firm(id=9001, name="乙店", code="B", office_id=2))
        session.add_all(
            [
                Check(
                    id=n,
                    title=f"检查{n}",
                    firm_id=n,
                    office_id=1,
                    facts={"a": 1},
                    grade=Grade.A,
                    day=date(2026, 11, 20),
                )
                for n in range(1, 201)
            ]
        )
        session.add(Check(id=9001, title="乙所检查", firm_id=9001, office_id=2))
        session.add_all([Round(id=1, name="第一轮"), RoundItem(id=1, name="轮次的行", round_id=1)])
        session.commit()

    def signed_in(self) -> FlaskClient:
        """A browser that has just signed in."""
        client = self.app.test_client()
        client.post("/login/", data={"username": "admin", "password": "stock"})
        return client

    def check(self, key: int) -> Check:
        """A check as stored."""
        with self.app.app_context():
            row: Check = self.db.session.execute(select(Check).where(Check.id == key)).unique().scalar_one()
            self.db.session.refresh(row)
            return row

    def save(self, **changes: str) -> int:
        """Save check 1 in its form; answers with the status."""
        form = {"title": "检查1", "day": "2026-11-20", "firm": "1", "office": "1", "done": "y", "grade": "A",
                "facts": '{"a": 1}'} | changes  # fmt: skip
        form = {name: value for name, value in form.items() if value != "-"}
        return self.client.post("/checkview/edit/1", data=form).status_code

    def sql(self, path: str) -> int:
        """How many statements a page costs."""
        self.statements.clear()
        self.client.get(path)
        return len(self.statements)

    def text(self, path: str) -> str:
        """A page's text."""
        return self.client.get(path).get_data(as_text=True)


Probe = Callable[[Stock], bool]
PROBES: dict[str, Probe] = {}


def shows(name: str) -> Callable[[Probe], Probe]:
    """Register a probe under its defect's name."""

    def decorate(function: Probe) -> Probe:
        PROBES[name] = function
        return function

    return decorate


# -- fields -----------------------------------------------------------------------------------------------------------


@shows("json-as-text")
def _json(stock: Stock) -> bool:
    stock.save(facts='{"b": 2}')
    return isinstance(stock.check(1).facts, str)


@shows("boolean-never-false")
def _boolean(stock: Stock) -> bool:
    stock.save(done="-", title="不打勾")
    return bool(stock.check(1).done)


@shows("datetime-refuses-its-own-picker")
def _moment(stock: Stock) -> bool:
    stock.save(moment="2026-11-20", title="时间")
    return stock.check(1).moment is None


@shows("unknown-choice-is-500")
def _choice(stock: Stock) -> bool:
    return stock.save(grade="Z") == 500


@shows("first-parent-preselected")
def _preselected(stock: Stock) -> bool:
    page = stock.text("/checkview/add")
    select_box = page[page.index('name="firm"') :].split("</select>")[0]
    return "甲店1" in select_box and 'value="__None"' not in select_box


# -- rows of another office -------------------------------------------------------------------------------------------


@shows("act-on-a-foreign-row")
def _act(stock: Stock) -> bool:
    CheckView.acted.clear()
    stock.client.post("/checkview/action_post", data={"action": "finish", "rowid": ["9001"]})
    return "乙所检查" in CheckView.acted


@shows("foreign-parents-in-a-form")
def _parents(stock: Stock) -> bool:
    return "乙店" in stock.text("/checkview/add")


@shows("new-row-for-another-office")
def _made(stock: Stock) -> bool:
    stock.client.post("/firmview/add", data={"name": "越权", "office": "2"})
    with stock.app.app_context():
        found = stock.db.session.execute(select(Firm.office_id).where(Firm.name == "越权")).scalar_one_or_none()
    return bool(found == 2)


@shows("own-row-moved-to-another-office")
def _moved(stock: Stock) -> bool:
    stock.client.post("/firmview/edit/3", data={"name": "甲店3", "office": "2"})
    with stock.app.app_context():
        return bool(stock.db.session.execute(select(Firm.office_id).where(Firm.id == 3)).scalar_one() == 2)


@shows("foreign-parent-over-rest")
def _rest(stock: Stock) -> bool:
    return stock.client.post("/api/v1/firm/", json={"name": "接口越权", "office": 2}).status_code == 201


# -- lists ------------------------------------------------------------------------------------------------------------


@shows("statement-a-row")
def _n_plus_one(stock: Stock) -> bool:
    return stock.sql("/checkview/list/?psize_CheckView=100") - stock.sql("/checkview/list/?psize_CheckView=10") > 50


@shows("page-size-without-bound")
def _size(stock: Stock) -> bool:
    return stock.text("/firmview/list/?psize_FirmView=100000").count("甲店") >= FIRMS - 2


@shows("unknown-order-is-500")
def _order(stock: Stock) -> bool:
    return stock.client.get("/checkview/list/?_oc_CheckView=office&_od_CheckView=asc").status_code == 500


@shows("word-for-a-page-number-is-500")
def _page(stock: Stock) -> bool:
    return stock.client.get("/checkview/list/?page_CheckView=abc").status_code == 500


@shows("method-argument-is-500")
def _method(stock: Stock) -> bool:
    return stock.client.get("/checkview/list/?_method=X").status_code == 500


@shows("whole-table-in-a-form")
def _whole(stock: Stock) -> bool:
    return stock.text("/checkview/add").count("<option") >= FIRMS


@shows("relations-in-the-search-form")
def _search(stock: Stock) -> bool:
    page = stock.text("/roundview/list/")
    return any(told in page for told in ("轮次的行", json.dumps("轮次的行").strip('"')))


# -- permissions, pages -----------------------------------------------------------------------------------------------


@shows("statement-a-menu-entry")
def _menu(stock: Stock) -> bool:
    return sum("EXISTS" in told.upper() for told in (stock.sql("/"), stock.statements)[1]) >= 10


@shows("unnamed-language")
def _lang(stock: Stock) -> bool:
    return " lang=" not in stock.text("/checkview/list/").split("<body")[0].split("<html")[1].split(">")[0]


@shows("no-heading")
def _heading(stock: Stock) -> bool:
    return "<h1" not in stock.text("/checkview/list/")


@shows("bare-error-page")
def _error(stock: Stock) -> bool:
    page = stock.text("/nothing-there")
    return "navbar" not in page and "viewport" not in page


@shows("english-in-a-chinese-page")
def _english(stock: Stock) -> bool:
    page = stock.text("/checkview/list/")
    return "Sure?" in page or "No row selected" in page or "List Check" in page


@shows("family-name-last")
def _name(stock: Stock) -> bool:
    return "国 建" in stock.text("/users/list/") or "国 建" in stock.text("/")


# -- security ---------------------------------------------------------------------------------------------------------


@shows("get-deletes")
def _get_deletes(stock: Stock) -> bool:
    stock.client.get("/checkview/delete/2")
    return stock.client.get("/checkview/show/2").status_code != 200


@shows("rest-write-by-cookie-without-token")
def _token(stock: Stock) -> bool:
    stock.app.config["WTF_CSRF_ENABLED"] = True
    try:
        return stock.client.post("/api/v1/firm/", json={"name": "无令牌", "office": 1}).status_code == 201
    finally:
        stock.app.config["WTF_CSRF_ENABLED"] = False


@shows("raw-sql-in-a-message")
def _raw_sql(stock: Stock) -> bool:
    stock.client.post("/firmview/add", data={"name": "甲店1", "office": "1"})
    page = stock.text("/firmview/list/")
    return "INSERT INTO" in page or "UNIQUE constraint" in page


@shows("copied-cookie-outlives-sign-out")
def _cookie(stock: Stock) -> bool:
    client = stock.signed_in()
    with client.session_transaction() as kept:
        copied = dict(kept)
    client.get("/logout/")
    other = stock.app.test_client()
    with other.session_transaction() as cookie:
        cookie.update(copied)
    return other.get("/checkview/list/").status_code == 200


@shows("no-headers")
def _headers(stock: Stock) -> bool:
    sent = stock.client.get("/checkview/list/").headers
    return "Content-Security-Policy" not in sent and "X-Content-Type-Options" not in sent


@shows("redirect-by-host-header")
def _host(stock: Stock) -> bool:
    client = stock.app.test_client()
    answer = client.post(
        "/login/?next=http://evil.example/x", data={"username": "admin", "password": "stock"},
        base_url="http://evil.example",
    )  # fmt: skip
    return "evil.example" in answer.headers.get("Location", "")


@shows("upload-writes-outside-its-folder")
def _upload(stock: Stock) -> bool:
    from PIL import Image

    (stock.folder / "images" / "a").mkdir(parents=True)
    picture = io.BytesIO()
    Image.new("RGB", (1, 1)).save(picture, "PNG")
    picture.seek(0)
    with stock.app.app_context():
        manager = ImageManager(base_path=str(stock.folder / "images") + "/", thumbnail_size=(3, 3, True))
        manager.save_file(FileStorage(picture, filename="outside.png"), "a/../../outside.png")
    return (stock.folder / "outside.png").exists()


def main() -> None:
    """Run every probe; a probe that breaks is an error, not a defect shown."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        stock = Stock(Path(folder))
        stock.app.config["PROPAGATE_EXCEPTIONS"] = False
        for name, probe in PROBES.items():
            found[name] = probe(stock)
        with stock.app.app_context():
            stock.db.engine.dispose()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
