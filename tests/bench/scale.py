"""How much is measured: the whole, or a little for a test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Numbers of rows, turns and seconds."""

    rows: int = 20_000  # firms of the list
    searched: int = 100_000  # firms of the search
    big: int = 2_000_000  # inspections of the big lists
    huge: int = 10_000_000  # the same on PostgreSQL
    log: int = 1_000_000  # entries of history
    firms: int = 5_000  # firms a form points at, and of the register
    city: int = 300_000  # firms of the register on PostgreSQL
    views: int = 60  # lines of the navigation
    rounds: int = 6
    requests: int = 10  # in each round
    statements: int = 200
    saves: int = 40
    papers: int = 8  # in each round
    pool_papers: int = 60
    ledger: int = 10_000
    workbook: int = 50_000
    csv: int = 1_000_000
    starts: int = 3
    seconds: float = 5
    threads: int = 8


MINI = Scale(rows=200, searched=300, big=2_000, huge=2_000, log=500, firms=100, city=300, views=12, rounds=1,
             requests=2, statements=5, saves=2, papers=1, pool_papers=4, ledger=50, workbook=60, csv=300, starts=1,
             seconds=0.5, threads=2)  # fmt: skip
