"""Several lines, one of them the main one; a firm in two lines stands under both and counts once."""

from __future__ import annotations

from typing import Any

import pytest

from app.core import clock
from app.core.access.fetch import fetch
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import Line
from app.models.enterprise import Enterprise, Site
from app.models.lines import BITS
from app.services.ledger import Wanted, Which, by_line, counts
from tests.support.house import House
from tests.support.imports import page

BOTH = BITS[Line.SALES] | BITS[Line.CATERING]


def opened(house: House, **values: Any) -> tuple[int, int]:
    """A firm with one site, entered by the clerk of station A."""
    with house.acting("neiqin-a"):
        firm = save(Enterprise(name="草原超市", state="正常"), Verb.CREATE)
        site = Site(enterprise=firm, name="草原超市", kind="食品销售企业", state="正常", **values)
        return firm.id, save(site, Verb.CREATE).id


def change(house: House, site: int, **values: Any) -> Site:
    with house.acting("neiqin-a"), unit_of_work():
        row = fetch(Site, site, Verb.UPDATE)
        for name, value in values.items():
            setattr(row, name, value)
        return save(row, Verb.UPDATE)


def test_the_main_line_is_one_of_the_lines(house: House) -> None:
    firm, site = opened(house, lines=BOTH)
    with house.acting("neiqin-a"):
        assert fetch(Site, site).main_line == Line.SALES, "the first when nobody says"
        assert fetch(Enterprise, firm).main_line == Line.SALES
    assert change(house, site, main_line=Line.CATERING).main_line == Line.CATERING
    with pytest.raises(Refused) as refused:
        change(house, site, main_line=Line.PRODUCTION)
    assert refused.value.fields == {"main_line": "主要条线须是它的条线之一。"}
    assert change(house, site, lines=BITS[Line.SALES]).main_line == Line.SALES, "not one that it has no more"


def test_a_firm_in_two_lines_is_under_both_and_counts_once(house: House) -> None:
    asked = Wanted(Which.B, clock.today())
    with house.acting("suo-a"):
        before, total = dict(by_line(asked)), counts(asked).firms
    opened(house, lines=BOTH)
    with house.acting("suo-a"):
        after = dict(by_line(asked))
        assert counts(asked).firms == total + 1
    assert {bit: after[bit] - before[bit] for bit in after} == {1: 0, 2: 1, 4: 1}
    shown = page(house.client("suo-a").get("/ledgers/"))
    assert f"食品销售 {after[2]}" in shown
    with house.acting("suo-b"):
        assert dict(by_line(asked)) != after, "of the firms that one reads"
