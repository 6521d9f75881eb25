"""What a person keeps about a list, read in one statement and written under the rules of its own rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, bindparam, literal, or_, select

from app.core.access.context import Held, current_access
from app.core.access.fetch import fetch
from app.core.access.policy import Coverage
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import Conflict, Invalid, NotFound
from app.core.saved import ListPreference, SavedFilter, Sharing
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work

MOST_FILTERS = 50  # own ones of one list, and the office's


@dataclass
class Kept:
    """The saved filters of a list that concern this person, own ones first, and how the person wants the list."""

    filters: list[SavedFilter] = field(default_factory=list)
    columns: list[str] | None = None
    default_id: int | None = None

    @property
    def default(self) -> SavedFilter | None:
        """The filter the list opens with; None when it is gone, or not this person's any more."""
        return next((one for one in self.filters if one.id == self.default_id), None)


def kept(model: type[Entity]) -> Kept:
    """Filters and preference of one list: one statement, from a row that is always there."""
    access = current_access()
    offices = sorted({held.office_id for held in access.postings})
    asked = {"entity": model.__name__, "account_id": access.person.id, "offices": offices}
    rows = current_session().execute(_statement(), asked).all()
    preference = next((row[1] for row in rows if row[1] is not None), None)
    found = Kept([row[0] for row in rows if row[0] is not None])
    if preference is not None:
        found.columns, found.default_id = preference.shown, preference.default_filter_id
    return found


@cache
def _statement() -> Select[SavedFilter, ListPreference]:
    entity: Any = bindparam("entity")
    who: Any = bindparam("account_id")
    mine = or_(SavedFilter.account_id == who, SavedFilter.office_id.in_(bindparam("offices", expanding=True)))
    anchor = select(literal(1).label("one")).subquery()
    return (
        select(SavedFilter, ListPreference)
        .select_from(anchor)
        .outerjoin(SavedFilter, (SavedFilter.entity == entity) & mine)
        .outerjoin(ListPreference, (ListPreference.entity == entity) & (ListPreference.account_id == who))
        .order_by(SavedFilter.account_id.is_(None), SavedFilter.name, SavedFilter.id)
        .limit(2 * MOST_FILTERS)
    )


def _sharing() -> list[Held]:
    """The postings under which the person may put filters there for the office."""
    return [
        held
        for held in current_access().postings
        if any(cell[0] == Coverage.SUBTREE for cell in held.grants.get("SavedFilter", {}).get(Verb.CREATE.value, ()))
    ]


def may_share() -> bool:
    """Whether the person may put filters there for the office."""
    return bool(_sharing())


def may_save() -> bool:
    """Whether the person may keep filters at all."""
    return current_access().may("SavedFilter", Verb.CREATE)


def removable(one: SavedFilter) -> bool:
    """Whether a button to delete makes sense; the row itself is judged when it is pressed."""
    access = current_access()
    return one.account_id == access.person.id or (
        one.account_id is None and any(one.office_id in access.subtree(held.office_id) for held in _sharing())
    )


def save_filter(model: type[Entity], name: str, arguments: str, *, shared: bool) -> int:
    """Keep arguments under a name; the same name again replaces them. Raises Refused, Invalid, AccessRefused."""
    access = current_access()
    if not arguments:
        raise Invalid(_("请先选好筛选条件再保存。"))
    with unit_of_work(Verb.CREATE, "保存筛选"):
        filters = [one for one in kept(model).filters if (one.account_id is None) == shared]
        row = next((one for one in filters if one.name == name), None)
        if row is None and len(filters) >= MOST_FILTERS:
            raise Invalid(_("最多保存 %(n)s 个，请先删除不用的。", n=MOST_FILTERS))
        if row is None:
            row = SavedFilter(entity=model.__name__, name=name, sharing=Sharing.OFFICE if shared else Sharing.OWN)
            row.account_id, row.office_id = None if shared else access.person.id, _office(shared=shared)
        row.arguments = arguments
        return save(row, Verb.CREATE if row.id is None else Verb.UPDATE).id


def _office(*, shared: bool) -> int:
    """The office a filter is kept at: where the person may share, else where the person belongs."""
    access = current_access()
    able = _sharing() if shared else []
    if able:
        return max(able, key=lambda held: held.rank).office_id
    return access.chief_posting.office_id if access.chief_posting else access.person.office_id


def saved(model: type[Entity], key: int, verb: Verb = Verb.READ) -> SavedFilter:
    """One saved filter of this list. Raises NotFound, Forbidden."""
    row = fetch(SavedFilter, key, verb)
    if row.entity != model.__name__:
        raise NotFound(_("没有这条记录，或者您无权查看。"))
    return row


def remove_filter(model: type[Entity], key: int) -> None:
    """Take a saved filter away; lists that opened with it open as declared."""
    with unit_of_work(Verb.DELETE, "删除筛选"):
        current_session().delete(saved(model, key, Verb.DELETE))


def set_default(model: type[Entity], key: int | None) -> None:
    """The filter this list opens with, for this person; None for none."""
    _prefer(model, default_filter_id=saved(model, key).id if key is not None else None)


def choose_columns(model: type[Entity], names: list[str] | None) -> None:
    """The columns of this list in order, for this person; None for those declared."""
    _prefer(model, shown=names)


def _prefer(model: type[Entity], **values: Any) -> None:
    """Write the preference; when another request of the same person has just made it, change that one."""
    try:
        _write(model, values)
    except (Refused, Conflict):
        _write(model, values)


def _write(model: type[Entity], values: dict[str, Any]) -> None:
    access, entity = current_access(), model.__name__
    with unit_of_work(Verb.UPDATE):
        wanted = select(ListPreference).where(
            ListPreference.entity == entity, ListPreference.account_id == access.person.id
        )
        row = current_session().scalars(wanted.with_for_update(of=ListPreference)).one_or_none()
        new = row is None
        row = row or ListPreference(entity=entity, account_id=access.person.id)
        for name, value in values.items():
            setattr(row, name, value)
        save(row, Verb.CREATE if new else Verb.UPDATE)
