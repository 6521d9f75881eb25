"""Why a person may (or may not) do something to a row: the posting, the assignment or the seal that decides."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core.access.context import Access
from app.core.access.policy import Coverage
from app.core.access.predicate import deciding, predicate, whole_of
from app.core.db import unscoped
from app.core.entity import Entity
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
            return _refusal(access, verb, cls)
        for held, coverage, clause in deciding(access, cls, cls, verb, True):
            if session.scalar(select(cls.id).where(cls.id == key, clause)) is not None:
                unit = access.offices[held.office_id]
                text = _(
                    "%(office)s %(title)s（%(day)s 起）：%(what)s",
                    office=unit.name, title=_(held.title), day=held.date_from, what=_(WORDS[Coverage(coverage)]),
                )  # fmt: skip
                return Reason(True, text, held.id, coverage)
    return Reason(True, _("公共资料") if verb is Verb.READ else _("经由关联记录"))


def _refusal(access: Access, verb: Verb, cls: type[Entity]) -> Reason:
    if not access.postings:
        return Reason(False, _("没有在任的任职"))
    if not access.may(cls.policy_name(), verb):
        return Reason(False, _("所任角色没有这项权限"))
    return Reason(False, _("所任角色有这项权限，但不及于这条记录（机构、条线、状态或封存）"))
