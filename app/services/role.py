"""Roles that administrators make: what is checked whenever one is saved, and the check at the start."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, inspect, select

from app.core.access import limits
from app.core.access.context import current_access, has_access_context
from app.core.access.problems import HIDDEN, READONLY, Shape, role_problems
from app.core.db import current_session, unscoped
from app.core.errors import ConfigurationError
from app.core.fab.matrix import shape_of, told
from app.core.office import AccessRole, Account, Family, Posting, RoleOrigin
from app.core.saving import Check, on_save
from app.core.types import public_id
from app.core.verbs import Verb
from app.core.writing import unit_of_work


def ceiling() -> int:
    """A role that the person in context makes or changes is below this rank."""
    able = {Verb.CREATE.value, Verb.UPDATE.value}
    held = current_access().postings
    return max((one.rank for one in held if able & set(one.grants.get("AccessRole", ()))), default=0)


@on_save(AccessRole)
def check_role(role: AccessRole, check: Check) -> None:
    """Not a built-in one, nothing above the writer's rank, not the writer's own; a table without contradictions."""
    if role.origin is None:
        role.origin = RoleOrigin.CUSTOM
    if not role.code:
        role.code = f"own-{public_id()[:12]}"
    if has_access_context():
        _check_writer(role, check)
    if role.name and _named(role):
        check.error("name", _("已有同名的角色。"))
    if role.family not in set(Family):
        return
    texts: dict[str, list[str]] = defaultdict(list)
    for one in role_problems(shape_of(role)):
        texts[f"{one.entity}.{one.verb}"].append(told(one))
    for name, found in texts.items():
        check.error(name, " ".join(found))


def _check_writer(role: AccessRole, check: Check) -> None:
    if role.origin != RoleOrigin.CUSTOM:
        check.error("name", _("内置角色随程序更新，不能修改；可以复制一份再改。"))
    top = ceiling()
    old: list[int] = list(inspect(role).attrs.rank.history.deleted or ())
    if role.rank is None or not 0 <= role.rank < top or any(rank >= top for rank in old):
        check.error("rank", _("级别是 0 到 %(n)s 之间的整数：不能等于或高于您自己的级别。", n=top - 1))
    if role.id is None:
        return
    if inspect(role).attrs.family.history.deleted and _held(role):
        check.error("family", _("已有人担任这个角色，不能再改账号类别。"))
    if _held(role, current_access().person.person_key):
        check.error("name", _("不能修改自己担任的角色。"))


def _held(role: AccessRole, person_key: str | None = None) -> bool:
    """Whether somebody was ever posted as this role; with a key, whether that person was. Whoever asks."""
    with unscoped("who holds a role", quiet=True) as session:
        asked = select(Posting.id).join(Account, Posting.account_id == Account.id).where(Posting.role_id == role.id)
        if person_key is not None:
            asked = asked.where(Account.person_key == person_key)
        return session.scalar(asked.limit(1)) is not None


def _named(role: AccessRole) -> bool:
    same = select(func.count(AccessRole.id)).where(AccessRole.name == role.name)
    return bool(current_session().scalar(same.where(AccessRole.id != role.id) if role.id else same))


def stored_problems() -> list[str]:
    """What is wrong with the roles in the database (unscoped), each with the role it is in."""
    found = []
    for role in current_session().scalars(select(AccessRole).order_by(AccessRole.id)):
        shape = shape_of(role)
        if shape.custom or limits.baseline.families.get(role.code) == role.family:
            found += [f"role {role.code} ({role.name}): {one}" for one in role_problems(shape)]
    return found


def require_sound_roles() -> None:
    """Raise ConfigurationError when a stored role contradicts itself: nobody may work under a table like that."""
    if found := stored_problems():
        raise ConfigurationError(
            "the policy table contradicts itself; `python -m app mend-roles` takes the cells below away:\n"
            + "\n".join(found)
        )


def without_problems(shape: Shape) -> Shape:
    """The same without the cells that contradict; without whole entities where nothing else helps."""
    grants, hidden, readonly = (
        {name: dict(part) if isinstance(part, dict) else part for name, part in table.items()}
        if isinstance(table, dict)
        else {}
        for table in (shape.grants, shape.hidden, shape.readonly)
    )
    mended = replace(shape, grants=grants, hidden=hidden, readonly=readonly)
    while found := role_problems(mended):
        for one in found:
            _take(one.entity, one.verb, grants, {HIDDEN: hidden, READONLY: readonly})
    return mended


def _take(entity: str, verb: str, grants: dict[str, Any], columns: dict[str, dict[str, Any]]) -> None:
    cells = grants.get(entity)
    if verb in columns:
        columns[verb].pop(entity, None)
    elif verb and isinstance(cells, dict):
        cells.pop(verb, None)
        if not cells:
            grants.pop(entity, None)
    else:
        grants.pop(entity, None)


def mend_roles() -> list[str]:
    """Take the contradicting cells out of administrators' roles (unscoped). Returns what was taken."""
    found = stored_problems()
    with unit_of_work(Verb.UPDATE, "去掉自相矛盾的权限"):
        for role in current_session().scalars(select(AccessRole).where(AccessRole.origin == RoleOrigin.CUSTOM)):
            shape = shape_of(role)
            if role_problems(shape):
                mended = without_problems(shape)
                role.grants, role.hidden = dict(mended.grants), dict(mended.hidden)
                role.readonly = dict(mended.readonly)
    return found
