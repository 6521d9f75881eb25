"""Deleting a row: one path for the record's page and for bulk acts."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import Conflict
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import unit_of_work


def erase(model: type[Entity], key: int, reason: str = "") -> str:
    """Delete a row that nothing refers to, in one unit of work; history keeps it. Returns what it was called.

    Raises NotFound, Forbidden, Conflict.
    """
    with unit_of_work(Verb.DELETE, reason):
        row = lock(fetch(model, key, Verb.DELETE))
        name = str(row)
        remove(row)
    return name


def remove(row: Entity) -> None:
    """Delete a row in the unit of work in force. Raises Conflict when others refer to it, Forbidden."""
    session = current_session()
    session.delete(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(_("还有其他记录用着它，不能删除。")) from error
