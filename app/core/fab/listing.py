"""A list page from a view's declaration and the address: search, filters, order, page, all bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, select
from werkzeug.datastructures import MultiDict

from app.core.access.veil import concealed
from app.core.batched import load_batch
from app.core.db import current_session
from app.core.entity import Entity
from app.core.fab import paging
from app.core.fab.cells import cell, label_of, url_of
from app.core.fab.filtering import Values, texts
from app.core.fab.interface import AppInterface
from app.core.fab.naming import loading, named_by
from app.core.fab.relating import Related, filter_of
from app.core.fab.searching import search, search_clause
from app.core.screen import ActiveFilter, ColumnHead, FilterBox, Pager, Row

__all__ = [
    "LONGEST_QUERY",
    "ListQuery",
    "build_query",
    "filter_boxes",
    "heads",
    "list_rows",
    "loading",
    "newest",
    "pager",
    "row_of",
    "search_clause",
]
SIZES = (paging.USUAL, 50, 100)
PRINT = "print"  # the argument that asks for all rows on one page
LONGEST_QUERY = 100  # characters of a search
LONGEST_CELL = 80  # characters of a cell of a list; the record shows all
LONGEST_ARGUMENTS = 4_000  # characters of a saved filter


class ListQuery:
    """The list arguments of a request (or of a job that repeats it), checked: what is unknown or out of bounds falls
    back to the default.

    `values`: the filters in force by argument name. `bare`: the argument that asks for the list without its default
    filter, where there is one.
    """

    def __init__(
        self, model: type[Entity], order_columns: list[str], filters: list[str], default_order: str,
        args: Mapping[str, Any], path: str = "",
    ) -> None:  # fmt: skip
        self.model, self.path, self.default_order = model, path, default_order
        self.text = "".join(texts(args, "q")[:1])[:LONGEST_QUERY]
        self.narrow = False  # whether an index finds the few rows that come in question
        self.whole = texts(args, PRINT) == ["all"]  # one page as long as counting goes, for paper
        self.size = paging.COUNT_CAP if self.whole else _bounded(texts(args, "size"), 1, max(SIZES), SIZES[0])
        self.page = _bounded(texts(args, "page"), 1, last_page(paging.COUNT_CAP + 1, self.size), 1)
        asked = "".join(texts(args, "order")[:1])
        self.ordered = asked if asked.removeprefix("-") in order_columns else ""
        self.order = self.ordered or default_order
        self.values: Values = {}
        self.strays: dict[str, list[str]] = {}  # values that mean nothing to their filter: nothing is found by them
        for name in filters:
            one = filter_of(model, name)
            found = one.read(args)
            self.values |= found
            if lost := one.strays(found):
                self.strays[name] = lost
        self.bare: dict[str, Any] = {}

    def arguments(self) -> list[tuple[str, str]]:
        """Search, filters and order as arguments, in their one spelling: what a saved filter keeps, a job repeats."""
        found = [("q", self.text)] if self.text else []
        found += [(name, one) for name in sorted(self.values) for one in self.values[name]]
        return found + ([("order", self.ordered)] if self.ordered else [])

    def url(self, **changes: Any) -> str:
        """This list with other arguments; None takes one away."""
        now: dict[str, Any] = {"q": self.text, "order": self.ordered}
        now |= self.values | ({"size": self.size} if self.size != SIZES[0] and not self.whole else {}) | changes
        kept = {key: value for key, value in now.items() if value not in (None, "", [])} or self.bare
        return f"{self.path}?{urlencode(kept, doseq=True)}" if kept else self.path


def parse_arguments(text: str) -> MultiDict[str, str]:
    """Arguments kept as a query string, bounded."""
    return MultiDict(parse_qsl(text[:LONGEST_ARGUMENTS], max_num_fields=200) if text.count("&") < 200 else [])


def last_page(total: int, size: int) -> int:
    """The number of the last page; 1 for nothing."""
    return max(1, -(-total // size))


def _bounded(given: list[str], least: int, most: int, default: int) -> int:
    text = "".join(given[:1])
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
        one = filter_of(query.model, name)
        clauses = one.criteria(query.values)
        statement = statement.where(*clauses)
        query.narrow |= bool(clauses) and isinstance(one, Related) and one.indexed
    return statement.order_by(*paging.ordered(query.model, query.order, query.default_order))


def newest(model: type[Entity], text: str, most: int, default_order: str, *also: ColumnElement[bool]) -> list[Any]:
    """The first rows that match typed text (all when there is none): for type-ahead and the search over everything.

    The newest first: as the list shows them where the table grows, else by the key. `also`: what must hold besides.
    """
    usual = model.__grows__ and not concealed(model, default_order.removeprefix("-"))
    by = default_order if usual else "-id"
    narrow, clause = search(model, text) if text else (False, None)
    statement = select(model).where(*also) if clause is None else select(model).where(clause, *also)
    order = paging.ordered(model, by, by)
    page = paging.page(statement, order, 0, most, tuple(named_by(model)), narrow=narrow)
    return list(current_session().scalars(page).unique())


def filter_boxes(
    query: ListQuery, filters: list[str], rows: Any = ()
) -> tuple[list[FilterBox], list[ActiveFilter]]:  # fmt: skip
    """The boxes above the list, and those in force with the link that removes each.

    `rows`: those of the page, with what the filters point at loaded; names are taken from them.
    """
    boxes, active = [], []
    for name in filters:
        one = filter_of(query.model, name)
        box = one.box(one.meant(query.values), rows)
        boxes.append(box)
        words = [one.said(box), one.said_lost(query.values)]
        if any(words):
            box.on = True
            label = _("%(what)s：%(value)s", what=box.label, value=_("、").join(filter(None, words)))
            active.append(ActiveFilter(label, query.url(**dict.fromkeys(one.names()))))
    return boxes, active


def heads(query: ListQuery, names: list[str], order_columns: list[str]) -> list[ColumnHead]:
    """The column heads with their sorting links."""
    found = []
    for number, name in enumerate(names):
        minor = number > 4 and name != query.model.state_column()
        head = ColumnHead(name, label_of(query.model, name), hide_on_phone=minor)
        if name in order_columns:
            down = query.order == name
            head.sort_url = query.url(order=f"-{name}" if down else name)
            if query.order.removeprefix("-") == name:
                head.sorted = "asc" if down else "desc"
        found.append(head)
    return found


def row_of(row: Entity, names: list[str], longest: int | None = None) -> Row:
    """A row of cells, each of `longest` characters at most. The first opens the record: no cell repeats that link."""
    cells = [cell(row, name, link=number > 0) for number, name in enumerate(names)]
    for one in cells:
        if longest is not None and len(one.text) > longest:
            one.text = f"{one.text[:longest]}…"
    return Row(url_of(row) or "", str(row), cells, row.id)


def pager(query: ListQuery, total: int, shown: int) -> Pager:
    """Where we are, exactly; the list ends where counting stopped."""
    first = (query.page - 1) * query.size + 1
    last = last_page(total, query.size)
    text = _("%(n)s 条", n=total) if total <= paging.COUNT_CAP else _("超过 %(n)s 条", n=paging.COUNT_CAP)
    ended = total > paging.COUNT_CAP and query.page >= last
    return Pager(
        first=first if shown else 0,
        last=first + shown - 1 if shown else 0,
        total_text=text,
        page=query.page,
        prev_url=query.url(page=query.page - 1 if query.page > 2 else None) if query.page > 1 else None,
        next_url=query.url(page=query.page + 1) if query.page < last else None,
        sizes=[(size, query.url(size=size), size == query.size) for size in SIZES],
        pages=last if total <= paging.COUNT_CAP else 0,
        whole=query.whole,
        all_url=query.url(**{PRINT: "all"}) if last > 1 and not query.whole else None,
        hint=_("列表到此为止，请用筛选缩小范围。") if ended else "",
    )


def list_rows(
    model: type[Entity], names: list[str], interface: AppInterface, query: ListQuery, filters: list[str]
) -> tuple[list[Any], int]:
    """(rows, total) of the page asked for: two statements, one when there is nothing. A page past the end is the
    last one."""
    statement = build_query(query, filters)
    total, few = interface.count(statement, first=(query.page - 1) * query.size, narrow=query.narrow)
    query.page = min(query.page, last_page(total, query.size))
    if not total:
        return [], 0
    pointed = [name for name in filters if query.values.get(name) and filter_of(model, name).kind == "lookup"]
    order = paging.ordered(query.model, query.order, query.default_order)
    rows = interface.page(
        statement, query.page - 1, query.size, loading(model, [*names, *pointed]), order=order, few=few,
        narrow=query.narrow,
    )  # fmt: skip
    load_batch(rows, names)
    return rows, total
