"""Hidden columns are not there: neither by name, nor in what is made of them.

By name: `concealed` says so of a column, a relationship, a column at its other end, a computed value and a search key.
In values: what a reading request loads has nothing in the columns that are hidden from its person, so that no text, no
second line of a suggestion and no paper drawn from live rows can tell it. Inside a unit of work rows are whole: rules
that check and compute must not work on gaps, and nothing of theirs is shown.
"""

from __future__ import annotations

from inspect import getattr_static, unwrap
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import JSON, String, Text, event, inspect
from sqlalchemy.orm import QueryContext, object_session
from sqlalchemy.orm.attributes import set_committed_value

from app.core import entity
from app.core.access.context import Access, current_access, has_access_context
from app.core.entity import Entity
from app.core.verbs import Verb


def concealed(model: type[Entity], name: str) -> bool:
    """Whether no posting of the person shows this: a column, a relationship, its other end's column, a computed one."""
    compiled, key = current_access().compiled, ("concealed", model, name)
    if key not in compiled:
        compiled[key] = _concealed(model, name)
    found: bool = compiled[key]
    return found


def _concealed(model: type[Entity], name: str) -> bool:
    head, _dot, rest = name.partition(".")
    mapper, hidden = inspect(model), current_access().hidden(model.policy_name())
    relation = mapper.relationships.get(head)
    keys = {column.key for column in relation.local_columns} if relation is not None else set()
    if relation is not None and relation.direction.name != "MANYTOONE":
        keys = set()
    if head in hidden or keys & hidden:
        return True
    if rest:
        return relation is not None and concealed(relation.mapper.class_, rest)
    if relation is not None:
        return False
    read = getattr(getattr_static(model, head, None), "__reads__", "")
    if read and not current_access().may(read, Verb.READ):
        return True
    return any(concealed(model, one) for one in made_of(model, head))


def made_of(model: type[Entity], name: str) -> tuple[str, ...]:
    """What a derived column or a computed value is made of."""
    column = inspect(model).columns.get(name)
    if column is not None:
        return tuple(column.info.get("of", ()))
    getter = getattr(getattr_static(model, name, None), "fget", None)
    return _named_in(model, getter) if getter is not None else ()


def withheld(model: type[Entity]) -> frozenset[str]:
    """What of a form the person may not fill in: columns that are hidden or read-only, relationships of such keys."""
    return current_access().readonly(model.policy_name())


def _named_in(model: type[Entity], function: Any) -> tuple[str, ...]:
    """The attributes of the model that a function names."""
    code, mapper = getattr(function, "__code__", None), inspect(model)
    names = code.co_names if code is not None else ()
    return tuple(name for name in names if name in mapper.columns or name in mapper.relationships)


def nameless(row: Entity, function: Any) -> str | None:
    """What a row is called when its own name would be made of what is hidden; None when it would not."""
    if not has_access_context():
        return None
    model = type(row)
    if not _tells(current_access(), model, function):
        return None
    return f"{_(str(model.__label__))} {row.id or ''}".strip()


def names_hidden(access: Access, model: type[Entity]) -> bool:
    """Whether rows of a model are called after something that is hidden from a person, their own or of what they are
    named by: for papers, which freeze a name that others read than who writes it."""
    others = [inspect(model).relationships[name].mapper.class_ for name in model.__named_by__]
    return any(_tells(access, one, unwrap(one.__str__)) for one in (model, *others))


def _tells(access: Access, model: type[Entity], function: Any) -> bool:
    """Whether a model's own text, as this function makes it, is made of what is hidden from a person."""
    hidden = access.hidden(model.policy_name())
    names = function.__code__.co_names
    return any(name in names or (name == "name" and "getattr" in names) for name in hidden)


entity.nameless[:] = [nameless]


@event.listens_for(Entity, "load", propagate=True)
def _on_load(row: Entity, context: QueryContext | None) -> None:
    _veil(row, context)


@event.listens_for(Entity, "refresh", propagate=True)
def _on_refresh(row: Entity, context: QueryContext | None, _names: Any) -> None:
    _veil(row, context)


def _veil(row: Entity, context: QueryContext | None) -> None:
    session = context.session if context is not None else object_session(row)  # merging a row asks nothing
    info = session.info if session is not None else {}
    if "unscoped" in info or "unit" in info or not has_access_context():
        return
    hidden = current_access().hidden(row.policy_name())
    columns = inspect(type(row)).columns
    for name in hidden & row.__dict__.keys() & set(columns.keys()):  # what a key points at is left out by its name
        column = columns[name]
        if not column.info.get("system"):  # state and keys of core's decide; cells leave them out
            set_committed_value(row, name, None if column.nullable else _nothing(column.type))


def _nothing(kind: Any) -> Any:
    """What stands in a column that is never empty: nothing of its kind, where the kind has that."""
    if isinstance(kind, (String, Text)):
        return ""
    return {} if isinstance(kind, JSON) else None
