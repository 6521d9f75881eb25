"""Lists and ledgers of a county's register, 5,000 firms, as a busy station, a quiet one and the bureau see them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.bench_big import BAR, WHO
from tests.bench.scale import Scale
from tests.bench.side import Rig, Side
from tests.bench.table import Line


def run(rig: Rig, scale: Scale) -> Iterator[Line]:
    """The middle and the worst of all lists and of the ledgers; statements of the worst page."""
    yield from lines("register", rig.side("ours_register:OursRegister", folder=rig.place("ours"), firms=scale.firms))


def lines(name: str, side: Side) -> Iterator[Line]:
    """What three people wait for."""
    for what, rows in side.call("sizes").items():
        yield Line(name, what, "rows", rows)
    for who in WHO:
        found = side.call("lists", who=who)
        for kind, part in _parts(found).items():
            worst = max(part, key=lambda one: one["ms"])
            slow = sum(one["ms"] > BAR for one in part)
            middle = sorted(one["ms"] for one in part)[len(part) // 2]
            yield Line(name, f"{who}: middle of {len(part)} {kind}", "ms", middle, most=BAR,
                       raw={"all": part})  # fmt: skip
            yield Line(name, f"{who}: worst, {worst['what']}", "ms", worst["ms"], most=BAR)
            yield Line(name, f"{who}: {kind} over {BAR} ms", "", slow, most=0)
            yield Line(name, f"{who}: statements", "", max(one["statements"] for one in part), most=10)


def _parts(found: list[dict[str, object]]) -> dict[str, list[dict[str, object]]]:
    ledgers = [one for one in found if str(one["what"]).startswith("ledger")]
    return {"lists": [one for one in found if one not in ledgers], "ledgers": ledgers}
