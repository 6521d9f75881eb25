"""Giving a site to another station: proposed, accepted or returned; moved by the system on the day, all in one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.db import current_session, unscoped
from app.core.errors import Conflict, Invalid
from app.core.jobs import enqueue, job
from app.core.message import notify
from app.core.office import Account, Office, OfficeKind
from app.core.saving import save
from app.core.successors import chief_of
from app.core.verbs import Verb
from app.core.workflow import handles, lock
from app.core.writing import act, current_unit, perform, unit_of_work
from app.data.enums import TransferState
from app.models.enterprise import Site
from app.models.transfer import SiteTransfer, SiteTransferLine
from app.services.enterprise import Share, move_site, shares_of

LONGEST_REASON, FURTHEST = 500, 366


def stations() -> list[Office]:
    """The stations there are: what a site may be given to."""
    day = clock.today()
    rows = current_session().scalars(select(Office).where(Office.kind == OfficeKind.STATION).order_by(Office.id))
    return [one for one in rows if one.active_to is None or one.active_to >= day]


@act(Verb.TRANSFER)
def propose(site_id: int, office_id: int | None, day: date | None, *, reason: str) -> SiteTransfer:
    """Propose to give a site to another station from a day on. Raises NotFound, Forbidden, Invalid, Conflict."""
    site = lock(fetch(Site, site_id, Verb.TRANSFER))
    _check(site, office_id, day, reason.strip())
    pending = (SiteTransfer.site_id == site_id, SiteTransfer.moved_on.is_(None))
    open_states = SiteTransfer.state.in_((TransferState.OPEN, TransferState.ACCEPTED))
    if current_session().scalar(select(SiteTransfer.id).where(*pending, open_states).limit(1)) is not None:
        raise Conflict(_("这个场所已有一项移交还没有了结。"))
    me = current_access().person
    row = SiteTransfer(
        site_id=site.id, name=site.name, firm=site.enterprise.name if site.enterprise is not None else "",
        address=site.address, account_id=me.id, day=day, reason=reason.strip(), office_id=office_id,
        made_office_id=site.office_id, lines=site.lines, enterprise_id=site.enterprise_id, items=[],
    )  # fmt: skip
    perform(row, Verb.TRANSFER, site)
    save(row, Verb.TRANSFER)
    _tell(row, _("%(name)s 拟移交给本机构，请接收或退回", name=row.name))
    return row


def _check(site: Site, office_id: int | None, day: date | None, reason: str) -> None:
    errors: dict[str, Any] = {}
    if office_id not in {one.id for one in stations()} - {site.office_id}:
        errors["office"] = _("请选择另一个监管所。")
    if day is None or not clock.today() <= day <= clock.today() + timedelta(days=FURTHEST):
        errors["day"] = _("请填今天起一年以内的日期。")
    if not reason:
        errors["reason"] = _("请写明理由。")
    elif len(reason) > LONGEST_REASON:
        errors["reason"] = _("最多 %(n)s 个字，现在 %(m)s 个。", n=LONGEST_REASON, m=len(reason))
    if errors:
        raise Invalid(_("有内容需要改正，尚未保存。"), errors)


def _tell(row: SiteTransfer, title: str) -> None:
    """Tell who leads the receiving station."""
    with unscoped("who proposed", quiet=True) as session:
        proposer = session.get_one(Account, row.account_id)
    chief = chief_of(row.office_id, proposer)
    if chief is not None:
        notify(chief.id, title, row.reason, f"/site-transfers/{row.id}")


@handles(SiteTransfer, "accept")
def accept(row: SiteTransfer, **_inputs: Any) -> None:
    """Accepted; the system moves the site on its day, which may be today."""
    _answered(row)
    if row.day <= clock.today():
        enqueue("transfer.move", f"transfer.move:{row.public_id}", transfer=row.id)


@handles(SiteTransfer, "refuse")
def refuse(row: SiteTransfer, **_inputs: Any) -> None:
    """Returned; who proposed is told why."""
    _answered(row)
    unit = current_unit()
    notify(row.account_id, _("%(name)s 的移交被退回", name=row.name), unit.reason if unit else "",
           f"/site-transfers/{row.id}")  # fmt: skip


def _answered(row: SiteTransfer) -> None:
    row.answerer_id, row.answered_at = current_access().person.id, clock.now()


@job("transfer.move")
def move_accepted(transfer: int, **_arguments: Any) -> None:
    """Move an accepted site, once; a second run finds it done."""
    with unscoped(f"move transferred site {transfer}") as session, unit_of_work(Verb.TRANSFER, _("场所移交")):
        row = session.get_one(SiteTransfer, transfer, with_for_update=True)
        if row.state != TransferState.ACCEPTED or row.moved_on is not None or row.day > clock.today():
            return
        site = session.get_one(Site, row.site_id)
        if site.office_id != row.made_office_id:
            raise Conflict(_("这个场所已不归提出移交的机构。"))
        moved = move_site(session, row.site_id, row.office_id, clock.today(), row.answerer_id)
        row.moved_on = clock.today()
        row.items = list(_lines(moved))
        notify(row.account_id, _("%(name)s 已移交", name=row.name), "", f"/site-transfers/{row.id}")


def _lines(moved: Iterable[Share]) -> Iterable[SiteTransferLine]:
    totals: dict[str, tuple[int, int]] = {}
    for one in moved:
        label = str(one.cls.__label__)
        total, unfinished = totals.get(label, (0, 0))
        totals[label] = (total + one.total, unfinished + one.unfinished)
    for number, (label, (total, unfinished)) in enumerate(totals.items(), 1):
        if total:
            yield SiteTransferLine(position=number, kind=label, total=total, open_rows=unfinished)


@job("transfer.due", daily=True)
def move_due(**_arguments: Any) -> None:
    """Once a day: what was accepted for a day that has come (and what a failure has left)."""
    with unscoped("accepted transfers that are due", quiet=True) as session:
        due = (SiteTransfer.state == TransferState.ACCEPTED, SiteTransfer.moved_on.is_(None))
        keys = list(session.scalars(select(SiteTransfer.id).where(*due, SiteTransfer.day <= clock.today())))
    for key in keys:
        move_accepted(transfer=key)


def foreseen(row: SiteTransfer) -> list[SiteTransferLine]:
    """The hand-over list as it would be now: kinds and numbers only, for a receiver who may not read the rows yet."""
    with unscoped("what a transfer would move", quiet=True) as session:
        return list(_lines(shares_of(session, row.site_id, row.made_office_id)))
