"""Lines of the table: what was measured, ours beside the peer's, and the bar of design §9."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

HEADINGS = ("benchmark", "what", "ours", "peer", "ours/peer", "bar", "")


@dataclass(frozen=True)
class Line:
    """One measured thing. `most`, `least`: bars for ours; `most_ratio`: for ours divided by the peer's.

    `raw` holds what the number was computed from and goes to the JSON file alone.
    """

    benchmark: str
    what: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    most: float | None = None
    least: float | None = None
    most_ratio: float | None = None
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's; None without a peer."""
        return self.ours / self.peer if self.peer else None

    @property
    def verdict(self) -> str:
        """Ok or over; empty where nothing was promised."""
        met = [self.ours <= self.most] if self.most is not None else []
        met += [self.ours >= self.least] if self.least is not None else []
        met += [self.ratio <= self.most_ratio] if self.most_ratio is not None and self.ratio is not None else []
        return ("ok" if all(met) else "over") if met else ""

    @property
    def bar(self) -> str:
        """The promise in words."""
        said = [f"≤ {number(self.most)}"] if self.most is not None else []
        said += [f"≥ {number(self.least)}"] if self.least is not None else []
        said += [f"≤ {number(self.most_ratio)}×"] if self.most_ratio is not None else []
        return ", ".join(said)

    def cells(self) -> tuple[str, ...]:
        """The line as the table shows it."""
        peer = f"{number(self.peer)} {self.peer_name}" if self.peer is not None else ""
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        return self.benchmark, self.what, f"{number(self.ours)} {self.unit}", peer, ratio, self.bar, self.verdict

    def plain(self) -> dict[str, Any]:
        """The line for the JSON file."""
        return {
            "benchmark": self.benchmark, "what": self.what, "unit": self.unit, "ours": self.ours, "peer": self.peer,
            "peer_name": self.peer_name, "ratio": self.ratio, "bar": self.bar, "verdict": self.verdict, "raw": self.raw,
        }  # fmt: skip


def number(value: float) -> str:
    """Three digits that say something: 1,234; 56.7; 0.123."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def show(lines: Iterable[Line]) -> str:
    """All lines as one table."""
    rows = [HEADINGS, *(line.cells() for line in lines)]
    wide = [max(_width(row[n]) for row in rows) for n in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell + " " * (wide[n] - _width(cell)) for n, cell in enumerate(row)).rstrip() for row in rows
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
