"""风险分级 line by line with its history; what the regulator notes stays with the regulator."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.access.fetch import fetch
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.data.enums import Line, RiskGrade
from app.models.enterprise import Enterprise, Site
from app.models.grading import RiskGrading, SiteNote
from app.models.lines import BITS
from app.services.grading import grade_of
from tests.support.house import A, House
from tests.support.imports import Desk, page, workbook
from tests.support.rights import MAY, NOTHING, READS, R, W, outcome

BOTH = BITS[Line.SALES] | BITS[Line.CATERING]
TICK = frozenset({"accept-grade"})


def opened(house: House, **values: Any) -> int:
    with house.acting("neiqin-a"):
        firm = save(Enterprise(name="草原超市", state="正常"), Verb.CREATE)
        site = Site(enterprise=firm, name="草原超市", kind="食品销售企业", state="正常", lines=BOTH, **values)
        return save(site, Verb.CREATE).id


def graded(house: House, site: int, line: str, grade: str, day: date, **more: Any) -> int:
    with house.acting("yuan-a"):
        one = RiskGrading(site=fetch(Site, site), line=line, grade=grade, date_from=day, **more)
        return save(one, Verb.CREATE, accepted=TICK).id


def shown(house: House, site: int) -> tuple[str | None, str]:
    with house.system() as session:
        row = session.get_one(Site, site)
        return row.risk_grade, row.grades


def history(house: House, site: int) -> list[tuple[str, str, date]]:
    with house.system() as session:
        rows = session.scalars(select(RiskGrading).where(RiskGrading.site_id == site).order_by(RiskGrading.id))
        return [(one.line, one.grade, one.date_from) for one in rows]


@pytest.mark.parametrize(("score", "grade"), [
    ("0", "A"), ("30", "A"), ("30.1", "B"), ("45", "B"), ("45.1", "C"), ("60", "C"), ("60.1", "D"), ("100", "D"),
])  # fmt: skip
def test_a_score_stands_for_a_grade(score: str, grade: str) -> None:
    assert grade_of(Decimal(score)) == grade


def test_each_line_has_its_own_and_the_site_shows_the_gravest(house: House) -> None:
    today, site = clock.today(), opened(house)
    assert shown(house, site) == (None, "")
    graded(house, site, Line.CATERING, RiskGrade.B, today - timedelta(days=400))
    graded(house, site, Line.SALES, RiskGrade.A, today - timedelta(days=300))
    assert shown(house, site) == ("B", "食品销售 A，餐饮服务 B")
    graded(house, site, Line.CATERING, RiskGrade.D, today - timedelta(days=500))
    assert shown(house, site) == ("B", "食品销售 A，餐饮服务 B"), "an earlier day is history"
    graded(house, site, Line.CATERING, RiskGrade.C, today, score=Decimal("52.5"))
    assert shown(house, site) == ("C", "食品销售 A，餐饮服务 C")
    assert len(history(house, site)) == 4
    listed = page(house.client("yuan-a").get("/sites/?risk_grade=C&q=草原超市"))
    assert "草原超市" in listed


def test_a_grade_typed_on_the_site_begins_one_in_each_line(house: House) -> None:
    today, site = clock.today(), opened(house, risk_grade="B")
    assert history(house, site) == [(Line.SALES, "B", today), (Line.CATERING, "B", today)]
    with house.acting("neiqin-a"), unit_of_work():
        row = fetch(Site, site, W)
        row.staff = 12
        save(row, W)
    assert len(history(house, site)) == 2, "saving something else grades nothing"
    with house.acting("neiqin-a"), unit_of_work():
        row = fetch(Site, site, W)
        row.risk_grade = "C"
        save(row, W)
    assert history(house, site)[2:] == [(Line.SALES, "C", today), (Line.CATERING, "C", today)]
    assert shown(house, site) == ("C", "食品销售 C，餐饮服务 C")


@pytest.mark.parametrize(("field", "values"), [
    ("line", {"line": "食品生产"}), ("date_from", {"date_from": date(2190, 1, 1)}), ("score", {"score": Decimal(111)}),
    ("score", {"score": Decimal(-1)}), ("grade", {"grade": "E"}), ("year", {"year": 1900}),
])  # fmt: skip
def test_what_can_not_be_is_told_beside_the_field(small: House, field: str, values: dict[str, Any]) -> None:
    site = opened(small)
    usual = {"line": Line.CATERING, "grade": "B", "date_from": clock.today()}
    with small.acting("yuan-a"), pytest.raises(Refused) as refused:
        save(RiskGrading(site=fetch(Site, site), **(usual | values)), Verb.CREATE, accepted=TICK)
    assert field in refused.value.fields
    assert history(small, site) == []


def test_a_grade_that_the_score_does_not_say_is_asked_about(small: House) -> None:
    site = opened(small)
    with small.acting("yuan-a"), pytest.raises(Refused) as refused:
        save(RiskGrading(site=fetch(Site, site), line=Line.CATERING, grade="D", score=Decimal(40),
                         date_from=clock.today()), Verb.CREATE)  # fmt: skip
    assert [one.field for one in refused.value.doubts] == ["grade"]
    assert graded(small, site, Line.CATERING, "D", clock.today(), score=Decimal(40)) > 0


def test_who_reads_grades_and_who_reads_notes(house: House) -> None:
    with house.acting("yuan-a"):
        site = fetch(Site, house.site_of(A))
        line = next(word for word, bit in BITS.items() if site.lines & bit)
        grading = save(RiskGrading(site=site, line=line, grade="B", date_from=clock.today()), Verb.CREATE).id
        note = save(
            SiteNote(site=fetch(Site, site.id), kind="管理水平", text="台账齐全", date=clock.today()), Verb.CREATE
        ).id
    expected = {"yuan-a": (MAY, MAY), "suo-a": (MAY, MAY), "suo-b": (NOTHING, NOTHING), "zhuanban": (READS, READS),
                "firm-a": (READS, NOTHING), "firm-b": (NOTHING, NOTHING), "admin": (NOTHING, NOTHING)}  # fmt: skip
    for who, rights in expected.items():
        assert (outcome(house, who, (RiskGrading, grading), W), outcome(house, who, (SiteNote, note), W)) == rights, who
    firm = house.client("firm-a")
    assert "台账齐全" not in page(firm.get(f"/sites/{site.id}"))
    assert firm.get("/site-notes/").status_code == 403
    assert outcome(house, "firm-a", (SiteNote, note), R) == NOTHING
    assert "台账齐全" in page(house.client("yuan-a").get(f"/sites/{site.id}"))


def test_who_stands_for_a_site_comes_with_an_import(small: House) -> None:
    with small.acting("neiqin-a"):
        save(Enterprise(name="包保饭店", state="正常"), Verb.CREATE)
    heads = ("单位名称", "场所名称", "主体类型", "条线", "包保等级", "包保责任人", "风险等级")
    row = ("包保饭店", "包保饭店一店", "餐饮服务企业", "餐饮服务", "C级", "特木尔", "B")
    desk = Desk(small, "neiqin-a", "/sites")
    assert desk.through(workbook(heads, row)).status_code == 302
    with small.system() as session:
        site = session.scalars(select(Site).where(Site.name == "包保饭店一店")).one()
        assert (site.backing, site.backing_official, site.grades) == ("C级", "特木尔", "餐饮服务 B")
