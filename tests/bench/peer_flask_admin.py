"""The peer: Flask-Admin 2 as its documentation sets it up; equal models (stock FAB's), columns, page size, language."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_admin.theme import Bootstrap4Theme
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Integer, String, insert
from sqlalchemy.orm import mapped_column

from tests.bench.firms import firms
from tests.bench.measure import Pages
from tests.bench.peer_fab import COLUMNS, Enterprise, Model, Office, Site

EnterpriseView = type("EnterpriseView", (ModelView,), {
    "column_list": COLUMNS, "column_filters": ("state", "org_form"), "column_searchable_list": ("name", "code"),
    "page_size": 25, "column_default_sort": ("id", True),
})  # fmt: skip
SiteView = type("SiteView", (ModelView,), {
    "column_list": ("name", "enterprise", "kind", "state"), "column_searchable_list": ("name",),
    "form_columns": ("enterprise", "name", "area", "address", "kind", "lines", "risk_grade", "state", "licence_kind",
                     "licence_no", "licence_until"),
})  # fmt: skip


def _more(number: int) -> Any:
    made = {"__tablename__": f"thing_{number}", "id": mapped_column(Integer, primary_key=True),
            "name": mapped_column(String(120))}  # fmt: skip
    return type(f"Thing{number}", (Model,), made)


def application(folder: str, views: int) -> tuple[Flask, SQLAlchemy]:
    """The application on a database in `folder`; any visitor may do all, its default."""
    app = Flask(__name__)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{Path(folder) / 'admin.db'}", SECRET_KEY="bench",
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
    )  # fmt: skip
    Babel(app)
    db = SQLAlchemy(app, model_class=Model)
    admin = Admin(app, name="Bench", theme=Bootstrap4Theme())
    admin.add_view(EnterpriseView(Enterprise, db, name="Enterprises", category="Firms"))
    admin.add_view(SiteView(Site, db, name="Sites", category="Firms"))
    for number in range(views - 2):
        admin.add_view(ModelView(_more(number), db, name=f"Thing {number}", category=f"Group {number % 5}"))
    with app.app_context():
        Model.metadata.create_all(db.engine)
    return app, db


class FlaskAdmin(Pages):
    """Flask-Admin's pages as any visitor sees them."""

    paths: ClassVar = {
        "list": "/admin/enterprise/", "form": "/admin/site/new/", "search": "/admin/enterprise/?search=面馆",
    }  # fmt: skip

    def __init__(self, folder: str, rows: int, views: int) -> None:
        self.app, self.db = application(folder, views)
        with self.app.app_context():
            connection = self.db.session.connection()
            connection.execute(insert(Office.__table__), [{"id": n, "name": f"所{n}"} for n in range(1, 17)])
            connection.execute(insert(Enterprise.__table__), [firm | {"office_id": 1} for firm in firms(rows)])
            connection.exec_driver_sql("ANALYZE")
            self.db.session.commit()
        self.client = self.app.test_client()

    def ready(self) -> dict[str, int]:
        """What stands."""
        with self.app.app_context():
            stored = self.db.session.query(Enterprise).count()
        menu = self.get(self.paths["list"]).decode().partition("<nav")[2].partition("</nav>")[0]
        return {"rows": stored, "views": menu.count("dropdown-item")}

    def get(self, path: str) -> bytes:
        """A page."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("Location"))
        return bytes(answer.data)
