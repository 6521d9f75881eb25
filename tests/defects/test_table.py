"""`tests/fab_defects.md` names, for each defect, the test that shows it closed; and stock FAB still has it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests" / "fab_defects.md"
LEAST = 50


@cache
def rows() -> list[tuple[str, str, str, str]]:
    """(number, defect, our tests, stock probe) of each row."""
    found = []
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"\d+", cells[0]):
            found.append((cells[0], cells[1], cells[3], cells[4]))
    return found


@pytest.fixture(scope="module")
def stock() -> dict[str, bool]:
    """What each probe found in stock Flask-AppBuilder."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.defects.stock"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, bool] = json.loads(run.stdout)
    return found


def test_stock_fab_shows_every_probed_defect(stock: dict[str, bool]) -> None:
    assert [name for name, shown in stock.items() if not shown] == []
    assert set(stock) == {probe.strip("`") for *_rest, probe in rows() if probe.startswith("`")}


def test_every_row_has_a_test_that_is_there() -> None:
    assert len(rows()) >= LEAST
    missing = []
    for number, _defect, tests, _probe in rows():
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
        if not named:
            missing.append((number, "names no test"))
        missing += [(number, name) for path, name in named if name not in functions(ROOT / path)]
    assert missing == []


@cache
def functions(path: Path) -> set[str]:
    """The names of a file's test functions."""
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
