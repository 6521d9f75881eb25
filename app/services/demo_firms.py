"""Made-up firms for demonstrations, samples and measurements: plausible, deterministic, and nobody's.

Credit codes use an organisation code that no registrar has reached, mobiles the block 19900 xxxxxx; names are put
together from lists. The same seed gives the same firms, and the first ones do not depend on how many are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import accumulate, count
from random import Random
from typing import Any

from app.core.codes import make_credit_code, make_id_card, make_licence, make_mobile
from app.data import Area, areas
from app.data.enums import LINE_OF, AppointmentRole, LicenceKind, Line, OrgForm, RiskGrade, SiteKind, SiteState
from app.services.ledger_row import LedgerPerson, LedgerRow

REFERENCE_DAY = date(2026, 11, 23)
MOST_FIRMS = 900_000


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody made up; the same `id_card` at several firms is the same person."""

    name: str
    id_card: str
    mobile: str
    role: AppointmentRole
    full_time: bool = True


@dataclass(frozen=True, slots=True)
class DemoSite:
    """A place of business. Scales: persons, square metres, seats, persons a meal, ten thousand yuan a year."""

    kind: SiteKind
    line: Line
    area_code: str
    address: str
    licence_kind: LicenceKind
    licence_no: str
    valid_from: date
    valid_to: date
    risk: RiskGrade
    state: SiteState
    employees: int
    floor_area: int
    seats: int
    diners: int
    revenue: int


@dataclass(frozen=True, slots=True)
class DemoFirm:
    """A firm with its sites (most have one) and people (some have none)."""

    name: str
    code: str
    org_form: OrgForm
    legal_person: str
    phone: str
    sites: tuple[DemoSite, ...]
    people: tuple[DemoPerson, ...]


_KIND_WEIGHTS = {
    SiteKind.SMALL_CATERER: 2700, SiteKind.GROCERY: 2700, SiteKind.CATERER: 1200, SiteKind.SELLER: 1200,
    SiteKind.WORKSHOP: 500, SiteKind.STALL: 450, SiteKind.CHAIN_STORE: 300, SiteKind.PRODUCER: 220,
    SiteKind.SCHOOL_CANTEEN: 180, SiteKind.KINDERGARTEN_CANTEEN: 180, SiteKind.OTHER_CANTEEN: 120,
    SiteKind.ELDERLY_CANTEEN: 80, SiteKind.CONTRACTOR: 40, SiteKind.MARKET: 25, SiteKind.WAREHOUSE: 25,
    SiteKind.MEAL_SUPPLIER: 15, SiteKind.MEAL_DELIVERY: 12, SiteKind.CENTRAL_KITCHEN: 10,
    SiteKind.CHAIN_HEADQUARTERS: 10, SiteKind.CHAIN_BRANCH: 10, SiteKind.SPECIAL_PRODUCER: 8,
    SiteKind.PLATFORM: 8, SiteKind.ADDITIVE_PRODUCER: 7,
}  # fmt: skip
_AREA_WEIGHTS = (30, 9, 5, 4, 6, 5, 4, 5, 4, 4, 4, 3, 3, 3, 1, 20)
_SMALL = {SiteKind.SMALL_CATERER, SiteKind.GROCERY, SiteKind.WORKSHOP, SiteKind.STALL}
_CANTEENS = {
    SiteKind.SCHOOL_CANTEEN: (80, 1600), SiteKind.KINDERGARTEN_CANTEEN: (40, 450),
    SiteKind.ELDERLY_CANTEEN: (30, 400), SiteKind.OTHER_CANTEEN: (50, 1300), SiteKind.CONTRACTOR: (200, 1500),
    SiteKind.MEAL_SUPPLIER: (300, 2500), SiteKind.MEAL_DELIVERY: (300, 2500),
}  # fmt: skip
_MEAL_LIMITS = {
    SiteKind.SCHOOL_CANTEEN: 500, SiteKind.KINDERGARTEN_CANTEEN: 300, SiteKind.ELDERLY_CANTEEN: 300,
    SiteKind.OTHER_CANTEEN: 1000, SiteKind.CONTRACTOR: 1000, SiteKind.MEAL_SUPPLIER: 1000,
    SiteKind.MEAL_DELIVERY: 1001,
}  # fmt: skip
_ALWAYS_DIRECTOR = {SiteKind.SPECIAL_PRODUCER, SiteKind.CHAIN_HEADQUARTERS, SiteKind.CENTRAL_KITCHEN}
_PREFIXES = {
    OrgForm.COMPANY: "91", OrgForm.SOLE_TRADER: "92", OrgForm.COOPERATIVE: "93", OrgForm.INSTITUTION: "12",
    OrgForm.PRIVATE_NONPROFIT: "52", OrgForm.AUTHORITY: "11",
}  # fmt: skip
_BIRTHS_FROM = date(1961, 1, 1)
_BIRTH_DAYS = 14_600
_STRIDE = 7_919  # a prime, so that a run of persons visits every birth day once


@cache
def _names() -> dict[str, Any]:
    raw = json.loads(files("app.data").joinpath("demo_names.json").read_text("utf-8"))
    lists: dict[str, Any] = {key: value.split() for key, value in raw.items() if key != "trades"}
    return lists | {"trades": {key: value.split() for key, value in raw["trades"].items()}}


def make_firms(n: int, seed: int, today: date = REFERENCE_DAY) -> Iterator[DemoFirm]:
    """`n` made-up firms (at most 900,000, else ValueError) as they stand on `today`.

    Names, codes and licence numbers are unique. Every kind of site is among the first 184 firms; beyond that small
    catering and shops are most. About one firm in sixteen has no people yet, one of ten that need a director lacks one.
    """
    if not 0 <= n <= MOST_FIRMS:
        raise ValueError(f"between 0 and {MOST_FIRMS} firms, not {n}")
    maker = _Maker(Random(seed), today)  # noqa: S311 - the same firms each time, nothing secret
    return (maker.firm(index) for index in range(n))


class _Maker:
    """The state of one run: what has been used up, and who is about to serve a second firm."""

    def __init__(self, random: Random, today: date) -> None:
        self.random, self.today = random, today
        self.used: set[str] = set()
        self.persons, self.licences = count(), count(1)
        self.officers: list[DemoPerson] = []
        self.areas = areas()
        self.area_bounds = list(accumulate(_AREA_WEIGHTS))
        self.kinds, weights = list(_KIND_WEIGHTS), _KIND_WEIGHTS.values()
        self.kind_bounds = list(accumulate(weights))

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.random.random() * len(options))]

    def between(self, low: int, high: int) -> int:
        return low + int(self.random.random() * (high - low + 1))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def firm(self, index: int) -> DemoFirm:
        kind = self._kind(index)
        area: Area = self.random.choices(self.areas, cum_weights=self.area_bounds)[0]
        name = self._name(kind, area)
        form = OrgForm.COMPANY if name.endswith("公司") else self._form(kind)
        sites = [self._site(kind, area)]
        if kind in (SiteKind.SELLER, SiteKind.CATERER, SiteKind.PRODUCER) and self.chance(0.05):
            sites.append(self._site(kind, self.pick(self.areas)))
        principal = self._person(AppointmentRole.PRINCIPAL)
        people = () if self.chance(0.06) else tuple(self._people(sites[0], principal))
        code = make_credit_code(index, _PREFIXES[form])
        return DemoFirm(name, code, form, principal.name, principal.mobile, tuple(sites), people)

    def _kind(self, index: int) -> SiteKind:
        if index % 8 == 7 and index // 8 < len(self.kinds):
            return self.kinds[index // 8]
        return self.random.choices(self.kinds, cum_weights=self.kind_bounds)[0]

    def _form(self, kind: SiteKind) -> OrgForm:
        if kind in _SMALL:
            return OrgForm.COOPERATIVE if kind == SiteKind.WORKSHOP and self.chance(0.05) else OrgForm.SOLE_TRADER
        if kind in (SiteKind.SCHOOL_CANTEEN, SiteKind.ELDERLY_CANTEEN):
            return OrgForm.INSTITUTION if self.chance(0.8) else OrgForm.PRIVATE_NONPROFIT
        if kind == SiteKind.KINDERGARTEN_CANTEEN:
            return OrgForm.PRIVATE_NONPROFIT if self.chance(0.7) else OrgForm.INSTITUTION
        if kind == SiteKind.OTHER_CANTEEN and self.chance(0.5):
            return self.pick((OrgForm.AUTHORITY, OrgForm.INSTITUTION))  # type: ignore[no-any-return]
        traders = (SiteKind.CHAIN_STORE, SiteKind.CATERER, SiteKind.SELLER)
        return OrgForm.SOLE_TRADER if kind in traders else OrgForm.COMPANY

    def _name(self, kind: SiteKind, area: Area) -> str:
        names = _names()
        short = area.aliases[0] if area.aliases else area.name
        while True:
            brand = self.pick(names["brand_first"]) + self.pick(names["brand_last"])
            if kind in _SMALL and self.chance(0.3):
                brand = self.pick(("老", "小", "大")) + self.pick(names["surnames"]) + self.pick(names["brand_last"])
            name = f"奈曼旗{short}{brand}{self.pick(names['trades'][kind])}"
            if name not in self.used:
                self.used.add(name)
                return name

    def _site(self, kind: SiteKind, area: Area) -> DemoSite:
        started = self.today - timedelta(days=self.between(20, 1900))
        employees = self._employees(kind)
        diners = self.between(*_CANTEENS[kind]) if kind in _CANTEENS else 0
        seats = self.between(8, 60) if kind == SiteKind.SMALL_CATERER else 0
        seats = self.between(40, 320) if kind == SiteKind.CATERER else seats
        kind_of_licence, number = self._licence(kind)
        road = self.pick(_names()["roads"])
        return DemoSite(
            kind, LINE_OF[kind], area.code, f"奈曼旗{area.name}{road}{self.between(1, 299)}号", kind_of_licence, number,
            started, _five_years_on(started), self._risk(kind), self._state(), employees,
            employees * self.between(8, 30), seats, diners, employees * self.between(6, 60),
        )  # fmt: skip

    def _employees(self, kind: SiteKind) -> int:
        if kind in _SMALL or kind == SiteKind.CHAIN_STORE:
            return self.between(1, 6)
        if self.chance(0.02):
            return self.between(100, 600)
        return self.between(4, 60)

    def _licence(self, kind: SiteKind) -> tuple[LicenceKind, str]:
        number = next(self.licences)
        if kind in _SMALL:
            return LicenceKind.SMALL_REGISTRATION, f"演示登记{number:07d}"
        if LINE_OF[kind] == Line.PRODUCTION:
            special = {SiteKind.SPECIAL_PRODUCER: ("127", "128", "129"), SiteKind.ADDITIVE_PRODUCER: ("201", "202")}
            business = self.pick(special.get(kind, ("101", "102", "104", "105", "118", "124", "125")))
            return LicenceKind.PRODUCTION, make_licence("SC", business, number % 10_000, _county(number // 10_000))
        if kind in (SiteKind.SELLER, SiteKind.CHAIN_STORE) and self.chance(0.4):
            return LicenceKind.PREPACKED_FILING, make_licence("YB", self.pick("12"), number)
        business = "3" if kind.endswith("食堂") else "1" if LINE_OF[kind] == Line.SALES else "2"
        return LicenceKind.OPERATION, make_licence("JY", business, number)

    def _risk(self, kind: SiteKind) -> RiskGrade:
        bounds = (20, 60, 90, 100) if kind in _CANTEENS or kind in _ALWAYS_DIRECTOR else (45, 85, 97, 100)
        return self.random.choices(list(RiskGrade), cum_weights=bounds)[0]

    def _state(self) -> SiteState:
        states = (SiteState.OPEN, SiteState.CLOSED, SiteState.SEASONAL, SiteState.DEREGISTERED, SiteState.LOST)
        return self.random.choices(states, cum_weights=(925, 945, 975, 990, 1000))[0]

    def _people(self, site: DemoSite, principal: DemoPerson) -> Iterator[DemoPerson]:
        yield principal
        if needs_director(site) and self.chance(0.9):
            yield self._person(AppointmentRole.DIRECTOR)
        if site.kind in _SMALL and self.chance(0.7):
            yield replace(principal, role=AppointmentRole.OFFICER, full_time=False)
            return
        for _number in range(min(4, 1 + site.employees // 40)):
            yield self._officer()

    def _officer(self) -> DemoPerson:
        """A new officer, or now and then one who already serves another firm."""
        if len(self.officers) > 20 and self.chance(0.04):
            return self.officers.pop(int(self.random.random() * len(self.officers)))
        officer = self._person(AppointmentRole.OFFICER, full_time=self.chance(0.6))
        self.officers = [*self.officers[-60:], officer]
        return officer

    def _person(self, role: AppointmentRole, *, full_time: bool = True) -> DemoPerson:
        number = next(self.persons)
        names = _names()
        if self.chance(0.15):
            name = self.pick(names["mongolian"])
        else:
            name = self.pick(names["surnames"]) + "".join(self.pick(names["given"]) for _ in range(self.between(1, 2)))
        birth = _BIRTHS_FROM + timedelta(days=number * _STRIDE % _BIRTH_DAYS)
        card = make_id_card(birth, number // _BIRTH_DAYS % 1000)
        return DemoPerson(name, card, make_mobile(number % 1_000_000), role, full_time)


def needs_director(site: DemoSite) -> bool:
    """A rough stand-in for the dated rule table, good enough to make plausible people: who must have a 食品安全总监.

    主体责任规定 6 and 集中用餐单位规定, with "大中型" read as 300 persons in production and 100 elsewhere (2017).
    """
    if site.kind in _ALWAYS_DIRECTOR:
        return True
    if site.kind in _MEAL_LIMITS:
        return site.diners >= _MEAL_LIMITS[site.kind]
    large = 300 if site.line == Line.PRODUCTION else 100
    return site.employees >= large and site.kind not in _SMALL


def _county(overflow: int) -> str:
    """An SC number has room for 9,999 firms a county; beyond that the made-up ones pretend to a neighbour's."""
    return f"1505{25 + overflow:02d}" if overflow < 70 else f"15{overflow:04d}"


def _five_years_on(start: date) -> date:
    """A licence holds five years (食品安全法实施条例 15), to the day before."""
    return date(start.year + 5, start.month, min(start.day, 28)) - timedelta(days=1)


def ledger_rows(firm: DemoFirm) -> Iterator[LedgerRow]:
    """The firm as a ledger has it: a row a site, the people on the first."""
    for number, site in enumerate(firm.sites):
        scales = {"employees": site.employees, "floor_area": site.floor_area, "seats": site.seats}
        scales |= {"diners": site.diners, "revenue": site.revenue}
        yield LedgerRow(
            name=firm.name, code=firm.code, org_form=str(firm.org_form), legal_person=firm.legal_person,
            phone=firm.phone, address=site.address, area_code=site.area_code, site_kind=str(site.kind),
            lines=(str(site.line),), licence_no=site.licence_no, licence_kind=str(site.licence_kind),
            valid_to=site.valid_to, risk=str(site.risk), state=str(site.state),
            counts={key: value for key, value in scales.items() if value},
            people=() if number else tuple(
                LedgerPerson(person.name, person.role, person.mobile, person.id_card, person.full_time)
                for person in firm.people
            ),
        )  # fmt: skip
