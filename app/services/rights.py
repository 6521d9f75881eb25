"""权限变动: which postings, delegations, roles and accounts began, ended or changed from a day to a day.

From dated rows (a posting that begins on a day in between) and from history (who entered it when, and why). Only of
offices that the person in context oversees, and of rows they may read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import and_, inspect, or_, select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.policy import Coverage
from app.core.db import current_session, unscoped
from app.core.fab import matrix
from app.core.fab.cells import label_of, said
from app.core.history import HistoryEntry, HistoryLink
from app.core.lines import line_text
from app.core.office import AccessRole, Account, Posting
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.models.rectification import Delegation

LONGEST_SPAN = 366  # days
DATED = (Posting, Delegation)
WATCHED: dict[str, type[Any]] = {one.__name__: one for one in (Posting, Delegation, Account, AccessRole)}
ACCOUNT_FIELDS = ("username", "name", "family", "office_id", "active")
UNTOLD = {"public_id", "person_key", "code", "password", "origin"}


class What(StrEnum):
    """What happened."""

    BEGAN = "开始"
    ENDED = "结束"
    ENTERED = "登记"
    CHANGED = "变更"
    DELETED = "删除"


@dataclass(frozen=True)
class Shift:
    """One change of rights: where, whose, what, entered by whom, why. `office_id` 0: roles, which are everybody's."""

    day: date
    office_id: int
    office: str
    person: str
    subject: str
    what: What
    detail: str
    by: str
    at: datetime | None
    reason: str


@dataclass(frozen=True)
class Entry:
    """A change of one row, as history kept it."""

    at: datetime
    by: str
    reason: str
    entity: str
    row_id: int
    op: str
    fields: dict[str, list[Any]]


@dataclass
class Known:
    """What the asker may be told of: rows by entity and key, names, offices."""

    offices: frozenset[int]
    rows: dict[tuple[str, int], Any] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)


def shifts(first: date, last: date) -> list[Shift]:
    """Everything that changed from `first` to `last`, by office, person and day."""
    known = _known()
    entries = list(_entries(first, last))
    dated = list(_dated(known, first, last))
    origins = _origins([(type(row).__name__, row.id) for row, _what, _day in dated])
    found = [
        _from_row(known, row, what, day, origins.get((type(row).__name__, row.id), [])) for row, what, day in dated
    ]
    told = {(type(row).__name__, row.id, what) for row, what, _day in dated}
    for entry in entries:
        found += _from_entry(known, entry, told)
    paths = {key: unit.path for key, unit in current_access().offices.items()}
    order = [(one.office_id == 0, paths.get(one.office_id, ""), one.person, one.day, one.what) for one in found]
    return [found[n] for n in sorted(range(len(found)), key=lambda n: order[n])]


def _known() -> Known:
    """Read under the asker's own predicates."""
    access, session = current_access(), current_session()
    tops = [
        held.office_id
        for held in access.postings
        if any(cell[0] == Coverage.SUBTREE for cell in held.grants.get("Posting", {}).get(Verb.READ.value, ()))
    ]
    known = Known(frozenset[int]().union(*(access.subtree(key) for key in tops)))
    for cls in DATED:
        rows = session.scalars(select(cls)).unique()
        known.rows |= {(cls.__name__, row.id): row for row in rows if row.office_id in known.offices}
    for account in session.scalars(select(Account)).unique():
        known.names[account.id] = account.name
        if account.office_id in known.offices:
            known.rows["Account", account.id] = account
    for role in session.scalars(select(AccessRole)):
        known.roles[role.id] = str(role)
        known.rows["AccessRole", role.id] = role
    return known


def _dated(known: Known, first: date, last: date) -> Iterator[tuple[Any, What, date]]:
    """Postings and delegations that begin or end by their dates in between."""
    for (entity, _key), row in known.rows.items():
        if entity in {cls.__name__ for cls in DATED}:
            if first <= row.date_from <= last:
                yield row, What.BEGAN, row.date_from
            if row.date_to is not None and first <= row.date_to <= last:
                yield row, What.ENDED, row.date_to


def _mine(names: Iterable[str]) -> tuple[Any, Any]:
    """Entries about one of these entities, and the link that says so of a further record."""
    same = and_(HistoryLink.office_id == HistoryEntry.office_id, HistoryLink.seq == HistoryEntry.seq)
    wanted = list(names)
    return HistoryEntry.entity.in_(wanted), select(HistoryLink.id).where(same, HistoryLink.entity.in_(wanted))


def _entries(first: date, last: date) -> Iterator[Entry]:
    """History of the days, Shanghai's."""
    start, end = _instant(first), _instant(last + timedelta(days=1))
    own, linked = _mine(WATCHED)
    asked = select(HistoryEntry).where(HistoryEntry.at >= start, HistoryEntry.at < end, or_(own, linked.exists()))
    with unscoped("report on rights", quiet=True) as session:
        for entry in session.scalars(asked.order_by(HistoryEntry.id)):
            yield from _changes(entry)


def _origins(keys: list[tuple[str, int]]) -> dict[tuple[str, int], list[Entry]]:
    """What history says of these rows, oldest first, whenever it was."""
    found: dict[tuple[str, int], list[Entry]] = {}
    for entity in dict.fromkeys(entity for entity, _key in keys):
        wanted = [key for name, key in keys if name == entity]
        own, linked = _mine([entity])
        asked = select(HistoryEntry).where(
            or_(and_(own, HistoryEntry.row_id.in_(wanted)), linked.where(HistoryLink.row_id.in_(wanted)).exists())
        )
        with unscoped("report on rights", quiet=True) as session:
            for entry in session.scalars(asked.order_by(HistoryEntry.id)):
                for one in _changes(entry):
                    found.setdefault((one.entity, one.row_id), []).append(one)
    return found


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=clock.SHANGHAI).astimezone(UTC)


def _changes(entry: HistoryEntry) -> Iterator[Entry]:
    body = json.loads(entry.body)
    by = body["actor"][1] if body["actor"] else ""
    for entity, row_id, op, fields in body["changes"]:
        if entity in WATCHED:
            yield Entry(entry.at, by, said(body["reason"]), entity, row_id, op, fields)


def _from_row(known: Known, row: Any, what: What, day: date, history: list[Entry]) -> Shift:
    """A beginning or an end by date; who entered it is the last to have written that date."""
    name = "date_from" if what is What.BEGAN else "date_to"
    wrote = [one for one in history if name in one.fields]
    last = wrote[-1] if wrote else None
    by, at, reason = (last.by or _("系统"), last.at, last.reason) if last else ("", None, "")
    return Shift(day, row.office_id, _office(row.office_id), known.names.get(row.account_id, ""), _subject(type(row)),
                 what, _held(known, row), by, at, reason)  # fmt: skip


def _from_entry(known: Known, one: Entry, told: set[tuple[str, int, What]]) -> Iterator[Shift]:
    """What history adds to the dates: accounts, roles, changes, rows that are gone."""
    what = {"+": What.ENTERED, "~": What.CHANGED, "-": What.DELETED}[one.op]
    row = known.rows.get((one.entity, one.row_id))
    office = 0 if one.entity == "AccessRole" else row.office_id if row is not None else _old(one, "office_id")
    if one.entity != "AccessRole" and (office not in known.offices or (row is None and what is not What.DELETED)):
        return
    details = _details(known, one, row)
    if one.entity in {cls.__name__ for cls in DATED}:
        details = _beside_dates(one, details, told)
        if what is What.ENTERED and (one.entity, one.row_id, What.BEGAN) in told:
            return
    if not details and what is What.CHANGED:
        return
    day = clock.local(one.at).date()
    detail = "；".join(details)
    yield Shift(day, office, _office(office), _person(known, one, row), _subject(WATCHED[one.entity]), what, detail,
                one.by or _("系统"), one.at, one.reason)  # fmt: skip


def _beside_dates(one: Entry, details: list[str], told: set[tuple[str, int, What]]) -> list[str]:
    """A change of nothing but the last day, which the end by date tells already, is not told twice."""
    ends = one.op == "~" and set(one.fields) == {"date_to"} and (one.entity, one.row_id, What.ENDED) in told
    return [] if ends else details


def _details(known: Known, one: Entry, row: Any) -> list[str]:
    if one.op != "~":
        return [_held(known, row)] if row is not None and one.entity in {cls.__name__ for cls in DATED} else []
    cls = WATCHED[one.entity]
    names = [name for name in one.fields if name not in UNTOLD and (cls is not Account or name in ACCOUNT_FIELDS)]
    return [line for name in names for line in _lines(known, cls, name, *one.fields[name])]


def _lines(known: Known, cls: type[Any], name: str, old: Any, new: Any) -> list[str]:
    if cls is AccessRole and name == "grants":
        return [f"{what}：{before} → {after}" for what, before, after in matrix.changes(old, new)]
    if cls is AccessRole and name in {"hidden", "readonly"}:
        return [f"{what}：{before} → {after}" for what, before, after in matrix.column_changes(name, old, new)]
    if name == "active":
        return [_("启用") if new else _("停用")]
    return [f"{label_of(cls, name)}：{_value(known, cls, name, old)} → {_value(known, cls, name, new)}"]


def _value(known: Known, cls: type[Any], name: str, value: Any) -> str:
    if value is None or value == "":
        return str(_("无"))
    if name == "role_id":
        return known.roles.get(value, "")
    if name == "office_id":
        return _office(value)
    if name == "account_id":
        return known.names.get(value, str(_("（您无权查看）")))
    if name == "lines":
        return line_text(value) or str(_("全部"))
    if isinstance(value, bool):
        return str(_("是") if value else _("否"))
    if isinstance(value, str) and isinstance(inspect(cls).columns[name].type, UtcDateTime):
        return f"{clock.local(datetime.fromisoformat(value)):%Y-%m-%d %H:%M}"
    return said(value) if isinstance(value, str) else str(value)


def _old(one: Entry, name: str) -> int:
    value = next((value for value in one.fields.get(name, ()) if value is not None), 0)
    return value if isinstance(value, int) else 0


def _person(known: Known, one: Entry, row: Any) -> str:
    if one.entity in {"Account", "AccessRole"}:
        return str(row) if row is not None else str(next((v for v in one.fields.get("name", ()) if v), ""))
    return known.names.get(row.account_id if row is not None else _old(one, "account_id"), "")


def _held(known: Known, row: Any) -> str:
    """所长（角色 所长，条线 全部，2026-11-01 至 …）."""
    until = row.date_to.isoformat() if row.date_to else "…"
    dates = _("%(a)s 至 %(b)s", a=row.date_from.isoformat(), b=until)
    if isinstance(row, Posting):
        role, lines = known.roles.get(row.role_id, ""), line_text(row.lines) or _("全部")
        return str(_("%(title)s（角色 %(role)s，条线 %(lines)s，%(dates)s）", title=said(row.title) or role, role=role,
                     lines=lines, dates=dates))  # fmt: skip
    return f"{row.document} {dates}"


def _subject(cls: type[Any]) -> str:
    return said(cls.__label__)


def _office(key: int) -> str:
    unit = current_access().offices.get(key)
    return unit.name if unit is not None else str(_("角色（全系统）"))
