"""A record's page: facts, parts and relations, documents, history, the steps that can be taken now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, inspect, select

from app.core.access.context import current_access
from app.core.access.fetch import may
from app.core.access.masking import is_masked
from app.core.db import current_session
from app.core.document import DocumentState, IssuedDocument
from app.core.entity import Entity
from app.core.fab.cells import base_of, cell, datetime_text, label_of, many_of, one_of, said
from app.core.fab.listing import row_of
from app.core.fab.naming import shown
from app.core.screen import Action, Badge, Cell, ChildTable, ColumnHead, Fact, FactGroup, Paper
from app.core.verbs import Verb
from app.core.workflow import reasons_against

MOST_CHILDREN = 50


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


def facts(
    row: Entity, parts: list[tuple[Any, list[str]]], *, base: str = "", revealed: frozenset[str] = frozenset()
) -> list[FactGroup]:
    """The sections of facts; empty values are left out, an empty section too.

    With the `base` of the entity's addresses, a masked value offers its whole to who may ask for it; `revealed` names
    those that were asked for.
    """
    found = []
    ask = base and may(row, Verb.REVEAL)
    for label, names in parts:
        told = [(name, _fact(row, name, f"{base}/{row.id}/reveal/{name}" if ask else "", revealed)) for name in names]
        group = [Fact(label_of(type(row), name), one, len(one.text) > 40) for name, one in told if one.text]
        if group:
            found.append(FactGroup(label, group))
    return found


def is_part(row: Entity, children: Children) -> bool:
    """Whether these related rows are parts of the record, not records of their own."""
    target: type[Entity] = inspect(type(row)).relationships[children.relation].mapper.class_
    return bool(target.__part_of__)


def _fact(row: Entity, name: str, reveal_url: str, revealed: frozenset[str]) -> Cell:
    made = cell(row, name)
    if made.text and is_masked(row, name):
        if name in revealed:
            return Cell("code", str(getattr(row, name)))
        made.reveal = reveal_url or None
    return made


def child_table(row: Entity, children: Children) -> ChildTable:
    """The newest related rows the person may see."""
    if children.of is not None:
        model, back = children.of
    else:
        relation = inspect(type(row)).relationships[children.relation]
        model, back = relation.mapper.class_, next(iter(relation.remote_side)).key
    own = getattr(model, back) == row.id
    order = model.position if hasattr(model, "position") else model.id.desc()
    columns = shown(model, children.columns)
    rows = current_session().scalars(select(model).where(own).order_by(order).limit(MOST_CHILDREN)).unique()
    base = base_of(model)
    gate = bool(children.add and base and current_access().may(model.policy_name(), Verb.CREATE))
    return ChildTable(
        label=said(children.label) or many_of(model),
        columns=[ColumnHead(name, label_of(model, name)) for name in columns],
        rows=[row_of(one, columns) for one in rows],
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


def count(model: type[Entity], *clauses: Any) -> int:
    """How many rows the person may see under these clauses."""
    return int(current_session().scalar(select(func.count(model.id)).where(*clauses)) or 0)
