"""The page on which two rows become one, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.core.clash_screen import ClashField
from app.core.screen import Field, FormError


@dataclass
class MergeScreen:
    """Both rows where they differ (`yours` is of the one that stays), and what will be moved."""

    title: str
    action: str
    cancel_url: str
    swap_url: str
    kept: str
    gone: str
    kept_url: str
    gone_url: str
    versions: tuple[int, int]
    fields: list[ClashField]
    moves: list[tuple[Any, int]]
    reason: Field
    crumbs: list[tuple[Any, str]] = field(default_factory=list)
    errors: list[FormError] = field(default_factory=list)
