"""What lists of what firms lack have in common: whose rows the person would read, and what the firms are called."""

from __future__ import annotations

from types import SimpleNamespace

from sqlalchemy import ColumnElement, false, literal, null, or_, select

from app.core.access.context import current_access
from app.core.access.predicate import deciding
from app.core.db import current_session
from app.core.entity import Entity
from app.core.verbs import Verb
from app.models.enterprise import Enterprise


def lackable(model: type[Entity], office_id: int | None = None, verb: Verb = Verb.READ) -> list[ColumnElement[bool]]:
    """Firms in being (of an office and below) on each of whose rows of `model` the person may do `verb`.

    Of a firm that is lent for a visit, that has gone to another office, or of which only rows in some state are read,
    all would seem to be missing.
    """
    row = SimpleNamespace(
        id=null(), office_id=Enterprise.office_id, made_office_id=null(), lines=literal(0),
        enterprise_id=Enterprise.id, site_id=null(), **{model.state_column(): null()},
    )  # fmt: skip
    ways = deciding(current_access(), model, row, verb, states=True)
    found = [Enterprise.ended_on.is_(None), or_(false(), *(clause for _held, _coverage, clause in ways))]
    if office_id:
        found.append(Enterprise.office_id.in_(sorted(current_access().subtree(office_id))))
    return found


def named(firms: list[int]) -> dict[int, tuple[str, str]]:
    """Name and office of these firms: one statement."""
    offices, columns = current_access().offices, (Enterprise.id, Enterprise.name, Enterprise.office_id)
    return {
        key: (name, offices[office].name if office in offices else "")
        for key, name, office in current_session().execute(select(*columns).where(Enterprise.id.in_(firms)))
    }
