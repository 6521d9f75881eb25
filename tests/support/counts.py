"""A pytest plugin (`pytest_plugins = ["tests.support.counts"]`): which cases run, and that none got lost.

Cases marked `deep` run only with SHOUZE_TEST_DEEP=1, and so do three quarters of the stories' tellings on PostgreSQL.
Of a run of the whole suite the number of cases is held against tests/counts.toml: a file that is no longer collected,
or a generator that yields nothing, is noticed.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

MINIMA = Path(__file__).parents[1] / "counts.toml"
SECOND_TELLINGS = 4  # of so many stories on both databases, one is told on PostgreSQL in the fast run
WHOLE = "shouze_whole_suite"
_SIZE = pytest.StashKey[int]()
_WHOLE = pytest.StashKey[bool]()


def is_deep() -> bool:
    return os.environ.get("SHOUZE_TEST_DEEP") == "1"


def minimum() -> int:
    """Give the least number of cases of a run of this kind."""
    return int(tomllib.loads(MINIMA.read_text())["deep" if is_deep() else "fast"])


def collected(config: pytest.Config) -> int | None:
    """Count the cases of this run; None where only a part of the suite was asked for."""
    return config.stash.get(_SIZE, None)


def pytest_configure(config: pytest.Config) -> None:
    # xdist's processes are handed paths and options already worked out: the one who was called tells them
    config.stash[_WHOLE] = getattr(config, "workerinput", {}).get(WHOLE, _whole_suite(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not is_deep():
        deep = [item for item in items if item.get_closest_marker("deep")]
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
        config.hook.pytest_deselected(items=deep)
    if config.stash[_WHOLE] and not is_deep():
        rested = [item for item in items if _rests(item)]
        items[:] = [item for item in items if not _rests(item)]
        config.hook.pytest_deselected(items=rested)
    if config.stash[_WHOLE]:
        config.stash[_SIZE] = len(items)


def _rests(item: pytest.Item) -> bool:
    """Whether a story's second telling, on PostgreSQL, is left to the deep run: the fast one tells a quarter.

    Which quarter runs is told by the name, so that it is the same one everywhere; who asks for a part of the suite
    gets both databases.
    """
    told_twice = getattr(getattr(item, "callspec", None), "params", {}).get("house") == "postgres"
    return told_twice and crc32(item.nodeid.encode()) % SECOND_TELLINGS != 0


@pytest.hookimpl(optionalhook=True)  # xdist's
def pytest_configure_node(node: Any) -> None:
    node.workerinput[WHOLE] = node.config.stash[_WHOLE]


def _whole_suite(config: pytest.Config) -> bool:
    option = config.option
    narrowed = [option.keyword, option.markexpr, option.ignore, option.ignore_glob, option.deselect, option.lf]
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not any(narrowed)
