"""A record's history as people read it: field by field, names instead of keys, rows of children by their number.

Who may read the record reads what happened to it. Hidden columns are absent, secret values were never kept, and a row
that a change points at is named only to those who may read that row.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Date, inspect, select, union_all

from app.core.access.masking import maskable, masked
from app.core.access.predicate import foreign_key, whole_of
from app.core.access.veil import concealed
from app.core.attachment import Attachment
from app.core.db import current_session, unscoped
from app.core.entity import Entity, registry
from app.core.fab.cells import date_text, datetime_text, label_of, name_of, said, target_of
from app.core.history import UNRECORDED, HistoryEntry, HistoryLink
from app.core.lines import line_text
from app.core.screen import Event
from app.core.types import UtcDateTime
from app.core.verbs import VERB_WORDS, Verb

MOST_EVENTS = 30
MOST_PARTS = 10  # made at once, each told for itself
MOST_ASKED = 400  # keys in one statement
SCOPE = {"made_office_id", "enterprise_id", "site_id", "lines"}  # core's own where the column is `system`
Key = tuple[str, int]
Differ = Callable[[Any, Any], Iterable[tuple[str, str, str]]]
_differs: dict[tuple[type[Entity], str], Differ] = {}


def register_differ(model: type[Entity], name: str) -> Callable[[Differ], Differ]:
    """Register how two values of a column that is a structure differ: (what, before, after), line by line."""

    def decorate(function: Differ) -> Differ:
        return _differs.setdefault((model, name), function)

    return decorate


@dataclass(frozen=True)
class Change:
    """One row's part in an entry."""

    model: type[Entity]
    row_id: int
    op: str
    fields: dict[str, list[Any]]


@dataclass
class Told:
    """An entry that concerns the record, with its changes that do."""

    entry_id: int
    at: Any
    verb: str
    actor: str
    reason: str
    changes: list[Change] = field(default_factory=list)


def events(row: Entity, before: int | None = None, limit: int = MOST_EVENTS) -> tuple[list[Event], int | None]:
    """The newest events (older than entry `before`), and the entry to ask with for what is older still."""
    told = _read(row, before, limit + 1)
    older = told[limit - 1].entry_id if len(told) > limit else None
    told = told[:limit]
    names, numbers = _names(told), _numbers(told)
    return [_event(one, row, names, numbers) for one in told], older


def last_writer(row: Entity) -> dict[str, str]:
    """Who wrote the record last, and when."""
    last = next(iter(events(row, limit=1)[0]), None)
    return {"who": last.who, "at": last.at} if last is not None else {"who": "", "at": ""}


def entry_event(entry: HistoryEntry, part: int = 0, size: int = MOST_EVENTS) -> tuple[Event, bool]:
    """One whole entry, whatever records it is about: `size` changed rows from the given part on, and if more follow.

    Who reads the log reads what was written; hidden columns stay absent, what is masked elsewhere is masked here, and a
    row that the reader may not read goes by its number.
    """
    body, known = json.loads(entry.body), registry()
    rows = [one for one in body["changes"] if one[0] in known]
    changes = [Change(known[name], key, op, fields) for name, key, op, fields in rows[part * size : (part + 1) * size]]
    told = Told(entry.id, entry.at, entry.verb, entry.actor_name, "", changes)
    names, numbers = _names([told]), _numbers([told])
    lines: list[dict[str, Any]] = []
    for change in changes:
        head = _head(change, numbers) if change.model.__part_of__ else f"{said(change.model.__label__)} {change.row_id}"
        lines += [{**one, "field": f"{head} · {one['field']}"} for one in _lines(change, _Numbered(names))]
    what = said(VERB_WORDS[Verb(entry.verb)])
    event = Event(datetime_text(entry.at), entry.actor_name or _("系统"), what, said(body["reason"]), lines)
    return event, len(rows) > (part + 1) * size


class _Numbered(dict[tuple[type[Entity], int], str]):
    """Names of rows; a row without one goes by its number."""

    def get(self, key: Any, default: Any = None) -> Any:
        """The name, or the number."""
        return super().get(key) or _("%(what)s %(n)s", what=said(key[0].__label__), n=key[1])


def _read(row: Entity, before: int | None, limit: int) -> list[Told]:
    name, key = type(row).__name__, row.id
    shared = select(HistoryLink.id).where(*same_entry()).exists()
    statement = select(HistoryEntry, shared).where(about(name, key)).order_by(HistoryEntry.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(HistoryEntry.id < before)
    with unscoped("history of a record one may read", quiet=True) as session:
        parts = _parts(type(row))
        found = [_told(entry, row, parts, several=several) for entry, several in session.execute(statement)]
        _drop_strangers(session, row, [one for one, several in found if several], parts)
    return [one for one, _several in found]


def same_entry() -> tuple[Any, Any]:
    """The criteria that a further record is an entry's."""
    return HistoryLink.office_id == HistoryEntry.office_id, HistoryLink.seq == HistoryEntry.seq


def about(entity: str, key: int) -> Any:
    """The criterion that an entry is about a record, be it the first or a further one; each found by its index."""
    table = inspect(HistoryEntry).local_table.alias()
    link = inspect(HistoryLink).local_table
    first = select(table.c.id).where(table.c.entity == entity, table.c.row_id == key)
    further = (
        select(table.c.id)
        .join(link, (link.c.office_id == table.c.office_id) & (link.c.seq == table.c.seq))
        .where(link.c.entity == entity, link.c.row_id == key)
    )
    return HistoryEntry.id.in_(union_all(first, further))


def _parts(model: type[Entity]) -> dict[str, type[Entity]]:
    """The classes whose rows are parts of this class's, directly or through another part."""
    found: dict[str, type[Entity]] = {}
    classes = [cls for cls in registry().values() if cls.__part_of__]
    for _depth in classes:
        for cls in classes:
            if whole_of(cls) is model or whole_of(cls).__name__ in found:
                found[cls.__name__] = cls
    return found


def _told(entry: HistoryEntry, row: Entity, parts: dict[str, type[Entity]], *, several: bool) -> tuple[Told, bool]:
    body = json.loads(entry.body)
    told = Told(entry.id, entry.at, entry.verb, body["actor"][1] if body["actor"] else "", _reason(body, row))
    for entity, row_id, op, fields in body["changes"]:
        if entity == type(row).__name__ and row_id == row.id:
            told.changes.append(Change(type(row), row_id, op, fields))
        elif entity in parts:
            told.changes.append(Change(parts[entity], row_id, op, fields))
        elif entity == Attachment.__name__ and _about(fields, row):
            told.changes.append(Change(Attachment, row_id, op, fields))
    return told, several


def _reason(body: dict[str, Any], row: Entity) -> str:
    """The reason given; for the view of a masked value, which one: kept in words, once by the column's name."""
    column = str(body.get("facts", {}).get("column", ""))
    return label_of(type(row), column) if column in inspect(type(row)).columns else said(column or body["reason"])


def _about(fields: dict[str, list[Any]], row: Entity) -> bool:
    told = {name: new if new is not None else old for name, (old, new) in fields.items()}
    return (told.get("entity"), told.get("row_id")) == (type(row).__name__, row.id)


def _drop_strangers(session: Any, row: Entity, shared: list[Told], parts: dict[str, type[Entity]]) -> None:
    """In an entry about several records, keep only those parts that are this record's.

    A part made or deleted names its whole; of one changed, the database knows it. What can't be told is left out.
    """
    direct = {name: cls for name, cls in parts.items() if whole_of(cls) is type(row)}
    for told in shared:
        for cls in direct.values():
            link = foreign_key(inspect(cls).relationships[cls.__part_of__])
            asked = {one.row_id for one in told.changes if one.model is cls}
            own = set(session.scalars(select(cls.id).where(cls.id.in_(asked), getattr(cls, link) == row.id)))
            own |= {one.row_id for one in told.changes if one.model is cls and row.id in one.fields.get(link, ())}
            told.changes = [one for one in told.changes if one.model is not cls or one.row_id in own]
        told.changes = [
            one for one in told.changes if one.model.__name__ in direct or one.model in {type(row), Attachment}
        ]


def differences(changes: Iterable[Change]) -> list[list[dict[str, Any]]]:
    """What each change did, as field, old and new in words; hidden columns and what is derived left out."""
    listed = list(changes)
    names = _names([Told(0, None, "", "", "", listed)])
    return [_lines(change, names) for change in listed]


def _names(told: list[Told]) -> dict[tuple[type[Entity], int], str]:
    """What the rows are called that changes point at; asked under the person's own predicates."""
    wanted: dict[type[Entity], set[int]] = defaultdict(set)
    for change in (change for one in told for change in one.changes):
        for name, values in change.fields.items():
            target = target_of(change.model, name)
            if target is not None and _shown(change, name):
                wanted[target].update(value for value in values if isinstance(value, int))
    found: dict[tuple[type[Entity], int], str] = {}
    for cls, keys in wanted.items():
        ordered = sorted(keys)
        for start in range(0, len(ordered), MOST_ASKED):
            some = ordered[start : start + MOST_ASKED]
            rows = current_session().scalars(select(cls).where(cls.id.in_(some))).unique()
            found |= {(cls, row.id): name_of(row) for row in rows}
    return found


def _numbers(told: list[Told]) -> dict[Key, int]:
    """The place of each part among its kind: as it is now, else as it was when it was made or last moved."""
    found: dict[Key, int] = {}
    keys: dict[type[Entity], set[int]] = defaultdict(set)
    for change in (change for one in reversed(told) for change in one.changes):
        if change.model.__part_of__ and hasattr(change.model, "position"):
            keys[change.model].add(change.row_id)
            old, new = change.fields.get("position", (None, None))
            if number := new or old:
                found[change.model.__name__, change.row_id] = int(number)
    for cls, ids in keys.items():
        position = inspect(cls).columns["position"]
        rows = current_session().execute(select(cls.id, position).where(cls.id.in_(sorted(ids))))
        found |= {(cls.__name__, key): place for key, place in rows}
    return found


def _shown(change: Change, name: str) -> bool:
    """Whether a column says something to people, and to this person."""
    mapped = inspect(change.model).columns.get(name)
    if mapped is None or mapped.info.get("derived") or name in {"public_id", "position"}:
        return False
    if name in SCOPE and mapped.info.get("system"):
        return False
    if change.model.__part_of__ and name == foreign_key(inspect(change.model).relationships[change.model.__part_of__]):
        return False
    return not concealed(change.model, name)


def _event(told: Told, row: Entity, names: dict[tuple[type[Entity], int], str], numbers: dict[Key, int]) -> Event:
    many = _many(told, type(row))
    lines = [_sum_line(model, op, number) for (model, op), number in many.items()]
    for change in told.changes:
        if (change.model, change.op) in many:
            continue
        if change.model is Attachment:
            lines += _file_line(change)
        elif change.model is not type(row):
            head = _head(change, numbers)
            lines += [{**one, "field": f"{head} · {one['field']}"} for one in _lines(change, names)]
        elif change.op == "~":  # what a record was made with is what its page says, or the old value of a later change
            lines += _lines(change, names)
    what = said(VERB_WORDS.get(Verb(told.verb), told.verb))
    return Event(datetime_text(told.at), told.actor or _("系统"), what, told.reason, lines)


def _many(told: Told, own: type[Entity]) -> dict[tuple[type[Entity], str], int]:
    """Of which parts so many were made or taken away at once that their number says more than each of them."""
    counted = Counter((one.model, one.op) for one in told.changes if one.model not in {own, Attachment})
    return {key: number for key, number in counted.items() if key[1] != "~" and number > MOST_PARTS}


def _sum_line(model: type[Entity], op: str, number: int) -> dict[str, Any]:
    """检查项目: 新增 98 条."""
    text = _("新增 %(n)s 条", n=number) if op == "+" else _("去掉 %(n)s 条", n=number)
    return {"field": said(model.__label__), "old": "" if op == "+" else text, "new": text if op == "+" else ""}


def _head(change: Change, numbers: dict[Key, int]) -> str:
    """发现的问题 第 2 条."""
    label, number = said(change.model.__label__), numbers.get((change.model.__name__, change.row_id))
    return _("%(what)s 第 %(n)s 条", what=label, n=number) if number else label


def _file_line(change: Change) -> list[dict[str, Any]]:
    told = {name: new if new is not None else old for name, (old, new) in change.fields.items()}
    if "name" not in told:
        return []
    text = f"{told['name']}（SHA-256 {str(told.get('sha256', ''))[:12]}…）"
    old, new = ("", text) if change.op == "+" else (text, "")
    return [{"field": said(Attachment.__label__), "old": old, "new": new}]


def _lines(change: Change, names: dict[tuple[type[Entity], int], str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, (old, new) in change.fields.items():
        if not _shown(change, name):
            continue
        if differ := _differs.get((change.model, name)):
            found += [{"field": what, "old": before, "new": after} for what, before, after in differ(old, new)]
            continue
        values = [_value(change.model, name, value, names) for value in (old, new)]
        found.append({"field": label_of(change.model, name), "old": values[0], "new": values[1]})
    return found


def _value(model: type[Entity], name: str, value: Any, names: dict[tuple[type[Entity], int], str]) -> str:
    """A kept value as a screen shows it."""
    if value is None or value == "":
        return ""
    if value == UNRECORDED:
        return str(_("不记录"))
    if (target := target_of(model, name)) is not None:
        return names.get((target, value)) or str(_("（您无权查看）"))
    if isinstance(value, bool):
        return str(_("是") if value else _("否"))
    column = inspect(model).columns[name]
    if isinstance(names, _Numbered) and maskable(model, name):
        return masked(str(value))
    if column.info.get("format") == "lines":
        return line_text(value) or str(_("全部"))
    return _text(model, name, column, value)


def _text(model: type[Entity], name: str, column: Any, value: Any) -> str:
    flow = model.__workflow__
    ours = column.info.get("choices") or column.info.get("format") == "term" or (flow and flow.column == name)
    return said(value) if ours else _dated(column, value)


def _dated(column: Any, value: Any) -> str:
    """A kept date or instant (ISO text) as people say it; anything else as it is."""
    try:
        if isinstance(column.type, UtcDateTime):
            return datetime_text(datetime.fromisoformat(value))
        if isinstance(column.type, Date):
            return date_text(date.fromisoformat(value))
    except (TypeError, ValueError):
        return str(value)
    return str(value)
