"""A demo database: marked as such for good, a fixed cast of accounts, made-up firms, and work in every state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from flask_babel import gettext as _
from sqlalchemy import select

from app import data
from app.core import clock
from app.core.access.context import acting
from app.core.db import current_session, unscoped
from app.core.errors import Conflict
from app.core.office import AccessRole, Account, Family, Office, Posting
from app.core.passwords import hashed
from app.core.saving import EVERYTHING, save
from app.core.setting import BureauSetting, SettingState
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.enums import InspectionKind, InspectionResult, InspectionSelection
from app.models import setting
from app.models.area import Area, OfficeArea
from app.models.citation import LegalCitation
from app.models.enterprise import Enterprise, Site
from app.models.inspection import Finding, Inspection
from app.models.lines import Line
from app.models.personnel import Appointment, Person
from app.models.rectification import Notice, NoticeCitation
from app.services.demo_care import make_care
from app.services.demo_census import make_census
from app.services.demo_checks import make_checks
from app.services.demo_firms import ledger_rows, make_firms
from app.services.demo_reconciliation import make_comparison
from app.services.demo_self import make_assessments
from app.services.demo_takeover import make_takeover
from app.services.ledger_row import LedgerRow
from app.services.rectification import draft_from
from app.services.register import Register
from app.services.sync import LINES

MAKING, MADE = "making", "1"
PASSWORD = "shouze-demo-2026"  # noqa: S105 - printed in README; the database bears 演示 for good
BUREAU, CITY, A, B = "150525", "1505", "150525-S01", "150525-S02"


@dataclass(frozen=True)
class Actor:
    """One of the cast."""

    username: str
    name: str
    office: str
    role: str
    title: str = ""
    certificate: str | None = None
    lines: int = 0


CAST = (
    Actor("admin", "管理员", BUREAU, "sysadmin"),
    Actor("suo-a", "苏日娜", A, "chief", "所长", "15052500001"),
    Actor("suo-b", "白海山", B, "chief", "所长", "15052500002"),
    Actor("yuan-a", "包文斌", A, "inspector", "监管员", "15052500003"),
    Actor("yuan-b", "李春梅", B, "inspector", "监管员", "15052500004"),
    Actor("neiqin-a", "王秀英", A, "clerk", "内勤"),
    Actor("gu-canyin", "陈立军", "150525-G2", "section", "餐饮监管", None, int(Line.CATERING)),
    Actor("fagui", "赵明", "150525-G4", "legal", "法规股"),
    Actor("ju", "巴特尔", BUREAU, "leader", "局领导", "15052500005"),
    Actor("zhuanban", "周丽华", "150525-Z1", "taskforce", "专班"),
    Actor("shi", "孙志强", CITY, "city", "市局"),
    Actor("firm-a", "（企业甲）", A, "firm_principal", "主要负责人"),
    Actor("firm-b", "（企业乙）", B, "firm_principal", "主要负责人"),
    Actor("audit", "钱审", CITY, "auditor", "审计员"),
)


def make_demo(firms: int = 200, days: int = 30, seed: int = 1, *, care: bool = True) -> dict[str, int]:
    """Fill an initialised, empty database. Deterministic for a day. Raises Conflict when not empty.

    The mark says "making" until all is there, so that a killed run is known to be half a demo (`half_made`).

    `days`: how far back inspections go. `care`: whether it is filled up (`fill_up`).
    Returns counts of what was made.
    """
    with unscoped("make demo") as session:
        if session.scalar(select(Account.id).where(Account.username == "ju")) or session.scalar(select(Enterprise.id)):
            raise Conflict(_("数据库里已有数据，不能再做成演示库。"))
        _mark()
        accounts = _cast()
        _settings()
        made = _firms(firms, seed, days)
        _firm_accounts(accounts)
    made |= make_checks(accounts, days)
    made["Inspection"], made["Notice"] = _work(accounts, days, seed)
    if care:
        fill_up(accounts, made)
    with unscoped("demo is made") as session, unit_of_work(Verb.CONFIRM, "演示库建好"):
        session.scalars(select(BureauSetting).where(BureauSetting.key == setting.DEMO)).one().value = MADE
    return made


def fill_up(accounts: dict[str, int], made: dict[str, int]) -> None:
    """What a demonstration has beside its firms and their papers: who answers, who counts, what was before, what others
    say; adds to how many were made."""
    make_care(accounts, made)
    made["SelfAssessment"] = make_assessments(accounts)
    make_takeover(accounts, made)
    make_census(accounts, made)
    make_comparison(accounts, made)


def _mark() -> None:
    """For good: nothing unsets it, and every paper says 演示 无效."""
    with unit_of_work(Verb.CREATE, "标为演示库") as session:
        session.add(
            BureauSetting(
                key=setting.DEMO, name="演示库", help="不能取消。", value=MAKING, state=SettingState.CONFIRMED
            )
        )


def _cast() -> dict[str, int]:
    session, sealed = current_session(), hashed(PASSWORD)
    offices = {office.code: office for office in session.scalars(select(Office))}
    roles = {role.code: role for role in session.scalars(select(AccessRole))}
    start = clock.today() - timedelta(days=365)
    found = {}
    with unit_of_work(Verb.CREATE, "建立演示账号"):
        for one in CAST:
            role = roles[one.role]
            account = Account(
                username=one.username, name=one.name, family=Family(role.family), office_id=offices[one.office].id,
                password=sealed, must_change_password=False, certificate_no=one.certificate,
                certificate_until=date(2030, 12, 31) if one.certificate else None,
            )  # fmt: skip
            session.add(account)
            session.flush()
            session.add(
                Posting(account_id=account.id, office_id=offices[one.office].id, role_id=role.id, title=one.title,
                        lines=one.lines, date_from=start)
            )  # fmt: skip
            found[one.username] = account.id
    return found


def _settings() -> None:
    """Confirmed as 演示; papers bear 演示 无效 all the same."""
    values = {setting.ADDRESS: "奈曼旗大沁他拉镇（演示地址）", setting.PHONE: "0475-0000000"}
    with unit_of_work(Verb.CONFIRM, "演示") as session:
        for row in session.scalars(select(BureauSetting)):
            row.value = values.get(row.key, row.value)
            if row.value:
                row.state, row.confirmed_at = SettingState.CONFIRMED, clock.now()


def _firms(count: int, seed: int, days: int) -> dict[str, int]:
    """Firms to the station of their first site's area."""
    session = current_session()
    stations = _stations()
    by_office: dict[int, list[LedgerRow]] = defaultdict(list)
    for firm in make_firms(count, seed, clock.today()):
        by_office[stations[firm.sites[0].area_code]].extend(ledger_rows(firm))
    since = clock.today() - timedelta(days=max(days, 30))
    for office_id in sorted(by_office):
        rows = by_office[office_id]
        for start in range(0, len(rows), 500):
            Register(office_id, write=True, since=since).take(rows[start : start + 500])
            session.expunge_all()
    return {cls.__name__: len(list(session.scalars(select(cls.id)))) for cls in (Enterprise, Site, Person, Appointment)}


def _stations() -> dict[str, int]:
    """Area code → office; the state farm, whose station nobody has named, goes to the seat's."""
    session = current_session()
    rows = session.execute(select(Area.code, OfficeArea.office_id).join(OfficeArea, OfficeArea.area_id == Area.id))
    found = dict(rows.all())
    seat = session.scalar(select(Office.id).where(Office.code == A))
    assert seat is not None
    return {area.code: found.get(area.code, seat) for area in data.areas()}


def _firm_accounts(accounts: dict[str, int]) -> None:
    """firm-a and firm-b are the 主要负责人 of a firm of each station."""
    session = current_session()
    with unit_of_work(Verb.CREATE, "演示企业账号"):
        for username, code in (("firm-a", A), ("firm-b", B)):
            account = session.get_one(Account, accounts[username])
            office_id = session.scalar(select(Office.id).where(Office.code == code))
            person = session.scalars(
                select(Person)
                .join(Appointment, Appointment.person_id == Person.id)
                .where(
                    Appointment.office_id == office_id, Appointment.role == "主要负责人", Person.account_id.is_(None)
                )
                .order_by(Person.id)
                .limit(1)
            ).first()
            if person is not None:
                person.account_id, account.name = account.id, person.name


def _work(accounts: dict[str, int], days: int, seed: int) -> tuple[int, int]:
    """Inspections by the inspectors of both stations, and notices taken as far as each state."""
    random = Random(seed)  # noqa: S311 - the same work each time, nothing secret
    visits = notices = 0
    for yuan, suo in (("yuan-a", "suo-a"), ("yuan-b", "suo-b")):
        made = _inspections(accounts[yuan], accounts[suo], days, random)
        visits += len(made)
        for number, (visit_id, finding) in enumerate(made[:6]):
            _notice(accounts, yuan, suo, visit_id, finding, stage=number)
            notices += 1
    return visits, notices


def _inspections(yuan: int, suo: int, days: int, random: Random) -> list[tuple[int, data.Finding]]:
    """A finished inspection with two findings at each of a dozen sites; one more still being written."""
    made = []
    with acting(yuan):
        session = current_session()
        inspector, other = session.get_one(Account, yuan), session.get_one(Account, suo)
        own = select(Site).where(Site.office_id == inspector.office_id).order_by(Site.id).limit(min(days, 12))
        for number, site in enumerate(list(session.scalars(own).unique())):
            found = list(_findings(site.lines, random))
            visit = Inspection(
                site=site, date=clock.today() - timedelta(days=number), kind=InspectionKind.ROUTINE,
                selection=InspectionSelection.PLAN, unannounced=number % 3 == 0, place="现场", inspector=inspector,
                co_inspector=other, result=InspectionResult.BASIC,
                summary="按照要点表进行现场检查，负责人在场。",
                findings=[Finding(position=n, fact=one.fact, demand=one.demand, key_item=one.severity == "重点")
                          for n, one in enumerate(found, 1)],
            )  # fmt: skip
            save(visit, Verb.CREATE, accepted=EVERYTHING)
            if number < 10:
                run(visit, "complete")
                made.append((visit.id, found[0]))
    return made


def _findings(lines: int, random: Random) -> Iterator[data.Finding]:
    fitting = [one for one in data.demo_findings() if int(LINES[one.line]) & lines]
    yield from random.sample(fitting, 2)


def _notice(accounts: dict[str, int], yuan: str, suo: str, visit_id: int, finding: data.Finding, *, stage: int) -> None:
    """A notice from an inspection: 0 draft, 1 submitted, 2 reviewed, from 3 on signed."""
    with acting(accounts[yuan]):
        session = current_session()
        notice = draft_from(session.get_one(Inspection, visit_id))
        for purpose, key in (("违反", finding.citation), ("依据", "apl28-1"), ("依据", finding.basis)):
            article = session.scalars(select(LegalCitation).where(LegalCitation.key == key)).one_or_none()
            if article is not None and article.confirmed:
                notice.citations.append(
                    NoticeCitation(purpose=purpose, citation=article, position=len(notice.citations) + 1)
                )
        save(notice, Verb.CREATE, accepted=EVERYTHING)
        notice_id = notice.id
        if stage >= 1:
            run(notice, "submit")
    for username, step, least in ((suo, "review", 2), ("ju", "sign", 3)):
        if stage >= least:
            with acting(accounts[username]):
                run(current_session().get_one(Notice, notice_id), step)
