"""Who must have a 食品安全总监: the rules as a table, then the story of a rule that changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock, jobs
from app.core.errors import Invalid
from app.core.saving import save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import DecisionCause, DirectorCondition, DirectorEdition
from app.models.director import DirectorDecision, DirectorOverride, DirectorRule, DirectorRuleKind, SizeYardstick
from app.models.enterprise import Enterprise, Site
from app.services.director import decide, rules_on
from tests.support.house import A, House

OLD, NEW = date(2025, 4, 14), date(2025, 4, 15)

# kind of site, its figures, must it by the text of 2022, by the texts of 2025
CASES: list[tuple[str, dict[str, Any], bool, bool]] = [
    ("幼儿园食堂", {"meals": 299}, False, False),
    ("幼儿园食堂", {"meals": 300}, True, True),
    ("学校食堂", {"meals": 499}, False, False),
    ("学校食堂", {"meals": 500}, True, True),
    ("养老机构食堂", {"meals": 300}, False, True),
    ("养老机构食堂", {"meals": 1001}, True, True),
    ("其他单位食堂", {"meals": 1000}, False, True),
    ("其他单位食堂", {"meals": 999}, False, False),
    ("供餐单位", {"meals": 1000}, False, True),
    ("集体用餐配送单位", {"meals": 1000}, False, False),
    ("集体用餐配送单位", {"meals": 1001}, True, True),
    ("承包经营企业", {"meals": 500, "canteen_kind": "学校食堂"}, False, True),
    ("承包经营企业", {"meals": 499, "canteen_kind": "学校食堂"}, False, False),
    ("承包经营企业", {"meals": 300, "canteen_kind": "幼儿园食堂"}, False, True),
    ("食品生产企业", {"staff": 300, "revenue": 2000}, True, True),
    ("食品生产企业", {"staff": 300, "revenue": 1999}, False, False),
    ("食品生产企业", {"staff": 2, "revenue": 3, "special_food": True}, True, True),
    ("特殊食品生产企业", {}, True, True),
    ("食品销售企业", {"staff": 50, "revenue": 500}, True, True),
    ("食品销售企业", {"staff": 50, "revenue": 500, "trade": "批发业"}, False, False),
    ("食品销售企业", {"staff": 20, "revenue": 5000, "trade": "批发业"}, True, True),
    ("食品销售企业", {"staff": 1, "revenue": 1, "headquarters": True}, True, True),
    ("餐饮服务企业", {"staff": 100, "revenue": 2000}, True, True),
    ("餐饮服务企业", {"staff": 99, "revenue": 9000}, False, False),
    ("中央厨房", {"staff": 5, "revenue": 10}, False, True),
    ("连锁总部", {}, True, True),
    ("小餐饮", {"staff": 5000, "revenue": 99999}, False, False),
    ("食品摊贩", {}, False, False),
]


@pytest.mark.parametrize(("kind", "figures", "in_2022", "in_2025"), CASES)
def test_the_rules_say_who_must(small: House, kind: str, figures: dict[str, Any], in_2022: bool, in_2025: bool) -> None:
    site = Site(kind=kind, special_food=False, headquarters=False)
    for name, value in figures.items():
        setattr(site, name, value)
    with small.system():
        assert (decide(site, rules_on(OLD)).must, decide(site, rules_on(NEW)).must) == (in_2022, in_2025)


def test_what_is_lacking_is_named(small: House) -> None:
    with small.system():
        given = rules_on(NEW)
        assert decide(Site(kind="学校食堂", special_food=False, headquarters=False), given).missing == "每餐次人数"
        half = Site(kind="食品销售企业", staff=60, special_food=False, headquarters=False)
        assert decide(half, given).missing == "年营业收入（万元）"
        small_one = Site(kind="食品销售企业", staff=3, special_food=False, headquarters=False)
        assert decide(small_one, given).missing == ""  # three people never make it 大中型, whatever it earns
        nothing = Site(kind="承包经营企业", meals=800, special_food=False, headquarters=False)
        assert decide(nothing, given).missing == "承包的食堂"


def school(house: House, meals: int) -> int:
    """A school's canteen of station A, saved by its inspector."""
    with house.acting("yuan-a"):
        firm = save(Enterprise(name="大沁他拉第一小学", state="正常"), Verb.CREATE)
        site = Site(enterprise=firm, name="第一小学食堂", kind="学校食堂", lines=4, meals=meals, state="正常")
        return save(site, Verb.CREATE).id


def decisions(house: House, site: int) -> list[tuple[bool, str, str]]:
    with house.system() as session:
        rows = session.scalars(select(DirectorDecision).where(DirectorDecision.site_id == site).order_by("id"))
        return [(row.must, row.words, row.cause) for row in rows]


def test_a_site_says_it_with_rule_and_figures(house: House) -> None:
    key = school(house, 520)
    assert decisions(house, key) == [(True, "每餐次 520 人 ≥ 500", DecisionCause.FIRST)]
    with house.system() as session:
        site = session.get_one(Site, key)
        assert site.must_have_director
        assert site.enterprise.must_have_director
    page = house.client("yuan-a").get(f"/sites/{key}").get_data(as_text=True)
    assert "每餐次 520 人 ≥ 500" in page


def test_a_changed_figure_is_decided_anew(house: House) -> None:
    key = school(house, 520)
    with house.acting("yuan-a"), unit_of_work(Verb.UPDATE) as session:
        site = session.get_one(Site, key)
        site.meals = 480
        save(site, Verb.UPDATE)
    assert decisions(house, key) == [(False, "", DecisionCause.FIGURES)]  # the same day: its last word stands
    with house.system() as session:
        assert not session.get_one(Site, key).enterprise.must_have_director


def test_a_changed_rule_decides_every_site_anew_and_lists_them(house: House) -> None:
    key = school(house, 480)
    with house.acting("fagui"), unit_of_work(Verb.UPDATE) as session:
        rule = session.scalars(select(DirectorRule).where(DirectorRule.key == "canteen-b")).one()
        rule.at_least = 450
        save(rule, Verb.UPDATE)
    with house.app.app_context():
        jobs.sweep()
    assert decisions(house, key) == [(True, "每餐次 480 人 ≥ 450", DecisionCause.RULES)]
    page = house.client("suo-a").get("/director-decisions/?cause=规则变化").get_data(as_text=True)
    assert "第一小学食堂" in page
    assert "第一小学食堂" not in house.client("suo-b").get("/director-decisions/").get_data(as_text=True)


def test_an_override_needs_a_reason_shows_and_ends(house: House) -> None:
    key = school(house, 100)
    with house.acting("suo-a"), unit_of_work(Verb.CREATE) as session:
        site = session.get_one(Site, key)
        with pytest.raises(Invalid):
            save(DirectorOverride(site=site, must=True, reason="", date_from=date(2026, 1, 1)), Verb.CREATE)
    with house.acting("suo-a"), unit_of_work(Verb.CREATE) as session:
        site = session.get_one(Site, key)
        one = DirectorOverride(site=site, must=True, reason="旗局要求具备条件的学校配备", date_from=date(2026, 1, 1))
        override = save(one, Verb.CREATE).id
    assert decisions(house, key) == [(True, "旗局要求具备条件的学校配备", DecisionCause.OVERRIDE)]
    with house.acting("suo-a"), unit_of_work(Verb.REVOKE) as session:
        run(session.get_one(DirectorOverride, override), "revoke", reason="认定有误")
    assert decisions(house, key)[-1][0] is False


def test_a_yardstick_taken_out_of_use_counts_no_more(house: House) -> None:
    with house.acting("fagui"), unit_of_work(Verb.UPDATE) as session:
        for one in session.scalars(select(SizeYardstick).where(SizeYardstick.trade == "零售业")):
            one.used = False
            save(one, Verb.UPDATE)
    shop = Site(kind="食品销售企业", staff=500, revenue=90000, special_food=False, headquarters=False)
    with house.system():
        assert not decide(shop, rules_on(NEW)).must


def test_only_legal_edits_rules_and_only_a_chief_says_otherwise(house: House) -> None:
    assert house.client("yuan-a").get("/director-rules/add").status_code == 403
    assert house.client("fagui").get("/director-rules/add").status_code == 200
    assert house.client("yuan-a").get("/director-overrides/add").status_code == 403
    assert house.client("suo-a").get("/director-overrides/add").status_code == 200
    assert A in house.offices


def test_the_day_a_rule_begins_decides_anew_without_anybody_saving(house: House) -> None:
    key = school(house, 480)
    tomorrow = clock.now() + timedelta(days=1)
    with house.acting("fagui"), unit_of_work(Verb.CREATE):
        rule = DirectorRule(
            edition=DirectorEdition.CANTEENS, name="学校食堂", condition=DirectorCondition.MEALS, at_least=400,
            basis="测试用规则", valid_from=clock.local(tomorrow).date(), kinds=[DirectorRuleKind(kind="学校食堂")],
        )  # fmt: skip
        save(rule, Verb.CREATE)
    swept(house)
    assert [must for must, _words, _cause in decisions(house, key)] == [False]
    with clock.set_clock(lambda: tomorrow):
        swept(house)
        assert decisions(house, key)[-1] == (True, "每餐次 480 人 ≥ 400", DecisionCause.RULES)
        before = len(decisions(house, key))
        swept(house)
    assert len(decisions(house, key)) == before


def swept(house: House) -> None:
    with house.app.app_context():
        jobs.ask_daily()
        jobs.sweep()
        jobs.sweep()
