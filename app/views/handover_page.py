"""The page on which one person's open work is handed to others, and the rows of a hand-over that was made."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from app.core import clock
from app.core.access.context import current_access
from app.core.db import current_session
from app.core.entity import registry
from app.core.errors import Invalid
from app.core.fab.cells import date_text, label_of, name_of, said, url_of
from app.core.fab.naming import named_by
from app.core.handover import WENT, Handover, HandoverLine
from app.core.moving import Parcel
from app.core.office import Posting
from app.core.open_work import Kind, Left, count_open, kinds, open_rows
from app.core.screen import Cell, ChildTable, ColumnHead, Field, FormError, Row
from app.core.successors import Successor
from app.services.handover import kind_named, receivers, why_of

SHOWN = 50  # rows of a kind with a tick each; the rest goes or stays as one
MOST_ROWS = 20_000  # of a kind in one act
MOST_LINES = 200
NOBODY = "-"
ROW = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")


def parcels(form: MultiDict[str, str]) -> list[Parcel]:
    """What the form chose: by kind the receiver and the rows with the version that was seen. Raises Invalid."""
    found = []
    general = form.get("to", "")
    for key in sorted({name.partition("-")[2] for name in form if name.startswith(("row-", "rest-"))}):
        kind = kind_named(key)
        receiver = form.get(f"to-{key}", "") or general
        if kind is None or receiver in {"", NOBODY}:
            continue
        if not (receiver.isascii() and receiver.isdigit() and len(receiver) < 18):
            raise Invalid(_("有内容需要改正，尚未保存。"), {f"to-{key}": _("不在可选范围内。")})
        chosen = form.getlist(f"row-{key}")
        if form.get(f"all-{key}") == "1":
            chosen = [*chosen, *form.get(f"rest-{key}", "").split()]
        found.append(Parcel(kind, int(receiver), tuple(_rows(key, chosen))))
    return found


def _rows(key: str, chosen: list[str]) -> list[tuple[int, int]]:
    """Keys with versions, each key once."""
    told = [ROW.fullmatch(one) for one in chosen]
    if len(told) > MOST_ROWS or not all(told):
        raise Invalid(_("有内容需要改正，尚未保存。"), {f"to-{key}": _("这一页不完整，请重新打开。")})
    return list({int(one[1]): int(one[2]) for one in told if one}.items())


def render(posting: Posting, left: Left, crumbs: list[Any], fields: Mapping[str, Any], loose: list[str]) -> str:
    """The page, with what was chosen and what is wrong with it."""
    counts = count_open(left)
    asked = [kind for kind in kinds() if kind.key in counts]
    people = receivers(left, _places(left, asked))
    sections = [_section(kind, left, people, counts[kind.key], fields) for kind in asked if not kind.charge.told]
    told = [
        _("%(what)s %(n)s 件", what=said(kind.charge.label), n=counts[kind.key]) for kind in asked if kind.charge.told
    ]
    able = [one for one in people if any(kind["key"] in one.able for kind in sections)]
    screen = {
        "title": _("移交工作：%(name)s", name=left.account.name), "crumbs": crumbs, "action": request.path,
        "facts": _facts(posting, left), "sections": sections, "told": "；".join(told),
        "to": _select("to", _("全部移交给"), able, str(fields.get("to", "")), _("请选择"), nobody=False),
        "reason": _reason(fields), "errors": _errors(fields, loose), "cancel_url": f"/offices/{posting.office_id}",
        "shared": posting.holds(clock.today()) and left.account.active,
    }  # fmt: skip
    return render_template("entity/handover.html", screen=screen)


def _places(left: Left, asked: list[Kind]) -> set[int]:
    """The offices of the rows themselves: below the posting's own, somebody there may go on with them."""
    if len(left.offices) < 2:
        return set(left.offices)
    found: set[int] = set()
    for kind in asked:
        if hasattr(kind.cls, "office_id") and not (kind.charge.told or kind.charge.anywhere):
            asked_for = select(kind.cls.office_id).where(*left.rows_of(kind, clock.today()))
            found |= set(current_session().scalars(asked_for.distinct()))
    return found


def _facts(posting: Posting, left: Left) -> list[tuple[str, str]]:
    ends = date_text(posting.date_to) if posting.date_to else _("未定")
    return [
        (label_of(Posting, "account"), left.account.name),
        (label_of(Posting, "role"), said(posting.title or posting.role.name)),
        (label_of(Posting, "office"), str(posting.office)),
        (label_of(Posting, "date_from"), date_text(posting.date_from)),
        (label_of(Posting, "date_to"), str(ends)),
        (label_of(Handover, "kind"), said(why_of(left))),
    ]


def _section(kind: Kind, left: Left, people: list[Successor], count: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """One kind: who may take it, the first rows by name, the others as one."""
    rows = open_rows(kind, left)[:MOST_ROWS]
    names = _names(kind, [key for key, _version in rows[:SHOWN]])
    able = [one for one in people if kind.key in one.able]
    return {
        "key": kind.key, "label": said(kind.charge.label), "count": count,
        "hint": _("由他本人的授权，不转给别人，移交时终止。") if kind.charge.ends and not kind.charge.renews else "",
        "to": _select(f"to-{kind.key}", _("接收人"), able, str(fields.get(f"to-{kind.key}", "")), _("同上")),
        "rows": [(f"{key}.{version}", *names[key]) for key, version in rows[:SHOWN] if key in names],
        "ticked": set(request.form.getlist(f"row-{kind.key}")) if request.method == "POST" else None,
        "rest": " ".join(f"{key}.{version}" for key, version in rows[SHOWN:]), "more": len(rows[SHOWN:]),
    }  # fmt: skip


def _names(kind: Kind, keys: list[int]) -> dict[int, tuple[str, str | None]]:
    asked = select(kind.cls).where(kind.cls.id.in_(keys)).options(*named_by(kind.cls))
    return {row.id: _named(row) for row in current_session().scalars(asked).unique()}


def _named(row: Any) -> tuple[str, str | None]:
    """A row's name and page; of what is about another row, that one's."""
    if row.__about__ is not None:
        entity, key = (getattr(row, name) for name in row.__about__)
        other = registry().get(entity)
        row = (current_session().get(other, key) if other is not None else None) or row
    return name_of(row), url_of(row)


def _select(name: str, label: str, people: list[Successor], error: str, blank: str, *, nobody: bool = True) -> Field:
    choices = [("", blank), *((str(one.account_id), f"{one.name}（{said(one.title)}）") for one in people)]
    if nobody:
        choices.append((NOBODY, _("暂不移交")))
    return Field(id=name, name=name, label=label, kind="select", choices=choices, value=request.form.get(name, ""),
                 errors=[error] if error else [])  # fmt: skip


def _reason(fields: Mapping[str, Any]) -> Field:
    errors = [str(fields["reason"])] if "reason" in fields else []
    return Field(id="reason", name="reason", label=_("说明"), kind="textarea", value=request.form.get("reason", ""),
                 required=True, wide=True, maxlength=500, rows=2, errors=errors,
                 help=_("写进每一件工作的历史和移交清单。"))  # fmt: skip


def _errors(fields: Mapping[str, Any], loose: list[str]) -> list[FormError]:
    return [FormError("", "", text) for text in loose] + [
        FormError(name, "", str(text)) for name, text in fields.items()
    ]


# -- a hand-over that was made ----------------------------------------------------------------------------------------


def lines(handover: Handover) -> list[ChildTable]:
    """Counts by kind, and the first rows by name, as far as the reader may read each."""
    asked = select(HandoverLine.kind, HandoverLine.outcome, func.count()).where(HandoverLine.handover_id == handover.id)
    counted: dict[str, Counter[bool]] = defaultdict(Counter)
    for kind, outcome, number in current_session().execute(asked.group_by(HandoverLine.kind, HandoverLine.outcome)):
        counted[kind][outcome in WENT] += number
    heads = [ColumnHead(str(n), label) for n, label in enumerate((_("类别"), _("已移交"), _("未移交")))]
    rows = []
    for kind, numbers in sorted(counted.items()):
        cells = [Cell("number", str(numbers[went])) for went in (True, False)]
        rows.append(Row("", said(kind), [Cell("text", said(kind)), *cells]))
    return [ChildTable(_("按类别的件数"), heads, rows, empty_text=""), _items(handover)]


def _items(handover: Handover) -> ChildTable:
    first = select(HandoverLine).where(HandoverLine.handover_id == handover.id).order_by(HandoverLine.position)
    found = list(current_session().scalars(first.limit(MOST_LINES)))
    names = _names_of(found)
    heads = [ColumnHead(name, label_of(HandoverLine, name)) for name in ("row_id", "kind", "outcome")]
    rows = []
    for line in found:
        name, url = names.get((line.entity, line.row_id), (_("（您无权查看，或已不存在）"), None))
        tone = "success" if line.outcome in WENT else "warning"
        cells = [Cell("text", name), Cell("text", said(line.kind)), Cell("state", said(line.outcome), tone=tone)]
        rows.append(Row(url or "", name, cells))
    total = handover.total + handover.kept
    label = _("移交事项") if total <= MOST_LINES else _("移交事项（前 %(n)s 件，全部见移交清单）", n=MOST_LINES)
    return ChildTable(label, heads, rows, empty_text="")


def _names_of(found: list[HandoverLine]) -> dict[tuple[str, int], tuple[str, str | None]]:
    """One statement a kind of record."""
    by_entity: dict[str, list[int]] = defaultdict(list)
    for line in found:
        by_entity[line.entity].append(line.row_id)
    names = {}
    for entity, keys in by_entity.items():
        if (cls := registry().get(entity)) is not None:
            rows = current_session().scalars(select(cls).where(cls.id.in_(keys)).options(*named_by(cls))).unique()
            names.update({(entity, row.id): _named(row) for row in rows})
    return names


def own_posting(handover: Handover) -> int | None:
    """A posting in force of the receiver at the office, whose page hands work on."""
    mine = (Posting.account_id == current_access().person.id, Posting.office_id == handover.office_id)
    return current_session().scalar(select(Posting.id).where(*mine, Posting.in_force(clock.today())).limit(1))
