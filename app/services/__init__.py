"""Business acts: one function each, one unit of work, callable from a screen, a command, a job and a test alike."""

from __future__ import annotations

from importlib import import_module

from app import models

SUBJECTS = ("office", "granting", "handover", "enterprise", "personnel", "ban", "inspection", "rectification",
            "setting", "check", "risk_list", "licence", "training", "director", "activation",
            "staff_change", "policy_document", "self_assessment", "grading", "likeness", "merging",
            "takeover", "census", "reconciliation", "reconciliation_acts")  # fmt: skip


def load() -> None:
    """Import every subject, so that what they register (checks, transitions, jobs) is in force."""
    models.load()
    for subject in SUBJECTS:
        import_module(f"app.services.{subject}")
