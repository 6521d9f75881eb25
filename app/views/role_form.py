"""The form of a role: its fields, its matrix to be ticked, what is wrong and where, both versions of a clash."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _

from app.core.access import limits
from app.core.access.problems import Problem, Shape
from app.core.clash_screen import Clash, ClashField
from app.core.entity import registry
from app.core.errors import Conflict
from app.core.fab import matrix, trail
from app.core.fab.cells import said
from app.core.fab.shell import subjects
from app.core.office import AccessRole
from app.core.role_screen import RoleForm
from app.core.screen import Field, FormError
from app.core.verbs import VERB_WORDS
from app.services.role import ceiling


@dataclass
class Draft:
    """A role as it stands in its form: what is stored or was typed and ticked, and what is wrong with it."""

    role: AccessRole | None
    source: AccessRole | None
    name: str
    rank: str
    shape: Shape
    problems: list[Problem] = field(default_factory=list)
    errors: dict[str, Any] = field(default_factory=dict)
    clash: Clash | None = None


def form_page(draft: Draft) -> str:
    """The form."""
    role, shape, told = draft.role, draft.shape, draft.errors
    top = ceiling() - 1
    fields = [
        Field("name", "name", _("名称"), value=draft.name, required=True, maxlength=40,
              errors=_listed(told.get("name"))),
        Field("rank", "rank", _("级别"), "number", draft.rank, required=True, errors=_listed(told.get("rank")),
              help=_("0 到 %(n)s：级别高的角色能授予级别低的；有些权限只有较高级别的角色才能有。", n=top)),
    ]  # fmt: skip
    groups = matrix.matrix(shape, subjects(), draft.problems)
    title = _("修改角色：%(name)s", name=role) if role is not None else _("新建角色")
    screen = RoleForm(
        title=title, crumbs=[(_("角色"), "/roles/")] + ([(str(role), f"/roles/{role.id}")] if role else []),
        action=request.path, cancel_url=f"/roles/{role.id}" if role is not None else "/roles/", fields=fields,
        family=shape.family or "", family_word=said(shape.family or ""), groups=groups,
        version=str(role.version) if role is not None else "",
        heads=heads(), coverages=legend(shape.family or ""), errors=_summary(fields, groups, draft.problems, told),
        conflict=draft.clash, source=str(draft.source.id) if draft.source is not None else "",
    )  # fmt: skip
    return render_template("role_form.html", screen=screen)


def _listed(text: Any) -> list[str]:
    return [str(text)] if text else []


def _summary(fields: list[Field], groups: list[Any], problems: list[Problem], told: dict[str, Any]) -> list[FormError]:
    """Every error with a link to its place."""
    found = [FormError(one.id, one.label, " ".join(one.errors)) for one in fields if one.errors]
    rows = {row.entity: row for group in groups for row in group.rows}
    for one in problems:
        row = rows.get(one.entity)
        word = matrix.entity_word(one.entity)
        label = f"{word} · {_column_or_verb(one)}" if one.verb else word
        place = f"c-{one.entity}-{one.verb}" if one.verb else f"m-{one.entity}"
        found.append(FormError(place if row else "", label, matrix.told(one)))
    rest = set(told) - {"name", "rank"} - {f"{one.entity}.{one.verb}" for one in problems}
    return found + [FormError("", name, str(told[name])) for name in sorted(rest)]


def _column_or_verb(problem: Problem) -> str:
    if problem.verb in matrix.COLUMN_WORDS:
        return said(matrix.COLUMN_WORDS[problem.verb])
    return matrix.verb_word(registry().get(problem.entity), problem.verb)


def clash_of(role: AccessRole, typed: tuple[str, str], mine: Shape, error: Conflict) -> Clash:
    """Both versions in words: what is stored now, what was ticked."""
    last = next(iter(trail.events(role, limit=1)[0]), None)
    now = matrix.shape_of(role)
    lines = [(_("名称"), role.name, typed[0]), (_("级别"), str(role.rank), typed[1])]
    lines = [line for line in lines if line[1] != line[2]]
    lines += [*matrix.changes(now.grants, mine.grants), *matrix.column_changes("hidden", now.hidden, mine.hidden)]
    lines += matrix.column_changes("readonly", now.readonly, mine.readonly)
    fields = [ClashField("", what, theirs, yours) for what, theirs, yours in lines]
    return Clash(str(error), last.who if last else "", last.at if last else "", fields)


def heads() -> list[tuple[str, str]]:
    """The columns of the matrix."""
    return [(verb.value, said(VERB_WORDS[verb])) for verb in limits.FIRST]


def legend(family: str) -> list[tuple[str, str, str]]:
    """The coverages that roles of the family use: value, word, meaning."""
    used = {one for limit in limits.of_family(family).values() for one in limit.coverages}
    return [(one.value, said(word), said(text)) for one, (word, text) in matrix.COVERAGES.items() if one in used]


def rank_of(typed: str) -> int | None:
    """None for what is no small whole number: the check says so beside the field."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else None


def whole(typed: str) -> int:
    return rank_of(typed) or 0
