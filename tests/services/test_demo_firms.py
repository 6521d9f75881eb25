"""Made-up firms: valid, unique, the same each time."""

from __future__ import annotations

from datetime import date
from itertools import islice

import pytest

from app.core import codes
from app.data import areas
from app.data.enums import AppointmentRole, LicenceKind, OrgForm, SiteKind
from app.services.demo_firms import REFERENCE_DAY, DemoFirm, make_firms, needs_director


@pytest.fixture(scope="module")
def firms() -> list[DemoFirm]:
    return list(make_firms(5000, seed=7))


def test_the_same_seed_gives_the_same_firms_whatever_the_number(firms: list[DemoFirm]) -> None:
    assert list(make_firms(300, seed=7)) == firms[:300]
    assert list(islice(make_firms(900_000, seed=7), 20)) == firms[:20]
    assert list(make_firms(20, seed=8)) != firms[:20]


def test_every_kind_and_area_is_there(firms: list[DemoFirm]) -> None:
    assert {firm.sites[0].kind for firm in firms[:184]} == set(SiteKind)
    assert {site.area_code for firm in firms for site in firm.sites} == {area.code for area in areas()}
    small = sum(firm.sites[0].kind in (SiteKind.SMALL_CATERER, SiteKind.GROCERY) for firm in firms)
    assert 0.45 < small / len(firms) < 0.65


def test_codes_and_licences_are_valid_and_unique(firms: list[DemoFirm]) -> None:
    for firm in firms:
        verdict = codes.check_credit_code(firm.code)
        assert verdict.ok
        assert not verdict.warnings
        assert codes.org_form(firm.code) == firm.org_form
        assert firm.org_form == OrgForm.COMPANY or not firm.name.endswith("公司")
        assert codes.check_mobile(firm.phone).ok
    sites = [site for firm in firms for site in firm.sites]
    for site in sites:
        verdict = codes.check_licence(site.licence_no)
        assert verdict.ok
        assert bool(verdict.warnings) is (site.licence_kind == LicenceKind.SMALL_REGISTRATION)
        assert site.valid_from <= REFERENCE_DAY
        assert 1820 < (site.valid_to - site.valid_from).days < 1827
    assert len({firm.code for firm in firms}) == len({firm.name for firm in firms}) == len(firms)
    assert len({site.licence_no for site in sites}) == len(sites)


def test_people(firms: list[DemoFirm]) -> None:
    people = [person for firm in firms for person in firm.people]
    for person in people:
        assert codes.check_id_card(person.id_card, REFERENCE_DAY).ok
        assert codes.check_mobile(person.mobile).ok
        assert person.mobile.startswith("19900")
    assert len({(person.id_card, person.name, person.mobile) for person in people}) == len({p.id_card for p in people})
    serving: dict[str, set[str]] = {}
    for firm in firms:
        for person in firm.people:
            serving.setdefault(person.id_card, set()).add(firm.code)
    assert sum(len(codes_) > 1 for codes_ in serving.values()) > 20
    without = sum(not firm.people for firm in firms)
    assert 0.04 < without / len(firms) < 0.08


def test_some_that_need_a_director_have_one_and_some_lack_one(firms: list[DemoFirm]) -> None:
    need = [firm for firm in firms if firm.people and needs_director(firm.sites[0])]
    have = [firm for firm in need if any(p.role == AppointmentRole.DIRECTOR for p in firm.people)]
    assert 0 < len(have) < len(need)


@pytest.mark.deep
def test_a_hundred_thousand_are_unique() -> None:
    names, numbers = set(), set()
    for firm in make_firms(100_000, seed=1):
        names.add(firm.name)
        numbers.add(firm.code)
    assert len(names) == len(numbers) == 100_000


def test_dates_follow_the_day_asked_for() -> None:
    day = date(2028, 2, 29)
    assert all(site.valid_from < day for firm in make_firms(50, 1, day) for site in firm.sites)


@pytest.mark.parametrize("n", [-1, 900_001])
def test_too_many_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match="firms"):
        make_firms(n, seed=1)
