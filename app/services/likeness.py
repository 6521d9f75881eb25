"""疑似重复: which firms and sites look like one, why, and that two were looked at and are not.

A firm is like another when their names are read alike (`core.likeness`) and the address, the person in charge or the
telephone agrees, or when the address agrees and one name begins like the other. A site is like another of its firm by
name or address, and like any by its licence number. Everything is asked under the person's own predicate: a row that
one may not read is never found, and an entry that is like it passes without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, inspect, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from app.core.access.context import current_access, has_access_context
from app.core.access.veil import concealed
from app.core.db import current_session, unscoped
from app.core.history import remark
from app.core.likeness import address_key, name_key, register_regions
from app.core.saving import Check, before_many, on_save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data import areas
from app.models.enterprise import GONE, Distinct, Enterprise, Site

MOST = 500  # pairs that a list tells of
FOUND = 40  # rows that one entry is compared with
TOLD = 3  # of them named in a doubt
CHUNK = 400
COMPARED: dict[type[Any], tuple[str, ...]] = {
    Enterprise: ("name", "address", "legal_person", "phone", "code"),
    Site: ("name", "address", "licence_no"),
}

# parts of the country before a name or an address, then the banner's own towns by their full names
register_regions(["内蒙古自治区", "内蒙古", "通辽市", "通辽", "奈曼旗", "奈曼", *(area.name for area in areas())])


@dataclass(frozen=True)
class Pair:
    """Two rows that look like one, the older first, and why."""

    first: Any
    second: Any
    reasons: tuple[str, ...]


def fill_keys(row: Enterprise | Site) -> None:
    """The keys of a row, from its name and address."""
    row.name_key, row.address_key = name_key(row.name or ""), address_key(row.address or "")


def reasons(one: Any, other: Any) -> tuple[str, ...]:
    """Why two rows look like one, in words; nothing when they do not. What is hidden is not compared."""
    return _firm_reasons(one, other) if isinstance(one, Enterprise) else _site_reasons(one, other)


def _firm_reasons(one: Enterprise, other: Enterprise) -> tuple[str, ...]:
    if _same(one, other, "code"):  # of two in being that is an error; the other one has ended
        return (str(_("代码相同")),)
    named, placed = _same(one, other, "name_key"), _alike_place(one, other)
    led, called = _same(one, other, "legal_person"), _same(one, other, "phone")
    begins = _begins(one.name_key, other.name_key) and not concealed(Enterprise, "name")
    same_place = _same(one, other, "address_key")
    if not (named and (placed or led or called)) and not (same_place and (begins or led or called)):
        return ()
    told = [(named, _("名称读音相同")), (begins and not named, _("名称相近")), (same_place, _("地址相同")),
            (placed and not same_place, _("地址相近")), (led, _("负责人相同")), (called, _("电话相同"))]  # fmt: skip
    return tuple(str(text) for holds, text in told if holds)


def _site_reasons(one: Site, other: Site) -> tuple[str, ...]:
    found = [str(_("许可证编号相同"))] if _same(one, other, "licence_no") else []
    if _firm_of(one) == _firm_of(other):
        found += [str(_("名称读音相同"))] if _same(one, other, "name_key") else []
        found += [str(_("地址相同"))] if _same(one, other, "address_key") else []
    return tuple(found)


def _firm_of(site: Site) -> int | None:
    firm = site.__dict__.get("enterprise")
    return firm.id if firm is not None else site.enterprise_id


def _same(one: Any, other: Any, name: str) -> bool:
    value = getattr(one, name)
    return bool(value) and value == getattr(other, name) and not concealed(type(one), name)


def _alike_place(one: Any, other: Any) -> bool:
    return _begins(one.address_key, other.address_key) and not concealed(type(one), "address")


def _begins(one: str | None, other: str | None) -> bool:
    return (one.startswith(other) or other.startswith(one)) if one and other else False


# ---- on entry --------------------------------------------------------------------------------------------------------


@on_save(Enterprise)
def doubt_firm(firm: Enterprise, check: Check) -> None:
    """Fill the keys; a firm that looks like one the person may read asks for a tick."""
    fill_keys(firm)
    _doubt(firm, check, "name")


@on_save(Site)
def doubt_site(site: Site, check: Check) -> None:
    """As for firms; a licence number that another site has is a doubt of its own."""
    fill_keys(site)
    _doubt(site, check, "licence_no" if _changed(site, ("licence_no",)) and site.licence_no else "name")


def _doubt(row: Any, check: Check, field: str) -> None:
    """Ask about the likest rows, once: not what was ticked, not what nothing of it has changed."""
    tick = f"accept-{field}"
    if tick in check.accepted or not has_access_context() or not _changed(row, COMPARED[type(row)]):
        return
    if any(one.name == tick for one in check.doubts):  # the same question already, in other words
        return
    with current_session().no_autoflush:
        found = [(other, why) for other in _candidates(row, check) if (why := reasons(row, other))]
        known = _dismissed(type(row), [row.id]) if found and row.id else set()
    found = [(other, why) for other, why in found if _ordered(row.id or 0, other.id) not in known]
    if found:
        told = "；".join(f"{describe(other)}：{'、'.join(why)}" for other, why in found[:TOLD])
        check.doubt(field, _("疑似重复：%(rows)s。确实是另一个，请打勾。", rows=told))


def _changed(row: Any, names: Iterable[str]) -> bool:
    attrs = inspect(row).attrs
    return any(attrs[name].history.has_changes() for name in names)


def describe(row: Any) -> str:
    """A row as a doubt names it: with what tells it from others, nothing hidden."""
    names = ("code", "address") if isinstance(row, Enterprise) else ("licence_no", "address")
    more = [str(getattr(row, name)) for name in names if getattr(row, name) and not concealed(type(row), name)]
    return f"{row}（{'，'.join(more)}）" if more else str(row)


def _candidates(row: Any, check: Check) -> list[Any]:
    """The rows that share a key with this one: one statement, or what was read for all rows of an import."""
    model, known = type(row), check.known.get("alike")
    if known is not None and row.name_key in known["names"]:
        rows = [*known["names"][row.name_key], *known["places"].get(row.address_key, ())]
        if isinstance(row, Site):
            rows += known["licences"].get(row.licence_no, ())
        return [one for one in dict.fromkeys(rows) if one is not row and one.id != row.id]
    alike = [and_(model.name_key == row.name_key, model.name_key != "")]
    alike += [and_(model.address_key == row.address_key, model.address_key != "")]
    if isinstance(row, Site):
        firm = _firm_of(row)
        own = and_(model.enterprise_id == firm, or_(*alike))
        alike = ([own] if firm else []) + ([model.licence_no == row.licence_no] if row.licence_no else [])
    living = model.state.not_in(GONE)
    if isinstance(row, Enterprise) and row.code:
        living = or_(living, model.code == row.code)
        alike.append(model.code == row.code)
    if not alike:
        return []
    statement = select(model).where(or_(*alike), living, model.id != (row.id or 0)).order_by(model.id).limit(FOUND)
    return list(current_session().scalars(statement).unique())


def _read_for(model: Any, values: list[dict[str, Any]]) -> dict[str, Any]:
    """What the rows of an import are compared with: those in being that share a name, an address, a licence number."""
    if not has_access_context():
        return {}
    names: dict[str, list[Any]] = {name_key(one["name"]): [] for one in values if one.get("name")}
    places: dict[str, list[Any]] = {address_key(one["address"]): [] for one in values if one.get("address")}
    licences: dict[str, list[Any]] = {one["licence_no"]: [] for one in values if one.get("licence_no")}
    columns = [(model.name_key, names), (model.address_key, places)]
    for column, wanted in [*columns, (model.licence_no, licences)] if model is Site else columns:
        keys = sorted(set(wanted) - {""})
        for start in range(0, len(keys), CHUNK):
            some = select(model).where(column.in_(keys[start : start + CHUNK]), model.state.not_in(GONE))
            for row in current_session().scalars(some.order_by(model.id)).unique():
                if len(wanted[getattr(row, column.key)]) < FOUND:
                    wanted[getattr(row, column.key)].append(row)
    return {"alike": {"names": names, "places": places, "licences": licences}}


@before_many(Enterprise)
def firms_alike(values: list[dict[str, Any]]) -> dict[str, Any]:
    """For many firms at once."""
    return _read_for(Enterprise, values)


@before_many(Site)
def sites_alike(values: list[dict[str, Any]]) -> dict[str, Any]:
    """For many sites at once."""
    return _read_for(Site, values)


# ---- the list --------------------------------------------------------------------------------------------------------


Within = Callable[[Any], ColumnElement[bool]]


def pairs(model: Any, *, dismissed: bool = False, within: Within | None = None) -> list[Pair]:
    """The pairs of rows that the person may read and that look like one, the newest first, `MOST` at the most.

    `dismissed`: those that somebody has said are not. `within`: what both rows have to be beside.
    """
    known = _dismissed(model, None)
    if dismissed:
        return _of_keys(model, sorted(known, reverse=True)[:MOST], must=False)
    found: set[tuple[int, int]] = set()
    for criterion in _criteria(model):
        found |= _keys(criterion, within) - known
    return _of_keys(model, sorted(found, key=lambda pair: (-pair[1], -pair[0]))[:MOST], must=True)


def _keys(criterion: tuple[Any, Any, ColumnElement[bool]], within: Within | None) -> set[tuple[int, int]]:
    one, other, alike = criterion
    living = [one.state.not_in(GONE), other.state.not_in(GONE)]
    living += [within(one), within(other)] if within is not None else []
    # no JOIN: in its ON the session's criterion of the second one would name the table itself, not the alias
    statement = select(one.id, other.id).where(one.id < other.id, alike, *living)
    rows = current_session().execute(statement.order_by(other.id.desc(), one.id.desc()).limit(MOST * 2))
    return {(int(low), int(high)) for low, high in rows}


def _criteria(model: Any) -> list[tuple[Any, Any, ColumnElement[bool]]]:
    """What two rows may have in common, each with an index to find it by."""
    one, other = aliased(model), aliased(model)
    named = and_(one.name_key == other.name_key, one.name_key != "")
    placed = and_(one.address_key == other.address_key, one.address_key != "")
    if model is Site:
        own = one.enterprise_id == other.enterprise_id
        return [(one, other, and_(own, or_(named, placed))), (one, other, one.licence_no == other.licence_no)]
    near = and_(one.address_key != "", other.address_key != "", _prefix(one.address_key, other.address_key))
    led = and_(one.legal_person == other.legal_person, one.legal_person != "")
    more = or_(led, one.phone == other.phone)
    begins = and_(one.name_key != "", other.name_key != "", _prefix(one.name_key, other.name_key))
    return [(one, other, and_(named, or_(near, more))), (one, other, and_(placed, or_(begins, more)))]


def _prefix(one: Any, other: Any) -> ColumnElement[bool]:
    return or_(one.startswith(other), other.startswith(one))


def _of_keys(model: Any, keys: Sequence[tuple[int, int]], *, must: bool) -> list[Pair]:
    """The rows of these pairs that the person may read; `must`: only such as look alike to this person."""
    wanted, rows = sorted({key for pair in keys for key in pair}), dict[int, Any]()
    for start in range(0, len(wanted), CHUNK):
        some = select(model).where(model.id.in_(wanted[start : start + CHUNK]))
        rows |= {row.id: row for row in current_session().scalars(some).unique()}
    both = [(rows[low], rows[high]) for low, high in keys if low in rows and high in rows]
    found = [Pair(one, other, reasons(one, other)) for one, other in both]
    return [one for one in found if one.reasons or not must]


def _ordered(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


def _dismissed(model: Any, keys: list[int] | None) -> set[tuple[int, int]]:
    """The pairs that were looked at and are not one; of these rows, or all."""
    with unscoped("which pairs are no duplicates", quiet=True) as session:
        statement = select(Distinct.low_id, Distinct.high_id).where(Distinct.entity == model.__name__)
        if keys is not None:
            statement = statement.where(or_(Distinct.low_id.in_(keys), Distinct.high_id.in_(keys)))
        return {(int(low), int(high)) for low, high in session.execute(statement)}


def tell_apart(one: Any, other: Any, *, distinct: bool = True) -> None:
    """Remember that two rows are not one (or forget it). The caller has judged the person; both histories say it."""
    low, high = _ordered(one.id, other.id)
    what = "标为不是重复" if distinct else "取消“不是重复”"
    offices = {row.id: row.made_office_id for row in (one, other)}
    with suppress(IntegrityError), unscoped("two rows are no duplicates") as session, unit_of_work(Verb.UPDATE, what):
        mine = (Distinct.entity == type(one).__name__, Distinct.low_id == low, Distinct.high_id == high)
        stored = session.scalar(select(Distinct).where(*mine).with_for_update())
        if distinct and stored is None:
            session.add(Distinct(entity=type(one).__name__, low_id=low, high_id=high,
                                 made_by_id=current_access().person.id))  # fmt: skip
        elif not distinct and stored is not None:
            session.delete(stored)
        for key, twin in ((low, high), (high, low)):
            remark(Verb.UPDATE, what, office_id=offices[key], about=(type(one).__name__, key), other=twin)
