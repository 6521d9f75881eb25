"""Fetch and authorise in one call."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.core.access.context import current_access
from app.core.access.predicate import predicate, whole_of
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import Forbidden, NotFound
from app.core.verbs import Verb

E = TypeVar("E", bound=Entity)
LARGEST = 2**63 - 1
PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22}")


def fetch(cls: type[E], key: Any, verb: Verb = Verb.READ, *, options: tuple[Any, ...] = ()) -> E:
    """The row, if the person may do `verb` on it.

    `key` is the integer key, or a string: the public id. Raises NotFound to outsiders (never a hint that the row
    exists), Forbidden to readers who may not.
    """
    session, access = current_session(), current_access()
    row = session.scalars(select(cls).where(_by(cls, key)).options(*options)).unique().one_or_none()
    if row is None:
        raise NotFound(_("没有这条记录，或者您无权查看。"))
    if verb is not Verb.READ and not may(row, verb):
        raise Forbidden(_("您可以查看，但不能进行这项操作（%(name)s）。", name=access.person.name))
    return row


def _by(cls: type[Entity], key: Any) -> Any:
    if isinstance(key, int):
        if not 0 < key <= LARGEST:
            raise NotFound(_("没有这条记录，或者您无权查看。"))
        return cls.id == key
    if not PUBLIC_ID.fullmatch(str(key)):  # no database is asked for what could be no id (PostgreSQL refuses a NUL)
        raise NotFound(_("没有这条记录，或者您无权查看。"))
    return cls.public_id == str(key)


def may(row: Entity, verb: Verb) -> bool:
    """Whether the person in context may do `verb` on exactly this row, by the database's own values."""
    access, cls = current_access(), type(row)
    if not access.may(_gate_name(cls), verb):
        return False
    found = current_session().scalar(select(cls.id).where(cls.id == row.id, predicate(access, cls, verb)))
    return found is not None


def _gate_name(cls: type[Entity]) -> str:
    return _gate_name(whole_of(cls)) if cls.__part_of__ else cls.policy_name()
