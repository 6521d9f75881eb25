"""Firms and their sites: what is checked and filled whenever one is saved; moving a site to another office."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeGuard

from flask_babel import gettext as _
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.access.ownership import home
from app.core.codes import check_credit_code, check_licence, check_phone
from app.core.db import current_session, unscoped
from app.core.entity import Scoped, registry
from app.core.errors import Invalid
from app.core.history import remark
from app.core.office import Office
from app.core.open_work import kinds
from app.core.pinyin import search_key
from app.core.saving import Check, before_many, on_save
from app.core.verbs import Verb
from app.core.writing import perform, unit_of_work
from app.data.reconciling import PlatformAccount
from app.models.enterprise import ENDED, GONE, Enterprise, EnterpriseOffice, Site
from app.models.lines import BITS
from app.models.personnel import Appointment, Person
from app.services.care import end_all
from app.services.census_moves import site_moved

PREFIXED = {"91": "企业", "92": "个体工商户", "93": "农民专业合作社"}


@on_save(Enterprise)
def check_enterprise(firm: Enterprise, check: Check) -> None:
    """Code (outer digit: error; inner: doubt), telephone, uniqueness of the code; fills the search key and the form."""
    if firm.code:
        verdict = check_credit_code(firm.code)
        firm.code = verdict.value
        for text in verdict.errors:
            check.error("code", text)
        for text in verdict.warnings:
            check.doubt("code", text)
        if not firm.org_form:
            firm.org_form = PREFIXED.get(firm.code[:2])
        if not verdict.errors and _taken(firm, check):
            check.error("code", _("这个代码已属于另一个在册主体。"))
    if firm.phone:
        _phone(firm, check)
    firm.ended_on = (firm.ended_on or clock.today()) if firm.state in ENDED else None
    firm.head_code = _other_code(firm.head_code, "head_code", firm, check)
    _mark_main(firm, check)
    _platform(firm, check)
    if _named_alike(firm, check):
        check.doubt("name", _("本机构已有同名的主体。确实是另一个，请打勾。"))
    firm.search_text = search_key(firm.name or "")


def _platform(firm: Enterprise, check: Check) -> None:
    """Since when the account on the platform is there: today, unless somebody says; never without one."""
    if firm.platform_account != PlatformAccount.OPENED:
        firm.platform_since = None
    elif firm.platform_since is None:
        firm.platform_since = clock.today()
    elif firm.platform_since > clock.today():
        check.error("platform_since", _("不能晚于今天。"))


def _other_code(code: str | None, field: str, firm: Enterprise | None, check: Check) -> str | None:
    """The code of another firm as it is written, checked; one's own says nothing."""
    if not code:
        return None
    verdict = check_credit_code(code)
    for text in verdict.errors:
        check.error(field, text)
    if firm is not None and firm.code == verdict.value:
        check.error(field, _("这是本单位自己的代码。"))
    return verdict.value


def _named_alike(firm: Enterprise, check: Check) -> bool:
    """Whether the office has another firm in being of this name. Asked only when the name is new and not ticked."""
    ticked = "accept-name" in check.accepted or not has_access_context()
    if ticked or not _askable(firm.name) or not inspect(firm).attrs.name.history.has_changes():
        return False
    office = firm.office_id or home(firm, current_access())
    names: dict[str, set[tuple[int, int]]] = check.known.get("names", {})
    if firm.name in names:
        return any(where == office and key != firm.id for where, key in names[firm.name])
    alike = select(Enterprise.id).where(
        Enterprise.name == firm.name, Enterprise.office_id == office, Enterprise.id != (firm.id or 0),
        Enterprise.state.not_in(GONE),
    )  # fmt: skip
    return current_session().scalar(alike.limit(1)) is not None


def _askable(name: str | None) -> TypeGuard[str]:
    """Whether a database can be asked for a name: PostgreSQL takes no NUL, and the column's own check refuses it."""
    return bool(name) and "\0" not in str(name)


def taken(firm: Enterprise) -> bool:
    """Whether another firm in being has this code, in whichever office: yes or no, nothing else."""
    others = select(Enterprise.id).where(
        Enterprise.code == firm.code, Enterprise.state.not_in(GONE), Enterprise.id != (firm.id or 0)
    )
    # on the connection: below the person's predicates, and with what this transaction has written
    return current_session().connection().scalar(others.limit(1)) is not None


def _taken(firm: Enterprise, check: Check) -> bool:
    holders: dict[str, set[int]] = check.known.get("codes", {})
    return bool(holders[firm.code] - {firm.id}) if firm.code in holders else taken(firm)


@before_many(Enterprise)
def codes_in_use(values: list[dict[str, Any]]) -> dict[str, Any]:
    """Which firms in being hold the codes of these rows, in whichever office: what `taken` asks of one."""
    holders: dict[str, set[int]] = {check_credit_code(one["code"]).value: set() for one in values if one.get("code")}
    codes = list(holders)
    with unscoped("are the codes taken", quiet=True) as session:
        for start in range(0, len(codes), 400):
            some = Enterprise.code.in_(codes[start : start + 400])
            living = Enterprise.state.not_in(GONE)
            for code, key in session.execute(select(Enterprise.code, Enterprise.id).where(some, living)):
                holders[code or ""].add(key)
    return {"codes": holders}


@before_many(Enterprise)
def names_in_use(values: list[dict[str, Any]]) -> dict[str, Any]:
    """Which firms in being have the names of these rows, with their offices: what `_named_alike` asks of one."""
    holders: dict[str, set[tuple[int, int]]] = {one["name"]: set() for one in values if _askable(one.get("name"))}
    names, columns = list(holders), (Enterprise.name, Enterprise.office_id, Enterprise.id)
    for start in range(0, len(names), 400):
        some = Enterprise.name.in_(names[start : start + 400])
        living = Enterprise.state.not_in(GONE)
        for name, office, key in current_session().execute(select(*columns).where(some, living)):
            holders[name].add((office, key))
    return {"names": holders}


def _phone(firm: Enterprise, check: Check) -> None:
    verdict = check_phone(firm.phone)
    firm.phone = verdict.value
    for text in (*verdict.errors, *verdict.warnings):
        check.doubt("phone", text)


@on_save(Site)
def check_site(site: Site, check: Check) -> None:
    """Licence number (a wrong digit: doubt) and lines; fills the search key."""
    if site.licence_no:
        verdict = check_licence(site.licence_no)
        site.licence_no = verdict.value
        for text in (*verdict.errors, *verdict.warnings):
            check.doubt("licence_no", text)
    site.host_code = _other_code(site.host_code, "host_code", site.enterprise, check)
    if not site.lines:
        check.error("lines", _("请至少选一项。"))
    _mark_main(site, check)
    if not site.name and site.enterprise is not None:
        site.name = site.enterprise.name
    _widen(site)
    firm = site.enterprise.name if site.enterprise is not None else ""
    name = site.name or ""
    site.search_text = search_key(name if firm in name else f"{firm}{name}")


def _mark_main(row: Enterprise | Site, check: Check) -> None:
    """The main line is one of the lines; what was not chosen, or is no line any more, is the first of them."""
    own = [word for word, bit in BITS.items() if (row.lines or 0) & bit]
    if row.main_line in own:
        return
    if row.main_line and inspect(row).attrs.main_line.history.has_changes():
        check.error("main_line", _("主要条线须是它的条线之一。"))
    else:
        row.main_line = own[0] if own else None


def _widen(site: Site) -> None:
    """A firm has every line that a site of it has; written as a part of saving the site."""
    firm = site.enterprise
    if firm is not None and site.lines and firm.lines | site.lines != firm.lines:
        firm.lines |= site.lines
        firm.main_line = firm.main_line or site.main_line
        perform(firm, Verb.UPDATE, site)


@dataclass(frozen=True)
class Share:
    """Rows of an entity that hang on a site, and how many of them are not done with."""

    cls: type[Scoped]
    total: int
    unfinished: int


def transfer_site(site_id: int, office_id: int, day: date, reason: str) -> dict[str, int]:
    """Move a site and what hangs on it to another office from a day on. Returns how many rows of each entity moved.

    `made_office_id` stays: the old office keeps reading what it made, and its figures stay its own. Runs as a system
    act; the caller has judged the person.
    """
    if not reason.strip():
        raise Invalid(_("请写明理由。"), {"reason": _("请写明理由。")})
    with unscoped(f"transfer site {site_id}") as session, unit_of_work(Verb.TRANSFER, reason):
        return _counted(move_site(session, site_id, office_id, day))


def _counted(shares: Iterable[Share]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in shares:
        found[one.cls.__name__] = found.get(one.cls.__name__, 0) + one.total
    return found


def move_site(session: Session, site_id: int, office_id: int, day: date, receiver_id: int | None = None) -> list[Share]:
    """The move itself, in the unit of work in force: rows, open cases (to the receiver), the firm with its last site.

    Who answered for the site in the old office does so no more; a 片区 is the old office's. Raises Invalid.
    """
    site = session.get(Site, site_id, with_for_update=True)
    if site is None or session.get(Office, office_id) is None:
        raise Invalid(_("没有这个场所或机构。"))
    old, moved = site.office_id, []
    site.precinct_id = None
    end_all(session, site_id, day)
    site_moved(session, site_id, office_id)
    session.flush()
    for cls in hanging_on_sites():
        rows = session.scalars(select(cls).where(*_on_site(cls, site_id, old))).unique().all()
        unfinished = _hand_on(session, cls, site_id, old, receiver_id)
        for row in rows:
            row.office_id = office_id
        moved.append(Share(cls, len(rows), unfinished))
    session.flush()
    moved += _move_enterprise(session, site.enterprise_id, old, office_id)
    session.flush()
    _lend(session, site.enterprise_id)
    told = {name: total for name, total in _counted(moved).items() if total}
    for office in (old, office_id):
        remark(Verb.TRANSFER, "移交场所", office_id=office, about=("Site", site_id), to=office_id, day=day, moved=told)
    return moved


def hanging_on_sites() -> list[type[Scoped]]:
    """The entities whose rows go along with their site: it itself, and whatever is about one."""
    found = [
        cls
        for cls in registry().values()
        if issubclass(cls, Scoped) and not cls.__stays__ and (cls is Site or "site_id" in inspect(cls).columns)
    ]
    return sorted((cls for cls in found if cls is not Enterprise), key=lambda cls: cls.__name__)


def shares_of(session: Session, site_id: int, office_id: int) -> list[Share]:
    """What would go along, by entity; asked before anything moves."""
    found = []
    for cls in hanging_on_sites():
        total = session.scalar(select(func.count(cls.id)).where(*_on_site(cls, site_id, office_id))) or 0
        found.append(Share(cls, total, len(_unfinished(session, cls, site_id, office_id))))
    return [one for one in found if one.total]


def _on_site(cls: type[Scoped], site_id: int, office_id: int) -> tuple[Any, ...]:
    column: InstrumentedAttribute[Any] = getattr(cls, "id" if cls is Site else "site_id")
    return column == site_id, cls.office_id == office_id


def _unfinished(session: Session, cls: type[Scoped], site_id: int, office_id: int) -> set[int]:
    """Rows that still hang on somebody (`__handover__`)."""
    found: set[int] = set()
    for kind in kinds():
        if kind.cls is cls and not kind.charge.ends:
            about = (*_on_site(cls, site_id, office_id), kind.is_open(clock.today()))
            found |= set(session.scalars(select(cls.id).where(*about)))
    return found


def _hand_on(session: Session, cls: type[Scoped], site_id: int, old: int, receiver_id: int | None) -> int:
    """Put the receiver in charge of what is not done with, so that he can share it out. Returns how many rows.

    What is sealed opens to those put to it first, so it moves with its office but keeps its people.
    """
    for kind in kinds():
        if receiver_id is None or kind.cls is not cls or kind.charge.ends or kind.charge.told:
            continue
        about = (*_on_site(cls, site_id, old), kind.is_open(clock.today()))
        for row in session.scalars(select(cls).where(*about)).unique():
            setattr(row, kind.charge.column, receiver_id)
    return len(_unfinished(session, cls, site_id, old))


def _move_enterprise(session: Session, enterprise_id: int, old: int, new: int) -> list[Share]:
    """The firm, its people and what belongs to it as a whole, once no site of it is left in the old office.

    Until then it stays with the office that has had it, and the new one reads it (`EnterpriseOffice`).
    """
    left = session.scalar(select(Site.id).where(Site.enterprise_id == enterprise_id, Site.office_id == old).limit(1))
    if left is not None:
        return []
    moved = []
    for cls in (one for one in hanging_on_sites() if one is not Site):
        whole = (cls.enterprise_id == enterprise_id, cls.site_id.is_(None), cls.office_id == old)
        rows = session.scalars(select(cls).where(*whole)).unique().all()
        for row in rows:
            row.office_id = new
        moved.append(Share(cls, len(rows), 0))
    moved.append(Share(Person, _move_people(session, enterprise_id, old, new), 0))
    firm = session.get_one(Enterprise, enterprise_id)
    if firm.office_id == old:
        firm.office_id = new
        moved.append(Share(Enterprise, 1, 0))
    return moved


def _move_people(session: Session, enterprise_id: int, old: int, new: int) -> int:
    """Its people, but for those who also have a place at another firm of the old office."""
    here = select(Appointment.person_id).where(Appointment.enterprise_id == enterprise_id)
    there = select(Appointment.person_id).where(
        Appointment.enterprise_id != enterprise_id, Appointment.office_id == old
    )
    mine = (Person.id.in_(here), Person.id.not_in(there), Person.office_id == old)
    people = session.scalars(select(Person).where(*mine)).unique().all()
    for person in people:
        person.office_id = new
    return len(people)


def _lend(session: Session, enterprise_id: int) -> None:
    """Let each further office that answers for a site of the firm read the firm."""
    firm = session.get_one(Enterprise, enterprise_id)
    wanted = set(session.scalars(select(Site.office_id).where(Site.enterprise_id == enterprise_id).distinct()))
    wanted -= {firm.office_id}
    for row in session.scalars(select(EnterpriseOffice).where(EnterpriseOffice.enterprise_id == enterprise_id)):
        if row.office_id not in wanted:
            session.delete(row)
        wanted.discard(row.office_id)
    session.add_all(EnterpriseOffice(enterprise_id=enterprise_id, office_id=one) for one in sorted(wanted))
    session.flush()
