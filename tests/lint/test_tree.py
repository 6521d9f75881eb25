"""The rules of rules.py over every file, with the exceptions of allowed.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.lint.rules import RULES, Finding

ROOT = Path(__file__).parents[2]
ALLOWED = tomllib.loads((ROOT / "tests/lint/allowed.toml").read_text()).get("allow", [])


@cache
def findings(rule: str) -> dict[str, list[Finding]]:
    found = {}
    for path in sorted((ROOT / "app").rglob("*.*")):
        name = path.relative_to(ROOT).as_posix()
        if RULES[rule].covers(name):
            found[name] = list(RULES[rule].check(path.read_text()))
    return {name: hits for name, hits in found.items() if hits}


@pytest.mark.parametrize("rule", RULES)
def test_every_file_keeps(rule: str) -> None:
    allowed = {entry["path"] for entry in ALLOWED if entry["rule"] == rule}
    broken = [
        f"{name}:{hit.line}: {hit.what}" for name, hits in findings(rule).items() if name not in allowed for hit in hits
    ]
    assert not broken, "\n".join([rule, *broken, "mend it, or say why in tests/lint/allowed.toml"])


@pytest.mark.parametrize("entry", ALLOWED, ids=lambda entry: f"{entry['rule']} {entry['path']}")
def test_every_exception_is_needed(entry: dict[str, str]) -> None:
    assert set(entry) == {"rule", "path", "reason"}
    assert len(entry["reason"]) > 10
    assert entry["path"] in findings(entry["rule"]), "nothing is found there any more: take the exception out"
