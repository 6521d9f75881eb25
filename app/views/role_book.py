"""Roles as a workbook for an auditor: a sheet a role, and one of who holds what, where, since when, until when."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.fab.cells import said
from app.core.fab.matrix import MatrixCell, MatrixGroup
from app.core.lines import line_text
from app.core.office import AccessRole, Posting
from app.core.tables import Table, TableColumn, at_once


def note(what: str) -> str:
    """The line under a sheet's title: what it is, when, by whom."""
    access = current_access()
    chief = access.chief_posting
    who = f"{access.person.name}（{said(chief.title)}）" if chief else access.person.name
    at = f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"
    return str(_("%(what)s　时间：%(at)s　导出人：%(who)s", what=what, at=at, who=who))


def role_sheet(role: AccessRole, groups: list[MatrixGroup]) -> Table:
    """Entity × act, coverage, states; the columns that the role does not show or may not change."""
    rows = [
        (group.label, row.label, *line)
        for group in groups
        for row in group.rows
        for line in [*_acts([*row.cells, *row.steps]), *_columns(row.hidden, row.readonly)]
    ]
    heads = [_("类别"), _("对象"), _("操作"), _("范围"), _("限于状态"), _("隐藏的列"), _("只读的列")]
    what = _("账号类别：%(family)s　级别：%(rank)s　来源：%(origin)s",
             family=said(role.family), rank=role.rank, origin=said(role.origin))  # fmt: skip
    return _table(str(role), what, heads, rows)


def _acts(cells: list[MatrixCell]) -> list[tuple[str, ...]]:
    return [
        (cell.label, mark.word, "、".join(mark.only) or _("任何状态"), "", "") for cell in cells for mark in cell.marks
    ]


def _columns(hidden: list[str], readonly: list[str]) -> list[tuple[str, ...]]:
    return [("", "", "", "、".join(hidden), "、".join(readonly))] if hidden or readonly else []


def holders_sheet(roles: list[int]) -> Table:
    """Every posting as one of these roles that the person may see, ended ones too."""
    found = (
        select(Posting).where(Posting.role_id.in_(roles)).order_by(Posting.office_id, Posting.account_id, Posting.id)
    )
    rows = [_holding(one) for one in current_session().scalars(found).unique()]
    heads = [_("机构"), _("人员"), _("登录名"), _("角色"), _("职务"), _("条线"), _("任职起"), _("任职止"), _("状态")]
    return _table(str(_("谁任什么职")), str(_("只列出您可以查看的任职")), heads, rows, {6: "date", 7: "date"})


def _holding(one: Posting) -> tuple[Any, ...]:
    account, today = one.account, clock.today()
    ended = one.date_to is not None and one.date_to < today
    state = _("未开始") if one.date_from > today else _("已结束") if ended else _("在任")
    return (str(one.office), account.name if account else "", account.username if account else "", str(one.role),
            said(one.title), line_text(one.lines) or _("全部"), one.date_from, one.date_to, state)  # fmt: skip


def _table(
    title: str, what: str, heads: list[Any], rows: list[tuple[Any, ...]], kinds: dict[int, str] | None = None
) -> Table:
    columns = [TableColumn(str(head), (kinds or {}).get(n, "text")) for n, head in enumerate(heads)]
    return Table(title, note(what), columns, at_once(rows))
