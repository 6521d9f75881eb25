"""Two roles beside each other, what differs first."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select

from app.core.db import current_session
from app.core.errors import NotFound
from app.core.fab import matrix
from app.core.fab.cells import said
from app.core.fab.shell import subjects
from app.core.office import AccessRole
from app.core.role_screen import CompareScreen, Line


def compared() -> CompareScreen:
    """The comparison that the address asks for. Raises NotFound for a role that there is none of."""
    roles = {
        str(one.id): one
        for one in current_session().scalars(select(AccessRole).order_by(AccessRole.rank.desc(), AccessRole.id))
    }
    told = request.args.get("a", ""), request.args.get("b", "")
    for key in told:
        if key and key not in roles:
            raise NotFound(_("没有这条记录，或者您无权查看。"))
    both = roles.get(told[0]), roles.get(told[1])
    lines = _lines(both[0], both[1]) if both[0] is not None and both[1] is not None else []
    return CompareScreen(
        title=_("比较两个角色"), crumbs=[(_("角色"), "/roles/")],
        choices=[(key, f"{role}（{said(role.family)}）") for key, role in roles.items()], one=told[0], other=told[1],
        names=(str(both[0] or ""), str(both[1] or "")), differing=[one for one in lines if not one.same],
        agreeing=[one for one in lines if one.same], asked=bool(lines),
    )  # fmt: skip


def _lines(one: AccessRole, other: AccessRole) -> list[Line]:
    """Every cell that either holds, in the order of the matrix."""
    left, right = (matrix.matrix(matrix.shape_of(role), subjects()) for role in (one, other))
    found = []
    for group, twin in zip(left, right, strict=True):
        for row, mate in zip(group.rows, twin.rows, strict=True):
            words = [*_words(row)], [*_words(mate)]
            for (label, mine), (_label, theirs) in zip(*words, strict=True):
                if mine != _("无") or theirs != _("无"):
                    found.append(Line(row.label, label, mine, theirs, mine == theirs))
    return found


def _words(row: matrix.MatrixRow) -> list[tuple[str, str]]:
    cells = [
        (cell.label, matrix.cells_word([[m.coverage, [v for v, _w, on in m.states if on] or None] for m in cell.marks]))
        for cell in (*row.cells, *row.steps)
    ]
    none = str(_("无"))
    hidden, readonly = (said(matrix.COLUMN_WORDS[what]) for what in ("hidden", "readonly"))
    return [*cells, (hidden, "、".join(row.hidden) or none), (readonly, "、".join(row.readonly) or none)]
