"""摸底: opening a round, judging lines, handing in. Figures are in `services.census_figures`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert, inspect, or_, select
from sqlalchemy.orm import Session, selectinload

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.access.fetch import fetch, may
from app.core.access.ownership import home
from app.core.db import current_session, unscoped
from app.core.errors import Conflict, Invalid
from app.core.history import remark
from app.core.jobs import enqueue, job, settle, tick
from app.core.message import notify
from app.core.office import Account, Office, OfficeKind
from app.core.saving import EVERYTHING, Check, column_problems, on_save, save
from app.core.successors import chief_of
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.workflow import handles, lock
from app.core.writing import current_unit, perform, unit_of_work
from app.data.census import GoneWhy, LineState, RoundState, SizeClass
from app.data.enums import SiteState
from app.models.census import SEALED, CensusLine, CensusReturn, CensusRound
from app.models.enterprise import ENDED, Enterprise, Site
from app.services.census_figures import undecided
from app.services.census_moves import open_sheets, site_ended
from app.services.director import Rules, rules_on, size_of, todays_rules

PART = 500
STATE_OF = {GoneWhy.CLOSED: SiteState.DEREGISTERED, GoneWhy.LOST: SiteState.LOST}


@on_save(CensusRound)
def check_round(row: CensusRound, check: Check) -> None:
    """The day that is counted for lies before the day of handing in."""
    if row.as_of and row.due and row.due < row.as_of:
        check.error("due", _("不能早于摸底时点。"))


# -- opening ----------------------------------------------------------------------------------------------------------


@handles(CensusRound, "open")
def open_round(row: CensusRound, **_inputs: Any) -> None:
    """A return for each station and each other office that answers for sites; the lines are made by a job."""
    if row.due < clock.today():
        raise Conflict(_("上报截止已过，请先改期。"))
    row.opened_at = clock.now()
    for office_id, name in _offices():
        sheet = CensusReturn(
            round_id=row.id, office_id=office_id, made_office_id=office_id, name=f"{row.name} {name}"[:200]
        )
        perform(sheet, Verb.CONFIRM, row)
        current_session().add(sheet)
    enqueue("census.fill", f"census.fill:{row.public_id}", census=row.id, asker=current_access().person.id)


def _offices() -> list[tuple[int, str]]:
    """The stations there are, and who else answers for a site in being: nothing of the bureau's is left out."""
    day = clock.today()
    with unscoped("offices that answer for sites", quiet=True) as session:
        held = select(Site.office_id).where(Site.state.not_in(ENDED)).distinct()
        rows = session.scalars(
            select(Office).where(or_(Office.kind == OfficeKind.STATION, Office.id.in_(held))).order_by(Office.path)
        ).all()
        answering = set(session.scalars(held))
        return [(one.id, one.name) for one in rows
                if one.id in answering or one.active_to is None or one.active_to >= day]  # fmt: skip


@job("census.fill")
def fill(census: int, asker: int, **_arguments: Any) -> None:
    """A line for each site in being, some hundreds in a transaction; one that has a line (entered meanwhile) has it.

    Run again after a crash it finds what is there. At last the chiefs are told.
    """
    with unscoped(f"lines of census {census}") as session:
        given, last = rules_on(clock.today()), 0
        while (found := _fill_part(session, census, given, last)) is not None:
            last = found
            tick()
        with unit_of_work(Verb.CONFIRM, _("开始摸底")):
            row = session.scalars(select(CensusRound).where(CensusRound.id == census).with_for_update()).one()
            if row.ready_at is None:
                row.ready_at = clock.now()
                _tell_chiefs(session, row, session.scalars(select(Account).where(Account.id == asker)).one())
            settle()


def _fill_part(session: Session, census: int, given: Rules, last: int) -> int | None:
    """The next sites; the key of the last of them."""
    with unit_of_work(Verb.CONFIRM, _("建立摸底清单")):
        sheets = {one.office_id: one.id for one in
                  session.scalars(select(CensusReturn).where(CensusReturn.round_id == census))}  # fmt: skip
        there = select(CensusLine.id).where(CensusLine.round_id == census, CensusLine.site_id == Site.id)
        sites = session.scalars(
            select(Site).where(Site.id > last, Site.state.not_in(ENDED), Site.office_id.in_(list(sheets)),
                               ~there.exists())
            .order_by(Site.id).limit(PART).options(selectinload(Site.enterprise))
        ).all()  # fmt: skip
        if not sites:
            return None
        rows = [_values(site, census, sheets[site.office_id], given) for site in sites]
        session.connection().execute(insert(CensusLine.__table__), rows)
        for office in sorted({site.office_id for site in sites}):
            number = sum(site.office_id == office for site in sites)
            remark(Verb.CONFIRM, "建立摸底清单", office_id=office, about=("CensusReturn", sheets[office]), rows=number)
        return sites[-1].id


def _values(site: Site, census: int, sheet: int, given: Rules) -> dict[str, Any]:
    """A line as its table stores it: hundreds of thousands are not made one by one."""
    return {
        "public_id": public_id(), "version": 1, "made_at": clock.now(), "round_id": census, "sheet_id": sheet,
        "site_id": site.id, "enterprise_id": site.enterprise_id, "office_id": site.office_id,
        "made_office_id": site.office_id, "state": LineState.OPEN, "reason": "", "lines": site.lines,
        **_told(site, given),
    }  # fmt: skip


def _told(site: Site, given: Rules) -> dict[str, Any]:
    """What a line remembers of its site."""
    scale = size_of(site, given) if site.kind else SizeClass.UNKNOWN
    firm = site.enterprise.name if site.enterprise is not None else ""
    return {"name": site.name, "firm": firm, "kind": site.kind, "scale": scale}


def _tell_chiefs(session: Session, row: CensusRound, asker: Account) -> None:
    for sheet in session.scalars(select(CensusReturn).where(CensusReturn.round_id == row.id)).unique():
        chief = chief_of(sheet.office_id, asker)
        if chief is not None:
            text = _("请核实本所清单，%(day)s 前上报。", day=f"{row.due:%Y-%m-%d}")
            notify(chief.id, _("摸底开始：%(name)s", name=row.name), text, f"/census-returns/{sheet.id}")


@handles(CensusRound, "end")
def end_round(row: CensusRound, **_inputs: Any) -> None:
    """Nothing changes from now on."""
    row.ended_at = clock.now()


# -- lines ------------------------------------------------------------------------------------------------------------


@on_save(Site)
def keep_up(site: Site, check: Check) -> None:
    """A site that is entered while its station counts stands in the list as 新增; one that ends leaves it."""
    if check.errors or check.doubts or any(column_problems(site)):  # nothing is written for a row that is wrong
        return
    if site.id and inspect(site).attrs.state.history.has_changes() and site.state in ENDED:
        site_ended(site)
    if not site.id and site.state not in ENDED:
        for line in _added(site):
            perform(line, Verb.CREATE, site)
            current_session().add(line)


def _added(site: Site) -> Iterator[CensusLine]:
    office = site.office_id or (home(site, current_access()) if has_access_context() else 0)
    me = current_access().person.id if has_access_context() else None
    for sheet, census in _open_sheets(office):
        yield CensusLine(
            site=site, round_id=census, sheet_id=sheet, state=LineState.ADDED, reason="", decided_by_id=me,
            decided_at=clock.now(), **_told(site, todays_rules()),
        )  # fmt: skip


def _open_sheets(office_id: int) -> list[tuple[int, int]]:
    """Asked once a unit of work and office: an import enters thousands in one."""
    unit = current_unit()
    known: dict[int, list[tuple[int, int]]] = unit.memo.setdefault("open sheets", {}) if unit is not None else {}
    if office_id not in known:
        known[office_id] = open_sheets(office_id)
    return known[office_id]


def _judge(line: CensusLine) -> Site:
    """The line's site, while the return is open: locked, so that it is not handed in meanwhile. Raises Conflict."""
    if lock(line.sheet).state in SEALED:
        raise Conflict(_("本所的摸底表已上报，退回之前不能再改。"))
    line.decided_by_id, line.decided_at = current_access().person.id, clock.now()
    return line.site


@handles(CensusLine, "confirm")
def confirm(line: CensusLine, **_inputs: Any) -> None:
    """It is there, as it is now; that is remembered."""
    site = _judge(line)
    line.lines, line.reason = site.lines, ""
    for name, value in _told(site, todays_rules()).items():
        setattr(line, name, value)


@handles(CensusLine, "retire")
def retire(line: CensusLine, why: str | None = None, **_inputs: Any) -> None:
    """It is closed or can't be found: the site says so by its own path, and its firm when no other site is left."""
    if why not in STATE_OF:
        raise Invalid(_("有内容需要改正，尚未保存。"), {"why": _("请选择退出原因。")})
    unit = current_unit()
    site = lock(fetch(Site, _judge(line).id, Verb.UPDATE))
    line.why, line.reason = why, unit.reason[:500] if unit else ""
    state = STATE_OF[GoneWhy(why)]
    if site.state not in ENDED:
        site.state = state
        save(site, Verb.UPDATE, accepted=EVERYTHING)
        _firm_too(site, state)
    line.why, line.reason = why, unit.reason[:500] if unit else ""


def _firm_too(site: Site, state: SiteState) -> None:
    """A firm whose last site has gone is not left in the ledgers, where the person may write it."""
    with unscoped("has the firm another site", quiet=True) as session:
        gone = (*ENDED, SiteState.LOST)
        others = select(Site.id).where(Site.enterprise_id == site.enterprise_id, Site.id != site.id)
        if session.scalar(others.where(Site.state.not_in(gone)).limit(1)) is not None:
            return
    firm = site.enterprise
    if firm is not None and may(firm, Verb.UPDATE) and firm.state not in ENDED:
        locked: Enterprise = lock(firm)
        locked.state = state
        save(locked, Verb.UPDATE, accepted=EVERYTHING)


@handles(CensusLine, "reopen")
def reopen(line: CensusLine, **_inputs: Any) -> None:
    """Judged anew."""
    _judge(line)
    line.why, line.reason, line.decided_by_id, line.decided_at = None, "", None, None


# -- handing in -------------------------------------------------------------------------------------------------------


@handles(CensusReturn, "hand_in")
def hand_in(sheet: CensusReturn, looked: bool = False, **_inputs: Any) -> None:
    """To the bureau, sealed. What looks like one and is not yet decided asks for a tick."""
    left = undecided(sheet.round_id, sheet.id)
    if left and not looked:
        text = _("清单里还有 %(n)s 对疑似重复没有处理；确实都不是重复的，请打勾再上报。", n=left)
        raise Invalid(_("有内容需要改正，尚未保存。"), {"looked": text})
    sheet.handed_by_id, sheet.handed_at = current_access().person.id, clock.now()
    sheet.answered_by_id = sheet.answered_at = None


@handles(CensusReturn, "accept")
def accept(sheet: CensusReturn, **_inputs: Any) -> None:
    """The bureau takes it as it is."""
    _answered(sheet, _("摸底表已认可：%(name)s", name=sheet.name), "")


@handles(CensusReturn, "return")
def send_back(sheet: CensusReturn, **_inputs: Any) -> None:
    """To be mended; who handed it in is told why."""
    unit = current_unit()
    _answered(sheet, _("摸底表被退回：%(name)s", name=sheet.name), unit.reason if unit else "")


def _answered(sheet: CensusReturn, title: str, text: str) -> None:
    sheet.answered_by_id, sheet.answered_at = current_access().person.id, clock.now()
    if sheet.handed_by_id is not None:
        notify(sheet.handed_by_id, title, text, f"/census-returns/{sheet.id}")


def running() -> list[CensusRound]:
    """The rounds that were opened, the newest first."""
    shown = CensusRound.state.in_((RoundState.OPEN, RoundState.ENDED))
    return list(current_session().scalars(select(CensusRound).where(shown).order_by(CensusRound.id.desc()).limit(50)))
