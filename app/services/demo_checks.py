"""Demo data of what firms keep: a week of daily records, a list of its own, licences, closures, trainings, exams.

Days that are past are written as on those days, so that records are on time unless they are meant to be late.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.core import clock
from app.core.access.context import acting
from app.core.access.fetch import fetch
from app.core.db import current_session
from app.core.office import Account
from app.core.saving import EVERYTHING, save
from app.core.verbs import Verb
from app.core.workflow import run
from app.data.enums import AppointmentRole, ClosureKind, ItemResult, LicenceKind, NoteKind, TrainingKind
from app.models.check import DailyCheck
from app.models.director import DirectorOverride
from app.models.enterprise import Site
from app.models.grading import SiteNote
from app.models.licence import Closure, Licence
from app.models.personnel import Appointment
from app.models.training import Exam, Training
from app.services.check import signers
from app.services.demo_people import make_people
from app.services.risk_list import daily_items, list_in_force, next_edition

WEEK, TRANSCRIBED, LICENSED = 7, 2, 6
TERMS = (-12, 20, 75, 400, 900, 1500)  # days until the demo's licences run out
MISSING, TROUBLED, LATE = 4, 3, 1  # days ago: no record, a problem, written a day late


def make_checks(accounts: dict[str, int], days: int) -> dict[str, int]:
    """Fill a demo whose firms are there. Returns how many of each were made."""
    made: dict[str, int] = {}
    for firm, chief, inspector in (("firm-a", "suo-a", "yuan-a"), ("firm-b", "suo-b", "yuan-b")):
        sites = _kept_by_station(accounts[chief], made)
        for site, confirming in zip(sites[-2:], (accounts[chief], None), strict=False):
            _closure(site, accounts[inspector], made, confirming)
        _own_list(accounts[firm], made)
        _records(accounts[firm], min(days, WEEK), made)
    _transcribed(accounts["neiqin-a"], made)
    make_people(accounts["suo-a"], accounts["firm-a"], made)
    return made


@contextmanager
def _on(day: date, hour: int = 9) -> Iterator[None]:
    """As on a day, at an hour of Shanghai; today before that hour, as now: nothing is dated ahead."""
    instant = min(datetime.combine(day, time(hour), clock.SHANGHAI), clock.now())
    with clock.set_clock(lambda: instant):
        yield


def _count(made: dict[str, int], name: str) -> None:
    made[name] = made.get(name, 0) + 1


def _records(firm: int, days: int, made: dict[str, int]) -> None:
    """A firm's own records up to yesterday: one day is missing, one has a problem, one is late."""
    today = clock.today()
    for ago in range(days, 0, -1):
        if ago == MISSING:
            continue
        day = today - timedelta(days=ago)
        with _on(day + timedelta(days=1) if ago == LATE else day), acting(firm):
            site = current_session().scalars(select(Site).order_by(Site.id).limit(1)).first()
            if site is not None and _record(site, day, trouble=ago == TROUBLED, late=ago == LATE):
                _count(made, "DailyCheck")


def _transcribed(clerk: int, made: dict[str, int]) -> None:
    """Records on paper, entered by the station."""
    with acting(clerk):
        session = current_session()
        busy = set(session.scalars(select(DailyCheck.site_id)))
        others = select(Site).where(Site.id.not_in(busy)).order_by(Site.id).limit(TRANSCRIBED)
        for site in list(session.scalars(others).unique()):
            if _record(site, clock.today() - timedelta(days=2), late=True):
                _count(made, "DailyCheck")


def _record(site: Site, day: date, *, trouble: bool = False, late: bool = False) -> bool:
    """One submitted record: everything met, or one thing wrong and one that does not apply."""
    edition, able = list_in_force(site, day), list(signers(site, day))
    if edition is None or not able:
        return False
    items = daily_items(edition)
    answers = {item.code: {"choice": ItemResult.MET.value} for item in items}
    if trouble:
        answers[items[3].code] = {"choice": ItemResult.NOT_MET, "note": "冷藏柜温度偏高，显示九度。",
                                  "measure": "已调低温度并移出食品，请人检修。", "responsible": "店长"}  # fmt: skip
        answers[items[-1].code] = {"choice": ItemResult.NOT_APPLICABLE, "reason": "本店没有这项业务。"}
    row = DailyCheck(site=site, check_date=day, person=able[0], reported_to="主要负责人" if trouble else "",
                     late_reason="当天停电，手机没电。" if late else "")  # fmt: skip
    row.answers = answers
    save(row, Verb.CREATE, accepted=EVERYTHING)
    run(row, "submit")
    return True


def _own_list(firm: int, made: dict[str, int]) -> None:
    """A firm's own edition: one item dropped with its reason; the next edition is being written."""
    with _on(clock.today() - timedelta(days=20)), acting(firm):
        site = current_session().scalars(select(Site).order_by(Site.id).limit(1)).first()
        template = list_in_force(site, clock.today()) if site is not None else None
        if site is None or template is None:
            return
        for number in range(2):
            one = next_edition(template)
            one.site, one.title, one.compiler, one.approver = site, "本店风险管控清单", "食品安全员", "主要负责人"
            one.points[-1].dropped, one.points[-1].drop_reason = True, "按月由负责人统一办理，不在日常清单中。"
            save(one, Verb.CREATE, accepted=EVERYTHING)
            _count(made, "RiskList")
            if not number:
                run(one, "put_in_force", valid_from=clock.today())
                template = one


NOTES = {NoteKind.MANAGEMENT: "负责人熟悉制度，台账按日登记；晨检记录偶有漏签。",
         NoteKind.SAFETY: "冷藏、消毒设施完好，近一年抽检合格。"}  # fmt: skip


def _kept_by_station(chief: int, made: dict[str, int]) -> list[int]:
    """Licences, trainings; the keys of the sites that have licences."""
    with acting(chief):
        home = current_session().get_one(Account, chief).office_id
        own = select(Site).where(Site.office_id == home).order_by(Site.id)
        sites = list(current_session().scalars(own.limit(LICENSED)).unique())
        for site, days in zip(sites, TERMS, strict=False):
            _licence(site, days, made)
        for site, (kind, text) in zip(sites, NOTES.items(), strict=False):
            note = SiteNote(site=site, kind=kind, text=text, date=clock.today() - timedelta(days=20))
            save(note, Verb.CREATE)
            _count(made, "SiteNote")
        keys = [site.id for site in sites]
        for site in sites[1:2]:
            _otherwise(site, made)
        _taught(home, made)
    return keys


def _otherwise(site: Site, made: dict[str, int]) -> None:
    """A site that must have a 总监 because the chief says so."""
    began = clock.today() - timedelta(days=30)
    one = DirectorOverride(site=site, must=True, reason="供应本旗多所学校，按重点单位管理。", date_from=began)
    save(one, Verb.CREATE)
    _count(made, "DirectorOverride")


def _licence(site: Site, days: int, made: dict[str, int]) -> None:
    until = clock.today() + timedelta(days=days)
    number = site.licence_no or f"登记{site.id:06d}"
    one = Licence(site=site, kind=site.licence_kind or LicenceKind.OTHER, number=number,
                  issuer="奈曼旗市场监督管理局", issued=until - timedelta(days=5 * 365), valid_to=until)  # fmt: skip
    if one.issued is not None and one.issued > clock.today():
        one.issued = clock.today()
    save(one, Verb.CREATE, accepted=EVERYTHING)
    _count(made, "Licence")


def _closure(site: int, inspector: int, made: dict[str, int], chief: int | None = None) -> None:
    """Declared by an inspector; confirmed when there is a chief to do so: never by who declared it."""
    start, confirmed = clock.today() + timedelta(days=10), chief is not None
    with acting(inspector):
        one = Closure(site=fetch(Site, site), kind=ClosureKind.SEASONAL if confirmed else ClosureKind.CLOSED,
                      date_from=start, date_to=start + timedelta(days=30),
                      reason="冬季停业" if confirmed else "店面装修")  # fmt: skip
        key = save(one, Verb.CREATE, accepted=EVERYTHING).id
    if chief is not None:
        with acting(chief):
            run(fetch(Closure, key), "confirm")
    _count(made, "Closure")


def _taught(home: int, made: dict[str, int]) -> None:
    """Two trainings; an examination passed, and one failed and taken again."""
    officers = select(Appointment).where(Appointment.office_id == home, Appointment.role == AppointmentRole.OFFICER)
    posts = list(current_session().scalars(officers.order_by(Appointment.id).limit(2)).unique())
    for number, post in enumerate(posts):
        day = clock.today() - timedelta(days=14 - number)
        who = {"enterprise": post.enterprise, "person": post.person}
        save(Training(**who, date=day, hours=Decimal(4 + number), topic="食品安全管理人员年度培训",
                      kind=TrainingKind.REGULATOR, provider="奈曼旗市场监督管理局", evidence="签到表"),
             Verb.CREATE, accepted=EVERYTHING)  # fmt: skip
        first = save(Exam(**who, date=day, role=post.role, score=Decimal(94 - 20 * number)), Verb.CREATE)
        _count(made, "Training")
        _count(made, "Exam")
        if number:
            again = Exam(**who, date=day + timedelta(days=5), role=post.role, score=Decimal(92), retake_of=first)
            save(again, Verb.CREATE)
            _count(made, "Exam")
