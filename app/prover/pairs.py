"""A part of the whole product in which every pair of its factors still meets."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import combinations
from random import Random
from typing import Protocol, TypeVar


class Factored(Protocol):
    """What is chosen among: its factors, and what must be there at least once."""

    @property
    def factors(self) -> tuple[Hashable, ...]:
        """Their values, in a fixed order."""

    @property
    def alone(self) -> Hashable:
        """A value that must occur whatever it meets."""


F = TypeVar("F", bound=Factored)


def pairwise(items: Iterable[F], seed: int = 1) -> list[F]:
    """As few as a greedy choice finds so that each pair of factors that occurs in `items` occurs in them too.

    Deterministic. First those are taken that bring many new pairs, then those that bring few.
    """
    left = sorted(items, key=lambda one: str((one.alone, one.factors)))
    Random(seed).shuffle(left)  # noqa: S311 - an order that favours nothing, not a secret
    covered: set[Hashable] = set()
    chosen: list[F] = []
    for least in (5, 3, 2, 1):
        rest = []
        for one in left:
            new = set(_pairs(one)) - covered
            if len(new) >= least:
                chosen.append(one)
                covered |= new
            elif new:
                rest.append(one)
        left = rest
    return chosen


def _pairs(one: Factored) -> Iterator[Hashable]:
    yield one.alone
    yield from combinations(enumerate(one.factors), 2)
