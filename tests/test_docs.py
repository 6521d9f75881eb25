"""What the documents say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_setting_is_documented_and_none_is_invented() -> None:
    code = (ROOT / "app/config.py").read_text()
    used = {f"SHOUZE_{name}" for name in re.findall(r'_(?:env|list|whole)\("([A-Z_]+)"', code)}
    for path in (ROOT / "app/core/pdf").glob("*.py"):
        used |= set(re.findall(r"SHOUZE_[A-Z_]+", path.read_text()))
    told = set(re.findall(r"^\| `(SHOUZE_[A-Z_]+)`", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert told == used


def test_the_readmes_commands_and_accounts_are_there() -> None:
    from app.services.demo import CAST, PASSWORD

    readme = (ROOT / "README.md").read_text()
    for command in re.findall(r"^    (script/[a-z]+)", readme, re.MULTILINE):
        assert (ROOT / command).stat().st_mode & 0o100, command
    assert {"script/server", "script/test"} <= set(re.findall(r"script/[a-z]+", readme))
    assert PASSWORD in readme
    for actor in CAST:
        assert f"`{actor.username}`" in readme, actor.username
    for image in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme):
        assert (ROOT / image).is_file(), image


def test_every_path_the_architecture_names_exists() -> None:
    told = re.findall(
        r"`((?:app|script|tests|docs|translations)/[\w./]+)`", (ROOT / "docs/architecture.md").read_text()
    )
    assert told
    for path in told:
        assert (ROOT / path).exists(), path
