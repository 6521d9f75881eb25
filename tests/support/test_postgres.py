"""The private PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from tests.support import postgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.postgres_server() as url:
        yield url


def ask(url: str, statement: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def test_it_listens_on_no_port_and_sorts_by_code_point(server: str) -> None:
    assert ask(server, "show listen_addresses") == ""
    assert ask(server, "select datcollate from pg_database where datname = 'template1'") == "C.UTF-8"
    assert ask(server, "select '奈曼旗' < '市局'") is True


def test_a_fresh_database_is_a_copy_of_its_own(server: str) -> None:
    template = postgres.fresh_database(server)
    ask(template, "create table firm as select 1 as id")
    one, other = (postgres.fresh_database(server, postgres.database_name(template)) for _ in range(2))
    ask(one, "delete from firm")
    assert (ask(one, "select count(*) from firm"), ask(other, "select count(*) from firm")) == (0, 1)
    postgres.drop_database(one)
    with pytest.raises(OperationalError, match="does not exist"):
        ask(one, "select 1")


def test_nothing_is_left_when_it_stops() -> None:
    with postgres.postgres_server() as url:
        home = Path(str(make_url(url).query["host"]))
        server = int((home / "data" / "postmaster.pid").read_text().split()[0])
    assert not home.exists()
    assert not Path("/proc", str(server)).exists()


def test_the_folders_of_killed_runs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "MEMORY", tmp_path)
    dead, alive = tmp_path / f"{postgres.PREFIX}4194305-a", tmp_path / f"{postgres.PREFIX}1-b"
    dead.mkdir()
    alive.mkdir()
    postgres.remove_leftovers()
    assert not dead.exists()
    assert alive.exists()


def test_unreachable_programs_are_copied(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    account = postgres._account()
    if account is None:
        return  # only root's server runs as another account
    monkeypatch.setattr(postgres, "_open_to_all", lambda _folder: False)
    with postgres._programs(account) as programs:
        assert programs != postgres.program("postgres").parent
        assert (programs / "postgres").exists()
