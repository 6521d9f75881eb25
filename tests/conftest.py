"""Fixtures of the whole suite: `house` on both databases, `small` on SQLite only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import House, on_postgres, on_sqlite
from tests.support.postgres import postgres_server

pytest_plugins = ["tests.support.memory", "tests.support.counts", "tests.support.browser"]

# a Chromium started by the tests must not look for its maker's servers, nor the tests for any other
os.environ.setdefault("NO_PROXY", "*")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The house on SQLite, made once a process."""
    house = on_sqlite(tmp_path_factory.mktemp("house"))
    yield house
    house.close()


@pytest.fixture(scope="session")
def postgres_house(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[House]:
    """The house on PostgreSQL, made once a process."""
    house = on_postgres(tmp_path_factory.mktemp("house-pg"), postgres)
    yield house
    house.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest) -> House:
    """The house as the template has it, on each database."""
    found: House = request.getfixturevalue(f"{request.param}_house")
    found.restore()
    return found


@pytest.fixture
def small(sqlite_house: House) -> House:
    """The house on SQLite, for stories that don't depend on the database."""
    sqlite_house.restore()
    return sqlite_house


@pytest.fixture(scope="session")
def out() -> Path:
    """Where pictures and papers that a person may want to look at are left."""
    folder = Path(__file__).parent / "out"
    folder.mkdir(exist_ok=True)
    return folder
