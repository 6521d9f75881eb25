"""Arithmetic of days inside a statement, the same on both databases."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Date, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

SHANGHAI = 8  # hours ahead of UTC, the year round since 1992


class plus_days(FunctionElement[date]):  # noqa: N801 - named like the SQL function it is
    """A date moved by so many days: `plus_days(column, literal(-1))`; nothing for nothing."""

    name, type, inherit_cache = "plus_days", Date(), True


class days_between(FunctionElement[int]):  # noqa: N801 - as above
    """How many days lie from the first date to the second."""

    name, type, inherit_cache = "days_between", Integer(), True


class local_day(FunctionElement[date]):  # noqa: N801 - as above
    """The day in Shanghai of a stored instant."""

    name, type, inherit_cache = "local_day", Date(), True


def _arguments(element: Any, compiler: Any, **options: Any) -> list[str]:
    return [compiler.process(one, **options) for one in element.clauses]


@compiles(plus_days)
def _plus(element: Any, compiler: Any, **options: Any) -> str:
    day, number = _arguments(element, compiler, **options)
    return f"(CAST({day} AS DATE) + CAST({number} AS INTEGER))"


@compiles(plus_days, "sqlite")
def _plus_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    day, number = _arguments(element, compiler, **options)
    return f"date({day}, {number} || ' days')"


@compiles(days_between)
def _between(element: Any, compiler: Any, **options: Any) -> str:
    first, last = _arguments(element, compiler, **options)
    return f"(CAST({last} AS DATE) - CAST({first} AS DATE))"


@compiles(days_between, "sqlite")
def _between_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    first, last = _arguments(element, compiler, **options)
    return f"CAST(julianday({last}) - julianday({first}) AS INTEGER)"


@compiles(local_day)
def _local(element: Any, compiler: Any, **options: Any) -> str:
    (instant,) = _arguments(element, compiler, **options)
    return f"CAST({instant} + INTERVAL '{SHANGHAI} hours' AS DATE)"


@compiles(local_day, "sqlite")
def _local_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    (instant,) = _arguments(element, compiler, **options)
    return f"date({instant}, '+{SHANGHAI} hours')"
