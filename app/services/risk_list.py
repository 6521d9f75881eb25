"""风险管控清单: built-in templates, a firm's own editions, which edition a site works by on a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import and_, func, or_, select

from app import data
from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.access.policy import Coverage
from app.core.db import current_session
from app.core.errors import Forbidden, Invalid
from app.core.office import Office, OfficeKind
from app.core.pinyin import search_key
from app.core.saving import Check, column_problems, on_save
from app.core.verbs import Verb
from app.core.workflow import handles, lock
from app.core.writing import perform
from app.data.enums import LINE_OF, Frequency, Line, RiskListState, SiteKind
from app.models.check import RiskItem, RiskList
from app.models.enterprise import Site
from app.models.lines import Line as Bit

BITS = {Line.PRODUCTION: Bit.PRODUCTION, Line.SALES: Bit.SALES, Line.CATERING: Bit.CATERING}
BUILT_IN_FROM = date(2026, 1, 1)
COPIED = ("code", "text", "why", "basis", "basis_confirmed", "key_item", "frequency", "dropped", "drop_reason")


# -- which edition ----------------------------------------------------------------------------------------------------


def main_line(site: Site) -> Line:
    """The line whose list a site works by: that of its kind, when it has it, else the first it has."""
    usual = LINE_OF[SiteKind(site.kind)]
    if site.lines & BITS[usual]:
        return usual
    return next((line for line, bit in BITS.items() if site.lines & bit), usual)


def list_in_force(site: Site, day: date) -> RiskList | None:
    """The edition for a site on a day: the site's own, else its firm's, else the template of its line and kind."""
    mine = or_(
        RiskList.site_id == site.id,
        and_(RiskList.site_id.is_(None), RiskList.enterprise_id == site.enterprise_id),
        RiskList.template.is_(True),
    )
    found = current_session().scalars(
        select(RiskList).where(
            mine, RiskList.line == main_line(site), RiskList.state != RiskListState.DRAFT,
            or_(RiskList.site_kind.is_(None), RiskList.site_kind == site.kind),
            RiskList.valid_from <= day, or_(RiskList.valid_to.is_(None), RiskList.valid_to >= day),
        )
    )  # fmt: skip
    return max(found, key=_nearness, default=None)


def _nearness(one: RiskList) -> tuple[bool, bool, bool, int]:
    return one.site_id is not None, one.enterprise_id is not None, one.site_kind is not None, one.edition


def daily_items(one: RiskList) -> list[RiskItem]:
    """What is checked every day; weekly and monthly items belong to the week's and the month's work."""
    return [item for item in one.points if item.frequency == Frequency.DAILY and not item.dropped]


# -- writing an edition -----------------------------------------------------------------------------------------------


def next_edition(base: RiskList) -> RiskList:
    """A draft that begins as a copy of an edition; nothing is written."""
    made = RiskList(
        base=base, title=base.title, line=base.line, site_kind=base.site_kind, site=base.site,
        enterprise=base.enterprise if base.site is None else None, compiler=base.compiler, reviewer=base.reviewer,
        approver=base.approver,
    )  # fmt: skip
    made.points = _copies(base)
    return made


def _copies(base: RiskList) -> list[RiskItem]:
    return [
        RiskItem(position=number, **{name: getattr(item, name) for name in COPIED})
        for number, item in enumerate(base.points, 1)
    ]


@on_save(RiskList)
def check_list(one: RiskList, check: Check) -> None:
    """Whose it is, from which edition, what was dropped and why; a new one gets its number and, if empty, its items."""
    if one.site is not None and one.enterprise is not None and one.site.enterprise_id != one.enterprise.id:
        check.error("site", _("这个场所不属于所选主体。"))
    elif one.site is not None:
        one.enterprise = one.site.enterprise
    if one.id is None:
        _begin(one, check)
    if not one.template and not keeps_firms_lists():
        check.error("site", _("股室只制定模板，企业的清单由企业或监管所制定。"))
    if one.id is not None and one.template != (one.site is None and one.enterprise is None):
        check.error("site", _("模板不能改成企业的清单，企业的清单也不能改成模板。"))
    firm = one.enterprise or (one.site.enterprise if one.site is not None else None)
    one.search_text = search_key(f"{firm.name if firm else ''}{one.title or ''}"[:120])
    _check_points(one, check)


def _begin(one: RiskList, check: Check) -> None:
    """A new row: a template follows a template; anything else starts from the template of its line."""
    one.template = one.site is None and one.enterprise is None
    if one.base is None and one.line:
        one.base = _template_of(one.line)
    if one.template:
        if one.base is None or not one.base.template or one.base.line != one.line:
            check.error("base", _("新版模板须从同一业务线的模板制定；企业的清单请选择主体或经营场所。"))
            return
        one.office_id, one.lines = one.base.office_id, one.base.lines
    if not one.points and one.base is not None:
        one.points = _copies(one.base)
    newest = current_session().scalar(select(func.max(RiskList.edition)).where(*_same(one)))
    one.edition = (newest or 0) + 1


def _template_of(line: str) -> RiskList | None:
    found = select(RiskList).where(
        RiskList.template.is_(True), RiskList.line == line, RiskList.site_kind.is_(None),
        RiskList.state == RiskListState.IN_FORCE,
    )  # fmt: skip
    return current_session().scalars(found.order_by(RiskList.edition.desc()).limit(1)).first()


def _same(one: RiskList) -> tuple[Any, ...]:
    """The editions of one list: same line and kind, same firm, same site."""
    site_id = one.site.id if one.site is not None else None
    firm_id = one.site.enterprise_id if one.site is not None else one.enterprise.id if one.enterprise else None
    return (
        RiskList.line == one.line, RiskList.template.is_(bool(one.template)),
        RiskList.site_id.is_(None) if site_id is None else RiskList.site_id == site_id,
        RiskList.enterprise_id.is_(None) if firm_id is None else RiskList.enterprise_id == firm_id,
        RiskList.site_kind.is_(None) if one.site_kind is None else RiskList.site_kind == one.site_kind,
    )  # fmt: skip


def _check_points(one: RiskList, check: Check) -> None:
    """Codes differ; what is dropped says why; nothing of the edition it was made from goes without a word."""
    seen: set[str] = set()
    for number, item in enumerate(one.points, 1):
        for name, why in column_problems(item):
            check.error(f"points.{number}.{name}", why)
        if item.code in seen:
            check.error(f"points.{number}.code", _("编号重复。"))
        if not (item.code or "").isalnum():
            check.error(f"points.{number}.code", _("编号只用字母和数字。"))
        seen.add(item.code)
        if item.dropped and not (item.drop_reason or "").strip():
            check.error(f"points.{number}.drop_reason", _("请写明不采用的理由。"))
    gone = [item.code for item in (one.base.points if one.base is not None else ()) if item.code not in seen]
    if gone and one.points:
        told = _("、").join(gone)
        check.error(
            "points", _("不能直接删去依据清单中的风险点（%(codes)s）：请保留，勾选“不采用”并写明理由。", codes=told)
        )


def keeps_firms_lists() -> bool:
    """Whether the person keeps the lists of firms (firms and stations do); a section makes templates only."""
    if not has_access_context():
        return True
    near = {Coverage.SUBTREE.value, Coverage.FIRM.value}
    cells = (held.grants.get("RiskList", {}).get(Verb.CREATE.value, ()) for held in current_access().postings)
    return any(cell[0] in near for found in cells for cell in found)


# -- the steps --------------------------------------------------------------------------------------------------------


@handles(RiskList, "put_in_force")
def put_in_force(one: RiskList, valid_from: date | None = None, **_inputs: Any) -> None:
    """From a day on, today at the earliest; the edition before it ends the day before. Named makers stand behind it."""
    _own_business(one)
    day = valid_from or clock.today()
    if day < clock.today():
        raise Invalid(_("有内容需要改正，尚未保存。"), {"valid_from": _("不能早于今天。")})
    if not daily_items(one):
        raise Invalid(_("清单里至少要有一个每日检查的风险点。"))
    if not one.compiler.strip() or not one.approver.strip():
        raise Invalid(_("请先填写编制人和批准人。"))
    lock(one.site or one.enterprise or one.base)
    before = current_session().scalars(
        select(RiskList).where(*_same(one), RiskList.state == RiskListState.IN_FORCE, RiskList.id != one.id)
    )
    for earlier in list(before):
        assert earlier.valid_from is not None
        earlier.valid_to = max(earlier.valid_from, day - timedelta(days=1))
        if day <= clock.today():
            earlier.state = RiskListState.RETIRED
        perform(earlier, Verb.CONFIRM, one)
    one.valid_from = day


@handles(RiskList, "retire")
def retire(one: RiskList, **_inputs: Any) -> None:
    """Today is its last day."""
    _own_business(one)
    assert one.valid_from is not None
    one.valid_to = max(one.valid_from, clock.today())


def _own_business(one: RiskList) -> None:
    if not one.template and not keeps_firms_lists():
        raise Forbidden(_("股室只制定模板，企业的清单由企业或监管所制定。"))


# -- base data --------------------------------------------------------------------------------------------------------


def ensure_templates() -> int:
    """Write the built-in template of each line as its first edition, in force. Returns how many were new."""
    session = current_session()
    known = set(session.scalars(select(RiskList.line).where(RiskList.template.is_(True))))
    bureau = session.scalars(select(Office.id).where(Office.kind == OfficeKind.BUREAU).order_by(Office.id)).first()
    new = [line for line in Line if line not in known]
    for line in new:
        session.add(
            RiskList(
                title=f"{line}风险管控清单（模板）", line=line, template=True, office_id=bureau, lines=int(BITS[line]),
                compiler="守责内置", valid_from=BUILT_IN_FROM, state=RiskListState.IN_FORCE, points=_built_in(line),
            )
        )  # fmt: skip
    session.flush()
    return len(new)


def _built_in(line: Line) -> list[RiskItem]:
    mine = [one for one in data.risk_items() if one.line == line]
    return [
        RiskItem(position=number, code=one.code, text=one.text, why=one.why, basis=one.basis,
                 basis_confirmed=one.basis_confirmed, key_item=one.key, frequency=one.frequency)
        for number, one in enumerate(mine, 1)
    ]  # fmt: skip
