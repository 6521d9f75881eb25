"""Demo data of a station that is bringing in what it did on paper: cases of this year, a part that is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.core import clock
from app.core.access.context import acting, current_access
from app.core.db import current_session
from app.core.saving import save
from app.core.verbs import Verb
from app.data.takeover import PriorKind, RecheckResult, TakeoverPart
from app.models.enterprise import ENDED, Enterprise, Site
from app.models.takeover import PriorCase
from app.services.takeover import call_done

TERM = 15  # days to correct

# days ago, kind, number, what was found, whether it was re-checked, whether somebody is in charge of that
CASES: tuple[tuple[int, PriorKind, str, str, bool, bool], ...] = (
    (70, PriorKind.INSPECTION, "", "进货查验记录不全，当场改正。", False, False),
    (55, PriorKind.NOTICE, "奈市监责改（纸）1号", "从业人员健康证明过期。", True, True),
    (18, PriorKind.NOTICE, "奈市监责改（纸）2号", "冷藏柜温度不符合要求。", False, True),
    (9, PriorKind.NOTICE, "奈市监责改（纸）3号", "食品与非食品混放。", False, False),
)


def make_takeover(accounts: dict[str, int], made: dict[str, int]) -> None:
    """Fill a demo whose firms are there; adds to how many were made."""
    with acting(accounts["suo-a"]):
        office = current_access().person.office_id
        living = (Site.office_id == office, Site.state.not_in(ENDED))
        sites = list(current_session().scalars(select(Site.id).where(*living).order_by(Site.id).limit(len(CASES))))
        for site_id, case in zip(sites, CASES, strict=False):
            save(_case(site_id, accounts["yuan-a"], *case), Verb.CREATE)
        save(Enterprise(name="道口临时小卖部", address="大沁他拉镇道口北"), Verb.CREATE)  # no more is known of it yet
        call_done(office, TakeoverPart.INSPECTIONS, "其余检查没有留下纸质记录")
    made |= {"PriorCase": len(sites), "TakeoverStep": 1}


def _case(site_id: int, account: int, ago: int, kind: PriorKind, number: str, found: str, *told: bool) -> PriorCase:
    rechecked, in_charge = told
    day, notice = clock.today() - timedelta(days=ago), kind == PriorKind.NOTICE
    more: dict[str, Any] = {"rechecked_on": day + timedelta(days=TERM), "outcome": RecheckResult.CORRECTED}
    return PriorCase(
        site_id=site_id, kind=kind, number=number, done_on=day, content=found, officers="包文斌、苏日娜",
        deadline=day + timedelta(days=TERM) if notice else None, account_id=account if in_charge else None,
        **(more if rechecked else {}),
    )  # fmt: skip
