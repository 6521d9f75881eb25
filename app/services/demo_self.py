"""Demo data of 落实自查表: in each state, some firms without any."""

from __future__ import annotations

from sqlalchemy import select

from app import data
from app.core import clock
from app.core.access.context import acting
from app.core.access.fetch import fetch
from app.core.db import current_session, unscoped
from app.core.office import Account
from app.core.saving import save
from app.core.verbs import Verb
from app.core.workflow import run
from app.data.people import Occasion, PointAnswer
from app.models.enterprise import Enterprise
from app.models.self_assessment import EDITION, SelfAssessment

EACH = 16  # firms of a station that have one for joining; a quarter of them has this year's as well
PLAN = "上月有两天没有填日检查记录，已安排店长每天下班前核对，本月底前不再漏填。"
DIFFERS = "第 5 项与实际不符：上月有三天没有日检查记录，请改为“未落实”并写明怎么改。"


def make_assessments(accounts: dict[str, int]) -> int:
    """Fill a demo whose firms are there. Returns how many were made."""
    pairs = (("suo-a", "firm-a"), ("suo-b", "firm-b"))
    return sum(_of_station(accounts[chief], accounts[firm]) for chief, firm in pairs)


def _of_station(chief: int, firm: int) -> int:
    """The cast's firm has one confirmed and writes the next; others' are entered by the system, judged by the chief."""
    with acting(firm):
        own = current_session().scalars(select(Enterprise.id).order_by(Enterprise.id).limit(1)).all()
    with acting(chief):
        office = fetch(Account, chief).office_id
    with unscoped("demo: self-assessments"):
        others = select(Enterprise.id).where(Enterprise.office_id == office, Enterprise.id.not_in(own))
        keys = current_session().scalars(others.order_by(Enterprise.id).limit(EACH)).all()
        made = [_made(key, Occasion.JOINING, whole=True) for key in keys]
        made += [_made(key, Occasion.YEARLY, whole=True) for key in keys[: EACH // 4]]
    for key in own:
        with acting(firm):
            made.insert(0, _made(key, Occasion.JOINING, whole=True))
            _made(key, Occasion.YEARLY, whole=False)
    _judge(chief, made)
    return len(made) + len(own)


def _made(firm: int, occasion: Occasion, *, whole: bool) -> int:
    """One of this year: answered and submitted, or half of it in writing. Returns its key."""
    points = data.self_points(EDITION)
    answers = {one.code: {"choice": PointAnswer.DONE.value} for one in points[: None if whole else 8]}
    if firm % 3 == 0:
        answers["5"] = {"choice": PointAnswer.NOT_DONE.value, "plan": PLAN}
    answers["10"] = {"choice": PointAnswer.NOT_APPLICABLE.value, "reason": "还没有被抽查考核过。"}
    owner = current_session().scalars(select(Enterprise).where(Enterprise.id == firm)).unique().one()
    row = SelfAssessment(enterprise=owner, occasion=occasion, year=clock.today().year)
    row.answers = answers
    save(row, Verb.CREATE)
    if whole:
        run(row, "submit")
    return row.id


def _judge(chief: int, made: list[int]) -> None:
    """Most are confirmed, some returned, the last ones wait."""
    with acting(chief):
        for number, key in enumerate(made[:-3]):
            row = fetch(SelfAssessment, key)
            if number % 5 == 4:
                run(row, "return", reason=DIFFERS)
            else:
                run(row, "confirm")
