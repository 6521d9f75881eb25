"""Inspections: who may inspect, what a finished record must hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core import clock
from app.core.access.ownership import repointed
from app.core.access.seal import close, open_up
from app.core.db import unscoped
from app.core.errors import Invalid
from app.core.office import Account, Family, Posting
from app.core.saving import Check, on_save
from app.core.workflow import handles
from app.data.enums import InspectionResult
from app.models.inspection import Inspection

LATE = timedelta(days=62)  # beyond it a date is more often a slip of the finger than a late record


@on_save(Inspection)
def check_inspection(visit: Inspection, check: Check) -> None:
    """Two different inspectors whose 执法证 is valid on the day (Order 49 Art. 23, 24); no day to come."""
    if visit.date and visit.date > clock.today():
        check.error("date", _("检查日期不能晚于今天。"))
    elif visit.date and visit.date < clock.today() - LATE:
        check.doubt("date", _("检查日期是两个多月以前，请核对；确实是补录的，请打勾。"))
    if visit.inspector is not None and visit.inspector is visit.co_inspector:
        check.error("co_inspector", _("检查人员须为不同的两人。"))
    for name in ("inspector", "co_inspector"):
        if why := unfit(getattr(visit, name), visit) or _out_of_office(visit, name):
            check.error(name, why)
    for number, finding in enumerate(visit.findings, 1):
        if not (finding.fact or "").strip():
            check.error(f"findings.{number}.fact", _("请填写。"))


def unfit(account: Account | None, visit: Inspection) -> str:
    """Why an account can't inspect on that day, or "": no business account, no 执法证, or one run out."""
    if account is None or visit.date is None:
        return ""
    if account.family != Family.BUSINESS or not account.certificate_no:
        return str(_("%(name)s 没有登记执法证，不能作为检查人员。", name=account.name))
    if account.certificate_until is not None and account.certificate_until < visit.date:
        return str(_("%(name)s 的执法证在检查当天已过期。", name=account.name))
    return ""


def _out_of_office(visit: Inspection, name: str) -> str:
    """Why somebody can't be named as inspector now, or "": no posting in force. Who was named before stays named."""
    account = getattr(visit, name)
    if account is None or (inspect(visit).persistent and not repointed(visit, name)):
        return ""
    with unscoped("postings of an inspector", quiet=True) as session:
        held = select(Posting.id).join(Account, Posting.account_id == Account.id)
        held = held.where(Account.id == account.id, Account.active.is_(True), Posting.in_force(clock.today()))
        if session.scalar(held.limit(1)) is not None:
            return ""
    return str(_("%(name)s 现在没有在任的任职，不能作为检查人员。", name=account.name))


@handles(Inspection, "complete")
def complete(visit: Inspection, **_inputs: Any) -> None:
    """A finished record has a result, and findings exactly when the result is not 符合; nothing is sealed any more."""
    if not visit.result:
        raise Invalid(_("请先在检查记录中填写检查结果。"))
    if visit.result == InspectionResult.PASSED and visit.findings:
        raise Invalid(_("结果为符合，但记录了问题；请修改结果或删去问题。"))
    if visit.result != InspectionResult.PASSED and not visit.findings:
        raise Invalid(_("结果不是符合，请写明发现的问题。"))
    open_up(visit)


@handles(Inspection, "seal")
def seal(visit: Inspection, until: datetime | None = None, **_inputs: Any) -> None:
    """Known to its inspectors and to who seals it, until an hour or until it is opened at the door."""
    close(visit, until)


@handles(Inspection, "open")
@handles(Inspection, "void")
def unseal(visit: Inspection, **_inputs: Any) -> None:
    """The visit begins, or will not be."""
    open_up(visit)
