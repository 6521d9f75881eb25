"""制度档案: what is checked, and which firms lack which papers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from app.core import clock
from app.core.db import current_session
from app.core.pinyin import search_key
from app.core.saving import Check, on_save
from app.core.workflow import lock
from app.data.people import PolicyKind, PolicyState
from app.models.enterprise import Enterprise
from app.models.policy_document import PolicyDocument
from app.services.firm_rows import lackable, named


@on_save(PolicyDocument)
def check_policy(one: PolicyDocument, check: Check) -> None:
    """A paper that is there has a day, one that is not has none; each paper of a firm once."""
    if one.state == PolicyState.NONE and one.made_on:
        check.error("made_on", _("没有的不填日期。"))
    if one.state in {PolicyState.WRITTEN, PolicyState.SIGNED} and not one.made_on:
        check.error("made_on", _("请填写日期。"))
    if one.made_on and one.made_on > clock.today():
        check.error("made_on", _("不能晚于今天。"))
    if one.enterprise is None:
        return
    lock(one.enterprise)  # two at once: the second finds the first
    one.search_text = search_key(one.enterprise.name)
    others = select(PolicyDocument.id).where(
        PolicyDocument.enterprise_id == one.enterprise.id, PolicyDocument.kind == one.kind,
        PolicyDocument.id != (one.id or 0),
    )  # fmt: skip
    if current_session().scalar(others.limit(1)) is not None:
        check.error("kind", _("这份文件已经登记，请改原来的那一条。"))


@dataclass(frozen=True)
class Wanted:
    """Which firms: of an office, that lack one paper (""): any."""

    office_id: int | None = None
    kind: str = ""


@dataclass(frozen=True)
class Lacking:
    """A firm with the papers that it does not have."""

    id: int
    name: str
    office: str
    kinds: list[str]


def _there(kind: str = "") -> Any:
    """How many papers (or whether one) of the firm are there."""
    one = PolicyDocument
    mine = [one.enterprise_id == Enterprise.id, one.state != PolicyState.NONE]
    mine += [one.kind == kind] if kind else []
    return select(func.count(one.kind.distinct())).where(*mine).correlate(Enterprise).scalar_subquery()


def _firms(wanted: Wanted) -> Any:
    """Firms in being that lack something."""
    enough = 1 if wanted.kind else len(PolicyKind)
    found = select(Enterprise.id, _there().label("there"))
    return found.where(*lackable(PolicyDocument, wanted.office_id), _there(wanted.kind) < enough)


def size(wanted: Wanted) -> int:
    """How many firms lack something."""
    return int(current_session().scalar(select(func.count()).select_from(_firms(wanted).subquery())) or 0)


def lacking(wanted: Wanted, offset: int = 0, limit: int | None = None) -> list[Lacking]:
    """The firms, those that lack most first: three statements."""
    firms, session = _firms(wanted).subquery(), current_session()
    page = select(firms.c.id).order_by(firms.c.there, firms.c.id).offset(offset).limit(limit)
    keys = list(session.scalars(page))
    known = select(PolicyDocument.enterprise_id, PolicyDocument.kind).where(
        PolicyDocument.enterprise_id.in_(keys), PolicyDocument.state != PolicyState.NONE
    )
    there: dict[int, set[str]] = {}
    for key, kind in session.execute(known):
        there.setdefault(key, set()).add(kind)
    told = named(keys)
    return [Lacking(key, *told[key], [kind.value for kind in PolicyKind if kind not in there.get(key, set())])
            for key in keys]  # fmt: skip
