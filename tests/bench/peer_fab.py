"""The peer: stock Flask-AppBuilder 5.3 as its documentation sets it up; equal models, columns, page size."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, Text, insert
from sqlalchemy.orm import relationship

from tests.bench.firms import firms
from tests.bench.measure import Pages

COLUMNS = ["name", "code", "legal_person", "phone", "address", "state"]


class Office(Model):
    """机构."""

    __tablename__ = "office"
    id = Column(Integer, primary_key=True)
    name = Column(String(60), nullable=False)

    def __repr__(self) -> str:
        return str(self.name)


class Enterprise(Model):
    """主体."""

    __tablename__ = "enterprise"
    id = Column(Integer, primary_key=True)
    name = Column(String(120), nullable=False)
    code = Column(String(18), unique=True)
    org_form = Column(String(20))
    legal_person = Column(String(60), nullable=False)
    phone = Column(String(30))
    address = Column(String(200), nullable=False)
    state = Column(String(20), nullable=False)
    note = Column(Text)
    office_id = Column(Integer, ForeignKey("office.id"), nullable=False, index=True)
    office = relationship(Office)

    def __repr__(self) -> str:
        return str(self.name)


class Site(Model):
    """经营场所."""

    __tablename__ = "site"
    id = Column(Integer, primary_key=True)
    enterprise_id = Column(Integer, ForeignKey("enterprise.id"), nullable=False, index=True)
    office_id = Column(Integer, ForeignKey("office.id"), index=True)
    name = Column(String(120), nullable=False)
    address = Column(String(200), nullable=False, default="")
    kind = Column(String(30), nullable=False)
    lines = Column(Integer, nullable=False, default=0)
    risk_grade = Column(String(1))
    state = Column(String(20), nullable=False, default="正常")
    licence_kind = Column(String(30))
    licence_no = Column(String(40))
    licence_until = Column(Date)
    enterprise = relationship(Enterprise)
    area = relationship(Office)


class Inspection(Model):
    """检查."""

    __tablename__ = "inspection"
    id = Column(Integer, primary_key=True)
    site_id = Column(Integer, ForeignKey("site.id"), nullable=False, index=True)
    date = Column(Date, nullable=False)
    kind = Column(String(20), nullable=False)
    unannounced = Column(Boolean, nullable=False, default=False)
    summary = Column(Text, nullable=False, default="")
    site = relationship(Site)


class EnterpriseView(ModelView):
    """Searching columns are named: by default a list would also fill a drop-down with each relation."""

    datamodel = SQLAInterface(Enterprise)
    list_columns = COLUMNS
    search_columns: ClassVar = ["name", "code", "legal_person", "state", "org_form"]
    page_size = 25


class SiteView(ModelView):
    """The form has a drop-down of all firms: FAB's default."""

    datamodel = SQLAInterface(Site)
    list_columns: ClassVar = ["name", "enterprise", "kind", "state"]
    search_columns: ClassVar = ["name", "kind", "state"]
    add_columns: ClassVar = ["enterprise", "name", "area", "address", "kind", "lines", "risk_grade", "state",
                   "licence_kind", "licence_no", "licence_until"]  # fmt: skip


def _more(number: int) -> type[ModelView]:
    model = type(f"Thing{number}", (Model,), {
        "__tablename__": f"thing_{number}", "id": Column(Integer, primary_key=True), "name": Column(String(120)),
    })  # fmt: skip
    return type(f"Thing{number}View", (ModelView,), {"datamodel": SQLAInterface(model), "list_columns": ["name"]})


def application(folder: str, views: int) -> tuple[Flask, SQLA]:
    """A stock application with `views` screens in five menu categories; makes its tables and permissions at start."""
    app = Flask("peer")
    app.config.update(
        SECRET_KEY="bench", SQLALCHEMY_DATABASE_URI=f"sqlite:///{Path(folder) / 'fab.db'}", BABEL_DEFAULT_LOCALE="zh",
        LANGUAGES={"zh": {"flag": "cn", "name": "中文"}}, FAB_PASSWORD_HASH_METHOD="pbkdf2:sha256:1",
    )  # fmt: skip
    db = SQLA()
    with app.app_context():
        db.init_app(app)
        fab = AppBuilder(app, db.session)
        fab.add_view(EnterpriseView, "Enterprises", category="Firms")
        fab.add_view(SiteView, "Sites", category="Firms")
        for number in range(views - 2):
            fab.add_view(_more(number), f"Thing {number}", category=f"Group {number % 5}")
        Model.metadata.create_all(db.engine)
        if not fab.sm.find_user("admin"):
            fab.sm.add_user("admin", "A", "B", "a@example.org", fab.sm.find_role("Admin"), password="bench")
    return app, db


class Fab(Pages):
    """Stock FAB's pages as its administrator sees them."""

    paths: ClassVar = {
        "list": "/enterpriseview/list/",
        "form": "/siteview/add",
        "search": "/enterpriseview/list/?_flt_2_name=面馆",
    }

    def __init__(self, folder: str, rows: int, views: int) -> None:
        self.app, self.db = application(folder, views)
        with self.app.app_context():
            connection = self.db.session.connection()
            connection.execute(insert(Office.__table__), [{"id": n, "name": f"所{n}"} for n in range(1, 17)])
            connection.execute(insert(Enterprise.__table__), [firm | {"office_id": 1} for firm in firms(rows)])
            connection.execute(insert(Site.__table__), [{"enterprise_id": n, "name": "场所", "kind": "餐饮服务企业"}
                                                        for n in range(1, min(rows, 200) + 1)])  # fmt: skip
            connection.exec_driver_sql("ANALYZE")
            self.db.session.commit()
        self.client = self.app.test_client()
        with self.client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = "1", True

    def ready(self) -> dict[str, int]:
        """What stands."""
        with self.app.app_context():
            stored = self.db.session.query(Enterprise).count()
        return {"rows": stored, "views": self.get(self.paths["list"]).decode().count('view/list/"')}

    def get(self, path: str) -> bytes:
        """A page."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("Location"))
        return bytes(answer.data)

    def add(self, site_id: int) -> bool:
        """Save one inspection as FAB's own form does: raises what the database says."""
        with self.app.app_context():
            item = Inspection(site_id=site_id, date=date(2026, 11, 20), kind="日常监督检查", summary="现场检查。")
            SQLAInterface(Inspection, self.db.session).add(item)
        return True

    def submit(self, seconds: float, threads: int) -> dict[str, Any]:
        """Several threads saving at once."""
        from tests.bench.load import load

        return load(lambda number: self.add(number % 200 + 1), seconds, threads)
