"""Entities: columns, constraints, states; one file a subject, found by being here."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every subject, so that all tables and mappers are known."""
    for info in sorted(iter_modules(__path__), key=lambda info: info.name):
        import_module(f"{__name__}.{info.name}")
