"""Our side with a register: firms, sites, people, posts and charges of all stations, as a demonstration has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

from sqlalchemy import func, select

from app.core import clock
from app.core.access.context import acting, current_access
from app.core.db import current_session, unscoped
from app.core.fab.filtering import Days, OneOf, Range
from app.core.fab.relating import Related, filter_of, usable
from app.core.verbs import Verb
from app.models.lines import BITS
from app.serve import settle
from app.services.demo import make_demo
from app.services.ledger import Wanted, Which, by_line, counts, entries, size
from tests.bench.measure import counted
from tests.bench.ours import application
from tests.bench.ours_big import OursBig

LISTS = ("Enterprise", "Site", "Person", "Appointment", "Caretaker", "DirectorDecision", "Licence", "RiskGrading")
TAKEN = 3  # values of a filter
DEEP = 38
LEDGER_PAGE = 50


class OursRegister(OursBig):
    """The register as a chief of the busy station, a chief of a quiet one and a leader of the bureau see it."""

    def __init__(self, folder: str, firms: int, url: str = "") -> None:
        self.app = application(folder, 0, url)
        with self.app.app_context():
            made = make_demo(firms=firms, days=1)
            self.made = {name: made[name] for name in ("Enterprise", "Site", "Person", "Appointment", "Caretaker")}
            self.people()
            with unscoped("bench") as session:
                session.connection().exec_driver_sql("ANALYZE")
                session.commit()

    def sizes(self) -> dict[str, int]:
        """How many rows of each there are."""
        return self.made

    def lists(self, who: str) -> list[dict[str, Any]]:
        """Every filter with every order, the first page and a deep one; then the ledgers."""
        settle()
        views = {view.datamodel.obj.__name__: view for view in self.app.extensions["shouze_shell"].views}
        with self.app.app_context(), acting(self.people()[who]):
            may = [views[name] for name in LISTS if current_access().may(name, Verb.READ)]
            found = [self.listed(view, f"{view.route_base} {asked}", asked) for view in may for asked in wanted(view)]
            return found + [self.ledger(f"{which} {said}", one) for which, said, one in ledgers()]

    def ledger(self, what: str, one: Wanted) -> dict[str, Any]:
        """A page of a ledger with its figures, the second time of two."""
        for _turn in range(2):
            current_session().rollback()
            current_session().expunge_all()
            begun = self.watch()
            with counted() as heard:
                total, rows = size(one), list(entries(one, limit=LEDGER_PAGE))
                counts(one)
                by_line(one)
            ms = (self.watch() - begun) * 1000
        return {"what": f"ledger {what}", "ms": ms, "total": total, "rows": len(rows), "statements": len(heard)}


def wanted(view: Any) -> Iterator[dict[str, str]]:
    """The arguments of its lists: each filter with each order, the first page and a deep one."""
    orders = [sign + name for name in view.order_columns for sign in ("", "-")] or [view.default_order]
    filters = [{}, *(asked for name in view.list_filters for asked in _asked(view.datamodel.obj, name))]
    for narrowed, order, page in product(filters, orders, (1, DEEP)):
        yield narrowed | {"order": order, "page": str(page)}


def _asked(model: Any, name: str) -> Iterator[dict[str, str]]:
    if not usable(model, name):
        return
    one = filter_of(model, name)
    if isinstance(one, Related):
        key = current_session().scalar(select(func.max(one.target.id)))
        values = [str(key)] if key else []
    elif isinstance(one, OneOf):
        values = [value for value, _word in one.choices()][:TAKEN]
    else:
        values = [str(clock.today() - timedelta(days=20))] if isinstance(one, Days) else []
        values = values or (["10"] if isinstance(one, Range) else ["中心"])
    for value, argument in product(values, one.names()):
        yield {argument: value}


def ledgers() -> Iterator[tuple[Which, str, Wanted]]:
    """What is asked of the three lists."""
    day = clock.today()
    asked: dict[str, dict[str, Any]] = {
        "": {},
        "one line": {"line": next(iter(BITS.values()))},
        "longest": {"longest": True},
        "vacant 30": {"vacant": 30},
    }
    for which in Which:
        for said, narrowed in asked.items():
            yield which, said, Wanted(which, day, **narrowed)
        yield which, "a week ago", Wanted(which, day - timedelta(days=7))
