"""The commands of script/: what they refuse before they do anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.evil.example", ""])
def test_the_demo_stays_on_this_machine_unless_told_twice(host: str) -> None:
    done = run("script/server", "--demo", "--host", host)
    assert done.returncode == 2
    assert "--demo twice" in done.stderr


@pytest.mark.parametrize("words", [["--prot", "8001"], ["--port"], ["demo"]])
def test_the_server_explains_its_options(words: list[str]) -> None:
    done = run("script/server", *words)
    assert done.returncode == 2
    assert "usage: script/server" in done.stderr


def test_every_command_can_be_run() -> None:
    commands = [*(ROOT / "script").iterdir(), ROOT / ".ci" / "run"]
    assert not [path.name for path in commands if not path.stat().st_mode & 0o100]


def test_ci_runs_what_the_readme_tells() -> None:
    assert "script/test" in (ROOT / ".ci" / "run").read_text()
