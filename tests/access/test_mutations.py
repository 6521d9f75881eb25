"""Each guard taken out, one at a time: the prover finds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app import prover
from app.core.access import context
from tests.access.mutations import FAST, MUTATIONS, Mutation


@pytest.fixture(scope="module")
def house() -> Iterator[prover.Bureau]:
    """The prover's bureau, built with every guard in its place."""
    with prover.bureau() as found:
        yield found


@pytest.fixture(scope="module")
def product(house: prover.Bureau) -> list[prover.Item]:
    """All that would be tried, as those whom the table names."""
    names = {name for one in MUTATIONS for name in one.accounts if name}
    return [*prover.items(house, names), *prover.anonymous(house)]


@pytest.mark.parametrize(
    "mutation",
    [pytest.param(one, id=one.name, marks=[] if one.name in FAST else pytest.mark.deep) for one in MUTATIONS],
)
def test_a_guard_taken_out_is_found(
    house: prover.Bureau, product: list[prover.Item], mutation: Mutation, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.restore()
    wanted = [one for one in product if one.username in mutation.accounts and one.way in mutation.ways]
    assert wanted, "the table names ways that are not tried"
    context._last.clear()  # what was compiled for the same people with every guard in its place, and afterwards without
    with ExitStack() as stack:
        stack.callback(context._last.clear)
        mutation.take_out(monkeypatch, stack)
        outcome = prover.try_all(house, wanted, stop=True)
    assert outcome.leaks, f"{mutation.name}: {outcome.requests} tries found nothing"


def test_names_are_told_apart() -> None:
    names = [one.name for one in MUTATIONS]
    assert len(set(names)) == len(names) >= 80
    assert set(names) > FAST
