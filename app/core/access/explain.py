"""Why a person may (or may not) do something to a row: the posting, the assignment or the seal that decides."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, inspect, select

from app.core.access.context import Access, Held
from app.core.access.policy import Coverage
from app.core.access.predicate import deciding, predicate, steps_to, whole_of
from app.core.db import unscoped
from app.core.entity import Entity
from app.core.lines import line_text
from app.core.verbs import Verb

WORDS = {
    Coverage.SUBTREE: "本机构及下级机构的记录",
    Coverage.SUPERVISED: "所管条线的记录",
    Coverage.FIRM: "本人任职单位的记录",
    Coverage.ASSIGNED: "指派给本人的记录",
    Coverage.OWN: "本人的记录",
    Coverage.ALL: "公共资料",
}


@dataclass(frozen=True)
class Reason:
    """The decision and what decides it; `text` is for the screen."""

    allowed: bool
    text: str
    posting_id: int | None = None
    coverage: str = ""
    missing: str = ""  # office, line, state, sealed, firm, assigned, own: what the nearest grant lacks
    source: str = ""  # of the posting or whatever else `posting_id` is the key of


def explain(access: Access, verb: Verb, row: Entity) -> Reason:
    """What decides for this person, verb and row. Asks the same criteria that guard the session, one by one."""
    cls, key = type(row), row.id
    if cls.__part_of__:
        relation = inspect(cls).relationships[cls.__part_of__]
        whole = getattr(row, relation.key)
        return (
            explain(access, verb, whole)
            if whole is not None
            else Reason(False, _("看不到所属的%(what)s", what=_(str(whole_of(cls).__label__))))
        )
    with unscoped("explain access") as session:
        if session.scalar(select(cls.id).where(cls.id == key, predicate(access, cls, verb))) is None:
            return _refusal(access, verb, row)
        for held, coverage, clause in deciding(access, cls, cls, verb, True):
            if session.scalar(select(cls.id).where(cls.id == key, clause)) is not None:
                unit = access.offices[held.office_id]
                text = _(
                    "%(office)s %(title)s（%(day)s 起）：%(what)s",
                    office=unit.name, title=_(held.title), day=held.date_from, what=_(WORDS[Coverage(coverage)]),
                )  # fmt: skip
                return Reason(True, text, held.id, coverage, source=held.source)
    return Reason(True, _("公共资料") if verb is Verb.READ else _("经由关联记录"))


def _refusal(access: Access, verb: Verb, row: Entity) -> Reason:
    """The nearest reason: of all grants of the verb, the one that gets furthest says what it is missing."""
    cls = type(row)
    if not access.postings:
        return Reason(False, _("没有在任的任职"))
    grants = [
        (held, (coverage, allowed))
        for held in access.postings
        for coverage, allowed in held.grants.get(cls.policy_name(), {}).get(verb.value, ())
    ]
    if not grants:
        return Reason(False, _("所任角色没有这项权限"))
    far: list[tuple[int, str, Held, tuple[str, list[str] | None]]] = []
    for held, grant in grants:
        steps = steps_to(access, held, cls, verb, grant)
        met = _met(row, [clause for _name, clause in steps])
        failed = next((n for n, fine in enumerate(met) if not fine), len(steps))
        far.append((failed, steps[failed][0] if failed < len(steps) else "", held, grant))
    _place, missing, held, grant = max(far, key=lambda one: one[0])
    unit = access.offices[held.office_id]
    who = _("%(office)s %(title)s", office=unit.name, title=_(held.title))
    return Reason(
        False, f"{who}：{_missing(missing, held, grant[1], row, unit.lines)}", held.id, grant[0], missing, held.source
    )


def _met(row: Entity, clauses: list[ColumnElement[bool]]) -> list[bool]:
    """Which criteria the row meets, in one statement."""
    cls = type(row)
    mine = select(cls.id).where(cls.id == row.id)
    asked = [mine.where(clause).exists().label(f"m_{n}") for n, clause in enumerate(clauses)]
    with unscoped("explain access", quiet=True) as session:
        return [bool(value) for value in session.execute(select(*asked)).one()]


def _missing(step: str, held: Held, states: list[str] | None, row: Entity, lines: int) -> str:
    """What a grant lacks, in words."""
    if step == "line":
        return str(_("这条记录不在所管的条线（%(value)s）", value=line_text(held.lines or lines)))
    if step == "state":
        now, only = getattr(row, type(row).state_column()), "、".join(_(one) for one in states or ())
        return str(_("这条记录现在是“%(now)s”，这项权限只在“%(only)s”时有", now=_(str(now)), only=only))
    words = {
        "office": _("这条记录由其他机构负责"),
        "firm": _("这条记录不是本人任职单位的"),
        "assigned": _("这条记录没有指派给本人"),
        "own": _("这条记录不是本人的"),
        "sealed": _("这条记录已封存，启封前只有指派的人和批准人能看到"),
    }
    return str(words.get(step) or _("不及于这条记录"))
