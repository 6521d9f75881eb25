"""The order of lists, and the indexes it needs: `(office, column, default order, id)` for each column of a list.

An entity that grows (`__grows__`) names them in its table with `list_indexes`; `missing` tells which are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Index, inspect
from sqlalchemy import column as bare_column

from app.core.entity import Entity, Scoped


def order_names(order: str, default: str) -> list[str]:
    """The columns a list is sorted by: the one asked for, the default one, the key; signs do not count."""
    return list(dict.fromkeys([order.removeprefix("-"), default.removeprefix("-"), "id"]))


def list_indexes(table: str, orders: tuple[str, ...], filters: tuple[str, ...] = ()) -> tuple[Index, ...]:
    """The indexes for lists of `table` that are sorted by `orders` (the default one first) or narrowed by `filters`.

    Each has a twin for rows that an office made and has handed over since: a partial index, so it costs next to
    nothing while few have moved. An order has one more, without the office, for who reads the rows of all. The default
    is not the key: PostgreSQL would take the key's own index for the order of one office's rows, and read everybody's.
    """
    found = []
    for name in (*orders, *filters):
        columns = order_names(name, orders[0])
        label = "_".join(columns[:-1])
        moved = bare_column("made_office_id") != bare_column("office_id")
        found += [
            Index(f"ix_{table}_list_{label}", "office_id", *columns),
            Index(f"ix_{table}_made_{label}", "made_office_id", *columns, sqlite_where=moved, postgresql_where=moved),
        ]
        if name in orders:
            found.append(Index(f"ix_{table}_all_{label}", *columns))
    return tuple(found)


def indexed_alone(model: type[Entity], *names: str) -> bool:
    """Whether an index begins with these columns, so that few rows are found by it without asking for an office."""
    return any(columns[: len(names)] == names for columns in _there(model))


def missing(
    model: type[Entity], orders: Iterable[str], filters: Iterable[str], default: str
) -> list[tuple[str, ...]]:  # fmt: skip
    """The columns of each index that lists by these and by `default` need and the table has not; [] for a table that
    stays small or is not found by office."""
    if not model.__grows__ or not issubclass(model, Scoped):
        return []
    there = _there(model)
    default = default.removeprefix("-")
    if default == "id":
        raise ValueError(f"{model.__name__} grows: its lists need another default order than the key")
    wanted = list(_wanted(dict.fromkeys((default, *orders)), filters, default))
    return [columns for columns in wanted if not any(one[: len(columns)] == columns for one in there)]


def _wanted(orders: Iterable[str], filters: Iterable[str], default: str) -> Iterator[tuple[str, ...]]:
    for name in orders:
        yield tuple(order_names(name, default))
    for name in dict.fromkeys((*orders, *filters)):
        for office in ("office_id", "made_office_id"):
            yield (office, *order_names(name, default))


def _there(model: type[Entity]) -> set[tuple[str, ...]]:
    table = inspect(model).local_table
    return {tuple(column.name for column in index.columns) for index in getattr(table, "indexes", ())}
