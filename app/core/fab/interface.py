"""Our data interface: FAB's, with counting that stops, ordering that is white-listed, and no raw SQL in messages."""

from __future__ import annotations

from typing import Any, TypeVar

from flask_appbuilder.models.filters import BaseFilterConverter
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Select

from app.core.db import current_session, db
from app.core.entity import Entity
from app.core.errors import WriteOutsideUnit
from app.core.fab import paging

E = TypeVar("E", bound=Entity)


class NoFilters(BaseFilterConverter):
    """FAB makes objects for all filters of each column of each view, twice; a list's are `core.fab.filtering`'s."""

    def convert(self, col_name: str) -> list[Any]:
        """None for any column."""
        return []


class AppInterface(SQLAInterface):
    """Reads for lists; writing goes through `core.saving` only."""

    filter_converter_class = NoFilters

    def __init__(self, model: type[Entity]) -> None:
        super().__init__(model, db.session)

    def count(self, query: Select[Any], *, first: int = 0, narrow: bool = False) -> paging.Found:
        """How many rows, counting no further than needed: keys only, no joins for show."""
        return paging.count(query, first=first, narrow=narrow)

    def page(
        self, query: Select[Any], number: int, size: int, options: tuple[Any, ...] = (), *, order: list[Any],
        few: bool = False, narrow: bool = False,
    ) -> list[Any]:  # fmt: skip
        """One page of rows with what their cells need."""
        limited = paging.page(query, order, number * size, size, options, few=few, narrow=narrow)
        return list(current_session().scalars(limited).unique())

    def add(self, item: Any, raise_exception: bool = False) -> bool:
        """Refused: FAB's writing shows raw SQL and skips the unit of work."""
        raise WriteOutsideUnit("use core.saving.save")

    edit = add
    delete = add
