"""An office's page: who is what here since when and until when, what waits to be handed over, the offices below."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import func, select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.fetch import may
from app.core.db import current_session
from app.core.fab.cells import date_text, label_of, said
from app.core.fab.listing import loading, row_of
from app.core.fab.showing import Children, child_table
from app.core.handover import Handover
from app.core.lines import line_text
from app.core.office import AccessRole, Account, Family, Office, Posting
from app.core.open_work import Left, waiting
from app.core.proposal import PostingProposal
from app.core.screen import Action, Cell, ChildTable, ColumnHead, Row
from app.core.successors import led_offices
from app.core.verbs import Verb
from app.services.granting import SYSTEM_RANK, ceiling

WHO = ["account", "role", "title", "lines", "date_from", "date_to", "standing", "days_left"]
MOST_PEOPLE, MOST_GONE = 200, 20


def actions(office: Office) -> list[Action]:
    """任命, and the proposal for what takes two; to those who may."""
    top, found = ceiling(current_access(), office.id), []
    if top:
        found.append(Action(_("任命"), f"/postings/add?office={office.id}", "primary"))
    if top >= SYSTEM_RANK and current_access().may(PostingProposal.__name__, Verb.CREATE):
        found.append(Action(_("任命提议"), f"/posting-proposals/add?office={office.id}"))
    return found


def tables(office: Office) -> list[ChildTable]:
    """What the person may see of it, one table each."""
    access, found = current_access(), []
    if access.may(Posting.__name__, Verb.READ):
        found.append(_people(office))
    if office.id in led_offices(access):
        found.append(waiting_table(waiting(frozenset({office.id}))))
    if access.may(Handover.__name__, Verb.READ):
        columns = ["giver", "account", "kind", "date", "total", "state"]
        found.append(child_table(office, Children("", columns, of=(Handover, "office_id"))))
    if access.may(Posting.__name__, Verb.READ):  # not sooner: the places of those above are linked to
        found += _firms_people(office)
    if below := _below(office):
        found.append(below)
    return found


def _people(office: Office) -> ChildTable:
    """Who holds, will hold or lately held a posting here; the end of each is a click away."""
    rows = _postings(office)
    heads = [ColumnHead(name, label_of(Posting, name)) for name in WHO]
    certificate = ColumnHead("certificate", label_of(Account, "certificate_until"))
    return ChildTable(
        label=_("在这里任职的人"), columns=[*heads, certificate, ColumnHead("act", _("办理"))],
        rows=[_person(one) for one in rows], empty_text=_("还没有人在这里任职，或您只能看到自己的任职。"),
    )  # fmt: skip


def _firms_people(office: Office) -> list[ChildTable]:
    """How many of the firms' people are what here; the bureau's own would be lost among them one by one."""
    asked = (
        select(AccessRole, func.count(Posting.id))
        .join(AccessRole, Posting.role_id == AccessRole.id)
        .where(Posting.office_id == office.id, Posting.in_force(clock.today()), AccessRole.family == Family.FIRM)
        .group_by(AccessRole.id)
        .order_by(AccessRole.rank.desc(), AccessRole.id)
    )
    counts = [(role, count) for role, count in current_session().execute(asked)]
    rows = [
        Row(f"/postings/?office={office.id}&role={role.id}", str(role),
            [Cell("link", str(role)), Cell("number", f"{count:,}")], role.id)
        for role, count in counts
    ]  # fmt: skip
    heads = [ColumnHead("role", label_of(Posting, "role")), ColumnHead("count", _("在任"), align="right")]
    total = sum(count for _role, count in counts)
    return [ChildTable(label=_("企业的人员"), columns=heads, rows=rows, number=total)] if rows else []


def _postings(office: Office) -> list[Posting]:
    """The bureau's own: those in force by rank, those to come, then the last that are over."""
    day = clock.today()
    over = ~Posting.in_force(day) & (Posting.date_from <= day)
    asked = (
        select(Posting)
        .join(AccessRole, Posting.role_id == AccessRole.id)
        .where(Posting.office_id == office.id, AccessRole.family != Family.FIRM)
        .options(*loading(Posting, WHO))
    )
    live = asked.where(~over).order_by(Posting.date_from > day, AccessRole.rank.desc(), Posting.id)
    gone = asked.where(over).order_by(Posting.date_to.desc(), Posting.id.desc())
    found = [*current_session().scalars(live.limit(MOST_PEOPLE)).unique()]
    return [*found, *current_session().scalars(gone.limit(MOST_GONE)).unique()]


def _person(one: Posting) -> Row:
    row = row_of(one, WHO)
    row.cells[1].url = None  # what a role allows is the administrators' page
    until = one.account.certificate_until if one.account is not None else None
    past = until is not None and until < clock.today()
    row.cells.append(Cell("date", date_text(until), tone="danger" if past else "neutral") if until else Cell())
    row.cells.append(_act(one))
    return row


def _act(one: Posting) -> Cell:
    """The one thing to do with a posting here: end it, or hand its work over."""
    if one.holds(clock.today()) and may(one, Verb.END):
        return Cell("link", _("结束任职"), url=f"/postings/{one.id}/end")
    if one.account is not None and one.office_id in led_offices(current_access()):
        return Cell("link", _("移交工作"), url=f"/postings/{one.id}/handover")
    return Cell()


def waiting_table(found: list[Left]) -> ChildTable:
    """待移交, one line a posting that left work behind."""
    labels = (_("人员"), _("任职止"), _("事由"), _("待移交"))
    heads = [ColumnHead(str(n), label) for n, label in enumerate(labels)]
    return ChildTable(
        label=_("待移交"), columns=heads, rows=[_waits(one) for one in found], empty_text=_("没有等着移交的工作。")
    )  # fmt: skip


def _waits(one: Left) -> Row:
    posting = one.posting
    why = said(posting.end_kind) if posting.end_kind else _("账号已停用") if not one.account.active else _("任职到期")
    cells = [Cell("text", one.account.name), Cell("date", date_text(posting.date_to)) if posting.date_to else Cell(),
             Cell("text", why), Cell("text", _("%(n)s 件", n=f"{one.total:,}"), tone="warning")]  # fmt: skip
    return Row(f"/postings/{posting.id}/handover", one.account.name, cells, posting.id)


def _below(office: Office) -> ChildTable | None:
    """The offices under this one, as a tree, each with how many of the bureau's people the viewer sees there."""
    session = current_session()
    offices = list(session.scalars(
        select(Office).where(Office.path.startswith(office.path), Office.id != office.id).order_by(Office.path)
    ))  # fmt: skip
    if not offices:
        return None
    counted = current_access().may(Posting.__name__, Verb.READ)
    numbers: dict[int, int] = {}
    if counted:
        asked = select(Posting.office_id, func.count(func.distinct(Posting.account_id)))
        ours = asked.join(AccessRole, Posting.role_id == AccessRole.id).where(AccessRole.family != Family.FIRM)
        held = ours.where(Posting.in_force(clock.today())).group_by(Posting.office_id)
        numbers = {row[0]: row[1] for row in session.execute(held)}
    names = ["name", "kind", "lines"]
    heads = [ColumnHead(name, label_of(Office, name)) for name in names]
    if counted:
        heads += [ColumnHead("own", _("在任"), align="right"), ColumnHead("all", _("连同下级"), align="right")]
    rows = [_branch(one, office, numbers, offices, counted=counted) for one in _in_order(offices, office)]
    return ChildTable(label=_("下级机构"), columns=heads, rows=rows, empty_text="")


def _in_order(offices: list[Office], top: Office) -> list[Office]:
    """Each office after its parent, brothers by their keys."""
    by_parent: dict[int | None, list[Office]] = {}
    for one in sorted(offices, key=lambda one: one.id):
        by_parent.setdefault(one.parent_id, []).append(one)
    found: list[Office] = []
    ahead = list(reversed(by_parent.get(top.id, [])))
    while ahead:
        one = ahead.pop()
        found.append(one)
        ahead += reversed(by_parent.get(one.id, []))
    return found


def _branch(one: Office, top: Office, numbers: dict[int, int], offices: list[Office], *, counted: bool) -> Row:
    depth = one.path.count("/") - top.path.count("/") - 1
    own = numbers.get(one.id, 0)
    below = sum(numbers.get(other.id, 0) for other in offices if other.path.startswith(one.path))
    cells = [Cell("link", f"{'　' * depth}{'└ ' if depth else ''}{one.name}"), Cell("text", said(one.kind)),
             Cell("text", line_text(one.lines) or _("全部"))]  # fmt: skip
    if counted:
        cells += [Cell("number", str(own)), Cell("number", str(below))]
    return Row(f"/offices/{one.id}", one.name, cells, one.id)
