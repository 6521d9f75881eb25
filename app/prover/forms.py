"""What a form or a program would send for a row as it stands, so that a hostile value stands among good ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import inspect

from app.core import clock
from app.core.entity import Entity
from app.core.fab import fields as f
from app.core.fab.view import EntityView
from app.prover.bureau import Bureau
from app.prover.facts import Fact
from app.prover.making import whole_of

Body = dict[str, Any]


def fields_of(view: EntityView) -> Iterator[tuple[str, Any, type[Entity] | None]]:
    """(name, field class, entity it looks up) of an entity's form."""
    for name, unbound in vars(view.edit_form).items():
        kind = getattr(unbound, "field_class", None)
        if kind is not None:
            yield name, kind, unbound.kwargs.get("model")


def key_column(cls: type[Entity], relation: str) -> str:
    """The column behind a many-to-one."""
    return str(next(iter(inspect(cls).relationships[relation].local_columns)).key)


def form_of(bureau: Bureau, view: EntityView, fact: Fact) -> Body:
    """The row as its form sends it, its own child rows included."""
    body: Body = {"version": str(fact["version"]), "reason": "改"}
    for name, kind, other in fields_of(view):
        if other is not None and name in inspect(view.model).relationships:
            key = fact[key_column(view.model, name)]
            body[name] = "" if key is None else str(key)
        elif name in fact:
            body |= _typed(name, kind, fact[name])
    for relation, columns, children in child_rows(bureau, view, fact):
        for number, child in enumerate(children):
            body[f"{relation}-{number}-id"] = str(child["id"])
            body |= {f"{relation}-{number}-{name}": _text(child.get(name)) for name in columns}
    return body


def child_rows(bureau: Bureau, view: EntityView, fact: Fact) -> Iterator[tuple[str, list[str], list[Fact]]]:
    """(relation, columns, rows) of what is edited with the record."""
    for part in view.form_parts:
        for rows in part.rows:
            child: type[Entity] = inspect(view.model).relationships[rows.relation].mapper.class_
            _whole, key = whole_of(child)
            found = [one for one in bureau.facts.rows[child].values() if one[key] == fact["id"]]
            yield rows.relation, rows.columns, found


def _typed(name: str, kind: Any, value: Any) -> Body:
    if issubclass(kind, f.Tick):
        return {name: "1"} if value else {}
    if issubclass(kind, f.Bits):
        return {name: [str(bit) for bit in _bits(value)]}
    if issubclass(kind, f.Code | f.Tel | f.Json):  # what has a form of its own is left out, or kept as it is
        return {name: ""}
    return {name: _text(value)}


def _bits(value: Any) -> list[int]:
    return [1 << bit for bit in range(int(value or 0).bit_length()) if int(value) >> bit & 1]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return clock.local(value).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def json_of(bureau: Bureau, view: EntityView, fact: Fact) -> Body:
    """The row as a program sends it."""
    body: Body = {"version": fact["version"]}
    for name, kind, other in fields_of(view):
        if other is not None and name in inspect(view.model).relationships:
            found = bureau.facts.rows[other].get(fact[key_column(view.model, name)] or 0)
            body[name] = found["public_id"] if found is not None else None
        elif name in fact and issubclass(kind, f.Tick):
            body[name] = bool(fact[name])
        elif name in fact and issubclass(kind, f.Bits):
            body[name] = _bits(fact[name])
        elif name in fact and not issubclass(kind, f.Code | f.Tel | f.Json):
            body[name] = _text(fact[name]) or None
    return body
