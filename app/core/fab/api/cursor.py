"""Walking a whole list: each page names its last row, and the next one begins behind it, however many there are."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import request
from sqlalchemy import Date, Numeric, and_, false, inspect, or_

from app.core.crypto import DecryptionError, decrypt, encrypt
from app.core.db import current_session, is_sqlite
from app.core.fab import listing, paging
from app.core.ordering import order_names
from app.core.types import UtcDateTime

AFTER = "after"
CONTEXT = "api.after"  # a cursor holds an inner key, so it is sealed
LONGEST = 2_000  # characters


@dataclass
class Walked:
    """A page: its rows, how many rows the list has (as far as they are counted), where the next page is."""

    rows: list[Any]
    total: int
    next_url: str | None


def walk(query: listing.ListQuery, filters: list[str], names: list[str], after: list[Any] | None) -> Walked:
    """The page behind the row with these values, or the one that the query numbers. Two statements."""
    first = 0 if after is not None else (query.page - 1) * query.size
    statement = listing.build_query(query, filters)
    total, few = paging.count(statement, first=first, narrow=query.narrow)
    if not total:
        return Walked([], 0, None)
    if after is not None:
        statement = statement.where(*_behind(query, after))
    order = paging.ordered(query.model, query.order, query.default_order)
    asked = paging.page(statement, order, first, query.size + 1, few=few, narrow=query.narrow)
    options = listing.loading(query.model, names)
    rows = list(current_session().scalars(asked.options(*options)).unique())
    more = len(rows) > query.size
    rows = rows[: query.size]
    return Walked(rows, total, _next(query, rows[-1]) if more else None)


def _next(query: listing.ListQuery, row: Any) -> str:
    """The address of this list from behind the row on; filters as they were asked, so no inner key is in it."""
    values = [getattr(row, name) for name in _names(query)]
    text = json.dumps([query.model.__name__, query.order, *values], default=str)
    sealed = urlsafe_b64encode(encrypt(text, CONTEXT)).decode().rstrip("=")
    kept = [(name, one) for name, one in request.args.items(multi=True) if name not in {AFTER, "page"}]
    return f"{request.path}?{urlencode([*kept, (AFTER, sealed)])}"


def opened(query: listing.ListQuery, sealed: str) -> list[Any]:
    """The values in a cursor of this list in this order. Raises ValueError for any other text."""
    try:
        raw = urlsafe_b64decode(sealed[:LONGEST].encode("ascii") + b"==")
        model, order, *values = json.loads(decrypt(raw, CONTEXT))
    except (ValueError, DecryptionError) as error:
        raise ValueError(sealed[:20]) from error
    if (model, order) != (query.model.__name__, query.order):
        raise ValueError(order)
    return [_typed(query, name, value) for name, value in zip(_names(query), values, strict=True)]


def _names(query: listing.ListQuery) -> list[str]:
    return order_names(query.order, query.default_order)


def _typed(query: listing.ListQuery, name: str, value: Any) -> Any:
    kind = inspect(query.model).columns[name].type
    if value is None:
        return None
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return Decimal(value) if isinstance(kind, Numeric) else value


def _behind(query: listing.ListQuery, values: list[Any]) -> Iterator[Any]:
    """The criteria of rows behind these values. The first alone tells an index where to begin."""
    columns = [getattr(query.model, name) for name in _names(query)]
    down = query.order.startswith("-")
    # where nothing stands: SQLite takes it for the least of values, PostgreSQL for the greatest
    last = is_sqlite(current_session().connection()) == down
    found: Any = false()
    for column, value in reversed(list(zip(columns, values, strict=True))):
        found = or_(_further(column, value, down=down, last=last), and_(_same(column, value), found))
    if not columns[0].nullable:
        yield columns[0] <= values[0] if down else columns[0] >= values[0]
    yield found


def _further(column: Any, value: Any, *, down: bool, last: bool) -> Any:
    if value is None:
        return false() if last else column.is_not(None)
    beyond = column < value if down else column > value
    return or_(beyond, column.is_(None)) if column.nullable and last else beyond


def _same(column: Any, value: Any) -> Any:
    return column.is_(None) if value is None else column == value
