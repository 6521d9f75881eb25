"""Licences and closures: what is checked whenever one is saved, and the steps of each."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select

from app.core import clock
from app.core.codes import check_licence
from app.core.db import current_session, unscoped
from app.core.errors import Invalid
from app.core.saving import Check, on_save
from app.core.verbs import Verb
from app.core.workflow import handles, lock
from app.core.writing import perform
from app.data.enums import ClosureKind, ClosureState, LicenceState
from app.models.enterprise import Enterprise, Site
from app.models.licence import Closure, Licence
from app.services.check import by_firm

LATEST = date(2200, 1, 1)


@on_save(Licence)
def check_licence_row(one: Licence, check: Check) -> None:
    """A holder, a number (wrong digit or held twice: doubts), dates in order; the site shows its newest."""
    holder: Site | Enterprise | None = one.site or one.enterprise
    if holder is None:
        check.error("enterprise", _("请选择主体或经营场所。"))
        return
    if one.site is not None and one.enterprise is not None and one.site.enterprise_id != one.enterprise.id:
        check.error("site", _("这个场所不属于所选主体。"))
    elif one.site is not None:
        one.enterprise = one.site.enterprise
    if one.issued and one.issued > clock.today():
        check.error("issued", _("发证日期不能晚于今天。"))
    if one.issued and one.valid_to and one.valid_to < one.issued:
        check.error("valid_to", _("不能早于发证日期。"))
    if one.number:
        _check_number(one, check)
    one.search_text = holder.search_text
    if one.site is not None and not check.errors and not check.doubts:
        _show_on_site(one, one.site)


def _check_number(one: Licence, check: Check) -> None:
    verdict = check_licence(one.number)
    one.number = verdict.value
    for text in verdict.errors:
        check.error("number", text)
    for text in verdict.warnings:
        check.doubt("number", text)
    if not verdict.errors and held_elsewhere(one):
        check.doubt("number", _("这个编号已登记在另一份有效证照上。"))


def held_elsewhere(one: Licence) -> bool:
    """Whether another valid licence has this number, in whichever office: yes or no, nothing else."""
    with unscoped("is the licence number taken", quiet=True) as session:
        others = select(Licence.id).where(
            Licence.number == one.number, Licence.state == LicenceState.VALID, Licence.id != (one.id or 0)
        )
        return session.scalar(others.limit(1)) is not None


def _show_on_site(one: Licence, site: Site) -> None:
    """Site.licence_* repeat the newest valid licence of the site, for lists and ledgers; written with the licence."""
    rows = current_session().scalars(
        select(Licence).where(Licence.site_id == site.id, Licence.state == LicenceState.VALID)
    )
    valid = [row for row in rows if row.id != one.id] + ([one] if one.state in {None, LicenceState.VALID} else [])
    newest = max(valid, key=lambda row: (row.valid_to or LATEST, row.id or 2**62))
    shown = (newest.kind, newest.number, newest.valid_to)
    if shown != (site.licence_kind, site.licence_no, site.licence_until):
        site.licence_kind, site.licence_no, site.licence_until = shown
        perform(site, Verb.UPDATE, one)


@on_save(Closure)
def check_closure(one: Closure, check: Check) -> None:
    """An order is the authority's; dates in order, and no second closure of the site over the same days."""
    if one.kind == ClosureKind.ORDERED_SHUT and by_firm():
        check.error("kind", _("责令停产停业由监管部门登记。"))
    if one.date_from and one.date_to and one.date_to < one.date_from:
        check.error("date_to", _("不能早于停业起。"))
    if one.site is None or one.date_from is None:
        return
    lock(one.site)
    one.search_text = one.site.search_text
    if overlaps(one):
        check.error("date_from", _("这个场所这段时间已有停业申报。"))


def overlaps(one: Closure) -> bool:
    """Whether another closure of the site, declared or confirmed, shares a day with this one."""
    others = select(Closure.id).where(
        Closure.site_id == one.site.id, Closure.id != (one.id or 0),
        Closure.state.in_((ClosureState.DECLARED, ClosureState.CONFIRMED)),
        or_(Closure.date_to.is_(None), Closure.date_to >= one.date_from), Closure.date_from <= (one.date_to or LATEST),
    )  # fmt: skip
    return current_session().scalar(others.limit(1)) is not None


@handles(Closure, "reopen")
def reopen(one: Closure, date_to: date | None = None, **_inputs: Any) -> None:
    """Business goes on: the last closed day is known."""
    if date_to is None or date_to < one.date_from or (one.date_to is not None and date_to > one.date_to):
        raise Invalid(_("有内容需要改正，尚未保存。"), {"date_to": _("须在原停业期间以内。")})
    one.date_to = date_to
