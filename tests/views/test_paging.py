"""Lists of any size: looking office by office shows exactly the rows that the predicate lets through, in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import func, not_, or_, select
from werkzeug.datastructures import MultiDict

from app.core.access.reach import reach
from app.core.db import current_session, is_sqlite
from app.core.entity import registry
from app.core.fab import listing, paging
from app.core.fab.filtering import Lines, OneOf, Range
from app.core.fab.relating import Related, filter_of, has_own_filter
from app.core.office import Office
from app.core.ordering import missing
from app.models.check import RiskList
from app.models.inspection import Inspection
from app.services.enterprise import transfer_site
from app.views import declared
from app.views.check import DailyCheckView
from app.views.enterprise import EnterpriseView, SiteView
from app.views.inspection import InspectionView
from app.views.rectification import NoticeView
from app.views.risk_list import RiskListView
from tests.support.house import A, B, House

ENTITIES = declared()[1]
CAST = [
    "suo-a",
    "suo-b",
    "yuan-a",
    "neiqin-a",
    "gu-canyin",
    "fagui",
    "ju",
    "zhuanban",
    "shi",
    "firm-a",
    "firm-b",
    "audit",
]
KEEPS: dict[str, Callable[[Any], bool]] = {
    "": bool,
    "state=已完成": lambda row: row.state == "已完成",
    "state=草稿": lambda row: row.state == "草稿",
    "state=正常": lambda row: row.state == "正常",
    "state=已提交&state=更正": lambda row: row.state == "已提交",
    "q=奈曼": lambda row: "奈曼" in row.name or "奈曼" in getattr(row, "enterprise", row).name,
    "late=1": lambda row: row.late,
    "site=1": lambda row: row.site_id == 1,
    "lines=2": lambda row: row.lines & 2 or row.lines == 0,
}  # filters as arguments, and by hand
ASKED: list[tuple[Any, str, str, str]] = [
    (InspectionView, "", "", ""),
    (InspectionView, "", "state", "size=3&page=2"),
    (InspectionView, "state=已完成", "-state", ""),
    (InspectionView, "state=草稿", "", ""),
    (InspectionView, "site=1", "kind", ""),
    (EnterpriseView, "q=奈曼", "name", ""),
    (EnterpriseView, "state=正常", "", "size=5&page=2"),
    (SiteView, "", "-name", "size=5&page=3"),
    (SiteView, "q=奈曼", "", ""),
    (SiteView, "lines=2", "risk_grade", "size=4&page=2"),
    (NoticeView, "", "", ""),
    (DailyCheckView, "", "", "size=7&page=3"),
    (DailyCheckView, "late=1", "-unit", ""),
    (DailyCheckView, "state=已提交&state=更正", "unit", "size=9&page=2"),
    (RiskListView, "", "title", ""),
    (RiskListView, "", "", "size=2&page=2"),
]


def listed(view: Any, args: str) -> tuple[list[int], int]:
    """Keys of a page, and how many rows were counted."""
    screen = view()
    query, names, filters, _order = screen.list_query(MultiDict(parse_qsl(args)))
    rows, total = listing.list_rows(screen.model, names, screen.datamodel, query, filters)
    return [row.id for row in rows], total


def plain(view: Any, keep: str, order: str) -> list[int]:
    """All that the session shows, filtered and sorted by hand; nothing comes first, as the database has it."""
    default = view.default_order
    rows = [row for row in current_session().scalars(select(view.datamodel.obj)) if KEEPS[keep](row)]
    order = order or default
    names = list(dict.fromkeys([order.removeprefix("-"), default.removeprefix("-"), "id"]))
    first = is_sqlite(current_session().connection())  # SQLite begins with nothing, PostgreSQL ends with it

    def key(row: Any) -> list[Any]:
        values = [getattr(row, name) for name in names]
        return [((value is not None) == first, value if value is not None else 0) for value in values]

    rows.sort(key=key, reverse=order.startswith("-"))
    return [row.id for row in rows]


def test_every_person_sees_what_the_predicate_shows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some sites have moved: who made the records keeps reading them, and sees none twice."""
    monkeypatch.setattr(RiskList, "__grows__", True)  # templates everybody reads, lists of a whole firm
    with house.app.app_context():
        site, other = house.site_of(A), house.site_of(B)
        transfer_site(site, house.offices[B], date(2026, 11, 1), "区域调整")
        transfer_site(other, house.offices[A], date(2026, 11, 1), "区域调整")
    seen: dict[tuple[str, str], int] = {}
    for cap in (1000, 2):  # two: so that everything counts as common, and is looked for in the order of the list
        monkeypatch.setattr(paging, "COUNT_CAP", cap)
        monkeypatch.setattr(paging, "SORTED", cap)
        monkeypatch.setattr(paging, "DEEPER", 0)
        for who in CAST:
            with house.acting(who):
                for view, keep, order, more in ASKED:
                    expected = plain(view, keep, order)
                    ids, total = listed(view, f"{keep}&order={order}&{more}")
                    asked = dict(parse_qsl(more))
                    size = int(asked.get("size", 25))
                    page = min(int(asked.get("page", 1)), listing.last_page(min(len(expected), cap + 1), size))
                    assert total == min(len(expected), cap + 1), (who, view, keep, cap)
                    assert ids == expected[(page - 1) * size :][:size], (who, view, keep, order, cap)
                    name = view.__name__
                    seen[who, name] = max(seen.get((who, name), 0), len(expected))
                current_session().rollback()
    for name, readers in (("InspectionView", {"suo-a", "ju"}), ("DailyCheckView", {"suo-a", "firm-a", "ju"}),
                          ("RiskListView", {"suo-a", "firm-a", "ju"})):  # fmt: skip
        assert {who for who in readers if not seen[who, name]} == set(), name
    assert 0 < seen["suo-b", "InspectionView"] < seen["ju", "InspectionView"]


def test_reaching_agrees_with_the_predicate(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the predicate lets through lies in what `reach` names, for every entity that an office answers for."""
    looked_at = 0
    for model in registry().values():
        monkeypatch.setattr(model, "__grows__", True)
    for who in CAST:
        with house.acting(who) as access:
            for model in registry().values():
                if (found := reach(access, model)) is None or model is Office:
                    continue
                scoped: Any = model
                offices = or_(scoped.office_id.in_(found.offices), scoped.made_office_id.in_(found.offices))
                outside = select(func.count(scoped.id)).where(not_(func.coalesce(or_(offices, *found.named), False)))
                assert current_session().scalar(outside) == 0, (who, model)
                looked_at += 1
    assert looked_at > 8 * len(CAST)


def test_a_list_asks_a_bounded_number_of_statements(house: House) -> None:
    for who in ("suo-a", "ju", "gu-canyin"):
        client = house.client(who)
        for path in ("/inspections/", "/enterprises/?q=奈曼", "/notices/?state=草稿&order=state", "/sites/?page=2"):
            client.get(path)
            with house.statements() as told:
                assert client.get(path).status_code == 200
            asked = [one for one in told if one.startswith(("SELECT", "WITH"))]
            assert len(asked) <= 8, (who, path, asked)


@pytest.mark.parametrize("page", ["1000", "41", "999999999", "-3", "x"])
def test_deep_pages_are_bounded(small: House, page: str) -> None:
    client = small.client("ju")
    with small.statements() as told:
        assert client.get(f"/inspections/?page={page}&size=100").status_code == 200
    assert told


@pytest.mark.parametrize("view", ENTITIES, ids=lambda view: view.__name__)
def test_every_growing_entity_has_the_indexes_its_lists_need(view: Any) -> None:
    """What is missing is told by its columns: put `list_indexes` into the model and the migration."""
    model = view.datamodel.obj
    if not model.__grows__:
        return
    order = getattr(view, "order_columns", None) or []
    filters = [filter_of(model, name) for name in view.list_filters]
    served = (OneOf, Range, Related)  # of equality or of a range; no index finds a part of a text, or bits
    stored = [one for one in filters if isinstance(one, Related) or not has_own_filter(model, one.name)]
    wanted = [one for one in stored if isinstance(one, served) and not isinstance(one, Lines)]
    names = [
        one.key.key if isinstance(one, Related) else one.name for one in wanted if not getattr(one, "indexed", False)
    ]
    assert missing(model, order, names, view.default_order) == []


def test_what_grows_without_end_is_known() -> None:
    growing = {view.datamodel.obj.__name__ for view in ENTITIES if view.datamodel.obj.__grows__}
    assert growing == {"Enterprise", "Site", "Inspection", "Notice", "DailyCheck", "HistoryEntry", "CensusLine"}


def test_a_missing_index_is_told() -> None:
    by_office = [("office_id", "place", "date", "id"), ("made_office_id", "place", "date", "id")]
    assert missing(Inspection, [], ["place", "kind"], "-date") == by_office
    assert missing(Inspection, ["place"], [], "-date") == [("place", "date", "id"), *by_office]
    with pytest.raises(ValueError, match="another default order"):
        missing(Inspection, ["place"], [], "-id")


def test_a_busy_office_is_read_through_the_index_of_the_order(small: House) -> None:
    """No sort of all its rows, whatever the statistics say: SQLite tells its plan."""
    with small.acting("suo-a"), small.statements() as told:
        query = listing.ListQuery(Inspection, ["date", "kind"], [], "-date", {"order": "kind"})
        statement = listing.build_query(query, [])
        order = paging.ordered(Inspection, "kind", "-date")
        page = paging.page(statement, order, 0, 25)
        current_session().scalars(page).all()
        connection = current_session().connection()
        compiled = page.compile(connection, compile_kwargs={"literal_binds": True})
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert told
    assert any("ix_inspection_list_kind_date" in line for line in plan), plan
