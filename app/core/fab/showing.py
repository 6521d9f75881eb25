"""A record's page: facts, parts and relations, documents, history, the steps that can be taken now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, inspect, or_, select

from app.core.access.context import current_access
from app.core.access.fetch import may
from app.core.db import current_session, unscoped
from app.core.document import DocumentState, IssuedDocument
from app.core.entity import Entity, registry
from app.core.fab.cells import base_of, cell, datetime_text, label_of, many_of, one_of, said
from app.core.fab.listing import row_of
from app.core.history import HistoryEntry, HistoryLink
from app.core.screen import Action, Badge, ChildTable, ColumnHead, Event, Fact, FactGroup, Paper
from app.core.verbs import Verb
from app.core.workflow import reasons_against

MOST_CHILDREN = 50
MOST_EVENTS = 30
VERB_WORDS = {
    Verb.READ: "查看", Verb.EXPORT: "导出", Verb.REVEAL: "查看全文",
    Verb.CREATE: "新建", Verb.UPDATE: "修改", Verb.DELETE: "删除", Verb.SUBMIT: "提交", Verb.REVIEW: "审核通过",
    Verb.RETURN: "退回", Verb.SIGN: "签发", Verb.SERVE: "送达", Verb.VOID: "作废", Verb.REVOKE: "撤销",
    Verb.COMPLETE: "完成", Verb.CONFIRM: "确认", Verb.PRINT: "生成文书", Verb.IMPORT: "导入", Verb.END: "结束",
}  # fmt: skip


@dataclass(frozen=True)
class Children:
    """Rows of another entity shown on a record's page: the relationship, its columns, whether one may be added.

    `of` names the entity and its key column instead of a relationship: a relationship back would make every statement
    about this entity carry the other's criteria too.
    """

    relation: str
    columns: list[str]
    add: str = ""  # name of the parent in the child's add form, for prefilling
    label: Any = ""
    of: tuple[type[Entity], str] | None = None


def facts(row: Entity, parts: list[tuple[Any, list[str]]]) -> list[FactGroup]:
    """The sections of facts; empty values are left out, an empty section too."""
    found = []
    for label, names in parts:
        shown = [(name, cell(row, name)) for name in names]
        group = [Fact(label_of(type(row), name), one, len(one.text) > 40) for name, one in shown if one.text]
        if group:
            found.append(FactGroup(label, group))
    return found


def child_table(row: Entity, children: Children) -> ChildTable:
    """The newest related rows the person may see."""
    if children.of is not None:
        model, back = children.of
    else:
        relation = inspect(type(row)).relationships[children.relation]
        model, back = relation.mapper.class_, next(iter(relation.remote_side)).key
    own = getattr(model, back) == row.id
    order = model.position if hasattr(model, "position") else model.id.desc()
    rows = current_session().scalars(select(model).where(own).order_by(order).limit(MOST_CHILDREN)).unique()
    base = base_of(model)
    gate = bool(children.add and base and current_access().may(model.policy_name(), Verb.CREATE))
    return ChildTable(
        label=said(children.label) or many_of(model),
        columns=[ColumnHead(name, label_of(model, name)) for name in children.columns],
        rows=[row_of(one, children.columns) for one in rows],
        add_url=f"{base}/add?{children.add}={row.id}" if gate else None,
        add_label=_("新建%(what)s", what=one_of(model)),
        empty_text=_("还没有%(what)s。", what=one_of(model)),
    )


def actions(row: Entity, base: str) -> list[Action]:
    """The steps this person can take on this row now."""
    if row.__workflow__ is None:
        return []
    return [
        Action(_(str(step.label)), f"{base}/{row.id}/do/{step.name}", step.kind)
        for step in row.__workflow__.leaving(getattr(row, row.__workflow__.column))
        if may(row, step.verb) and not reasons_against(row, step)
    ]


def papers(row: Entity) -> list[Paper]:
    """The documents about a record that the person may see."""
    tones: dict[str, str] = {DocumentState.VALID: "success", DocumentState.RENDERING: "info"}
    rows = current_session().scalars(
        select(IssuedDocument)
        .where(IssuedDocument.entity == type(row).__name__, IssuedDocument.row_id == row.id)
        .order_by(IssuedDocument.id.desc())
    )
    return [
        Paper(said(one.title), one.number, f"/documents/{one.public_id}",
              Badge(_(one.state), tones.get(one.state, "warning")), datetime_text(one.issued_at))
        for one in rows
    ]  # fmt: skip


def events(row: Entity) -> list[Event]:
    """The record's history, newest first. Who may read the record reads what happened to it, hidden columns apart."""
    name, key = type(row).__name__, row.id
    linked = (
        select(HistoryLink.id)
        .where(HistoryLink.office_id == HistoryEntry.office_id, HistoryLink.seq == HistoryEntry.seq,
               HistoryLink.entity == name, HistoryLink.row_id == key)
        .exists()
    )  # fmt: skip
    mine = or_((HistoryEntry.entity == name) & (HistoryEntry.row_id == key), linked)
    hidden = current_access().hidden(row.policy_name())
    with unscoped("history of a record one may read", quiet=True) as session:
        entries = session.scalars(select(HistoryEntry).where(mine).order_by(HistoryEntry.id.desc()).limit(MOST_EVENTS))
        parts = {cls.__name__ for cls in registry().values() if cls.__part_of__} | {name}
        return [_event(entry, name, key, parts, hidden) for entry in entries]


def _event(entry: HistoryEntry, name: str, key: int, parts: set[str], hidden: frozenset[str]) -> Event:
    body = json.loads(entry.body)
    classes = registry()
    changes = []
    for entity, row_id, op, fields in body["changes"]:
        if entity not in parts or (entity == name and row_id != key) or entity not in classes:
            continue
        shown = {} if op == "+" and entity == name else fields
        changes += [
            {
                "field": _label(classes[entity], column),
                "old": _shown(classes[entity], column, old),
                "new": _shown(classes[entity], column, new),
            }
            for column, (old, new) in shown.items()
            if column not in hidden and not _internal(classes[entity], column)
        ]
    actor = body["actor"][1] if body["actor"] else _("系统")
    return Event(
        datetime_text(entry.at),
        actor,
        said(VERB_WORDS.get(Verb(entry.verb), entry.verb)),
        said(body["reason"]),
        changes,
    )


def _label(model: type[Entity], column: str) -> str:
    return label_of(model, column) if column in inspect(model).columns else column


def _internal(model: type[Entity], column: str) -> bool:
    """Keys and scope columns say nothing to people."""
    mapped = inspect(model).columns.get(column)
    return (
        mapped is None
        or mapped.info.get("derived")
        or column.endswith("_id")
        or column in {"public_id", "lines", "position"}
    )


def _shown(model: type[Entity], column: str, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "" if value is None else _("是") if value else _("否")
    flow = model.__workflow__
    ours = inspect(model).columns[column].info.get("choices") or (flow is not None and flow.column == column)
    return said(value) if ours else str(value)


def count(model: type[Entity], *clauses: Any) -> int:
    """How many rows the person may see under these clauses."""
    return int(current_session().scalar(select(func.count(model.id)).where(*clauses)) or 0)
