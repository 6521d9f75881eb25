"""Postings end, and the work they leave goes to successors: by the chief's choice, or at once to the chief (撤销)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import inspect, select
from sqlalchemy.orm import InstanceState

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.access.fetch import fetch
from app.core.access.predicate import predicate
from app.core.db import current_session, unscoped
from app.core.document import Frozen, issue, verify_line
from app.core.errors import Conflict, Forbidden, Invalid, Outdated
from app.core.handover import Handover
from app.core.message import notify
from app.core.moving import Moved, Parcel, move
from app.core.office import Account, Family, Leaving, Posting
from app.core.open_work import Kind, Left, count_open, kinds, left_by, open_rows
from app.core.pdf.engine import font_set_hash, template_version
from app.core.saving import Check, on_save
from app.core.successors import Successor, chief_of, led_offices, successors
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import act, perform, unit_of_work
from app.data.enums import PaperTitle
from app.reports import handover as report
from app.reports.handover.record import contexts_of
from app.services.granting import require_may_end
from app.services.rectification import is_demo

LONGEST_REASON = 500


@dataclass(frozen=True)
class Ended:
    """What the end of a posting did: how much work it leaves, and to whom that went or whom it waits for.

    `last_day`: of a posting that ends on a day to come and holds until then.
    """

    open_rows: int
    chief: str
    moved: bool
    last_day: date | None = None


# -- ending -----------------------------------------------------------------------------------------------------------


def end_posting(
    posting_id: int, kind: Leaving, reason: str, last_day: date | None = None, seen: int | None = None
) -> Ended:
    """End a posting at once, or with the end of a day to come. Its open work waits for the chief; on 撤销 it goes to
    him in the same transaction. Raises NotFound, Forbidden, Invalid, Conflict.

    Judged by the rights of the person in context; written by the system, because who administers postings may not
    read what the holder was working on.
    """
    require_may_end(current_access(), fetch(Posting, posting_id, Verb.END))
    _check(kind, reason, last_day)
    with unscoped(f"end a posting ({kind})") as session, unit_of_work(Verb.END, reason.strip()):
        posting = _locked(posting_id, seen)
        session.flush()
        at_once = last_day is None or last_day < clock.today()
        if not at_once and (last_day < posting.date_from or (posting.date_to and last_day > posting.date_to)):  # type: ignore[operator]  # at_once is True for None
            raise Invalid(_("不在任职期内。"), {"date_to": _("不在任职期内。")})
        _write_end(posting, kind, reason.strip(), None if at_once else last_day)
        session.flush()
        return _pass_on(posting, kind, reason.strip(), at_once=at_once)


def _check(kind: Leaving, reason: str, last_day: date | None) -> None:
    errors = {}
    if kind not in {Leaving.LEAVES, Leaving.TRANSFERRED, Leaving.REVOKED}:
        errors["end_kind"] = _("不在可选范围内。")
    if not reason.strip():
        errors["reason"] = _("请写明理由。")
    elif len(reason.strip()) > LONGEST_REASON:
        errors["reason"] = _("最多 %(n)s 个字，现在 %(m)s 个。", n=LONGEST_REASON, m=len(reason.strip()))
    if kind == Leaving.REVOKED and last_day is not None:
        errors["date_to"] = _("撤销立即生效，不填日期。")
    elif last_day is not None and last_day < clock.today():
        errors["date_to"] = _("不能早于今天；立即结束请留空。")
    if errors:
        raise Invalid(_("有内容需要改正，尚未保存。"), errors)


def _locked(posting_id: int, seen: int | None) -> Posting:
    """The posting under a lock, judged again: somebody else may just have ended it, or the right be gone."""
    posting: Posting = lock(_reference(posting_id))
    mine = predicate(current_access(), Posting, Verb.END)
    if current_session().scalar(select(Posting.id).where(Posting.id == posting_id, mine)) is None:
        raise Forbidden(_("您可以查看，但不能进行这项操作。"))
    day = clock.today()
    if posting.ended_at is not None or (posting.date_to is not None and posting.date_to < day):
        raise Conflict(_("这一任职已经结束。"))
    if seen is not None and posting.version != seen:
        raise Outdated(_("您打开之后，这条记录已有变化，请看过现在的内容再办。"))
    return posting


def _reference(posting_id: int) -> Posting:
    return current_session().get_one(Posting, posting_id)


def _write_end(posting: Posting, kind: Leaving, reason: str, last_day: date | None) -> None:
    posting.end_kind, posting.end_reason = kind, reason
    if last_day is None:
        posting.ended_at = clock.now()
        posting.date_to = max(posting.date_from, clock.today())
    else:
        posting.date_to = last_day
    perform(posting, Verb.END)


def _pass_on(posting: Posting, kind: Leaving, reason: str, *, at_once: bool) -> Ended:
    """Tell the chief what waits; on 撤销 all of it goes to him."""
    left, last_day = left_by_now(posting), None if at_once else posting.date_to
    total = sum(number for key, number in count_open(left).items() if not _told(key))
    chief = chief_of(posting.office_id, left.account)
    if chief is None or not total:
        return Ended(total, chief.name if chief is not None else "", moved=False, last_day=last_day)
    if kind == Leaving.REVOKED:
        parcels = [Parcel(one, chief.id, tuple(open_rows(one, left))) for one in kinds() if not one.charge.told]
        for moved in move(left, kind, parcels, reason=reason, supervised=False):
            _finish(moved)
        return Ended(total, chief.name, moved=True)
    when = _("已结束") if at_once else _("将于 %(day)s 结束", day=f"{posting.date_to:%Y-%m-%d}")
    text = _("有 %(n)s 件工作要移交。", n=total)
    title = _("%(who)s 的任职%(when)s", who=left.account.name, when=when)
    notify(chief.id, title, text, f"/postings/{posting.id}/handover")
    return Ended(total, chief.name, moved=False, last_day=last_day)


def left_by_now(posting: Posting) -> Left:
    """What a posting leaves, inside the unit of work that ends it: the other connection does not see that yet."""
    found = left_by(posting.id)
    assert found is not None
    return Left(posting, found.account, found.offices, found.alone)


def _told(key: str) -> bool:
    return next((kind.charge.told for kind in kinds() if kind.key == key), False)


@on_save(Account)
def tell_chief(account: Account, check: Check) -> None:
    """An account that is closed leaves work behind as a posting that ends does."""
    state: InstanceState[Account] = inspect(account)
    closes = state.persistent and not account.active and state.attrs.active.history.has_changes()
    if not closes or check.errors or account.family != Family.BUSINESS or not has_access_context():
        return
    with unscoped("postings of a closed account", quiet=True) as session:
        held = list(session.scalars(select(Posting).where(
            Posting.account_id == account.id, Posting.in_force(clock.today())
        )))  # fmt: skip
    for posting in held:
        if (chief := chief_of(posting.office_id, account)) is not None:
            title = _("%(who)s 的账号已停用，请安排工作移交", who=account.name)
            notify(chief.id, title, url=f"/postings/{posting.id}/handover")


# -- handing over -----------------------------------------------------------------------------------------------------


def why_of(left: Left) -> Leaving:
    """What the hand-over is for: how the posting ended; while it lasts, the office shares its work out anew."""
    over = not left.posting.holds(clock.today()) or not left.account.active
    if not over:
        return Leaving.SHARED
    return Leaving(left.posting.end_kind) if left.posting.end_kind else Leaving.LEAVES


def can_hand_over(posting: Posting) -> bool:
    """Whether the person leads the posting's office and may read its holder: of another family's he sees no name."""
    holder = select(Account.id).where(Account.id == posting.account_id)
    return posting.office_id in led_offices(current_access()) and current_session().scalar(holder) is not None


def left_to(posting: Posting) -> Left:
    """What a posting leaves, for who may hand it over. Raises Forbidden."""
    left = left_by(posting.id) if can_hand_over(posting) else None
    if left is None:
        raise Forbidden(_("只有本机构的负责人可以移交工作。"))
    return left


def receivers(left: Left, offices: Iterable[int] = ()) -> list[Successor]:
    """Who may take what this posting leaves: who holds a posting at its office, or at that of the rows."""
    return successors({left.posting.office_id, *offices}, left.account, kinds())


@act(Verb.UPDATE)
def hand_over(posting_id: int, parcels: list[Parcel], *, reason: str) -> list[Handover]:
    """Hand chosen rows of a posting's holder over, all or none of the act. Raises NotFound, Forbidden, Invalid."""
    left = left_to(lock(fetch(Posting, posting_id)))
    _check_parcels(left, parcels, reason)
    moved = move(left, why_of(left), parcels, reason=reason.strip())
    for one in moved:
        _finish(one)
    return [one.handover for one in moved]


def _check_parcels(left: Left, parcels: list[Parcel], reason: str) -> None:
    errors = {}
    if len(reason.strip()) > LONGEST_REASON:
        errors["reason"] = _("最多 %(n)s 个字，现在 %(m)s 个。", n=LONGEST_REASON, m=len(reason.strip()))
    elif not reason.strip():
        errors["reason"] = _("请写明理由。")
    able = {one.account_id: one.able for one in receivers(left, left.offices)}
    for parcel in parcels:
        if parcel.kind.charge.told or parcel.kind.key not in able.get(parcel.account_id, frozenset()):
            errors[f"to-{parcel.kind.key}"] = _("这个人在本机构没有能办理这类工作的任职。")
    if not any(parcel.rows for parcel in parcels):
        errors.setdefault("to", _("没有选择要移交的工作。"))
    if errors:
        raise Invalid(_("有内容需要改正，尚未保存。"), errors)


def _finish(moved: Moved) -> None:
    """The paper is frozen with the act, and the receiver is told."""
    handover = moved.handover
    current_session().flush()
    _print(moved)
    counts = Counter(kind for kind, _name, _outcome in moved.names)
    text = "、".join(f"{_(kind)} {number}" for kind, number in counts.items())
    giver = handover.giver.name if handover.giver is not None else ""
    title = _("%(who)s 的 %(n)s 件工作移交给您，请接收", who=giver, n=handover.total)
    notify(handover.account_id, title, text, f"/handovers/{handover.id}")


def _print(moved: Moved) -> None:
    """移交清单: papers of at most `report.MOST_ROWS` rows each."""
    for context in contexts_of(moved, demo=is_demo()):
        line = verify_line()
        context["verify"] = line
        report.validate(context)
        frozen = Frozen(context, template_version("handover"), font_set_hash())
        issue(moved.handover, "handover", PaperTitle.HANDOVER, frozen, verb=Verb.CREATE, code=line["code"])


def kind_named(key: str) -> Kind | None:
    """The kind of a form's key, or None."""
    return next((kind for kind in kinds() if kind.key == key), None)


def outcome_text(made: list[Handover]) -> str:
    """What an act came to, for the page that follows it."""
    went, kept = sum(one.total for one in made), sum(one.kept for one in made)
    text = str(_("已移交 %(n)s 件。", n=went))
    return text + str(_("%(n)s 件没有移交，原因见清单。", n=kept)) if kept else text
