"""监管责任人: who may be one, what saving one checks and ends, a site's 片区, who answered on a past day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import BindParameter, ColumnElement, and_, func, inspect, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.access.context import TODAY, register_figure
from app.core.access.fetch import fetch
from app.core.batched import Loader, register_batch
from app.core.db import current_session, unscoped
from app.core.errors import Conflict, Invalid
from app.core.office import AccessRole, Account, Family, Posting
from app.core.saving import Check, on_save, save
from app.core.verbs import Verb
from app.core.writing import perform, unit_of_work
from app.data.enums import CareRole
from app.models.care import Caretaker
from app.models.enterprise import ENDED, Enterprise, Site
from app.models.precinct import Precinct

MINE = "caretaker"  # the figure that says whether a person answers for any site
INSPECTS = ("Inspection", Verb.CREATE.value)
FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True)
class Colleague:
    """Somebody who may answer for sites of an office; `lines` 0 are all."""

    account_id: int
    name: str
    title: str
    office_id: int
    lines: int


def holds(day: date | BindParameter[date]) -> ColumnElement[bool]:
    """Charges that stand on a day."""
    return and_(Caretaker.date_from <= day, or_(Caretaker.date_to.is_(None), Caretaker.date_to >= day))


register_figure(
    MINE,
    lambda who: select(func.count(Caretaker.id)).where(Caretaker.account_id == who, holds(TODAY)),
)


# -- who may ----------------------------------------------------------------------------------------------------------


def colleagues(offices: Iterable[int], day: date | None = None) -> list[Colleague]:
    """Who holds a posting at one of these offices on a day (today) that lets inspect there; by rank."""
    with unscoped("who may answer for sites", quiet=True) as session:
        rows = session.execute(_postings(offices, day or clock.today()))
        return [
            Colleague(account.id, account.name, posting.title or role.name, posting.office_id, posting.lines)
            for posting, role, account in rows
            if INSPECTS[1] in role.grants.get(INSPECTS[0], {})
        ]


def _postings(offices: Iterable[int], day: date) -> Any:
    return (
        select(Posting, AccessRole, Account)
        .join(AccessRole, Posting.role_id == AccessRole.id)
        .join(Account, Posting.account_id == Account.id)
        .where(Posting.office_id.in_(sorted(set(offices))), Posting.in_force(day))
        .where(Account.active.is_(True), Account.family == Family.BUSINESS)
        .order_by(AccessRole.rank, Account.id)
    )


def may_answer(account_id: int, site: Site, day: date) -> bool:
    """Whether the account may inspect at this site, by a posting at its very office, on the day or today."""
    days = {day, clock.today()}
    return any(
        one.account_id == account_id and (not one.lines or not site.lines or one.lines & site.lines)
        for each in days
        for one in colleagues([site.office_id], each)
    )


# -- saving -----------------------------------------------------------------------------------------------------------


@on_save(Caretaker)
def check_caretaker(row: Caretaker, check: Check) -> None:
    """The person may inspect there; what has begun stays; a new 主管 ends the one before."""
    if row.site is None or row.account is None or row.date_from is None or row.role not in set(CareRole):
        return
    if not FIRST_YEAR <= row.date_from.year <= LAST_YEAR:
        check.error("date_from", _("请核对日期。"))
        return
    if row.date_to is not None and row.date_to < row.date_from:
        check.error("date_to", _("不能早于开始日期。"))
    _stays(row, check)
    state: Any = inspect(row)
    new = not row.id or any(state.attrs[name].history.has_changes() for name in ("account_id", "account"))
    if new and not may_answer(row.account.id, row.site, row.date_from):
        check.error("account", _("这个人在本所没有能开展检查的任职。"))
    if not check.errors:
        _lock_site(row.site.id)
        _make_room(row, check)


def _stays(row: Caretaker, check: Check) -> None:
    """Who answered on a past day is not rewritten: only the end of what has begun may be changed."""
    state: Any = inspect(row)
    if not state.persistent:
        return
    stored = state.attrs.date_from.history.deleted or [row.date_from]
    if stored[0] >= clock.today():
        return
    for name, field in (("date_from", "date_from"), ("role", "role"), ("account_id", "account"), ("site_id", "site")):
        relation = field if field in {"account", "site"} else name
        if state.attrs[name].history.has_changes() or state.attrs[relation].history.has_changes():
            check.error(field, _("已经开始的不能改。请填写结束日期，再新建一条。"))


def _lock_site(site_id: int) -> None:
    """Two acts on one site take turns, so that neither overlooks the other's row."""
    current_session().scalar(select(Site.id).where(Site.id == site_id).with_for_update(of=Site))


def _make_room(row: Caretaker, check: Check) -> None:
    """End, on the day before, what the row takes over from: the 主管 of the site, and the person's own 协管."""
    for other in _overlapping(row):
        same = other.account_id == row.account.id
        if row.role == CareRole.ASSISTANT and not (same and other.role == row.role):
            if same:
                check.error("account", _("这个人已是这个场所的%(role)s。", role=_(other.role)))
            continue
        if same and other.role == row.role:
            check.error("account", _("这个人已是这个场所的%(role)s。", role=_(other.role)))
        elif other.date_from >= row.date_from or row.date_to is not None or (row.id and not same):
            day = f"{other.date_from:%Y-%m-%d}"
            check.error("date_from", _("从 %(day)s 起已有%(who)s。", day=day, who=str(other)))
        else:
            other.date_to = row.date_from - timedelta(days=1)
            perform(other, Verb.UPDATE)


def _overlapping(row: Caretaker) -> list[Caretaker]:
    """Rows of the site that share a day with it and are a 主管's or the same person's."""
    last = row.date_to or date.max
    theirs = Caretaker.account_id == row.account.id
    about = theirs if row.role == CareRole.ASSISTANT else or_(Caretaker.role == CareRole.PRINCIPAL, theirs)
    asked = select(Caretaker).where(
        Caretaker.site_id == row.site.id, about, Caretaker.id != (row.id or 0), Caretaker.date_from <= last,
        or_(Caretaker.date_to.is_(None), Caretaker.date_to >= row.date_from),
    )  # fmt: skip
    return list(current_session().scalars(asked.order_by(Caretaker.id)).unique())


@on_save(Site)
def check_precinct(site: Site, check: Check) -> None:
    """A 片区 is the station's own division of its ground."""
    state: Any = inspect(site)
    if not any(state.attrs[name].history.has_changes() for name in ("precinct_id", "precinct")):
        return
    if site.precinct is not None and site.office_id is not None and site.precinct.office_id != site.office_id:
        check.error("precinct", _("这个片区不是本机构的。"))


@on_save(Precinct)
def check_areas(row: Precinct, check: Check) -> None:
    """Each area once."""
    keys = [one.area.id if one.area is not None else one.area_id for one in row.areas]
    if len(keys) != len(set(keys)):
        check.error("areas", _("同一个苏木乡镇只填一次。"))


# -- assigning --------------------------------------------------------------------------------------------------------


def assign(
    site_id: int, day: date, principal: int | None, assistants: Iterable[int] = (), *, instead: bool = False
) -> None:
    """Put people in charge of a site from a day on, in the unit of work in force (or one of its own).

    `instead`: 协管 who are not named end the day before. Raises Refused, Conflict, Invalid, Forbidden.
    """
    helpers = [one for one in dict.fromkeys(assistants) if one != principal]
    if principal is None and not helpers and not instead:
        raise Invalid(_("请选择主管或协管。"))
    with unit_of_work(Verb.CREATE, _("监管责任人变更")):
        site = fetch(Site, site_id)
        if site.state in ENDED:
            raise Conflict(_("这个场所已经注销或吊销。"))
        _lock_site(site_id)
        done = _principal(site, principal, day) if principal is not None else False
        if instead:
            done = _end_others(site, helpers, day) or done
        for one in helpers:
            done = _add(site, CareRole.ASSISTANT, one, day) or done
    if not done:
        raise Conflict(_("已经是这样安排的。"))


def _standing(site: Site, role: CareRole, day: date) -> list[Caretaker]:
    asked = select(Caretaker).where(Caretaker.site_id == site.id, Caretaker.role == role, holds(day))
    return list(current_session().scalars(asked.order_by(Caretaker.id)).unique())


def _principal(site: Site, account_id: int, day: date) -> bool:
    """Whether anything changes. Who was to begin that very day is replaced: nobody answers twice on a day."""
    now = next(iter(_standing(site, CareRole.PRINCIPAL, day)), None)
    if now is not None and now.account_id == account_id:
        return False
    if now is not None and now.date_from == day:
        now.account = fetch(Account, account_id)
        save(now, Verb.UPDATE)
        return True
    return _add(site, CareRole.PRINCIPAL, account_id, day)


def _add(site: Site, role: CareRole, account_id: int, day: date) -> bool:
    if any(one.account_id == account_id for one in _standing(site, role, day)):
        return False
    account = current_session().scalars(select(Account).where(Account.id == account_id)).one_or_none()
    if account is None:
        raise Invalid(_("这个人在本所没有能开展检查的任职。"))
    save(Caretaker(site=site, role=role, account=account, date_from=day), Verb.CREATE)
    return True


def _end_others(site: Site, kept: list[int], day: date) -> bool:
    over = [one for one in _standing(site, CareRole.ASSISTANT, day) if one.account_id not in kept]
    for one in over:
        one.date_to = max(one.date_from, day - timedelta(days=1))
        save(one, Verb.UPDATE)
    return bool(over)


def divide(site: Site, precinct_id: int | None) -> None:
    """Put a site into a 片区, or out of any, whatever else of it would ask for a tick. Raises NotFound, Conflict."""
    if site.precinct_id == precinct_id:
        raise Conflict(_("已经是这样安排的。"))
    precinct = fetch(Precinct, precinct_id) if precinct_id is not None else None
    if precinct is not None and precinct.office_id != site.office_id:
        raise Conflict(_("这个片区不是本机构的。"))
    site.precinct = precinct
    current_session().flush()


# -- in lists ---------------------------------------------------------------------------------------------------------


def _names_by(column: Any) -> Loader:
    """Who answers today, by the site or the firm: the 主管, then in brackets who helps."""

    def load(keys: Sequence[int]) -> dict[int, str]:
        asked = select(column, Caretaker.role, Account.name).join(Account, Caretaker.account_id == Account.id)
        rows = current_session().execute(
            asked.where(column.in_(keys), holds(clock.today())).order_by(column, Caretaker.id)
        )
        found: dict[int, dict[str, list[str]]] = {}
        for key, role, name in rows:
            names = found.setdefault(key, {}).setdefault(role, [])
            if name not in names:
                names.append(name)
        return {key: _named(roles) for key, roles in found.items()}

    return load


def _named(roles: dict[str, list[str]]) -> str:
    heads, helpers = ("、".join(roles.get(one, ())) for one in (CareRole.PRINCIPAL, CareRole.ASSISTANT))
    return f"{heads or '—'}（{_(CareRole.ASSISTANT)} {helpers}）" if helpers else heads


register_batch(Site, "care", _names_by(Caretaker.site_id))
register_batch(Enterprise, "care", _names_by(Caretaker.enterprise_id))


# -- asking -----------------------------------------------------------------------------------------------------------


def on_day(day: date, *about: ColumnElement[bool]) -> list[Caretaker]:
    """The charges of a day, 主管 first, as far as the person in context may read them."""
    asked = select(Caretaker).where(holds(day), *about).order_by(Caretaker.role, Caretaker.id)
    return sorted(current_session().scalars(asked).unique(), key=lambda one: one.role != CareRole.PRINCIPAL)


def in_business() -> ColumnElement[bool]:
    """Sites that somebody has to answer for."""
    return Site.state.not_in(ENDED)


def without(day: date) -> ColumnElement[bool]:
    """Sites in business that nobody answers for as 主管 on a day."""
    held = select(Caretaker.id).where(Caretaker.site_id == Site.id, Caretaker.role == CareRole.PRINCIPAL, holds(day))
    return and_(in_business(), ~held.exists())


def end_all(session: Session, site_id: int, day: date) -> None:
    """Nobody of the old office answers from a day on; what would have begun later never does."""
    for row in session.scalars(select(Caretaker).where(Caretaker.site_id == site_id, holds(day))).unique():
        row.date_to = max(row.date_from, day - timedelta(days=1))
        perform(row, Verb.UPDATE)
    for row in session.scalars(select(Caretaker).where(Caretaker.site_id == site_id, Caretaker.date_from > day)):
        session.delete(row)
