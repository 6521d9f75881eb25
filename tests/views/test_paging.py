"""Lists of any size: looking office by office shows exactly the rows that the predicate lets through, in order."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.core.db import current_session
from app.core.entity import Entity
from app.core.fab import listing, paging
from app.core.fab.interface import AppInterface
from app.core.ordering import missing
from app.models.enterprise import Enterprise
from app.models.inspection import Inspection
from app.models.rectification import Notice
from app.services.enterprise import transfer_site
from app.views import ENTITIES
from tests.support.house import A, B, House

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
ASKED: list[tuple[type[Entity], list[str], str, dict[str, str]]] = [
    (Inspection, ["date", "state"], "-date", {}),
    (Inspection, ["date", "state"], "-date", {"order": "state", "size": "3", "page": "2"}),
    (Inspection, ["date", "state"], "-date", {"state": "已完成", "order": "-state"}),
    (Inspection, ["date", "state"], "-date", {"state": "草稿"}),
    (Enterprise, ["name", "state"], "-made_at", {"q": "奈曼", "order": "name"}),
    (Enterprise, ["name", "state"], "-made_at", {"state": "正常", "size": "5", "page": "2"}),
    (Notice, ["state"], "-made_at", {}),
]


def listed(model: type[Entity], order: list[str], default: str, args: dict[str, str]) -> tuple[list[int], int]:
    query = listing.ListQuery(model, order, ["state"], default, args)
    rows, total = listing.list_rows(model, ["state"], AppInterface(model), query, ["state"])
    return [row.id for row in rows], total


def plain(model: type[Entity], default: str, args: dict[str, str]) -> list[int]:
    """All that the session shows, filtered and sorted by hand."""
    rows = current_session().scalars(select(model)).all()
    kept = [row for row in rows if args.get("state") in (None, row.state)]  # type: ignore[attr-defined]
    kept = [row for row in kept if args.get("q", "") in getattr(row, "name", "")]
    order = args.get("order", default)
    names = list(dict.fromkeys([order.removeprefix("-"), default.removeprefix("-"), "id"]))
    kept.sort(key=lambda row: [getattr(row, name) for name in names], reverse=order.startswith("-"))
    return [row.id for row in kept]


def test_every_person_sees_what_the_predicate_shows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some sites have moved: who made the records keeps reading them, and sees none twice."""
    with house.app.app_context():
        site, other = house.site_of(A), house.site_of(B)
        transfer_site(site, house.offices[B], date(2026, 11, 1), "区域调整")
        transfer_site(other, house.offices[A], date(2026, 11, 1), "区域调整")
    seen = set()
    for cap in (1000, 2):  # two: so that everything counts as common, and is looked for in the order of the list
        monkeypatch.setattr(paging, "COUNT_CAP", cap)
        for who in CAST:
            with house.acting(who):
                for model, order, default, args in ASKED:
                    expected = plain(model, default, args)
                    ids, total = listed(model, order, default, args)
                    size, page = int(args.get("size", 25)), int(args.get("page", 1))
                    first = min((page - 1) * size, cap)
                    assert total == min(len(expected), cap + 1), (who, model, args)
                    assert ids == expected[first : first + size], (who, model, args, cap)
                    seen.add((who, model, len(expected)))
                current_session().rollback()
    assert {who for who, _model, count in seen if count} >= {"suo-a", "suo-b", "gu-canyin", "ju", "firm-a"}
    most = {who: max(n for one, model, n in seen if (one, model) == (who, Inspection)) for who in ("suo-b", "ju")}
    assert 0 < most["suo-b"] < most["ju"]


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
    order = getattr(view, "order_columns", None) or []
    columns = {column.name for column in model.__table__.columns}
    names = [name for name in dict.fromkeys((*order, *view.list_filters)) if name in columns]
    assert missing(model, names, view.default_order) == []


def test_a_missing_index_is_told() -> None:
    assert missing(Inspection, ["place"], "-date") == [
        ("office_id", "place", "date", "id"),
        ("made_office_id", "place", "date", "id"),
    ]
    with pytest.raises(ValueError, match="another default order"):
        missing(Inspection, ["place"], "-id")


def test_a_busy_office_is_read_through_the_index_of_the_order(small: House) -> None:
    """No sort of all its rows, whatever the statistics say: SQLite tells its plan."""
    with small.acting("suo-a"), small.statements() as told:
        query = listing.ListQuery(Inspection, ["date", "kind"], [], "-date", {"order": "kind"})
        statement = listing.build_query(query, [])
        order = paging.ordered(Inspection, "kind", "-date")
        page = paging.page(statement, order, paging.COUNT_CAP + 1, 0, 25)
        current_session().scalars(page).all()
        connection = current_session().connection()
        compiled = page.compile(connection, compile_kwargs={"literal_binds": True})
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert told
    assert any("ix_inspection_list_kind_date" in line for line in plan), plan
