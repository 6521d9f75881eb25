"""Who answers for a row: set by core when it is made, moved by `transfer_site` only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import event, inspect
from sqlalchemy.orm import InstanceState, Session
from sqlalchemy.orm.attributes import flag_modified

from app.core.access.context import Access
from app.core.access.policy import Coverage
from app.core.db import current_session
from app.core.entity import Entity, Scoped
from app.core.errors import AccessRefused
from app.core.verbs import Verb

TOUCHED = "made_at"  # written again as it is, so that the version moves
COPIED = ("office_id", "lines", "enterprise_id", "site_id")


def stamp(row: Entity, access: Access | None) -> None:
    """Fill what core sets on a new row: maker, and the scope columns copied from its owner or the maker's posting."""
    if row.made_by_id is None and access is not None:
        row.made_by_id = access.person.id
    if not isinstance(row, Scoped):
        return
    owner = _owner(row)
    if owner is not None:
        if isinstance(owner, Scoped) and owner.office_id is None:  # both are new: the session keeps no order
            stamp(owner, access)
        _copy(row, owner)
    elif row.office_id is None and access is not None:
        row.office_id = home(row, access)
    if row.made_office_id is None:
        row.made_office_id = row.office_id


@event.listens_for(Scoped, "before_insert", propagate=True)
def _complete(_mapper: Any, _connection: Any, row: Scoped) -> None:
    """An owner that was new as well had no key when the row was stamped; by now it has been written."""
    owner = _owner(row)
    key: str = getattr(owner, "__firm_key__", "")
    if owner is not None and key:
        _copy(row, owner)


def follow_owner(row: Entity) -> None:
    """A row that is put to another owner (a draft to the right site) is about that one from now on.

    Within the office only: lines, firm and site follow. What belongs to another office is no owner for it.
    """
    if not isinstance(row, Scoped) or not row.__owner__:
        return
    state: InstanceState[Any] = inspect(row)
    names = row.owner_names()
    keys = [str(next(iter(state.mapper.relationships[name].local_columns)).key) for name in names]
    if not any(state.attrs[key].history.has_changes() for key in (*names, *keys)):
        return
    owner: Any = _owner(row)
    if owner is None:
        return
    if owner.office_id != row.office_id:
        raise AccessRefused(_("这条记录归另一机构管，不能改到这里。"))
    _copy(row, owner)
    current_session().info.setdefault("followed", set()).add(row)


def touch_wholes(session: Session) -> None:
    """Give the whole a new version when a part of it is made, changed or taken away.

    Who opened the whole before saw other parts: a stale form, a stale signature must not go through.
    """
    walked: set[int] = set()
    for row in [*session.new, *session.dirty, *session.deleted]:
        if isinstance(row, Entity) and session.is_modified(row) | (row in session.deleted):
            for whole in _wholes(row, walked):
                state: InstanceState[Entity] = inspect(whole)
                if state.persistent and not session.is_modified(whole, include_collections=False):
                    flag_modified(whole, TOUCHED)
                    session.info.setdefault("touched", set()).add(whole)


def _wholes(row: Entity, walked: set[int]) -> Iterator[Entity]:
    """The rows whose version covers this one: what it is a part of, and itself when its list of parts changed. Looking
    at a list of thousands for each of its parts would take minutes: a row is walked once."""
    if id(row) in walked:
        return
    walked.add(id(row))
    whole = related(row, row.__part_of__) if row.__part_of__ else None
    if whole is not None:
        yield whole
        yield from _wholes(whole, walked)
    state: InstanceState[Entity] = inspect(row)
    if any(rel.mapper.class_.__part_of__ == rel.back_populates and rel.back_populates
           and state.attrs[rel.key].history.has_changes() for rel in state.mapper.relationships
           if issubclass(rel.mapper.class_, Entity)):  # fmt: skip
        yield row


def _owner(row: Scoped) -> Entity | None:
    """The row whose scope this one shares: the first of the declared relationships that is set."""
    found = (related(row, name) for name in row.owner_names())
    return next((one for one in found if one is not None), None)


def _copy(row: Scoped, owner: Entity) -> None:
    """Take the owner's scope; an owner that is itself the enterprise or the site gives its key."""
    of_firm = (
        getattr(owner, "__firm_key__", "") == "enterprise"
    )  # a firm's lines grow: what is about it as a whole has 0
    for name in COPIED:
        if hasattr(owner, name) and not (of_firm and name in {"lines", "site_id"}):
            setattr(row, name, getattr(owner, name))
    if firm_key := getattr(owner, "__firm_key__", ""):
        setattr(row, f"{firm_key}_id", owner.id)


def home(row: Scoped, access: Access) -> int:
    """The office of the maker's posting that allows making such a row."""
    entity = row.policy_name()
    able = [
        held
        for held in access.postings
        if any(cell[0] == Coverage.SUBTREE for cell in held.grants.get(entity, {}).get(Verb.CREATE.value, ()))
    ]
    if not able:
        raise AccessRefused(_("您的任职不能新建这类记录。"))
    return max(able, key=lambda held: held.rank).office_id


def related(row: Entity, name: str) -> Entity | None:
    """The many-to-one parent of a row that may not be flushed yet, whether set by object or by key."""
    relation = inspect(type(row)).relationships[name]
    loaded = row.__dict__.get(name)
    if loaded is not None:
        found: Entity = loaded
        return found
    key: Any = getattr(row, next(iter(relation.local_columns)).key)
    return current_session().get(relation.mapper.class_, key) if key is not None else None


def repointed(row: Entity, name: str) -> bool:
    """Whether a many-to-one of a stored row points elsewhere than the database has it, by object or by key."""
    state: InstanceState[Any] = inspect(row)
    column = next(iter(inspect(type(row)).relationships[name].local_columns)).key
    key = state.attrs[column].history
    if key.has_changes() and key.deleted:
        return True
    other = state.attrs[name].history
    found = other.added[0] if other.has_changes() and other.added else None
    return found is not None and found.id != getattr(row, column)
