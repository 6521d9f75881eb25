"""Firms and their sites: what is checked and filled whenever one is saved; moving a site to another office."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect, select
from sqlalchemy.orm import InstrumentedAttribute

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.access.ownership import home
from app.core.codes import check_credit_code, check_licence, check_phone
from app.core.db import current_session, unscoped
from app.core.entity import Scoped, registry
from app.core.errors import Invalid
from app.core.history import record
from app.core.office import Office
from app.core.pinyin import search_key
from app.core.saving import Check, before_many, on_save
from app.core.verbs import Verb
from app.core.writing import perform, unit_of_work
from app.models.enterprise import ENDED, GONE, Enterprise, Site
from app.models.lines import BITS

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
    if _named_alike(firm, check):
        check.doubt("name", _("本机构已有同名的主体。确实是另一个，请打勾。"))
    firm.search_text = search_key(firm.name or "")


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
    if ticked or not firm.name or not inspect(firm).attrs.name.history.has_changes():
        return False
    office = firm.office_id or home(firm, current_access())
    alike = select(Enterprise.id).where(
        Enterprise.name == firm.name, Enterprise.office_id == office, Enterprise.id != (firm.id or 0),
        Enterprise.state.not_in(GONE),
    )  # fmt: skip
    return current_session().scalar(alike.limit(1)) is not None


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


def transfer_site(site_id: int, office_id: int, day: date, reason: str) -> dict[str, int]:
    """Move a site and what hangs on it to another office from a day on. Returns how many rows of each entity moved.

    `made_office_id` stays: the old office keeps reading what it made, and its figures stay its own. The enterprise
    moves along when this was its last site in the old office. Runs as a system act; the caller has judged the person.
    """
    if not reason.strip():
        raise Invalid(_("请写明理由。"), {"reason": _("请写明理由。")})
    moved: dict[str, int] = {}
    with unscoped(f"transfer site {site_id}") as session, unit_of_work(Verb.UPDATE, reason):
        site = session.get(Site, site_id, with_for_update=True)
        office = session.get(Office, office_id)
        if site is None or office is None:
            raise Invalid(_("没有这个场所或机构。"))
        old = site.office_id
        for cls in _hanging_on_sites():
            rows = session.scalars(select(cls).where(_site_column(cls) == site_id, cls.office_id == old)).all()
            for row in rows:
                row.office_id = office_id
            moved[cls.__name__] = len(rows)
        _move_enterprise(site.enterprise_id, old, office_id, moved)
        session.flush()
    record(Verb.UPDATE, "移交场所", office_id=old, site=site_id, to=office_id, day=day, moved=moved, reason=reason)
    return moved


def _hanging_on_sites() -> list[type[Scoped]]:
    found = [
        cls
        for cls in registry().values()
        if issubclass(cls, Scoped) and (cls is Site or "site_id" in inspect(cls).columns)
    ]
    return sorted((cls for cls in found if cls is not Enterprise), key=lambda cls: cls.__name__)


def _site_column(cls: type[Scoped]) -> InstrumentedAttribute[Any]:
    column: InstrumentedAttribute[Any] = getattr(cls, "id" if cls is Site else "site_id")
    return column


def _move_enterprise(enterprise_id: int, old: int, new: int, moved: dict[str, int]) -> None:
    """The firm itself, and what belongs to it as a whole, once no site of it is left in the old office."""
    session = current_session()
    session.flush()
    left = session.scalar(select(Site.id).where(Site.enterprise_id == enterprise_id, Site.office_id == old).limit(1))
    if left is not None:
        return
    for cls in _hanging_on_sites():
        if cls is Site:
            continue
        rows = session.scalars(
            select(cls).where(cls.enterprise_id == enterprise_id, cls.site_id.is_(None), cls.office_id == old)
        ).all()
        for row in rows:
            row.office_id = new
        moved[cls.__name__] = moved.get(cls.__name__, 0) + len(rows)
    firm = session.get_one(Enterprise, enterprise_id)
    if firm.office_id == old:
        firm.office_id = new
        moved["Enterprise"] = 1
