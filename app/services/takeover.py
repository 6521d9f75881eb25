"""接管: what is checked of cases done on paper, and how far a station has brought in what it had before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select

from app.core import clock
from app.core.access.context import current_access
from app.core.access.ownership import related
from app.core.access.predicate import answered_for
from app.core.access.veil import concealed
from app.core.attachment import Attachment
from app.core.batched import register_batch
from app.core.db import current_session
from app.core.entity import Entity
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.saving import Check, on_save, save
from app.core.verbs import Verb
from app.core.workflow import lock
from app.core.writing import unit_of_work
from app.data.enums import SiteKind
from app.data.takeover import PriorKind, PriorState, RecheckResult, TakeoverPart
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Appointment
from app.models.takeover import PriorCase, TakeoverStep
from app.services.care import in_business, without

FIRST_YEAR = 2015
WITHOUT_CODE = (SiteKind.WORKSHOP, SiteKind.STALL)  # they may be without a registration of their own


# -- cases done on paper ----------------------------------------------------------------------------------------------


@on_save(PriorCase)
def check_prior_case(one: PriorCase, check: Check) -> None:
    """A notice has its number, days follow each other, a re-check has its result; the state follows from these."""
    today = clock.today()
    if one.kind == PriorKind.NOTICE and not one.number:
        check.error("number", _("通知书要填文号。"))
    for name in ("done_on", "rechecked_on"):
        day = getattr(one, name)
        if day is not None and not (day.year >= FIRST_YEAR and day <= today):
            check.error(name, _("请核对日期。"))
    for name in ("deadline", "rechecked_on"):
        day = getattr(one, name)
        if day is not None and one.done_on is not None and day < one.done_on:
            check.error(name, _("不能早于检查或发文日期。"))
    if (one.rechecked_on is None) != (one.outcome is None):
        check.error("outcome" if one.outcome is None else "rechecked_on", _("复查日期和复查结果要一起填。"))
    site = related(one, "site")
    if site is not None and one.number and _entered_already(one, site):
        check.error("number", _("这个场所已经登记过这个文号。"))
    one.state = state_of(one)


def state_of(one: PriorCase) -> PriorState:
    """A notice, and an inspection with a term to correct, waits for its re-check."""
    if one.outcome == RecheckResult.NOT_CORRECTED:
        return PriorState.NOT_CORRECTED
    waits = one.kind == PriorKind.NOTICE or one.deadline is not None
    return PriorState.WAITING if waits and one.outcome is None else PriorState.DONE


def _entered_already(one: PriorCase, site: Entity) -> bool:
    lock(site)  # two at once: the second finds the first
    same = (PriorCase.site_id == site.id, PriorCase.kind == one.kind, PriorCase.number == one.number)
    with current_session().no_autoflush:
        found = current_session().scalar(select(PriorCase.id).where(*same, PriorCase.id != (one.id or 0)).limit(1))
    return found is not None


def _scan() -> ColumnElement[bool]:
    return exists().where(Attachment.entity == PriorCase.__name__, Attachment.row_id == PriorCase.id)


def without_scan() -> ColumnElement[bool]:
    """Cases that carry no file."""
    return ~_scan()


def _scans(keys: Sequence[int]) -> dict[int, int]:
    asked = select(Attachment.row_id, func.count().label("files")).where(
        Attachment.entity == PriorCase.__name__, Attachment.row_id.in_(keys)
    )
    return {row.row_id: row.files for row in current_session().execute(asked.group_by(Attachment.row_id))}


register_batch(PriorCase, "scans", _scans)


# -- firms of which only name and address are known -------------------------------------------------------------------

_site = Site.enterprise_id == Enterprise.id
GAPS: dict[str, ColumnElement[bool]] = {
    "code": and_(Enterprise.code.is_(None), ~exists().where(_site, Site.kind.in_(WITHOUT_CODE))),
    "legal_person": Enterprise.legal_person == "",
    "phone": Enterprise.phone.is_(None),
    "address": Enterprise.address == "",
    "sites": ~exists().where(_site, Site.merged_into_id.is_(None)),
}


def gap_names() -> list[str]:
    """What is looked at: not what is hidden from the person, who would learn whether it is there."""
    return [name for name in GAPS if not concealed(Enterprise, name)]


def incomplete(*names: str) -> ColumnElement[bool]:
    """待完善: firms in being that lack something a station has to know; `names`: one of these."""
    lacks = [GAPS[name] for name in gap_names() if name in (names or GAPS)]
    return and_(Enterprise.ended_on.is_(None), or_(false(), *lacks))


def _gaps(keys: Sequence[int]) -> dict[int, list[str]]:
    """Which of these each firm lacks, by name, in one statement."""
    names = gap_names()
    told = [GAPS[name].label(name) for name in names]
    rows = current_session().execute(select(Enterprise.id, *told).where(Enterprise.id.in_(keys), incomplete()))
    return {row.id: [name for name in names if getattr(row, name)] for row in rows}


register_batch(Enterprise, "gaps", _gaps)


# -- how far a station is ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """A part of a station's start: how many there are, how many of them still lack something; what its people say."""

    part: TakeoverPart
    total: int
    open: int
    step: TakeoverStep | None


# what a part is counted from: to who does not read it, everything would seem to be lacking
READS = {
    TakeoverPart.FIRMS: ("Enterprise", "Site"), TakeoverPart.PEOPLE: ("Enterprise", "Appointment"),
    TakeoverPart.CARE: ("Site", "Caretaker"), TakeoverPart.INSPECTIONS: ("PriorCase",),
    TakeoverPart.NOTICES: ("PriorCase",), TakeoverPart.RECHECKS: ("PriorCase",),
}  # fmt: skip


def progress(offices: Sequence[int]) -> dict[int, list[Progress]]:
    """Each part of each of these offices: two statements a part, one for what was called done."""
    session = current_session()
    done = {(one.office_id, one.part): one for one in
            session.scalars(select(TakeoverStep).where(TakeoverStep.office_id.in_(offices))).unique()}  # fmt: skip
    may = current_access().may
    counted = {
        part: _counted(part, offices) for part in TakeoverPart if all(may(one, Verb.READ) for one in READS[part])
    }
    return {office: [Progress(part, *of_part.get(office, (0, 0)), done.get((office, part)))
                     for part, of_part in counted.items()] for office in offices}  # fmt: skip


def _counted(part: TakeoverPart, offices: Sequence[int]) -> dict[int, tuple[int, int]]:
    model, of_part, lacks = _asked(part)
    owned: Any = model
    rows = current_session().execute(
        select(owned.office_id, func.count(), func.count().filter(lacks))
        .where(owned.office_id.in_(offices), answered_for(current_access(), model, model.__name__, Verb.READ), *of_part)
        .group_by(owned.office_id)
    )
    return {office: (total, lacking) for office, total, lacking in rows}


def _asked(part: TakeoverPart) -> tuple[Any, list[ColumnElement[bool]], ColumnElement[bool]]:
    """What is counted for a part: the entity, which of its rows, and which of those still lack something."""
    match part:
        case TakeoverPart.FIRMS:
            return Enterprise, [Enterprise.ended_on.is_(None)], incomplete()
        case TakeoverPart.PEOPLE:
            return Enterprise, [Enterprise.ended_on.is_(None)], unmanned()
        case TakeoverPart.CARE:
            return Site, [in_business()], without(clock.today())
        case TakeoverPart.RECHECKS:
            return (
                PriorCase,
                [PriorCase.state == PriorState.WAITING],
                func.coalesce(PriorCase.handler_id, PriorCase.account_id).is_(None),
            )
    kind = PriorKind.INSPECTION if part == TakeoverPart.INSPECTIONS else PriorKind.NOTICE
    this_year = clock.today().replace(month=1, day=1)
    return PriorCase, [PriorCase.kind == kind, PriorCase.done_on >= this_year], without_scan()


def unmanned() -> ColumnElement[bool]:
    """Firms in being of which nobody in office is known."""
    held = exists().where(Appointment.enterprise_id == Enterprise.id, Appointment.in_force(clock.today()))
    return and_(Enterprise.ended_on.is_(None), ~held)


@on_save(TakeoverStep)
def check_step(one: TakeoverStep, check: Check) -> None:
    """A part is called done once."""
    stored = select(TakeoverStep.id).where(TakeoverStep.office_id == one.office_id, TakeoverStep.part == one.part)
    with current_session().no_autoflush:
        if not one.id and one.office_id and current_session().scalar(stored.limit(1)) is not None:
            check.error("part", _("这一项已经标为完成。"))


def call_done(office_id: int, part: TakeoverPart, note: str) -> TakeoverStep:
    """Say that a part of a station's start is done; what still lacks needs a word why. Raises Conflict, Invalid."""
    with unit_of_work(Verb.CREATE):
        found = next((one for one in progress([office_id])[office_id] if one.part == part), None)
        if found is None:
            raise Forbidden(_("您可以查看，但不能进行这项操作。"))
        if found.step is not None:
            raise Conflict(_("这一项已经标为完成。"))
        if found.open and not note:
            raise Invalid(_("还有 %(n)s 条没有补齐，请写明原因。", n=found.open))
        one = TakeoverStep(part=part, note=note)
        one.office_id = office_id
        return save(one, Verb.CREATE)
