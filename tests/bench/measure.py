"""Stop-watches, statement counters, weights of pages; what all sides measure with."""

from __future__ import annotations

import gzip
import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from tests.bench.side import Side

CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")
FEWEST, TURN = 3, 1000  # requests, milliseconds
ASSETS = re.compile(r"<link[^>]+href=\"([^\"]+\.css[^\"]*)\"|<script[^>]+src=\"([^\"]+)\"")


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Run it: (milliseconds on the clock, milliseconds of this process's processor)."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def median(values: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def in_turn(sides: dict[str, Side], rounds: int, method: str, **arguments: Any) -> dict[str, list[list[float]]]:
    """Call the sides in turn, several times: a busy machine slows all of them. Answers are lists of (wall, cpu)."""
    found: dict[str, list[list[float]]] = {name: [] for name in sides}
    for _round in range(rounds):
        for name, side in sides.items():
            found[name] += side.call(method, **arguments)
    return found


def cpu(samples: list[list[float]]) -> float:
    """Median processor time: what the other programs of the machine take does not count."""
    return median(sample[1] for sample in samples)


def wall(samples: list[list[float]]) -> float:
    """Median time on the clock."""
    return median(sample[0] for sample in samples)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements SQLAlchemy executes meanwhile, without those that only control transactions."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(CONTROL):
            heard.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


@contextmanager
def held() -> Iterator[list[tuple[float, float]]]:
    """How long each writing transaction meanwhile had the lock, timed as `timed` does it."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    spans: list[tuple[float, float]] = []
    begun: dict[int, tuple[float, float]] = {}

    def begin(connection: Any) -> None:
        if connection.get_execution_options().get("shouze_write"):
            begun[id(connection)] = time.perf_counter(), time.process_time()

    def end(connection: Any) -> None:
        if (since := begun.pop(id(connection), None)) is not None:
            spans.append(((time.perf_counter() - since[0]) * 1000, (time.process_time() - since[1]) * 1000))

    heard = {"begin": begin, "commit": end, "rollback": end}
    for name, hear in heard.items():
        event.listen(Engine, name, hear)
    try:
        yield spans
    finally:
        for name, hear in heard.items():
            event.remove(Engine, name, hear)


def packed(content: bytes) -> int:
    """Bytes after gzip at the level web servers use."""
    return len(gzip.compress(content, 6, mtime=0))


def peak_rss() -> float:
    """The most memory this process has had, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


class Pages:
    """Base of the sides that serve pages: `paths` names them, `get` fetches one, `asset` reads a file one links to."""

    paths: ClassVar[dict[str, str]]

    def get(self, path: str) -> bytes:
        """The body of a page; anything but 200 is a failure of the bench."""
        raise NotImplementedError

    def asset(self, url: str) -> bytes:
        """A style sheet or script."""
        return self.get(url)

    def statements(self, path: str) -> list[str]:
        """What one request asks the database."""
        with counted() as heard:
            self.get(path)
        return heard

    def weigh(self, page: str) -> dict[str, Any]:
        """Statements and bytes of a page, warm. `first`: the page and the CSS and JS it links to."""
        path = self.paths[page]
        self.get(path)
        html = self.get(path)
        links = [one or other for one, other in ASSETS.findall(html.decode())]
        assets = [self.asset(link) for link in dict.fromkeys(links)]
        heard = self.statements(path)
        return {
            "statements": len(heard), "sql": heard[:12], "bytes": len(html), "gzipped": packed(html),
            "first": len(html) + sum(map(len, assets)), "first_gzipped": packed(html) + sum(map(packed, assets)),
            "assets": len(assets), "links": html.count(b"<a "), "options": html.count(b"<option"),
        }  # fmt: skip

    def requests(self, page: str, count: int) -> list[tuple[float, float]]:
        """Time `count` warm requests, fewer when a second is over: who is slow gets a shorter turn."""
        path = self.paths[page]
        self.get(path)
        found: list[tuple[float, float]] = []
        while len(found) < count and (len(found) < FEWEST or sum(wall for wall, _cpu in found) < TURN):
            found.append(timed(lambda: self.get(path)))
        return found
