"""The bench works and says what it should; how fast anything is, is no test's matter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench import __main__ as bench
from tests.bench.table import Line, number, show


def test_a_few_rows_make_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["predicate", "--mini", "--json", str(tmp_path / "raw.json")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["benchmark", "what", "ours", "peer", "ours/peer", "bar"]
    assert sum(line.startswith("predicate") for line in printed) == 3
    lines = json.loads((tmp_path / "raw.json").read_text())["lines"]
    assert all(len(line["raw"]["pairs"]) == 5 for line in lines)


def test_every_benchmark_is_named() -> None:
    files = {path.stem.removeprefix("bench_") for path in Path(bench.__file__).parent.glob("bench_*.py")}
    assert files == set(bench.NAMES)


@pytest.mark.parametrize(
    ("bars", "verdict"),
    [
        ({}, ""),
        ({"most": 10}, "ok"),
        ({"most": 9.9}, "over"),
        ({"least": 10}, "ok"),
        ({"least": 10.1}, "over"),
        ({"most_ratio": 0.5}, "ok"),
        ({"most": 10, "most_ratio": 0.4}, "over"),
    ],
)
def test_a_bar_is_met_or_not(bars: dict[str, Any], verdict: str) -> None:
    assert Line("list", "time", "ms", 10, 20, "FAB", **bars).verdict == verdict


def test_columns_line_up_under_wide_characters() -> None:
    first, second = show([Line("a", "列表", "ms", 1), Line("a", "list", "ms", 2)]).splitlines()[1:]
    assert first.replace("列表", "list")[:11] == second[:11]


@pytest.mark.parametrize(
    ("value", "shown"), [(1234, "1,234"), (12.34, "12.3"), (0.5, "0.50"), (0, "0"), (123.4, "123")]
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown
