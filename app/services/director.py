"""Must a site have a 食品安全总监? Decided from dated rules and the site's figures; every change is a dated row.

`decide` is the whole rule as a function of plain values. It runs whenever a site, a rule, a yardstick or an override is
saved, and every day for what begins or ends by date (`catch_up`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from app.core import clock
from app.core.db import current_session, unscoped
from app.core.jobs import Job, enqueue, job
from app.core.saving import Check, on_save
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.workflow import handles, lock
from app.core.writing import current_unit, perform, unit_of_work
from app.data.census import SizeClass
from app.data.enums import TRADE_OF, DecisionCause, DirectorCondition, OverrideState, SiteKind
from app.models.director import DirectorDecision, DirectorOverride, DirectorRule, SizeYardstick
from app.models.enterprise import GONE, Site

SIZES = ("staff", "revenue", "floor_area", "seats")
BATCH = 500
FIRST = DecisionCause.FIRST


@dataclass(frozen=True)
class Verdict:
    """What the rules say of a site: the rule that decided, its figures in words, the figures that are lacking."""

    must: bool
    rule_id: int | None = None
    words: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule as plain values."""

    id: int
    condition: str
    at_least: int | None
    more_than: bool
    both: bool
    kinds: frozenset[str]


@dataclass(frozen=True)
class Yardstick:
    """A yardstick as plain values: the least of each figure that it names."""

    trade: str
    every: bool
    wanted: Mapping[str, int]


@dataclass(frozen=True)
class Rules:
    """Rules and yardsticks in force on a day."""

    rules: tuple[Rule, ...]
    yardsticks: tuple[Yardstick, ...]


def rules_on(day: date) -> Rules:
    """Those in force on a day: three statements. Whoever saves a site is judged by them, whatever he may read."""
    with unscoped("rules of directors", quiet=True) as session:
        rules = session.scalars(
            _in_force(select(DirectorRule), DirectorRule, day).options(selectinload(DirectorRule.kinds))
        )
        sticks = session.scalars(_in_force(select(SizeYardstick), SizeYardstick, day).where(SizeYardstick.used))
        return Rules(
            tuple(Rule(one.id, one.condition, one.at_least, one.more_than, one.both,
                       frozenset(kind.kind for kind in one.kinds)) for one in rules),
            tuple(Yardstick(one.trade, one.every, {name: getattr(one, name) for name in SIZES
                                                   if getattr(one, name) is not None}) for one in sticks),
        )  # fmt: skip


def _in_force(statement: Select[Any], model: type[DirectorRule | SizeYardstick], day: date) -> Select[Any]:
    begun, ended = model.valid_from <= day, model.valid_to < day
    return statement.where(begun, or_(model.valid_to.is_(None), ~ended)).order_by(model.id)


def decide(site: Site, given: Rules) -> Verdict:
    """What the rules say of a site: the first that demands a 总监, else what is lacking to be sure."""
    lacking: list[str] = []
    for rule in given.rules:
        if not _is_about(site, rule):
            continue
        holds, words, missing = _holds(site, rule, given.yardsticks)
        if holds:
            return Verdict(True, rule.id, words)
        lacking += [name for name in missing if name not in lacking]
    return Verdict(False, None, "", "、".join(lacking))


def _is_about(site: Site, rule: Rule) -> bool:
    """A contractor is judged by the canteen it runs, where the rule demands a 总监 of both (双总监)."""
    if site.kind == SiteKind.CONTRACTOR:
        return rule.both and (site.canteen_kind in rule.kinds or not site.canteen_kind)
    return site.kind in rule.kinds


def _holds(site: Site, rule: Rule, yardsticks: Iterable[Yardstick]) -> tuple[bool, str, list[str]]:
    match rule.condition:
        case DirectorCondition.ALWAYS:
            return True, "", []
        case DirectorCondition.SPECIAL:
            return site.special_food or site.kind == SiteKind.SPECIAL_PRODUCER, "", []
        case DirectorCondition.HEADQUARTERS:
            return site.headquarters or site.kind == SiteKind.CHAIN_HEADQUARTERS, "", []
        case DirectorCondition.MEALS:
            return _meals(site, rule)
    return _large(site, yardsticks)


def _meals(site: Site, rule: Rule) -> tuple[bool, str, list[str]]:
    """以上 includes the number itself, 超过 does not (民法典 1259)."""
    if site.kind == SiteKind.CONTRACTOR and not site.canteen_kind:
        return False, "", [str(_("承包的食堂"))]
    if site.meals is None or rule.at_least is None:
        return False, "", [str(_("每餐次人数"))]
    holds = site.meals > rule.at_least if rule.more_than else site.meals >= rule.at_least
    sign = ">" if rule.more_than else "≥"
    return holds, str(_("每餐次 %(n)s 人 %(sign)s %(least)s", n=site.meals, sign=sign, least=rule.at_least)), []


def _large(site: Site, yardsticks: Iterable[Yardstick]) -> tuple[bool, str, list[str]]:
    """大中型 by any yardstick of the trade; a figure that is lacking leaves it open."""
    trade = site.trade or TRADE_OF.get(SiteKind(site.kind))
    lacking: list[str] = []
    for yardstick in yardsticks:
        if yardstick.trade != trade:
            continue
        wanted = yardstick.wanted
        known = {name: getattr(site, name) for name in wanted if getattr(site, name) is not None}
        reached = [name for name, figure in known.items() if figure >= wanted[name]]
        if wanted and (len(reached) == len(wanted) if yardstick.every else reached):
            return True, "；".join(_figure(name, known[name], wanted[name]) for name in reached), []
        if (len(reached) == len(known)) if yardstick.every else True:  # what is lacking could still decide
            lacking += [_label(name) for name in wanted if name not in known and _label(name) not in lacking]
    return False, "", lacking


def size_of(site: Site, given: Rules) -> SizeClass:
    """大中型 or not, by the yardsticks; not known while a figure that would tell is lacking, or nothing measures it."""
    reached, _words, lacking = _large(site, given.yardsticks)
    if reached:
        return SizeClass.LARGE
    trade = site.trade or TRADE_OF.get(SiteKind(site.kind))
    measured = any(one.trade == trade for one in given.yardsticks)
    return SizeClass.SMALL if measured and not lacking else SizeClass.UNKNOWN


def _figure(name: str, value: int, least: int) -> str:
    return f"{_label(name)} {value} ≥ {least}"


def _label(name: str) -> str:
    return str(_(Site.__table__.c[name].info["label"]))


def todays_rules() -> Rules:
    """The rules of today, read once a unit of work: an import saves thousands of sites in one."""
    unit = current_unit()
    if unit is None:
        return rules_on(clock.today())
    if "director_rules" not in unit.memo:
        unit.memo["director_rules"] = rules_on(clock.today())
    found: Rules = unit.memo["director_rules"]
    return found


@on_save(Site)
def decide_site(site: Site, check: Check) -> None:
    """Decide anew whenever a site is saved; written as a part of saving it."""
    for name in (*SIZES, "meals"):
        value = getattr(site, name)
        if value is not None and not 0 <= value <= 10_000_000:
            check.error(name, _("请填 0 到 10000000 之间的整数。"))
    if site.kind is None or check.errors or check.doubts:
        return
    apply(site, todays_rules(), DecisionCause.FIGURES)


def apply(site: Site, given: Rules, cause: str, pending: DirectorOverride | None = None) -> bool:
    """Write what is decided of a site today when it differs from what stood; the firm follows. Whether it differed.

    `pending`: an override that is just being saved, as it will be.
    """
    today = clock.today()
    override = _override(site, today, pending)
    verdict = decide(site, given) if override is None else Verdict(override.must, None, override.reason[:200])
    stood = _standing(site)
    told = {"must": verdict.must, "rule_id": verdict.rule_id, "words": verdict.words[:200],
            "missing": verdict.missing[:120]}  # fmt: skip
    if stood is not None and all(getattr(stood, name) == value for name, value in told.items()):
        return False
    told["cause"] = DecisionCause.OVERRIDE if override is not None else cause if stood is not None else FIRST
    if stood is not None and stood.date_from == today:  # decided twice in a day: the last word stands
        perform(stood, Verb.UPDATE, site)
        for name, value in told.items():
            setattr(stood, name, value)
    else:
        _next(site, stood, told)
    _flag(site, verdict.must)
    return True


def _next(site: Site, stood: DirectorDecision | None, told: dict[str, Any]) -> None:
    """End what stood yesterday and begin what stands today."""
    today = clock.today()
    if stood is not None:
        perform(stood, Verb.UPDATE, site)
        stood.date_to = today - timedelta(days=1)
    fresh = DirectorDecision(site=site, date_from=today, **told)
    perform(fresh, Verb.CREATE, site)
    current_session().add(fresh)


def _flag(site: Site, must: bool) -> None:
    """The site says it, and the firm does when one of its sites does."""
    if site.must_have_director != must:
        site.must_have_director = must
    firm = site.enterprise
    if firm is None:
        return
    others = select(Site.id).where(Site.enterprise_id == firm.id, Site.id != (site.id or 0), Site.must_have_director)
    firm_must = must or (firm.id is not None and current_session().scalar(others.limit(1)) is not None)
    if bool(firm.must_have_director) != firm_must:
        firm.must_have_director = firm_must
        perform(firm, Verb.UPDATE, site)


def _standing(site: Site) -> DirectorDecision | None:
    if not site.id:
        return None
    found: DirectorDecision | None = current_session().scalar(
        select(DirectorDecision).where(DirectorDecision.site_id == site.id, DirectorDecision.date_to.is_(None))
    )
    return found


def _override(site: Site, day: date, pending: DirectorOverride | None) -> DirectorOverride | None:
    """The newest 人工认定 of the site in force on the day."""
    rows: list[DirectorOverride] = []
    if site.id:
        with current_session().no_autoflush:
            rows += current_session().scalars(select(DirectorOverride).where(DirectorOverride.site_id == site.id))
    if pending is not None and pending not in rows:
        rows.append(pending)
    valid = [one for one in rows if one.state in {None, OverrideState.IN_FORCE}
             and one.date_from <= day and (one.date_to is None or day <= one.date_to)]  # fmt: skip
    return max(valid, key=lambda one: (one.date_from, one.id or 2**62), default=None)


@on_save(DirectorOverride)
def check_override(one: DirectorOverride, check: Check) -> None:
    """Dates in order, then the site is decided anew."""
    if one.date_from and one.date_to and one.date_to < one.date_from:
        check.error("date_to", _("不能早于开始日期。"))
    if one.site is None or not one.date_from or not one.reason or check.errors or check.doubts:
        return
    lock(one.site)
    apply(one.site, todays_rules(), DecisionCause.RULES, one)
    perform(one.site, Verb.UPDATE if one.id else Verb.CREATE, one)


@handles(DirectorOverride, "revoke")
def revoke(one: DirectorOverride, **_inputs: Any) -> None:
    """The rules decide again."""
    one.state = OverrideState.REVOKED
    apply(one.site, todays_rules(), DecisionCause.RULES)
    perform(one.site, Verb.REVOKE, one)


@on_save(DirectorRule)
def check_rule(rule: DirectorRule, check: Check) -> None:
    """A number where the condition needs one, a kind at least; every site is decided anew afterwards."""
    if rule.condition == DirectorCondition.MEALS and not rule.at_least:
        check.error("at_least", _("请填写人数。"))
    if not rule.kinds:
        check.error("kinds", _("请至少选一项。"))
    _in_order(rule, check)


@on_save(SizeYardstick)
def check_yardstick(one: SizeYardstick, check: Check) -> None:
    """A figure at least; every site is decided anew afterwards."""
    if all(getattr(one, name) is None for name in SIZES):
        check.error("staff", _("请至少填一项数字。"))
    _in_order(one, check)


def _in_order(one: DirectorRule | SizeYardstick, check: Check) -> None:
    if one.valid_from and one.valid_to and one.valid_to < one.valid_from:
        check.error("valid_to", _("不能早于开始日期。"))
    if not check.errors:
        enqueue("director.decide", f"director.decide:{public_id()}")


@job("director.decide")
def decide_all(**_arguments: Any) -> None:
    """Decide every site anew, some hundreds in a transaction; what did not change is not written."""
    given, last = rules_on(clock.today()), 0
    while True:
        with unscoped("decide who must have a director") as session, unit_of_work(Verb.UPDATE, "重新判定总监配备"):
            sites = session.scalars(
                select(Site).where(Site.id > last, Site.state.not_in(GONE)).order_by(Site.id).limit(BATCH)
                .options(selectinload(Site.enterprise))
            ).all()  # fmt: skip
            for site in sites:
                apply(site, given, DecisionCause.RULES)
        if not sites:
            return
        last = sites[-1].id


@job("director.turn", daily=True)
def catch_up(**_arguments: Any) -> None:
    """Once a day: what begins or ends by date (rules, yardsticks, overrides) asks for a new decision."""
    today = clock.today()
    with unscoped("does a rule begin or end today", quiet=True) as session:
        last = session.scalar(select(func.max(Job.made_at)).where(Job.kind == "director.decide"))
        since = clock.local(last).date() if last is not None else date(1900, 1, 1)
        if since >= today or not any(_turns(session, model, begin, since, today) for model, begin in DATED):
            return
        with unit_of_work(Verb.UPDATE, "重新判定总监配备"):
            enqueue("director.decide", f"director.decide:{today}")


DATED = ((DirectorRule, "valid_from"), (SizeYardstick, "valid_from"), (DirectorOverride, "date_from"))


def _turns(session: Session, model: Any, begin: str, since: date, today: date) -> bool:
    """Whether a row of the model begins after `since`, or ended since then."""
    begins, ends = getattr(model, begin), getattr(model, begin.replace("from", "to"))
    turned = or_(and_(begins > since, begins <= today), and_(ends >= since, ends < today))
    return session.scalar(select(model.id).where(turned).limit(1)) is not None
