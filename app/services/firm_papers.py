"""What a firm's own papers print, from live rows as the person in context reads them.

Hidden columns are empty, other offices' rows are absent; what would then say something untrue (a filled post that looks
vacant) is refused. The wording is data (`app/data/duties.json`). A law is named while the bureau stands behind the
citation and it is in force; of the rules of 2025 no article is named but what the bureau has compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from app import data
from app.core import clock
from app.core.access.context import current_access
from app.core.access.masking import is_masked, masked
from app.core.access.veil import concealed
from app.core.db import current_session, unscoped
from app.core.errors import Conflict, Forbidden
from app.core.setting import confirmed, installation_flag
from app.core.verbs import Verb
from app.data.enums import AppointmentRole, SiteKind
from app.models.citation import LegalCitation
from app.models.enterprise import ENDED, Enterprise, Site
from app.models.personnel import Appointment, Person, banned_people
from app.models.setting import COMPLAINTS, DEMO
from app.reports.firm_paper import MOST_POSTS
from app.reports.handover.record import printable
from app.services.training_hours import year_hours

LAW = "fsl44-1"
RULE, CANTEEN_RULE = "o97-6", "canteen-director"  # by whose titles the two rules of 2025 are named
CANTEENS = frozenset({
    SiteKind.SCHOOL_CANTEEN, SiteKind.KINDERGARTEN_CANTEEN, SiteKind.ELDERLY_CANTEEN, SiteKind.OTHER_CANTEEN,
    SiteKind.CONTRACTOR, SiteKind.MEAL_SUPPLIER,
})  # fmt: skip
MADE_OF = ("role", "date_from", "date_to", "person", "enterprise")
KINDS = {AppointmentRole.DIRECTOR: "director", AppointmentRole.OFFICER: "officer"}


def duties(firm: Enterprise, role: AppointmentRole) -> dict[str, Any]:
    """《食品安全总监职责》 or 《食品安全员守则》 of a firm."""
    sources = _Sources(firm)
    return _paper(KINDS[role], firm, sources) | {"points": sources.points("duties", role)}


def letter(post: Appointment) -> dict[str, Any]:
    """任命书. Raises Forbidden (who may not see what it must say), Conflict (the person is banned)."""
    if not tells_letter():
        raise Forbidden(_("这份文书要印的内容有您无权查看的。"))
    if post.person_id in banned_people() and (post.date_to is None or post.date_to >= clock.today()):
        raise Conflict(_banned(post))
    firm = post.enterprise
    sources = _Sources(firm)
    told = {
        "person": printable(post.person.name, 60), "role": str(post.role), "employment": _employment(post),
        "place": printable(post.site.name, 120) if post.site is not None and not concealed(Site, "name") else "",
        "document": printable(post.document or "", 120), "date_from": post.date_from.isoformat(),
        "date_to": post.date_to.isoformat() if post.date_to else "",
    }  # fmt: skip
    points = sources.points("letter", AppointmentRole(post.role))
    return _paper("letter", firm, sources) | {"letter": told, "points": points}


def posts(firm: Enterprise) -> dict[str, Any]:
    """岗位责任表. Raises Forbidden: see `tells_posts`."""
    sources = _Sources(firm)
    columns = [name for name, hidden in (
        ("employment", concealed(Appointment, "full_time")), ("phone", concealed(Person, "mobile")),
        ("date_from", False),
    ) if not hidden]  # fmt: skip
    found = _holders(firm)
    alone = not any(one.role == AppointmentRole.DIRECTOR for one in found)
    rows = [row for role in AppointmentRole for row in _rows(role, found, alone=alone)]
    return _paper("posts", firm, sources) | {
        "posts": rows[:MOST_POSTS], "left_out": max(0, len(rows) - MOST_POSTS), "columns": columns, "short": "",
    }  # fmt: skip


def board(firm: Enterprise) -> dict[str, Any]:
    """公示牌: who answers, and where to complain if the bureau has confirmed that. Raises Forbidden: as `posts`."""
    found = [one for one in _holders(firm) if not one.stand_in]
    rows = [row for role in AppointmentRole for row in _rows(role, found, alone=False, names_only=True)]
    with unscoped("where to complain", quiet=True):
        phone = confirmed(COMPLAINTS)[0].get(COMPLAINTS, "")
    told = {"posts": rows[:MOST_POSTS], "phone": printable(phone, 40), "titles": [], "short": ""}
    return _paper("board", firm, _Sources(firm)) | told


def tells_letter() -> bool:
    """Whether the person in context sees what a 任命书 cannot do without."""
    return not (any(concealed(Appointment, name) for name in MADE_OF) or concealed(Person, "name"))


def tells_posts(firm: Enterprise) -> bool:
    """Whether the person reads every appointment of the firm, with names: to others filled posts would look vacant."""
    return firm.id in _told_posts([firm.id])


def _told_posts(firms: Iterable[int]) -> set[int]:
    """Those of the firms of which that is so."""
    keys = list(firms)
    if not tells_letter() or not current_access().may("Appointment", Verb.READ):
        return set()
    firm = Appointment.enterprise_id
    asked = select(firm, func.count(Appointment.id)).where(firm.in_(keys)).group_by(firm)
    with unscoped("are there other appointments of the firm", quiet=True) as session:
        every = {row[0]: row[1] for row in session.execute(asked)}
    mine = {row[0]: row[1] for row in current_session().execute(asked)}
    return {key for key in keys if mine.get(key) == every.get(key)}


# -- one paper for many rows ------------------------------------------------------------------------------------------


def _for_post(role: AppointmentRole) -> Callable[[Appointment], dict[str, Any]]:
    """职责 or 守则 for who holds that post."""

    def draw(post: Appointment) -> dict[str, Any]:
        if why := _other_post(post, role):
            raise Conflict(why)
        return duties(post.enterprise, role)

    return draw


def _other_post(post: Appointment, role: AppointmentRole) -> str:
    """Why these are no duties of the holder's; "" when they are."""
    return "" if post.role == role else str(_("只有%(role)s才有这一份。", role=_(role)))


OF_A_POST: dict[str, Callable[[Any], dict[str, Any]]] = {
    "letter": letter, "director": _for_post(AppointmentRole.DIRECTOR), "officer": _for_post(AppointmentRole.OFFICER),
}  # fmt: skip
OF_A_FIRM: dict[str, Callable[[Any], dict[str, Any]]] = {"posts": posts, "board": board}
ROLES = {kind: role for role, kind in KINDS.items()}


def hindered(kind: str, rows: dict[int, Any]) -> dict[int, str]:
    """Why a paper can't be made for some of these appointments or firms: said before anything is printed."""
    if kind in OF_A_FIRM:
        why = str(_("您看不到这个单位的全部任职，不能打印。"))
        return dict.fromkeys(rows.keys() - _told_posts(rows), why)
    if kind in ROLES:
        return {key: why for key, post in rows.items() if (why := _other_post(post, ROLES[kind]))}
    if not tells_letter():
        return dict.fromkeys(rows, str(_("这份文书要印的内容有您无权查看的。")))
    return {key: _banned(post) for key, post in rows.items() if post.alert is not None}


def _banned(post: Appointment) -> str:
    return str(_("%(name)s处于从业禁止期间，不能打印任命书。", name=post.person.name))


def _paper(kind: str, firm: Enterprise, sources: _Sources) -> dict[str, Any]:
    return {
        "kind": kind, "firm": printable(firm.name, 120), "code": printable(firm.code or "", 18),
        "made": clock.today().isoformat(), "demo": bool(installation_flag(DEMO)), "titles": sources.titles,
        "short": sources.short, "points": [], "letter": None, "posts": [], "columns": [], "left_out": 0, "phone": "",
    }  # fmt: skip


class _Sources:
    """The law and the rule that a firm's papers rest on, as they stand today."""

    def __init__(self, firm: Enterprise) -> None:
        keys = {key for one in data.duties() for key in one.law} | {LAW, RULE, CANTEEN_RULE}
        with unscoped("citations on a firm's papers", quiet=True) as session:
            rows = session.scalars(select(LegalCitation).where(LegalCitation.key.in_(keys)))
            self._rows = {row.key: row for row in rows if row.in_force(clock.today())}
        rules = {key: self._title(key) for key in _rules_of(firm)}
        self.titles = [title for title in (self._title(LAW), *rules.values()) if title]
        self.short = rules.get(RULE, "")

    def points(self, paper: str, role: AppointmentRole) -> list[dict[str, str]]:
        """The points of a paper, each with what it rests on."""
        hours = str(year_hours())
        return [{"text": one.text.replace("{hours}", hours), "basis": self._basis(one)}
                for one in data.duties() if (one.paper, one.role) == (paper, role)]  # fmt: skip

    def _basis(self, one: data.Duty) -> str:
        told = [_short(self._rows[key]) for key in one.law if key in self._rows and self._rows[key].confirmed]
        return "、".join([*told, *(["《规定》"] if one.rule and one.confirmed and self.short else [])])

    def _title(self, key: str) -> str:
        return printable(self._rows[key].title.strip("《》"), 120) if key in self._rows else ""


def _short(row: LegalCitation) -> str:
    """As people say it; the whole titles of ten points would push the signatures off the page."""
    return printable(f"《{(row.short or row.title).strip('《》')}》{row.article}{row.paragraph}{row.item}", 200)


def _rules_of(firm: Enterprise) -> list[str]:
    """Canteens and who runs them have a rule of their own; a firm may fall under both."""
    if concealed(Site, "kind"):
        return [RULE, CANTEEN_RULE]
    mine = select(Site.kind).where(Site.enterprise_id == firm.id, or_(Site.state.is_(None), Site.state.not_in(ENDED)))
    canteens = {kind in CANTEENS for kind in current_session().scalars(mine)} or {False}
    return [rule for rule, there in ((RULE, False in canteens), (CANTEEN_RULE, True in canteens)) if there]


def _holders(firm: Enterprise) -> list[Appointment]:
    """Who holds a post of the firm today, stand-ins too."""
    if not tells_posts(firm):
        raise Forbidden(_("您看不到这个单位的全部任职，不能打印。"))
    mine = select(Appointment).where(Appointment.enterprise_id == firm.id, Appointment.in_force(clock.today()))
    return list(current_session().scalars(mine.order_by(Appointment.stand_in, Appointment.id)).unique())


def _rows(
    role: AppointmentRole, found: list[Appointment], *, alone: bool, names_only: bool = False
) -> list[dict[str, Any]]:
    """A row for each holder of a post, or an empty one."""
    papers = {"posts", "alone"} if alone else {"posts"}
    tasks = [] if names_only else [one.text for one in data.duties() if one.paper in papers and one.role == role]
    empty = {"role": str(role), "name": "", "employment": "", "phone": "", "date_from": "", "tasks": tasks}
    held = [one for one in found if one.role == role]
    rows = [empty | {"name": printable(one.person.name, 60)} | ({} if names_only else _told(one)) for one in held]
    filled = any(not one.stand_in for one in held)
    return rows if filled else [empty, *rows]


def _told(one: Appointment) -> dict[str, str]:
    return {"employment": _employment(one), "phone": _phone(one.person), "date_from": one.date_from.isoformat()}


def _employment(one: Appointment) -> str:
    """As it prints, in whichever language the screen is."""
    if one.stand_in:
        return "临时代班"
    if concealed(Appointment, "full_time"):
        return ""
    return "专职" if one.full_time else "兼职"


def _phone(person: Person) -> str:
    """Whole or in part, as the person's page shows it."""
    if concealed(Person, "mobile") or not person.mobile:
        return ""
    return printable(masked(person.mobile) if is_masked(person, "mobile") else person.mobile, 40)
