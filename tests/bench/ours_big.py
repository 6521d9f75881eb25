"""Our side with very many rows: inspections of all stations, and firms searched for."""

from __future__ import annotations

import time
from datetime import date, timedelta
from itertools import product
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.context import acting
from app.core.db import current_session, unscoped
from app.core.fab import listing
from app.core.fab.interface import AppInterface
from app.core.office import Account, Family, Office
from app.models.enterprise import Enterprise
from app.models.inspection import Inspection
from app.serve import settle
from app.services.office import add_account, add_posting
from app.views.enterprise import EnterpriseView
from app.views.inspection import InspectionView
from tests.bench.measure import counted
from tests.bench.ours import SITES, STATION, Ours

QUIET, BUREAU = "150525-S02", "150525"
WORDS = ("面馆", "超市", "mg", "naiman", "qweqwe", "0150525", "MA0000", "龘", "旗", "没有")
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"state": "草稿"}, {"state": "已完成"}, {"state": "已作废"}, {"kind": "飞行检查"}, {"kind": "日常监督检查"},
    {"selection": "投诉举报"}, {"selection": "计划"}, {"result": "不符合"}, {"result": "符合"},
    {"date_from": "2026-05-20"}, {"date_to": "2019-01-05"}, {"date_from": "2022-01-01"},
)  # fmt: skip
PAGES = ("1", "38")
ORDERS = ("-date", "date", "kind", "-kind", "result", "-result", "state", "-state")
CHUNK = 20_000


def stations(session: Session) -> tuple[dict[str, int], list[int]]:
    """Every station's key by its code, and the keys of those that are neither the busy one nor the quiet."""
    codes = {office.code: office.id for office in session.scalars(select(Office)) if "-S" in office.code}
    return codes, [key for code, key in sorted(codes.items()) if code not in {STATION, QUIET}]


class OursBig(Ours):
    """Inspections as seen by three people: of a busy station, of a quiet one, of the bureau."""

    watch = staticmethod(time.process_time)

    def people(self) -> dict[str, int]:
        """Username to account."""
        with unscoped("bench") as session:
            if not session.scalar(select(Account.id).where(Account.username == "busy")):
                for name, office, role in (("busy", STATION, "chief"), ("quiet", QUIET, "chief"),
                                           ("all", BUREAU, "leader")):  # fmt: skip
                    add_account(name, name, Family.BUSINESS, office, "", must_change=False)
                    add_posting(name, office, role)
            return {one.username: one.id for one in session.scalars(select(Account))}

    def grow(self, rows: int) -> None:
        """A third of all rows in one station, a two-thousandth in another, some of them made elsewhere."""
        with self.app.app_context(), unscoped("bench") as session:
            self.people()
            codes, rest = stations(session)
            session.rollback()
            connection = session.connection(execution_options={"shouze_write": True})
            for start in range(0, rows, CHUNK):
                made = [_visit(n, rows, codes, rest) for n in range(start, min(start + CHUNK, rows))]
                connection.execute(insert(Inspection.__table__), made)
            connection.exec_driver_sql("ANALYZE")
            session.commit()

    def lists(self, who: str) -> list[dict[str, Any]]:
        """Every filter with every order, the first page and a deep one: milliseconds, statements, rows counted."""
        settle()
        with self.app.app_context(), acting(self.people()[who]):
            return [
                self.listed(
                    InspectionView, f"{narrowed or ''} {order} page {page}", narrowed | {"order": order, "page": page}
                )
                for narrowed, order, page in product(FILTERS, ORDERS, PAGES)
            ]

    def listed(self, view: Any, what: str, args: dict[str, str]) -> dict[str, Any]:
        """The second time of two: the first fills SQLAlchemy's cache."""
        for _turn in range(2):
            current_session().rollback()
            current_session().expunge_all()
            model = view.datamodel.obj
            begun = self.watch()
            order = getattr(view, "order_columns", [])
            query = listing.ListQuery(model, [*order, "id"], view.list_filters, view.default_order, args)
            with counted() as heard:
                rows, total = listing.list_rows(model, view.list_columns, AppInterface(model), query, view.list_filters)
            ms = (self.watch() - begun) * 1000
        return {"what": what, "ms": ms, "total": total, "rows": len(rows), "statements": len(heard)}


def _visit(n: int, rows: int, codes: dict[str, int], rest: list[int]) -> dict[str, Any]:
    office = codes[QUIET] if n % 2000 == 0 else codes[STATION] if n % 3 == 0 else rest[n % len(rest)]
    return {
        "public_id": f"b{n}", "version": 1, "made_at": clock.now(), "office_id": office,
        "made_office_id": codes[QUIET] if n % 5000 == 1 else office, "lines": 4, "site_id": n % SITES + 1,
        "date": date(2019, 1, 1) + timedelta(n * 2700 // rows), "unannounced": n % 5 == 0, "place": "现场",
        "kind": ("专项检查", "飞行检查")[n % 7] if n % 7 < 2 else "日常监督检查", "inspector_id": 1,
        "co_inspector_id": 2, "summary": "", "sealed": False,
        "selection": "投诉举报" if n % 1000 == 3 else "双随机" if n % 4 == 0 else "计划",
        "result": "符合" if n % 3 == 0 else "不符合" if n % 50 == 1 else "基本符合",
        "state": "草稿" if n > rows - rows // 2000 else "已作废" if n % 700 == 5 else "已完成",
    }  # fmt: skip


class OursSearch(OursBig):
    """Firms of all stations, searched by the bureau."""

    def words(self) -> dict[str, tuple[float, int]]:
        """Each word: milliseconds of the list, how many were counted."""
        with self.app.app_context():
            people = self.people()
            with unscoped("bench") as session:
                keys = [key for key in session.scalars(select(Office.id).where(Office.code.like("%-S%")))]
                connection = session.connection()
                for place, key in enumerate(keys[1:]):
                    mine = Enterprise.__table__.c.id % (2 * len(keys)) == place
                    connection.execute(
                        update(Enterprise.__table__).where(mine).values(office_id=key, made_office_id=key)
                    )
                session.commit()
            with acting(people["all"]):
                found = {word: self.listed(EnterpriseView, word, {"q": word}) for word in WORDS}
        return {word: (one["ms"], one["total"]) for word, one in found.items()}
