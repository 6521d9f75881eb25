"""Our data interface: FAB's, with counting that stops, ordering that is white-listed, and no raw SQL in messages."""

from __future__ import annotations

from typing import Any, TypeVar

from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Select, func, select

from app.core.db import current_session, db
from app.core.entity import Entity
from app.core.errors import WriteOutsideUnit

E = TypeVar("E", bound=Entity)
COUNT_CAP = 1_000


class AppInterface(SQLAInterface):
    """Reads for lists; writing goes through `core.saving` only."""

    def __init__(self, model: type[Entity]) -> None:
        super().__init__(model, db.session)

    def count(self, query: Select[Any]) -> int:
        """How many rows, counting no further than COUNT_CAP + 1: keys only, no joins for show."""
        keys = query.with_only_columns(self.obj.id).order_by(None).limit(COUNT_CAP + 1).subquery()
        return int(current_session().scalar(select(func.count()).select_from(keys)) or 0)

    def page(self, query: Select[Any], number: int, size: int, options: tuple[Any, ...]) -> list[Any]:
        """One page of rows with what their cells need."""
        limited = query.offset(number * size).limit(size).options(*options)
        return list(current_session().scalars(limited).unique())

    def add(self, item: Any, raise_exception: bool = False) -> bool:
        """Refused: FAB's writing shows raw SQL and skips the unit of work."""
        raise WriteOutsideUnit("use core.saving.save")

    edit = add
    delete = add
