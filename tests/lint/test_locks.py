"""The lock files against pyproject.toml and each other: script/lock writes them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in requirements}


def test_every_dependency_is_locked() -> None:
    assert names(PROJECT["dependencies"]) <= set(pins("requirements.lock"))
    assert names(PROJECT["optional-dependencies"]["test"]) <= set(pins("requirements-test.lock"))


def test_the_test_set_contains_the_runtime_set() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-test.lock").items()


def test_locks_name_no_index_and_hash_everything() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text()
        assert not re.findall(r"https?://|file:|--(?:extra-)?index-url|--find-links", text)
        assert len(re.findall(r"^[\w.-]+==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)) == len(pins(name))
