"""Values between rows and JSON: out as a client can use them, in as the text that the form's own field parses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import BigInteger, inspect, select

from app.core.access.fetch import PUBLIC_ID
from app.core.access.masking import is_masked, masked
from app.core.access.veil import concealed
from app.core.db import FabModel, current_session
from app.core.entity import Entity
from app.core.fab import denied
from app.core.fab import fields as f
from app.core.fab.cells import cell
from app.core.screen import Badge
from app.core.types import Encrypted, LineSet

Ref = dict[str, str]


def shown_names(model: type[Entity], declared: Iterable[str]) -> list[str]:
    """The declared names that this person may see as JSON, each once."""
    columns, relations = inspect(model).columns, inspect(model).relationships
    found = []
    for name in dict.fromkeys(declared):
        target = columns.get(name)
        inner = target is not None and isinstance(target.type, BigInteger) and not target.foreign_keys
        sealed = target is not None and target.info.get("secret") and not isinstance(target.type, Encrypted)
        many = name in relations and bool(relations[name].uselist)
        if not (concealed(model, name) or inner or sealed or many):
            found.append(name)
    return found


def public_name(model: type[Entity], name: str) -> str:
    """What a name is called outside: a key column by the thing it points at."""
    target = inspect(model).columns.get(name)
    return name.removesuffix("_id") if target is not None and target.foreign_keys else name


def as_json(rows: list[Any], names: list[str]) -> list[dict[str, Any]]:
    """Rows as JSON objects: public id, version, then the names."""
    if not rows:
        return []
    model = type(rows[0])
    refs = {name: _references(rows, name) for name in names if _is_key(model, name)}
    return [
        {"id": row.public_id, "version": row.version}
        | {
            public_name(model, name): refs[name].get(getattr(row, name)) if name in refs else value_of(row, name)
            for name in names
        }
        for row in rows
    ]


def _is_key(model: type[Entity], name: str) -> bool:
    target = inspect(model).columns.get(name)
    return target is not None and bool(target.foreign_keys)


def _references(rows: list[Any], name: str) -> dict[int, Ref]:
    """What a key column of these rows points at, of those one may read: one statement."""
    target = next(iter(inspect(type(rows[0])).columns[name].foreign_keys)).column.table
    other: Any = next(mapper.class_ for mapper in FabModel.registry.mappers if mapper.local_table is target)
    keys = {key for row in rows if (key := getattr(row, name)) is not None}
    found = current_session().scalars(select(other).where(other.id.in_(keys))).unique() if keys else ()
    return {one.id: ref(one) for one in found}


def ref(row: Entity) -> Ref:
    """A row pointed at: its public id, and what people call it."""
    return {"id": row.public_id, "text": str(row)}


def value_of(row: Entity, name: str) -> Any:
    """One value as JSON takes it; what the screen masks is masked."""
    if "." in name:
        return cell(row, name, link=False).text or None
    value = getattr(row, name)
    target = inspect(type(row)).columns.get(name)
    if value and is_masked(row, name):
        return masked(str(value))
    if value and target is not None and isinstance(target.type, LineSet):
        return [1 << bit for bit in range(int(value).bit_length()) if value >> bit & 1]
    return [] if target is not None and isinstance(target.type, LineSet) else plain(value)


def plain(value: Any) -> Any:
    """A Python value as JSON takes it; a word with a colour is the word."""
    if isinstance(value, Badge):
        return str(value.text)
    if value is None or isinstance(value, (bool, int, dict, list)):
        return value
    if isinstance(value, Entity):
        return ref(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def stored_texts(one: Any) -> list[str]:
    """What the form would send for a field as it stands."""
    if isinstance(one, f.Tick):
        return ["1"] if one.data else []
    return one.values() if isinstance(one, f.Bits) else [one.shown()]


def texts(one: Any, value: Any) -> list[str]:
    """What the form would send for this JSON value of a field. Raises ValueError with the message."""
    if isinstance(one, f.Tick):
        if not isinstance(value, bool):
            raise ValueError(_("应为 true 或 false。"))  # noqa: TRY004 - as the fields' own parse does
        return ["1"] if value else []
    if isinstance(one, f.Bits):
        if not isinstance(value, list) or not all(_is_whole(bit) for bit in value):
            raise ValueError(_("应为整数的列表。"))
        return [str(bit) for bit in value]
    if value is None:
        return [""]
    if isinstance(one, f.Lookup):
        return [_key(one.model, value)]
    if isinstance(one, (f.Whole, f.Number)) and (_is_whole(value) or isinstance(value, Decimal)):
        return [str(value)]
    if isinstance(one, f.Whole) or not isinstance(value, str):
        text = _("应为整数。") if isinstance(one, f.Whole) else _("应为文字。")
        raise ValueError(text)  # noqa: TRY004 - as above
    return [value]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _key(model: type[Entity], value: Any) -> str:
    """The inner key of the row with that public id; one that can't be read is like one that is not there."""
    found = key_of(model, value.get("id") if isinstance(value, dict) else value)
    if found is None:
        raise ValueError(_("没有这条记录，或者您无权查看。"))
    return str(found)


def key_of(model: type[Entity], public_id: Any) -> int | None:
    """The inner key of a row the person may read, by its public id."""
    if not isinstance(public_id, str) or not PUBLIC_ID.fullmatch(public_id):
        return None
    found = current_session().scalar(select(model.id).where(model.public_id == public_id))
    if found is None:
        denied.note(model.__name__, public_id)
    return found
