"""A list page from a view's declaration and the address: search, filters, order, page, all bounded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext as _
from sqlalchemy import Boolean, Date, Select, inspect, select, true
from sqlalchemy.orm import joinedload

from app.core.access.context import current_access
from app.core.db import current_session
from app.core.entity import Entity
from app.core.fab import paging
from app.core.fab.cells import cell, label_of, url_of
from app.core.fab.interface import AppInterface
from app.core.fab.paging import COUNT_CAP
from app.core.screen import ActiveFilter, ColumnHead, FilterBox, Pager, Row
from app.core.search_index import matching
from app.core.types import UtcDateTime

SIZES = (25, 50, 100)
LONGEST_QUERY = 100  # characters of a search


class ListQuery:
    """The list arguments of a request (or of a job that repeats it), checked: what is unknown or out of bounds falls
    back to the default."""

    def __init__(
        self, model: type[Entity], order_columns: list[str], filters: list[str], default_order: str,
        args: Mapping[str, str], path: str = "",
    ) -> None:  # fmt: skip
        self.model, self.args, self.path, self.default_order = model, args, path, default_order
        self.text = args.get("q", "").replace("\0", "").strip()[:LONGEST_QUERY]
        self.narrow = False  # whether an index finds the few rows that come in question
        self.page = _bounded(args.get("page"), 1, COUNT_CAP, 1)
        self.size = _bounded(args.get("size"), 1, max(SIZES), SIZES[0])
        order = args.get("order", default_order)
        self.order = order if order.removeprefix("-") in order_columns else default_order
        self.values: dict[str, str] = {}
        for name in filters:
            for key in (name, f"{name}_from", f"{name}_to"):
                if value := args.get(key, "").replace("\0", "").strip()[:LONGEST_QUERY]:
                    self.values[key] = value

    def url(self, **changes: Any) -> str:
        """This list with other arguments; None takes one away."""
        now: dict[str, Any] = {
            "q": self.text,
            "order": self.args.get("order", ""),
            "size": self.args.get("size", ""),
        }
        now |= self.values | changes
        kept = {key: value for key, value in now.items() if value not in (None, "")}
        return f"{self.path}?{urlencode(kept)}" if kept else self.path


def _bounded(text: str | None, least: int, most: int, default: int) -> int:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 9:
        return default
    return min(max(int(text), least), most)


def build_query(query: ListQuery, filters: list[str]) -> Select[Any]:
    """The rows asked for; the session adds which of them the person may see."""
    statement = select(query.model)
    if query.text:
        query.narrow, clause = search(query.model, query.text)
        statement = statement.where(clause)
    for name in filters:
        for clause in _filter_clauses(query, name):
            statement = statement.where(clause)
    return statement.order_by(*paging.ordered(query.model, query.order, query.default_order))


def search_clause(model: type[Entity], text: str) -> Any:
    """Rows that match typed text: in the search key (name, pinyin, initials) and in the declared columns."""
    return search(model, text)[1]


def search(model: type[Entity], text: str) -> tuple[bool, Any]:
    """The same, and whether the search index leaves only a few rows to look at."""
    hidden = current_access().hidden(model.policy_name())
    return matching(model, text, [name for name in getattr(model, "__search__", ("name",)) if name not in hidden])


def newest(model: type[Entity], text: str, most: int) -> list[Any]:
    """The newest rows that match typed text (all when there is none): for type-ahead and the search over everything."""
    narrow, clause = search(model, text) if text else (False, true())
    order = paging.ordered(model, "-made_at", "-made_at")
    page = paging.page(select(model).where(clause), order, COUNT_CAP + 1, 0, most, narrow=narrow)
    return list(current_session().scalars(page).unique())


def _filter_clauses(query: ListQuery, name: str) -> list[Any]:
    column = inspect(query.model).columns.get(name)
    attribute = getattr(query.model, name)
    if column is None:
        key = query.values.get(name, "")
        return [attribute.has(id=int(key))] if key.isascii() and key.isdigit() and len(key) < 18 else []
    if isinstance(column.type, Date):
        return _date_clauses(query, name, attribute)
    value = query.values.get(name)
    if value is None:
        return []
    if isinstance(column.type, Boolean):
        return [attribute.is_(value == "1")]
    choices = column.info.get("choices")
    return [attribute == value] if choices is None or value in set(choices) else []


def _date_clauses(query: ListQuery, name: str, attribute: Any) -> list[Any]:
    found = []
    for suffix, compare in (("_from", attribute.__ge__), ("_to", attribute.__le__)):
        try:
            found.append(compare(date.fromisoformat(query.values[name + suffix])))
        except (KeyError, ValueError):
            query.values.pop(name + suffix, None)
    return found


def filter_boxes(query: ListQuery, filters: list[str]) -> tuple[list[FilterBox], list[ActiveFilter]]:
    """The boxes above the list, and those in force with the link that removes each."""
    boxes: list[FilterBox] = []
    for name in filters:
        boxes += _boxes(query, name)
    active = []
    for box in boxes:
        if value := query.values.get(box.name):
            box.value = value
            shown = {str(key): text for key, text in box.choices}.get(value, value)
            label = _("%(what)s：%(value)s", what=box.label, value=shown)
            active.append(ActiveFilter(label, query.url(**{box.name: None})))
    return boxes, active


def _boxes(query: ListQuery, name: str) -> list[FilterBox]:
    column = inspect(query.model).columns.get(name)
    label = label_of(query.model, name)
    if column is None:
        return []
    if isinstance(column.type, (Date, UtcDateTime)):
        return [
            FilterBox(f"{name}_from", _("%(what)s 从", what=label), "date"),
            FilterBox(f"{name}_to", _("%(what)s 到", what=label), "date"),
        ]
    if isinstance(column.type, Boolean):
        return [FilterBox(name, label, "choice", choices=[("", _("全部")), ("1", _("是")), ("0", _("否"))])]
    choices = [(one.value, _(one.value)) for one in column.info.get("choices") or ()]
    return [
        FilterBox(name, label, "choice" if choices else "text", choices=[("", _("全部")), *choices] if choices else [])
    ]


def heads(query: ListQuery, names: list[str], order_columns: list[str]) -> list[ColumnHead]:
    """The column heads with their sorting links."""
    found = []
    for number, name in enumerate(names):
        head = ColumnHead(name, label_of(query.model, name), hide_on_phone=number > 4)
        if name in order_columns:
            down = query.order == name
            head.sort_url = query.url(order=f"-{name}" if down else name)
            if query.order.removeprefix("-") == name:
                head.sorted = "asc" if down else "desc"
        found.append(head)
    return found


def row_of(row: Entity, names: list[str]) -> Row:
    """A row of cells; the first opens the record, so no cell repeats that link."""
    cells = [cell(row, name, link=number > 0) for number, name in enumerate(names)]
    return Row(url_of(row) or "", str(row), cells)


def loading(model: type[Entity], names: list[str]) -> tuple[Any, ...]:
    """Loader options so that no cell asks the database again."""
    relations = inspect(model).relationships
    wanted = {name.partition(".")[0] for name in names if name.partition(".")[0] in relations}
    return tuple(joinedload(getattr(model, name)) for name in sorted(wanted))


def pager(query: ListQuery, total: int, shown: int) -> Pager:
    """Where we are; the next page exists when this one is full and more were counted."""
    first = (query.page - 1) * query.size + 1
    more = first + shown - 1 < total and shown == query.size
    text = _("%(n)s 条", n=total) if total <= COUNT_CAP else _("超过 %(n)s 条", n=COUNT_CAP)
    return Pager(
        first=first if shown else 0,
        last=first + shown - 1 if shown else 0,
        total_text=text,
        page=query.page,
        prev_url=query.url(page=query.page - 1 if query.page > 2 else None) if query.page > 1 else None,
        next_url=query.url(page=query.page + 1) if more else None,
        sizes=[(size, query.url(size=size), size == query.size) for size in SIZES],
    )


def list_rows(
    model: type[Entity], names: list[str], interface: AppInterface, query: ListQuery, filters: list[str]
) -> Any:
    """(rows, total) of the page asked for: two statements."""
    statement = build_query(query, filters)
    total = interface.count(statement, narrow=query.narrow)
    order = paging.ordered(query.model, query.order, query.default_order)
    rows = interface.page(statement, query.page - 1, query.size, loading(model, names), order=order, total=total,
                          narrow=query.narrow)  # fmt: skip
    return rows, total
