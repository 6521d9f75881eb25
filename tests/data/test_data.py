"""Facts as data: complete, consistent with each other, and honest about what is certain."""

from __future__ import annotations

from datetime import date

import pytest

from app import data
from app.data import enums

TODAY = date(2026, 11, 23)
CERTAIN = ("F:", "M-H", "C")


def test_areas() -> None:
    kinds = [area.kind for area in data.areas()]
    assert len(kinds) == 16
    assert [kinds.count(kind) for kind in ("镇", "苏木", "乡", "农场", "街道")] == [8, 4, 2, 1, 1]
    assert {area.kind for area in data.areas()} == set(enums.AreaKind)
    assert all(area.code.startswith("150525") and len(area.code) == 9 for area in data.areas())
    names = [name for area in data.areas() for name in (area.name, *area.aliases)]
    assert len(names) == len(set(names))


def test_offices_form_a_tree_and_cover_every_area_but_the_farm() -> None:
    seen: set[str | None] = {None}
    for office in data.offices():
        assert office.parent in seen
        assert office.kind in set(enums.OfficeKind)
        assert set(office.lines) <= set(enums.Line)
        seen.add(office.code)
    assert len(seen) == len(data.offices()) + 1
    covered = [code for office in data.offices() for code in office.areas]
    assert sorted(covered) == [area.code for area in data.areas() if area.kind != enums.AreaKind.FARM]


def test_stations_wait_for_the_bureau() -> None:
    stations = [office for office in data.offices() if office.kind == enums.OfficeKind.STATION]
    assert len(stations) == 14
    assert not any(station.confirmed for station in stations)
    assert {station.seal_name for station in stations} == {"奈曼旗市场监督管理局"}


def test_only_certain_rows_are_confirmed() -> None:
    for row in (*data.areas(), *data.offices(), *data.citations()):
        assert row.tag.startswith(CERTAIN) or not row.confirmed, row


def test_citations() -> None:
    keys = [citation.key for citation in data.citations()]
    assert len(keys) == len(set(keys))
    for citation in data.citations():
        assert citation.text.startswith("摘要：")
        assert citation.purposes
        assert set(citation.purposes) <= {"违反", "依据", "逾期"}
        assert citation.article is not None or not citation.confirmed
        assert citation.item is None or citation.paragraph is not None


def test_the_old_rule_ends_the_day_before_the_new_one_begins() -> None:
    by_key = {citation.key: citation for citation in data.citations()}
    old, new = by_key["o60-5"], by_key["o97-6"]
    assert (old.in_force(date(2025, 4, 14)), new.in_force(date(2025, 4, 14))) == (True, False)
    assert (old.in_force(date(2025, 4, 15)), new.in_force(date(2025, 4, 15))) == (False, True)
    assert not old.in_force(date(2022, 10, 31))


@pytest.mark.parametrize("line", list(enums.Line))
def test_findings_cite_what_is_in_force_and_certain(line: enums.Line) -> None:
    by_key = {citation.key: citation for citation in data.citations()}
    findings = [finding for finding in data.demo_findings() if finding.line == line]
    assert len(findings) >= 9
    for finding in findings:
        duty, power = by_key[finding.citation], by_key[finding.basis]
        assert duty.in_force(TODAY)
        assert power.in_force(TODAY)
        assert duty.confirmed
        assert power.confirmed
        assert "违反" in duty.purposes
        assert "依据" in power.purposes
        assert finding.severity in set(enums.FindingSeverity)


def test_enumerations_are_those_of_the_fact_sheet() -> None:
    assert len(enums.SiteKind) == 23
    assert len(enums.NoticeState) == 12
    assert set(enums.LINE_OF) == set(enums.SiteKind)
    assert [grade.value for grade in enums.RiskGrade] == ["A", "B", "C", "D"]
