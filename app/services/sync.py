"""Base data from code: built-in roles, offices, areas, citations, settings. Administrators' own rows are kept."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from app import data
from app.core.db import current_session
from app.core.jobs import enqueue
from app.core.office import AccessRole, Office, RoleOrigin, place
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.writing import unit_of_work
from app.models.area import Area, OfficeArea
from app.models.citation import LegalCitation
from app.models.director import DirectorRule, DirectorRuleKind, SizeYardstick
from app.models.holiday import Holiday
from app.models.lines import Line
from app.models.roles import ROLES
from app.services.risk_list import ensure_templates
from app.services.role import require_sound_roles
from app.services.setting import ensure_settings

LINES = {"食品生产": Line.PRODUCTION, "食品销售": Line.SALES, "餐饮服务": Line.CATERING}
DIGITS = "零一二三四五六七八九"


def sync() -> dict[str, int]:
    """Write what is missing and renew what is built in (unscoped). Returns how many rows were new by entity.

    Raises ConfigurationError when a role, in code or made by administrators, contradicts itself.
    """
    steps: tuple[tuple[str, Callable[[], int]], ...] = (
        ("AccessRole", _roles),
        ("Office", _offices),
        ("Area", _areas),
        ("OfficeArea", _office_areas),
        ("LegalCitation", _citations),
        ("BureauSetting", ensure_settings),
        ("RiskList", ensure_templates),
        ("Holiday", _holidays),
        ("DirectorRule", _director_rules),
        ("SizeYardstick", _size_yardsticks),
    )
    with unit_of_work(Verb.IMPORT, "建立基础数据"):
        made = {name: step() for name, step in steps}
    require_sound_roles()
    return made


def _roles() -> int:
    session = current_session()
    stored = {role.code: role for role in session.scalars(select(AccessRole))}
    new = 0
    for role in ROLES:
        row = stored.get(role.code)
        if row is None:
            row, new = AccessRole(code=role.code, name=role.name, family=role.family, rank=role.rank), new + 1
            session.add(row)
        row.origin = RoleOrigin.BUILTIN
        if row.grants != role.table():
            row.grants = role.table()
        _hide(row, role.hidden)
    session.flush()
    return new


def _hide(row: AccessRole, names: dict[str, list[str]]) -> None:
    """Hide what the code hides; what an administrator hides beside it stays hidden."""
    now = row.hidden or {}
    wanted = {entity: sorted({*now.get(entity, ()), *columns}) for entity, columns in names.items()}
    if any(wanted[entity] != sorted(now.get(entity, ())) for entity in wanted):
        row.hidden = {**now, **wanted}


def _offices() -> int:
    session = current_session()
    stored = {office.code: office for office in session.scalars(select(Office))}
    new = 0
    for one in data.offices():
        if one.code in stored:
            continue
        office = Office(code=one.code, name=one.name, short_name=one.short, kind=one.kind, confirmed=one.confirmed,
                        lines=sum(LINES[name] for name in one.lines))  # fmt: skip
        session.add(office)
        session.flush()
        place(office, stored[one.parent] if one.parent else None)
        stored[one.code], new = office, new + 1
    session.flush()
    return new


def _areas() -> int:
    session = current_session()
    known = set(session.scalars(select(Area.code)))
    rows = [
        Area(code=one.code, name=one.name, kind=one.kind, aliases="、".join(one.aliases))
        for one in data.areas()
        if one.code not in known
    ]
    session.add_all(rows)
    session.flush()
    return len(rows)


def _office_areas() -> int:
    """Which station answers for which area: proposed once, for the bureau to correct."""
    session = current_session()
    if session.scalar(select(OfficeArea.id).limit(1)) is not None:
        return 0
    offices = {office.code: office.id for office in session.scalars(select(Office))}
    areas = {area.code: area.id for area in session.scalars(select(Area))}
    rows = [
        OfficeArea(office_id=offices[one.code], area_id=areas[code], confirmed=one.confirmed)
        for one in data.offices()
        for code in one.areas
    ]
    session.add_all(rows)
    session.flush()
    return len(rows)


def _citations() -> int:
    session = current_session()
    known = set(session.scalars(select(LegalCitation.key)))
    rows = [_citation(one) for one in data.citations() if one.key not in known]
    session.add_all(rows)
    session.flush()
    return len(rows)


def _citation(one: data.Citation) -> LegalCitation:
    """Without a known article number a citation can't be confirmed, whatever its tag says."""
    return LegalCitation(
        key=one.key, title=one.title, short=one.short, order_no=one.order_no,
        article=ordinal(one.article, "条") or "（条号待核实）", paragraph=ordinal(one.paragraph, "款"),
        item=ordinal(one.item, "项", brackets=True), summary=one.text, purposes="、".join(one.purposes),
        valid_from=one.valid_from, valid_to=one.valid_to, confirmed=one.confirmed and one.article is not None,
    )  # fmt: skip


def _holidays() -> int:
    session = current_session()
    known = set(session.scalars(select(Holiday.date)))
    rows = [Holiday(date=one.date, name=one.name, kind=one.kind) for one in data.holidays() if one.date not in known]
    session.add_all(rows)
    session.flush()
    return len(rows)


def _director_rules() -> int:
    """Who must have a 食品安全总监; a rule that is there is the bureau's to edit."""
    session = current_session()
    known = set(session.scalars(select(DirectorRule.key)))
    rows = [one for one in data.director_rules() if one["key"] not in known]
    for one in rows:
        kinds = [DirectorRuleKind(kind=kind) for kind in one["kinds"]]
        session.add(DirectorRule(**one | {"kinds": kinds}))
    session.flush()
    if rows:
        enqueue("director.decide", f"director.decide:{public_id()}")
    return len(rows)


def _size_yardsticks() -> int:
    session = current_session()
    known = set(session.scalars(select(SizeYardstick.key)))
    rows = [SizeYardstick(**one) for one in data.size_yardsticks() if one["key"] not in known]
    session.add_all(rows)
    session.flush()
    return len(rows)


def ordinal(number: int | None, unit: str, *, brackets: bool = False) -> str:
    """第三十三条, 第一款, 第（一）项; "" for None. Up to 999."""
    if number is None:
        return ""
    numeral = chinese(number)
    return f"第（{numeral}）{unit}" if brackets else f"第{numeral}{unit}"


def chinese(number: int) -> str:
    """A number up to 999 in Chinese: 十一, 二十, 一百二十六, 一百零二."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else DIGITS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (DIGITS[ones] if ones or not number else "")
