"""Facts as data, in our own wording: areas, offices, legal citations, risk lists, holidays, sample findings.

Each row carries where it is from (`tag`: F:Sn found in a source, M-H/M-M/M-L remembered with that much confidence)
and whether it is `confirmed`. An unconfirmed row may be shown and edited; it must not reach a printed legal document
before somebody in the bureau has confirmed it. The enumerations are in `app.data.enums`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Area:
    """A 苏木乡镇, 街道 or 农场 of the banner; `aliases` are short, former and merged names found on old papers."""

    code: str
    name: str
    kind: str
    parent: str
    aliases: tuple[str, ...]
    tag: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Office:
    """A unit of the bureau; `parent` is a code, None for the city. Papers bear `seal_name`, never a station's."""

    code: str
    name: str
    short: str
    kind: str
    parent: str | None
    lines: tuple[str, ...]
    areas: tuple[str, ...]
    seal_name: str
    tag: str
    confirmed: bool
    note: str


@dataclass(frozen=True, slots=True)
class Citation:
    """One provision that a notice can cite, in force from `valid_from` to `valid_to`, both days included.

    `text` is our summary and says so: it is for choosing, not for printing. `article` is None where the number of the
    provision is not known. `purposes` holds 违反 (a duty), 依据 (the power to order) and 逾期 (what follows).
    """

    key: str
    title: str
    short: str
    order_no: str
    article: int | None
    paragraph: int | None
    item: int | None
    text: str
    purposes: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    tag: str
    confirmed: bool
    note: str

    def in_force(self, on: date) -> bool:
        """Whether the provision may be cited for an act of that day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Finding:
    """A made-up finding for demonstrations; `citation` is the duty broken, `basis` the power to order."""

    line: str
    fact: str
    demand: str
    severity: str
    citation: str
    basis: str


@dataclass(frozen=True, slots=True)
class RiskItem:
    """One item of a built-in 食品安全风险管控清单, in our own words; `why` says what goes wrong otherwise.

    `basis_confirmed`: every provision named was found in the text of its law. `frequency` is 日, 周 or 月, proposed.
    """

    line: str
    code: str
    text: str
    why: str
    basis: str
    basis_confirmed: bool
    key: bool
    frequency: str


@dataclass(frozen=True, slots=True)
class Holiday:
    """A weekday that is a public holiday (法定节假日), or a weekend day that is worked (调休上班)."""

    date: date
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Duty:
    """One point of a paper that a firm prints for itself, in our wording: `paper` is duties, letter, posts or alone.

    `law` names citations (printed while the bureau stands behind them); `rule`: the rule on 主体责任 says so too, of
    which no article is named (the numbers of 2025 are not known). `confirmed` false: advice that claims no
    source.
    """

    paper: str
    role: str
    text: str
    law: tuple[str, ...]
    rule: bool
    tag: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class SelfPoint:
    """One of the 16 points of a 落实自查表, in our own words; `hint` says what is looked at.

    An edition that was answered by stays as it is: other words are another edition. `basis` is empty where no source
    was found.
    """

    edition: int
    code: str
    text: str
    hint: str
    basis: str
    tag: str


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(files(__package__).joinpath(name).read_text("utf-8"))
    return [{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()} for row in rows]


@cache
def areas() -> tuple[Area, ...]:
    """The sixteen areas of the banner, by code."""
    return tuple(Area(**row) for row in _rows("areas.json"))


@cache
def offices() -> tuple[Office, ...]:
    """The units that the plan names and fourteen stations that the bureau has to confirm; parents come first."""
    return tuple(Office(**row) for row in _rows("offices.json"))


@cache
def citations() -> tuple[Citation, ...]:
    """Every citation, those no longer in force included."""
    return tuple(Citation(**_dated(row)) for row in _rows("citations.json"))


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    until = row["valid_to"]
    return row | {
        "valid_from": date.fromisoformat(row["valid_from"]),
        "valid_to": None if until is None else date.fromisoformat(until),
    }


@cache
def demo_findings() -> tuple[Finding, ...]:
    """Findings for demonstrations, ten or so a line."""
    return tuple(Finding(**row) for row in _rows("demo_findings.json"))


@cache
def risk_items() -> tuple[RiskItem, ...]:
    """The 98 items of the three built-in lists, in order."""
    return tuple(RiskItem(**row) for row in _rows("risk_items.json"))


@cache
def duties() -> tuple[Duty, ...]:
    """What 《食品安全总监职责》, 《食品安全员守则》, 任命书 and 岗位责任表 say, in order."""
    return tuple(Duty(**row) for row in _rows("duties.json"))


@cache
def self_points(edition: int) -> tuple[SelfPoint, ...]:
    """The points of one edition of the 落实自查表, in order; none of an edition that there is not."""
    return tuple(one for row in _rows("self_points.json") if (one := SelfPoint(**row)).edition == edition)


@cache
def holidays() -> tuple[Holiday, ...]:
    """What the State Council has arranged for 2026; a later year is entered by the office when it is announced."""
    return tuple(Holiday(**row | {"date": date.fromisoformat(row["date"])}) for row in _rows("holidays.json"))


@cache
def director_rules() -> tuple[dict[str, Any], ...]:
    """Who must have a 食品安全总监, by the texts of 2022 and 2025 and the canteens' rule: none is confirmed."""
    return tuple(_with_days(row) for row in _rows("director_rules.json"))


@cache
def size_yardsticks() -> tuple[dict[str, Any], ...]:
    """From which figures on a firm counts as 大中型: the law does not say, so each waits to be confirmed."""
    return tuple(_with_days(row) for row in _rows("size_yardsticks.json"))


def _with_days(row: dict[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(row[name]) if row[name] else None for name in ("valid_from", "valid_to")}
    return {name: value for name, value in (row | days).items() if name != "tag"}
