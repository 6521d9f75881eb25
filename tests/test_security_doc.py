"""docs/security.md: no requirement is missing, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text()
ROWS = re.findall(r"^\| (V\d+\.\d+\.\d+|[一-鿿]+(?: [a-e])?) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

# how many requirements of levels 1 and 2 each section of ASVS 5.0 has; they are numbered from 1
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4,
    "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5,
    "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4,
    "17.3": 2,
}  # fmt: skip
CLAUSES = ("身份鉴别", "访问控制", "安全审计", "入侵防范", "恶意代码防范", "可信验证", "数据完整性", "数据备份恢复",
           "剩余信息保护", "个人信息保护", "系统管理", "审计管理")  # fmt: skip


@cache
def named_in(path: str) -> frozenset[str]:
    """The names of the tests of a file."""
    file = ROOT / path
    tree = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def test_every_requirement_of_both_lists_has_one_row() -> None:
    told = [name for name, _words, _shown in ROWS]
    asked = [f"V{section}.{n}" for section, count in SECTIONS.items() for n in range(1, count + 1)]
    assert sorted(name for name in told if name.startswith("V")) == sorted(asked)
    assert len(asked) == 253
    assert {name.partition(" ")[0] for name in told if not name.startswith("V")} == set(CLAUSES)
    assert len(told) == len(set(told))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_names_tests_that_are_there_or_says_why_not(row: tuple[str, str, str]) -> None:
    _name, _words, shown = row
    named = NAMED.findall(shown)
    assert named or re.match(r"(n/a|open): \w", shown), "neither a test nor a reason"
    assert shown.count("`tests/") == len(named), "a test is not named as `tests/path.py::test_name`"
    for path, test in named:
        assert test in named_in(path), f"{path} has no {test}"


def test_a_test_that_is_not_there_would_be_noticed() -> None:
    assert "test_that_nobody_wrote" not in named_in("tests/test_security_doc.py")
    assert named_in("tests/no_such_file.py") == frozenset()
    assert "test_every_requirement_of_both_lists_has_one_row" in named_in("tests/test_security_doc.py")
