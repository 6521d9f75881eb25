"""Home: what this person has to do. And the one search box."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask import g, render_template, request
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.core import clock
from app.core.access.predicate import answered_for, predicate
from app.core.db import current_session
from app.core.entity import Entity
from app.core.fab.cells import date_text, many_of, said
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import signed_in
from app.core.fab.list_view import ALL
from app.core.fab.listing import LONGEST_QUERY, newest
from app.core.fab.showing import count
from app.core.handover import Handover, HandoverState
from app.core.open_work import waiting
from app.core.screen import Hits, Task
from app.core.successors import led_offices
from app.core.verbs import Verb
from app.data.census import RoundState, SheetState
from app.data.enums import CheckState, NoticeState, SiteState, TransferState
from app.data.people import AssessmentState, ChangeState
from app.data.takeover import PriorState
from app.models.census import CensusReturn, CensusRound
from app.models.check import DailyCheck
from app.models.enterprise import Enterprise, Site
from app.models.inspection import DRAFT, Inspection
from app.models.personnel import Appointment, Person, banned_people
from app.models.rectification import Notice
from app.models.self_assessment import SelfAssessment
from app.models.staff_change import StaffChange
from app.models.takeover import PriorCase
from app.models.transfer import SiteTransfer
from app.services.check import by_firm
from app.services.self_gaps import Wanted, owed, size, terms
from app.views.care import NOBODY, unattended
from app.views.self_gaps import BASE as GAPS
from app.views.self_gaps import form_of, open_to_person, state_of, which

SHOWN = 5
MOST_HITS = 10


class HomeView(Page):
    """The first page, and search."""

    route_base = ""
    default_view = "home"

    @expose("/")
    @signed_in
    def home(self) -> Answer:
        """Today's work."""
        return render_template(
            "home.html", greeting=_("%(name)s，您好", name=g.access.person.name),
            date_text=format_date(clock.today(), _("y年M月d日 EEEE")), tasks=tasks(), figures=figures(),
        )  # fmt: skip

    @expose("/search")
    @signed_in
    def search(self) -> Answer:
        """Firms, sites, notices and people that match, of those the person may see."""
        text = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_QUERY]
        groups = [found for model, base in SEARCHED if (found := hits(model, base, text))] if text else []
        return render_template("search.html", groups=groups, query=text)


SEARCHED: tuple[tuple[type[Entity], str], ...] = (
    (Enterprise, "/enterprises"),
    (Site, "/sites"),
    (Notice, "/notices"),
    (Person, "/people"),
)


def hits(model: type[Entity], base: str, text: str) -> Hits | None:
    """A group of the search page."""
    if not g.access.may(model.policy_name(), Verb.READ):
        return None
    rows = newest(model, text, MOST_HITS, "-made_at")
    if not rows:
        return None
    items = [{"title": str(row), "sub": _sub(row), "url": f"{base}/{row.id}", "state": said(getattr(row, "state", "")),
              "tone": _tone(row)} for row in rows]  # fmt: skip
    return Hits(many_of(model), f"{base}/?{urlencode({'q': text})}", items)


def _sub(row: Any) -> str:
    return " · ".join(part for part in (getattr(row, "code", None), getattr(row, "address", None)) if part)


def _tone(row: Any) -> str:
    if row.__workflow__ is not None:
        return str(row.__workflow__.tones.get(row.state, "neutral"))
    return "success" if getattr(row, "state", "") == "正常" else "warning"


def tasks() -> list[Task]:
    """One task a step that this person may take, with the rows that wait for it."""
    found = []
    for model, verb, state, title, tone, base in (
        (Notice, Verb.SIGN, NoticeState.TO_SIGN, _("待我签发"), "warning", "/notices/"),
        (Notice, Verb.REVIEW, NoticeState.IN_REVIEW, _("待我审核"), "warning", "/notices/"),
        (Notice, Verb.SERVE, NoticeState.SIGNED, _("待送达"), "info", "/notices/"),
        (Notice, Verb.SUBMIT, NoticeState.DRAFT, _("通知书草稿"), "neutral", "/notices/"),
        (Inspection, Verb.COMPLETE, DRAFT, _("没写完的检查"), "info", "/inspections/"),
        (StaffChange, Verb.CONFIRM, ChangeState.REPORTED, _("待核的人员变动"), "warning", "/staff-changes/"),
        (SelfAssessment, Verb.CONFIRM, AssessmentState.SUBMITTED, _("待确认的落实自查表"), "warning",
         "/self-assessments/"),
    ):  # fmt: skip
        if g.access.may(model.__name__, verb):
            found.append(_task(model, verb, state, title, tone, base))
    if g.access.may("StaffChange", Verb.SUBMIT):
        found += _returned_changes()
    if g.access.may(Handover.__name__, Verb.CREATE):
        found.append(_left_behind())
    if g.access.may(Handover.__name__, Verb.CONFIRM) and (task := _handed_to_me()) is not None:
        found.append(task)
    found += [task for task in (_unattended(), _offered_sites(), _paper_rechecks(), *_census()) if task is not None]
    if g.access.may(Appointment.__name__, Verb.UPDATE) and (task := _banned_in_office()) is not None:
        found.append(task)
    if g.access.may("DailyCheck", Verb.CREATE) and by_firm():
        found.append(_checks_to_do())
    if g.access.may("SelfAssessment", Verb.CREATE) and by_firm() and (task := _self_assessments()) is not None:
        found.append(task)
    return found


def _left_behind() -> Task:
    """待移交: open work of people whose posting is over; the figure counts rows, a line is a person."""
    found = waiting(led_offices(g.access))
    items = [{"text": one.account.name, "sub": g.access.offices[one.posting.office_id].name,
              "url": f"/postings/{one.posting.id}/handover", "state": _("%(n)s 件", n=one.total), "tone": "warning",
              "due": date_text(one.posting.date_to) if one.posting.date_to else ""}
             for one in found[:SHOWN]]  # fmt: skip
    offices = {one.posting.office_id for one in found}
    url = f"/offices/{offices.pop()}#rows-2" if len(offices) == 1 else "/offices/"
    return Task(_("待移交的工作"), sum(one.total for one in found), "warning", url, items, _("没有等着移交的工作。"))


def _handed_to_me() -> Task | None:
    """Work that was handed to the person and waits for a word; nothing when there is none."""
    mine = (Handover.account_id == g.access.person.id, Handover.state == HandoverState.OPEN)
    rows = list(current_session().scalars(select(Handover).where(*mine).order_by(Handover.id.desc())).unique())
    items = [{"text": str(one), "sub": "", "url": f"/handovers/{one.id}", "state": _(one.state), "tone": "warning",
              "due": ""} for one in rows[:SHOWN]]  # fmt: skip
    return Task(_("待接收的工作"), len(rows), "warning", "/handovers/?state=待接收", items) if rows else None


def _unattended() -> Task | None:
    """Sites that nobody answers for, for who keeps that."""
    if not g.access.may("Caretaker", Verb.CREATE):
        return None
    open_sites = unattended(Verb.CREATE)
    rows = list(current_session().scalars(select(Site).where(open_sites).order_by(Site.id).limit(SHOWN + 1)).unique())
    total = len(rows) if len(rows) <= SHOWN else count(Site, open_sites)
    items = [{"text": str(row), "sub": row.address, "url": f"/sites/{row.id}", "state": _("没有主管"),
              "tone": "warning", "due": ""} for row in rows[:SHOWN]]  # fmt: skip
    url = f"/sites/?care={NOBODY}"
    return Task(_("没有监管责任人"), total, "warning", url, items, _("每个场所都有监管责任人。"))


def _offered_sites() -> Task | None:
    """Sites that another station wants to give to the person's; nothing when there is none."""
    if not g.access.may("SiteTransfer", Verb.CONFIRM):
        return None
    base = "/site-transfers/"
    task = _task(SiteTransfer, Verb.CONFIRM, TransferState.OPEN, _("待接收的场所移交"), "warning", base)
    return task if task.count else None


def _paper_rechecks() -> Task | None:
    """Cases of the time before that wait for their re-check; nothing when there are none."""
    if not g.access.may("PriorCase", Verb.UPDATE):
        return None
    task = _task(PriorCase, Verb.UPDATE, PriorState.WAITING, _("待复查的接管前案卷"), "warning", "/prior-cases/")
    return task if task.count else None


def _census() -> Iterator[Task | None]:
    """摸底表 of rounds that go on: those to hand in, those to answer; nothing where none waits."""
    for verb, states, title in (
        (Verb.SUBMIT, (SheetState.OPEN, SheetState.RETURNED), _("待上报的摸底表")),
        (Verb.CONFIRM, (SheetState.HANDED_IN,), _("待认可的摸底表")),
    ):
        if not g.access.may("CensusReturn", verb):
            continue
        open_rounds = select(CensusRound.id).where(CensusRound.state == RoundState.OPEN)
        mine = (CensusReturn.state.in_(states), CensusReturn.round_id.in_(open_rounds),
                predicate(g.access, CensusReturn, verb))  # fmt: skip
        statement = select(CensusReturn).options(selectinload(CensusReturn.round)).where(*mine)
        rows = list(current_session().scalars(statement.order_by(CensusReturn.id).limit(SHOWN + 1)).unique())
        total = len(rows) if len(rows) <= SHOWN else count(CensusReturn, *mine)
        items = [{"text": str(row), "sub": "", "url": f"/census-returns/{row.id}", "state": said(row.state),
                  "tone": "danger" if row.late else _tone(row), "due": date_text(row.round.due)}
                 for row in rows[:SHOWN]]  # fmt: skip
        url = f"/census-returns/?{urlencode({'state': states}, doseq=True)}"
        yield Task(title, total, "warning", url, items) if rows else None


def _returned_changes() -> list[Task]:
    """What the station sent back to the firm; nothing when there is none."""
    task = _task(StaffChange, Verb.SUBMIT, ChangeState.RETURNED, _("退回的人员变动"), "danger", "/staff-changes/")
    return [task] if task.count else []


def _banned_in_office() -> Task | None:
    """Posts that banned people hold: the station sees to it that they end. Nothing when there are none."""
    banned = banned_people()
    if not banned:
        return None
    mine = (Appointment.person_id.in_(sorted(banned)), Appointment.in_force(clock.today()),
            predicate(g.access, Appointment, Verb.UPDATE))  # fmt: skip
    statement = select(Appointment).where(*mine).order_by(Appointment.id)
    rows = list(current_session().scalars(statement.limit(SHOWN + 1)).unique())
    total = len(rows) if len(rows) <= SHOWN else count(Appointment, *mine)
    items = [{"text": str(row), "sub": str(row.enterprise or ""), "url": f"/appointments/{row.id}",
              "state": banned[row.person_id], "tone": "danger", "due": ""} for row in rows[:SHOWN]]  # fmt: skip
    return Task(_("被禁止从业的人在任"), total, "danger", "/appointments/", items) if rows else None


def _checks_to_do() -> Task:
    """The firm's sites without a submitted record of today; each opens its form."""
    today = clock.today()
    done = select(DailyCheck.site_id).where(DailyCheck.check_date == today, DailyCheck.state == CheckState.SUBMITTED)
    open_sites = (Site.state == SiteState.OPEN, Site.id.not_in(done))
    rows = list(current_session().scalars(select(Site).where(*open_sites).order_by(Site.id).limit(SHOWN + 1)).unique())
    total = len(rows) if len(rows) <= SHOWN else count(Site, *open_sites)
    items = [{"text": str(row), "sub": "", "url": f"/daily-checks/add?site={row.id}", "state": _("未填报"),
              "tone": "warning", "due": date_text(today)} for row in rows[:SHOWN]]  # fmt: skip
    return Task(_("今天的日检查"), total, "warning", "/daily-checks/", items, _("今天的检查记录都已提交。"))


def _self_assessments() -> Task | None:
    """落实自查表 that the person's firms owe, the late ones first; each opens its form. Nothing when there is none."""
    if not open_to_person():
        return None
    mine, by = Wanted(verb=Verb.CREATE), terms()
    rows = owed(mine, by, 0, SHOWN + 1)
    total = len(rows) if len(rows) <= SHOWN else size(mine, by)
    items = [{"text": one.name, "sub": which(one), "url": form_of(one),
              "state": said(one.began[1]) if one.began else state_of(one)[0], "tone": state_of(one)[1],
              "due": date_text(one.due)} for one in rows[:SHOWN]]  # fmt: skip
    late = any(one.days_late for one in rows)
    return Task(_("要填的落实自查表"), total, "danger" if late else "info", GAPS, items) if rows else None


def _task(model: Any, verb: Verb, state: str, title: str, tone: str, base: str) -> Task:
    """Rows in a state on which the person may do the verb; in one statement unless more wait than are shown."""
    mine: tuple[Any, ...] = (model.state == state, predicate(g.access, model, verb))
    if verb in {Verb.REVIEW, Verb.SIGN}:
        mine = (*mine, model.drafter_id != g.access.person.id)
    statement = select(model).where(*mine).order_by(model.id).limit(SHOWN + 1)
    rows = list(current_session().scalars(statement).unique())
    total = len(rows) if len(rows) <= SHOWN else count(model, *mine)
    items = [{"text": str(row), "sub": "", "url": f"{base}{row.id}", "state": _(state), "tone": tone,
              "due": _due(row)} for row in rows[:SHOWN]]  # fmt: skip
    return Task(title, total, tone, f"{base}?state={state}", items, _("没有要办的。"))


def _due(row: Any) -> str:
    day = getattr(row, "deadline", None) or getattr(row, "date", None)
    return date_text(day) if day else ""


def figures() -> list[dict[str, Any]]:
    """How many firms and sites the person answers for."""
    found = []
    for model, base in SEARCHED[:2]:
        if g.access.may(model.policy_name(), Verb.READ):
            url = f"{base}/?{ALL}=1"  # the figure is of all, whatever filter the list opens with
            number = count(model, answered_for(g.access, model, model.policy_name(), Verb.READ))
            found.append({"label": many_of(model), "value": f"{number:,}", "note": "", "url": url})
    return found
