"""Eight threads, two offices, one application: nobody is shown what another's request asked for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from random import Random
from threading import Barrier

import pytest

from app import prover
from app.prover.trying import Judge, Try
from app.prover.ways import Ways

THREADS = 8
READING = ("list", "guessed id", "relation", "search oracle", "filter oracle", "public id", "API relation", "export")


@pytest.fixture(scope="module")
def house() -> Iterator[prover.Bureau]:
    """The prover's bureau on SQLite."""
    with prover.bureau() as found:
        yield found


def storm(house: prover.Bureau, count: int) -> list[str]:
    """So many requests by people of two offices at once; what anybody saw that was not theirs."""
    barrier = Barrier(THREADS)
    people = list(islice(cycle(("yuan-a", "yuan-b", "suo-a", "suo-b")), THREADS))
    asked = {name: [one for one in Ways(house, name).tries() if one.way in READING] for name in set(people)}

    def work(number: int) -> tuple[int, list[str]]:
        name, random = people[number], Random(number)
        judge, client = Judge(house, house.accounts[name], name), house.client(name)
        barrier.wait()
        mine: list[Try] = random.choices(asked[name], k=count // THREADS)
        for one in mine:
            answer = one.ask.send(client)
            judge.shown(one, answer)
            if answer.status_code >= 500:
                judge.leaks.append(f"{name}: {one.ask.url}: HTTP {answer.status_code}")
        return len(mine), judge.leaks

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(work, range(THREADS)))
    assert sum(made for made, _leaks in done) == count // THREADS * THREADS
    return [leak for _made, leaks in done for leak in leaks]


def test_two_hundred_requests_at_once_show_nothing_foreign(house: prover.Bureau) -> None:
    assert storm(house, 200) == []


@pytest.mark.deep
def test_two_thousand_requests_at_once_show_nothing_foreign(house: prover.Bureau) -> None:
    assert storm(house, 2_000) == []


def test_a_storm_sees_what_is_open(house: prover.Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same eyes: without the offices' criterion they see foreign rows."""
    from sqlalchemy import true

    from app.core.access import context, predicate

    monkeypatch.setattr(predicate, "_one_of", lambda *_args: true())
    context._last.clear()
    assert storm(house, 80)
    context._last.clear()
