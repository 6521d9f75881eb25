"""The prover over the running application: no leaks, nothing withheld; and it meets what nobody told it of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import jsonify
from sqlalchemy import select

from app import prover
from app.cli import main
from app.core.db import unscoped
from app.core.entity import registry
from app.core.fab.gate import signed_in
from app.models.enterprise import Enterprise
from app.prover import making
from app.prover.pairs import pairwise
from app.prover.routes import ENDS_SESSION, routes_of
from app.services.demo import CAST
from tests.support.postgres import drop_database, fresh_database

WAYS = {
    "guessed id", "public id", "relation", "foreign key", "child taken", "created elsewhere", "moved away",
    "foreign row moved here", "foreign row deleted", "no right to the row", "bulk act", "workflow verb",
    "filter oracle",
    "sort oracle", "search oracle", "file name", "attachment", "document", "job result", "saved filter", "message",
    "history", "audience", "import", "export", "hidden column", "masked value", "list", "gate", "no session",
    "API workflow verb", "API foreign key", "API child taken", "API created elsewhere", "API moved away",
    "API filter oracle", "API sort oracle", "API search oracle", "API foreign row deleted", "API relation",
    "API foreign row moved here", "API hidden column", "stale: right ended", "stale: session ended",
    "stale: account closed", "session: read", "session: verb", "session: statement", "session: system rows",
    "session: guessed key", "session: foreign row changed", "session: foreign row deleted", "session: moved away",
    "session: created elsewhere", "session: foreign key", "session: system column", "session: hidden column",
    "session: begun elsewhere", "session: foreign owner", "rule: judged by another", "rule: nobody else's step",
    "rule: past its day", "rule: families", "rule: roles", "rule: appointing", "rule: team", "rule: handing over",
}  # fmt: skip


@pytest.fixture(scope="module")
def house() -> Iterator[prover.Bureau]:
    """The prover's bureau on SQLite."""
    with prover.bureau() as found:
        yield found


def test_nobody_walks_round_the_office(house: prover.Bureau) -> None:
    """So much of the product that every pair of entity, screen, role and way meets."""
    product = list(prover.items(house))
    outcome = prover.try_all(house, pairwise(product))
    assert outcome.leaks == []
    assert outcome.withheld == [], "the second say and the application differ"
    assert set(outcome.tries) >= WAYS
    assert outcome.paths == {one.path for one in product}
    assert outcome.roles >= {one.role for one in CAST} and len(outcome.offices) >= 8
    closed = [one for one in routes_of(house.app) if one.rule not in ENDS_SESSION and not one.public]
    assert {one.named(method) for one in closed for method in one.methods} <= outcome.paths


SHARES = range(24)


@pytest.mark.deep
@pytest.mark.parametrize("share", SHARES)
def test_nobody_does_by_any_way(house: prover.Bureau, share: int) -> None:
    """The whole product on SQLite, some accounts after the other."""
    house.restore()
    all_ways(house, share)


@pytest.fixture(scope="module")
def other_house(postgres: str) -> Iterator[prover.Bureau]:
    """The prover's bureau on PostgreSQL."""
    url = fresh_database(postgres)
    with prover.bureau(url.replace("postgresql://", "postgresql+psycopg://")) as found:
        yield found
    drop_database(url)


@pytest.mark.deep
@pytest.mark.postgres
@pytest.mark.parametrize("share", SHARES)
def test_nobody_does_on_the_other_database(other_house: prover.Bureau, share: int) -> None:
    """The whole product on PostgreSQL, in shares that stay within the time a case may take."""
    all_ways(other_house, share)


def all_ways(house: prover.Bureau, share: int) -> None:
    """Everything as every account of the share; the first share also without a session."""
    accounts = sorted(house.accounts)[share :: len(SHARES)]
    product = [one for name in accounts for one in prover.items(house, {name})]
    product += [] if share else prover.anonymous(house)
    outcome = prover.try_all(house, product)
    assert (outcome.leaks, outcome.withheld) == ([], [])
    assert outcome.paths == {one.path for one in product}


@pytest.mark.postgres
def test_the_other_database_is_proved_by_the_same_ways(postgres: str) -> None:
    url = fresh_database(postgres)
    try:
        with prover.bureau(url.replace("postgresql://", "postgresql+psycopg://")) as other:
            product = list(prover.items(other, {"yuan-a"}))
            outcome = prover.try_all(other, product[::40])
            assert outcome.leaks == []
            with pytest.raises(ValueError, match="not empty"):
                prover.Bureau(other.folder, str(other.engine.url.render_as_string(hide_password=False)))
    finally:
        drop_database(url)


def test_a_route_that_nobody_told_it_of_is_tried(tmp_path: Path) -> None:
    """A careless page, as a screen of tomorrow might have it: any firm's name by its public id, past the filter."""
    house = prover.Bureau(tmp_path)
    before = {one.path for one in prover.items(house, {"yuan-a"})}

    def careless(whatever: str) -> Any:
        with unscoped("careless") as session:
            found = session.scalars(select(Enterprise).where(Enterprise.public_id == whatever)).one_or_none()
            return jsonify(name=found.name if found is not None else "")

    house.app.add_url_rule("/careless/<whatever>", "careless", signed_in(careless))
    after = list(prover.items(house, {"yuan-a"}))
    assert {one.path for one in after} - before == {"GET /careless/<whatever>"}
    outcome = prover.try_all(house, [one for one in after if "careless" in one.path])
    house.close()
    assert any("saw" in leak and "Enterprise" in leak for leak in outcome.leaks)
    assert any("answered otherwise" in leak for leak in outcome.leaks)


def test_an_entity_without_rows_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = making.Maker._value

    def value(self: Any, cls: Any, name: str, *rest: Any) -> Any:
        return None if cls.__name__ == "Licence" and name == "number" else real(self, cls, name, *rest)

    monkeypatch.setattr(making.Maker, "_value", value)
    with pytest.raises(making.CannotMakeError, match="Licence"):
        prover.Bureau(tmp_path)


def test_rows_are_made_in_all_places_and_states(house: prover.Bureau) -> None:
    """Two offices, two lines, one place that moved; each state; words in every free text."""
    for cls in (registry()[name] for name in ("Enterprise", "Site", "Notice", "Inspection", "DailyCheck", "RiskList")):
        rows = list(house.rows(cls))
        assert {one.place for one in rows} >= {"a-catering", "a-sales", "b-catering", "b-sales", "moved"}, cls
        assert {one.fact[cls.state_column()] for one in rows} >= set(making.states_of(cls)), cls
    told = {(one.cls.__name__, one.column) for one in house.made.words.values()}
    assert {("Notice", "party"), ("Site", "name"), ("Message", "text"), ("Attachment", "(content)")} <= told
    assert {one.column for one in house.made.numbers.values()} >= {"id_card", "mobile", "phone"}


@dataclass(frozen=True)
class Pair:
    """Two letters and a number."""

    factors: tuple[str, ...]
    alone: str


def test_pairs_all_meet_in_fewer() -> None:
    product = [Pair((a, b, c, d), a + b) for a in "abcdef" for b in "ghijk" for c in "lmno" for d in "pqrs"]
    chosen = pairwise(product)
    for first in range(4):
        for second in range(first + 1, 4):
            met = {(one.factors[first], one.factors[second]) for one in chosen}
            assert met == {(one.factors[first], one.factors[second]) for one in product}
    assert len(chosen) < len(product) / 8
    assert chosen == pairwise(product)


def test_the_command_counts_and_fails_on_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    run = CliRunner().invoke(main, ["prove-access", "--pairs", "--as", "shi"])
    last = run.output.splitlines()[-1]
    assert run.exit_code == 0, run.output
    assert "paths × 1 roles × 1 offices" in last and last.endswith("0 leaks")
    assert "session: read: " in run.output
    leaky = prover.Outcome(leaks=["somebody: saw something"])
    monkeypatch.setattr(prover, "prove", lambda *_args, **_words: leaky)
    run = CliRunner().invoke(main, ["prove-access"])
    assert run.exit_code == 1 and "LEAK somebody: saw something" in run.output
