"""Which values are shown in part only: ID cards to everybody, telephones of people to whom does not cover their firm.

The whole is shown on a click to those with REVEAL on the row, and each view is logged (design: sensitive data).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, cast

from sqlalchemy import inspect

from app.core.access.context import Access, Held, current_access
from app.core.access.policy import Coverage
from app.core.entity import Entity
from app.core.office import Family
from app.core.types import Encrypted
from app.core.verbs import Verb

MOBILE = re.compile(r"(?<!\d)(1[3-9]\d\d)\d{3}(\d{4})(?!\d)", re.ASCII)
STARS = "****"
STARRED = rf"\1{STARS}\2"


def maskable(model: type[Entity], name: str) -> bool:
    """Whether a column holds something that is ever shown in part only: what is encrypted, and a firm's telephone."""
    return bool(_maskable(cast("Any", model), name))


@cache
def _maskable(model: type[Any], name: str) -> bool:
    column = inspect(model).columns.get(name)
    if column is None:
        return False
    firms = bool(getattr(model, "__firm_key__", "")) and column.info.get("format") == "tel"
    return isinstance(column.type, Encrypted) or firms


def is_masked(row: Entity, name: str) -> bool:
    """Whether the person in context sees this value in part only, before asking for the whole."""
    if not maskable(type(row), name):
        return False
    whole_to_covering = inspect(type(row)).columns[name].info.get("format") == "tel"
    return not (whole_to_covering and covers(current_access(), row))


def covers(access: Access, row: Any) -> bool:
    """Whether a posting covers the row now: its office answers for it, or its firm is the person's own.

    Not enough: having answered for it once, being put to it, reaching it through another record.
    """
    if access.person.family == Family.FIRM:
        return _own_firm(access, row)
    return any(_covers(access, held, row) for held in access.postings)


def _own_firm(access: Access, row: Any) -> bool:
    """Whether it is about a firm where the person works; a store or a canteen is only read along."""
    firms, kind = access.firms, getattr(type(row), "__firm_key__", "")
    if firms.along is None:
        return True
    firm = row.id if kind == "enterprise" else row.enterprise_id
    site = row.id if kind == "site" else row.site_id
    return firm in firms.whole | firms.parents or site in firms.sites


def _covers(access: Access, held: Held, row: Any) -> bool:
    cells = held.grants.get(row.policy_name(), {}).get(Verb.READ.value, ())
    reach = {coverage for coverage, _states in cells}
    unit = access.offices[held.office_id]
    lines = held.lines
    if Coverage.SUBTREE in reach:
        office = unit.id
    elif Coverage.SUPERVISED in reach:
        office, lines = unit.parent_id or unit.id, held.lines or unit.lines
    else:
        return False
    mine = row.office_id in access.subtree(office)
    return mine and (not lines or not row.lines or bool(row.lines & lines))


def masked(value: str) -> str:
    """An ID card or a number to those who may not see it whole: first four and last four."""
    return f"{value[:4]}{'*' * max(len(value) - 8, 4)}{value[-4:]}" if len(value) > 8 else "*" * len(value)


def starred(text: str) -> str:
    """A text with every mobile in it shown in part only, as exports write it."""
    return MOBILE.sub(STARRED, text)


def stands_for(shown: str, stored: object) -> bool:
    """Whether `shown` is how an export writes `stored`: it comes back from a list that was taken out, unchanged."""
    return isinstance(stored, str) and STARS in shown and shown in {masked(stored), starred(stored)}
