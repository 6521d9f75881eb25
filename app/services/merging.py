"""What becoming one means for firms and sites, and for the rows that would say the same twice afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core import clock
from app.core.db import current_session
from app.core.errors import Conflict
from app.core.merging import after_merging, before_merging, when_merged
from app.core.pinyin import search_key
from app.core.saving import Check, on_save
from app.data.enums import CareRole, CheckState, RiskListState, SiteState
from app.models.care import Caretaker
from app.models.check import DailyCheck, RiskList
from app.models.director import DirectorDecision
from app.models.enterprise import Enterprise, EnterpriseOffice, Site
from app.models.licence import Licence
from app.models.personnel import Appointment
from app.models.training import Exam, Training
from app.services.census_moves import site_merged

LATEST = date(2200, 1, 1)
Folded = Mapping[Any, Any]


@on_save(Enterprise)
def keep_merged_firm(firm: Enterprise, check: Check) -> None:
    """What was merged into another is read and never written again."""
    _keep_merged(firm, check)


@on_save(Site)
def keep_merged_site(site: Site, check: Check) -> None:
    """As for firms."""
    _keep_merged(site, check)


def _keep_merged(row: Enterprise | Site, check: Check) -> None:
    if row.merged_into_id is not None:
        check.error("state", _("已并入“%(name)s”，不能再修改。", name=str(row.merged_into or row.merged_into_id)))


@before_merging(Site)
def same_firm(gone: Site, kept: Site) -> None:
    """Two sites become one within a firm; of two firms, the firms are merged first."""
    if gone.enterprise_id != kept.enterprise_id:
        raise Conflict(_("这两个场所属于不同主体，请先合并主体。"))


@after_merging(Enterprise)
def close_firm(gone: Enterprise, kept: Enterprise, values: Mapping[str, Any]) -> None:
    """The one that goes is in no ledger of any day: its sites and people are the other's, of past days too."""
    session, code = current_session(), values.get("code", kept.code)
    for old in {gone.code, kept.code} - {None, code}:  # what names a headquarters or a school by its code
        for one in session.scalars(select(Enterprise).where(Enterprise.head_code == old)):
            one.head_code = code
        for place in session.scalars(select(Site).where(Site.host_code == old)):
            place.host_code = code
    gone.state, gone.ended_on = SiteState.MERGED, clock.local(gone.made_at).date()
    kept.lines |= gone.lines
    kept.must_have_director = kept.must_have_director or gone.must_have_director
    gone.must_have_director = False
    _rename(kept, values.get("name", kept.name))


def _rename(firm: Enterprise, name: str) -> None:
    """What is found by the firm's name is found by that of the one that stays."""
    session = current_session()
    for site in session.scalars(select(Site).where(Site.enterprise_id == firm.id)):
        site.search_text = search_key(site.name if site.name in name else f"{name}{site.name}")
    for cls in (Training, Exam):
        for row in session.scalars(select(cls).where(cls.enterprise_id == firm.id)):
            row.search_text = search_key(f"{row.person.name}{name}")


@after_merging(Site)
def close_site(gone: Site, kept: Site, values: Mapping[str, Any]) -> None:
    """The one that goes is no place of business any more, and demands nobody."""
    gone.state, gone.must_have_director = SiteState.MERGED, False
    site_merged(gone, kept)
    if name := values.get("name"):
        kept.search_text = search_key(name if name in kept.enterprise.name else f"{kept.enterprise.name}{name}")


@when_merged(Appointment)
def same_post(name: str, rows: list[Appointment], others: list[Appointment]) -> Folded:
    """One person, one role, one place, and days that meet: one appointment over all of these days."""
    folded: dict[Any, Any] = {}
    for row in rows:
        alike = (one for one in others if _post(row, name) == _post(one, name) and _meet(row, one))
        if (other := next(alike, None)) is not None:
            _join(row, other)
            folded[row] = other
    return folded


def _post(one: Appointment, but: str) -> tuple[Any, ...]:
    """What makes two appointments the same, apart from the attribute that is about to be the same."""
    return tuple(getattr(one, name) for name in ("person_id", "role", "enterprise_id", "site_id") if name != but)


def _meet(one: Appointment, other: Appointment) -> bool:
    day = timedelta(days=1)
    return one.date_from <= (other.date_to or LATEST) + day and other.date_from <= (one.date_to or LATEST) + day


def _join(row: Appointment, other: Appointment) -> None:
    other.date_from = min(row.date_from, other.date_from)
    other.date_to = None if None in (row.date_to, other.date_to) else max(row.date_to, other.date_to)  # type: ignore[type-var]  # neither is None here
    other.full_time = row.full_time or other.full_time
    papers = dict.fromkeys(text for text in (other.document, row.document) if text)
    joined = "；".join(papers)
    other.document = joined if len(joined) <= _length(Appointment, "document") else other.document


def _length(model: Any, name: str) -> int:
    return int(inspect(model).columns[name].type.length)


@when_merged(Licence)
def same_licence(name: str, rows: list[Licence], others: list[Licence]) -> Folded:
    """The same number in the same state, entered on both sides: one licence, each blank filled from the other."""
    folded: dict[Any, Any] = {}
    for row in rows:
        for other in others:
            placed = name == "site_id" or row.site_id is None or other.site_id in {None, row.site_id}
            if (row.kind, row.number, row.state) == (other.kind, other.number, other.state) and placed:
                for blank in ("issuer", "issued", "valid_to", "scope", "site_id"):
                    setattr(other, blank, getattr(other, blank) or getattr(row, blank))
                folded[row] = other
                break
    return folded


@when_merged(DailyCheck)
def same_day(name: str, rows: list[DailyCheck], others: list[DailyCheck]) -> Folded:
    """One submitted record and one draft a site and day: the other one stays readable, as taken back."""
    taken = {(one.check_date, one.state) for one in others} if name == "site_id" else set()
    for row in rows:
        if row.state in {CheckState.SUBMITTED, CheckState.DRAFT} and (row.check_date, row.state) in taken:
            row.state = CheckState.WITHDRAWN
    return {}


@when_merged(RiskList)
def same_list(name: str, rows: list[RiskList], others: list[RiskList]) -> Folded:
    """One edition in force a line and kind of the site, or of the firm as a whole: that of the one that stays."""
    whole = name != "site_id"
    taken = {(one.line, one.site_kind) for one in others
             if one.state == RiskListState.IN_FORCE and not (whole and one.site_id)}  # fmt: skip
    for row in rows:
        meets = row.state == RiskListState.IN_FORCE and (row.line, row.site_kind) in taken
        if meets and not (whole and row.site_id):
            row.state, row.valid_to = RiskListState.RETIRED, _yesterday(row.valid_from)
    return {}


@when_merged(DirectorDecision)
def one_decision(name: str, rows: list[DirectorDecision], others: list[DirectorDecision]) -> Folded:
    """What stands of the site that goes ends; the one that stays is decided anew when it is saved."""
    if name == "site_id" and any(one.date_to is None for one in others):
        for row in (one for one in rows if one.date_to is None):
            row.date_to = clock.today() - timedelta(days=1)
    return {}


@when_merged(Caretaker)
def one_in_charge(name: str, rows: list[Caretaker], others: list[Caretaker]) -> Folded:
    """Who answers for the site that stays goes on; a second 主管, and a second time the same person, ends."""
    open_ones = [one for one in others if one.date_to is None] if name == "site_id" else []
    chief = any(one.role == CareRole.PRINCIPAL for one in open_ones)
    known = {(one.account_id, one.role) for one in open_ones}
    for row in (one for one in rows if one.date_to is None):
        if (row.account_id, row.role) in known or (chief and row.role == CareRole.PRINCIPAL):
            row.date_to = _yesterday(row.date_from)
    return {}


@when_merged(EnterpriseOffice)
def same_office(name: str, rows: list[EnterpriseOffice], others: list[EnterpriseOffice]) -> Folded:
    """An office reads the firm once."""
    known = {one.office_id: one for one in others} if name == "enterprise_id" else {}
    return {row: known[row.office_id] for row in rows if row.office_id in known}


def _yesterday(begun: date | None) -> date:
    day = clock.today() - timedelta(days=1)
    return max(day, begun) if begun is not None else day
