"""Sealing a row: an unannounced visit is known to those put to it and to who approved it, until it opens.

What a seal means to reading is part of the predicate (`core.access.predicate`), so every list, search, count, export,
answer of the API, attachment and paper is blind to the row without being told.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from app.core import clock
from app.core.access.context import current_access
from app.core.errors import Invalid


def is_sealed(row: Any) -> bool:
    """Whether the row is sealed now."""
    seal = type(row).__seal__
    if seal is None or not getattr(row, seal.flag):
        return False
    until = getattr(row, seal.until)
    return until is None or bool(until > clock.now())


def not_sealed(row: Any) -> str | None:
    """A guard: for rows that are open."""
    return str(_("已经封存。")) if is_sealed(row) else None


def only_sealed(row: Any) -> str | None:
    """A guard: for rows that are sealed."""
    return None if is_sealed(row) else str(_("没有封存。"))


def close(row: Any, until: datetime | None = None) -> None:
    """Seal a row; who does it is its approver. Raises Invalid when it would open in the past."""
    if until is not None and until <= clock.now():
        raise Invalid(_("有内容需要改正，尚未保存。"), {"until": _("须晚于现在。")})
    seal = type(row).__seal__
    setattr(row, seal.flag, True)
    setattr(row, seal.until, until)
    setattr(row, seal.approver, current_access().person.id)


def open_up(row: Any) -> None:
    """Take the seal off."""
    setattr(row, type(row).__seal__.flag, False)
