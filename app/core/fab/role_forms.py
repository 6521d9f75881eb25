"""What a role's form sent: ticks `g-entity-verb`, states `s-entity-verb-coverage`, columns `hidden-entity`."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.core.access.limits import governed
from app.core.access.problems import HIDDEN, READONLY, both
from app.core.errors import Invalid

MOST = 4_000  # ticks: more than every cell of the matrix with every state
Table = dict[str, Any]


def sent_grants(form: MultiDict[str, str]) -> Table:
    """Grants as AccessRole stores them, in the order sent; what is no cell of ours stays, so that it is told."""
    table: Table = {}
    for name, coverages in _named(form, "g"):
        entity, _dash, verb = name.partition("-")
        cells = [[one, form.getlist(f"s-{name}-{one}") or None] for one in dict.fromkeys(coverages)]
        table.setdefault(entity, {})[verb] = cells
    return table


def sent_columns(form: MultiDict[str, str], what: str) -> dict[str, list[str]]:
    """Withheld columns by entity; a relationship brings its key along. Hidden ones need no second tick."""
    found: dict[str, list[str]] = {}
    for entity, names in _named(form, what):
        cls = governed().get(entity)
        found[entity] = [part for name in dict.fromkeys(names) for part in (both(cls, name) if cls else (name,))]
    return found


def sent_tables(form: MultiDict[str, str]) -> tuple[Table, Table, Table]:
    """Grants, hidden and read-only columns. Raises Invalid when far more came than the form has."""
    if sum(len(values) for _name, values in form.lists()) > MOST:
        raise Invalid(_("提交的内容太多。"))
    return sent_grants(form), sent_columns(form, HIDDEN), sent_columns(form, READONLY)


def _named(form: MultiDict[str, str], what: str) -> list[tuple[str, list[str]]]:
    return [(name.removeprefix(f"{what}-"), values) for name, values in form.lists() if name.startswith(f"{what}-")]
