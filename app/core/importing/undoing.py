"""What an import made and changed, kept so that it can be taken back, and taking it back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core import clock
from app.core.db import FabModel, current_session
from app.core.entity import Entity, registry
from app.core.importing.chunks import by_chunks
from app.core.importing.lines import CHANGED, NEW, Line
from app.core.importing.naming import CHUNK
from app.core.importing.run import UNDO_WITHIN, ImportRun
from app.core.verbs import Verb
from app.core.writing import perform

KEPT_BY_CORE = {"version", "made_at", "made_by_id"}
Left = dict[str, Any]  # id, text, why
Restored = list[int]  # key, version now, version from before
Again = dict[tuple[int, int], int]  # (key, version) → the earlier version with the same content


def undo_text(lines: list[Line]) -> str:
    """Keys and versions of what was made; of what was changed also its former values and version. After the flush."""
    made = [[line.row.id, line.row.version] for line in lines if line.verdict == NEW]
    changed = []
    for line in (line for line in lines if line.verdict == CHANGED):
        differing = {name: old for name, old in line.before.items() if getattr(line.row, name) != old}
        kept = {name: _packed(old) for name, old in differing.items() if name not in KEPT_BY_CORE}
        changed.append([line.row.id, line.row.version, kept, line.version])
    return json.dumps({"made": made, "changed": changed}, ensure_ascii=False)


def made_of(text: str | None) -> list[int]:
    """The keys of the rows that were made."""
    return [key for key, _version in json.loads(text)["made"]] if text else []


def _packed(value: Any) -> Any:
    """A value as JSON can keep it; what JSON does not know is named."""
    if isinstance(value, (datetime, date, Decimal)):
        return {type(value).__name__: str(value)}
    return value


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, text),) = value.items()
    makers: dict[str, Callable[[str], Any]] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "Decimal": Decimal,
    }
    return makers[kind](text) if kind in makers else value


def take_back(entity: str, text: str) -> tuple[list[Left], list[Restored]]:
    """Restore the changed rows and delete the made ones, in the unit of work in force.

    Gives the rows left as they are, and of the restored ones which version they have again under which new number.
    """
    model, kept = registry()[entity], json.loads(text)
    left: list[Left] = []
    changed = {one[0]: one for one in kept["changed"]}  # key, version, values, version from before
    rows = _untouched(model, {key: one[1] for key, one in changed.items()}, left)

    def restore(row: Any) -> None:
        for name, value in changed[row.id][2].items():
            setattr(row, name, _unpacked(value))

    by_chunks(rows, restore, lambda row, error: left.append(_left(row.id, str(row), error)))
    refused = {one["id"] for one in left}
    again = [[row.id, row.version, changed[row.id][3]] for row in rows
             if row.id not in refused and len(changed[row.id]) > 3 and row.version > changed[row.id][3]]  # fmt: skip
    rows = _untouched(model, dict(kept["made"]), left)
    _delete(_free(model, rows, left), left)
    return left, again


def _left(key: int, text: str, why: Any) -> Left:
    return {"id": key, "text": text, "why": str(why)}


def _untouched(model: type[Entity], versions: dict[int, int], left: list[Left]) -> list[Any]:
    """The rows that are still as the import left them."""
    found: dict[int, Any] = {}
    keys = list(versions)
    for start in range(0, len(keys), CHUNK):
        statement = select(model).where(model.id.in_(keys[start : start + CHUNK])).with_for_update(of=model)
        rows = current_session().scalars(statement.execution_options(populate_existing=True)).unique()
        found |= {row.id: row for row in rows}
    again = _as_before(model) if any(row.version != versions[key] for key, row in found.items()) else {}
    touched = {key for key, row in found.items() if _first_of(again, key, row.version) != versions[key]}
    for key in keys:
        if key not in found:
            left.append(_left(key, "", _("已不存在，或已不归您管。")))
        elif key in touched:
            left.append(_left(key, str(found[key]), _("导入之后又被改过。")))
    return [row for key, row in found.items() if key not in touched]


def _as_before(model: type[Entity]) -> Again:
    """Which versions only say again what an earlier one said, since an import between them was taken back. Asked on the
    connection: it may have been somebody else's import."""
    table = inspect(ImportRun).local_table
    undone = (table.c.entity == model.__name__, table.c.undone_at.is_not(None))
    recent = table.c.undone_at >= clock.now() - UNDO_WITHIN
    results = current_session().connection().scalars(select(table.c.result).where(*undone, recent)).all()
    return {(key, now): before for one in results for key, now, before in one.get("restored", ())}


def _first_of(again: Again, key: int, version: int) -> int:
    """The oldest version that a row's version says again; versions only grow, so this ends."""
    while (key, version) in again:
        version = again[key, version]
    return version


def _free(model: type[Entity], rows: list[Any], left: list[Left]) -> list[Any]:
    """The rows that nothing but these rows themselves refers to, the youngest first."""
    free = {row.id: row for row in rows}
    while held := _referred(model, set(free)):
        left += [_left(key, str(free[key]), _("已有其他记录用到它。")) for key in sorted(held)]
        free = {key: row for key, row in free.items() if key not in held}
    return [free[key] for key in sorted(free, reverse=True)]


def _referred(model: type[Entity], keys: set[int]) -> set[int]:
    """Which of these rows a foreign key of any table points at, from outside these rows. Asked on the connection: a row
    that the person may not see holds them as well."""
    own = inspect(model).local_table
    found: set[int] = set()
    ordered, connection = sorted(keys), current_session().connection()
    for table in FabModel.metadata.sorted_tables:
        for target in table.columns:
            if not target.references(own.c.id):
                continue
            for start in range(0, len(ordered), CHUNK):
                some = ordered[start : start + CHUNK]
                by = table.c.id if table is own else target
                pairs = connection.execute(select(target, by).where(target.in_(some))).all()
                found |= {key for key, other in pairs if table is not own or other not in keys}
    return found


def _delete(rows: list[Any], left: list[Left]) -> None:
    """Delete under the verb IMPORT: who may import a row may take it back, without a right to delete."""
    names: dict[int, str] = defaultdict(str, {row.id: str(row) for row in rows})

    def drop(row: Any) -> None:
        perform(row, Verb.IMPORT)
        current_session().delete(row)

    by_chunks(rows, drop, lambda row, error: left.append(_left(row.id, names[row.id], _why(error))))


def _why(error: Exception) -> str:
    return str(error) if hasattr(error, "message") else str(_("已有其他记录用到它。"))
