"""Entities: columns, constraints, states; one file a subject."""

from __future__ import annotations

from importlib import import_module

SUBJECTS = ("area", "enterprise", "personnel", "citation", "inspection", "rectification", "setting", "lines",
            "check", "licence", "training", "holiday")  # fmt: skip


def load() -> None:
    """Import every subject, so that all tables and mappers are known."""
    for subject in SUBJECTS:
        import_module(f"app.models.{subject}")
