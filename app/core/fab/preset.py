"""Filters that a declaration puts above its list, one tap each; a list may open with one, and says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _nobody() -> bool:
    return False


@dataclass(frozen=True)
class Preset:
    """label: what it is called; arguments: those of the list, as a query string; offered: whether this person gets it;
    opens: whether this person's list opens with it, unless he chose another filter for that."""

    label: Any
    arguments: str
    offered: Callable[[], bool]
    opens: Callable[[], bool] = _nobody
