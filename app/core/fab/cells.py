"""Values as people read them: a cell for any column or relationship of any row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from inspect import getattr_static
from typing import Any, cast

from flask_babel import format_date, pgettext
from flask_babel import gettext as _
from sqlalchemy import inspect, select

from app.core import clock
from app.core.access.context import current_access, has_access_context
from app.core.access.masking import is_masked, masked
from app.core.access.veil import concealed
from app.core.db import current_session
from app.core.entity import Entity, Scope, registry
from app.core.lines import line_text
from app.core.office import Account
from app.core.screen import Badge, Cell
from app.core.verbs import Verb


def said(text: Any) -> str:
    """A text of the program in the person's language; nothing for nothing (gettext answers "" with its own head)."""
    return str(_(str(text))) if text else ""


def one_of(model: type[Entity]) -> str:
    """What an entity is called inside a sentence: languages with capitals take the small one."""
    name = said(model.__label__)
    return name[:1].lower() + name[1:]


def many_of(model: type[Entity]) -> str:
    """What several rows of an entity are called: the head of a list."""
    return str(pgettext("list", str(model.__label__)))


def label_of(model: type[Entity], name: str) -> str:
    """The label of a column, or of the relationship that stands for its key, in the person's language."""
    mapper = inspect(model)
    head, _dot, rest = name.partition(".")
    if rest:
        return label_of(mapper.relationships[head].mapper.class_, rest)
    if name in mapper.relationships:
        relation = mapper.relationships[name]
        if relation.direction.name == "MANYTOONE":
            return said(next(iter(relation.local_columns)).info.get("label") or relation.mapper.class_.__label__)
        return many_of(relation.mapper.class_)
    if name in mapper.columns:
        return said(mapper.columns[name].info.get("label", name))
    return said(getattr(getattr_static(model, name), "__label__", name))  # static: a hybrid is not asked for SQL


def cell(row: Entity, name: str, *, link: bool = True) -> Cell:
    """The cell of `name` (a column, a property, a relationship, or relationship.column) of a row."""
    if "." in name:
        head, _dot, rest = name.partition(".")
        other = getattr(row, head)
        return cell(other, rest, link=False) if other is not None else Cell()
    if concealed(type(row), name):
        return Cell()
    value = getattr(row, name)
    if value is None or value == "":
        return Cell()
    if isinstance(value, (Badge, Entity)):
        return _object_cell(value, link=link)
    info = _info(cast("Any", type(row)), name)
    flow = row.__workflow__
    tones = flow.tones if flow is not None else row.__tones__
    if name == row.state_column() and (tones or flow is not None):
        return Cell("state", _(value), tone=tones.get(value, "neutral"))
    if is_masked(row, name):
        return Cell("code", masked(value))
    if isinstance(value, int) and (other_class := target_of(type(row), name)) is not None:
        return _key_cell(row, name, other_class, value, link=link)
    return _plain_cell(value, info)


@cache
def _info(model: type[Any], name: str) -> dict[str, Any]:
    """What the declaration says of a column; nothing of what is none."""
    column = inspect(model).columns.get(name)
    return column.info if column is not None else {}


def _object_cell(value: Badge | Entity, *, link: bool) -> Cell:
    if isinstance(value, Badge):
        return Cell("text", value.text, tone=value.tone)
    return Cell("link", str(value), url=url_of(value) if link else None)


def _key_cell(row: Entity, name: str, target: type[Entity], key: int, *, link: bool) -> Cell:
    """The name of the row that a key points at; nothing when the person may not read that row."""
    relation = next((one for one in inspect(type(row)).relationships if _stands_for(one, name)), None)
    if relation is not None:
        other = getattr(row, relation.key)
    else:
        other = current_session().scalars(select(target).where(target.id == key)).unique().one_or_none()
    return Cell("link", name_of(other), url=url_of(other) if link else None) if other is not None else Cell()


def _stands_for(relation: Any, name: str) -> bool:
    return bool(relation.direction.name == "MANYTOONE" and next(iter(relation.local_columns)).key == name)


def target_of(model: type[Entity], name: str) -> type[Entity] | None:
    """The entity whose key a column holds, or None: by its foreign key, or as one of core's own columns."""
    found: type[Entity] | None = _target_of(cast("Any", model), name)
    return found


@cache
def _target_of(model: type[Any], name: str) -> type[Entity] | None:
    column = inspect(model).columns.get(name)
    if column is None or name == "id":
        return None
    classes = registry().values()
    table = next((key.column.table for key in column.foreign_keys), None)
    found: type[Entity] | None = None
    if table is not None:
        found = next((cls for cls in classes if inspect(cls).local_table is table), None)
    elif name == "made_by_id":
        found = Account
    elif name in {"enterprise_id", "site_id"}:
        found = next((cls for cls in classes if f"{getattr(cls, '__firm_key__', '')}_id" == name), None)
    readable = found is not None and (bool(found.__part_of__) or found.__scope__ is not Scope.SYSTEM)
    return found if readable else None


def name_of(row: Entity) -> str:
    """What a row is called; one whose name is made of rows the person may not read goes by its number."""
    try:
        return str(row)
    except AttributeError:
        return f"{said(row.__label__)} {row.id}"


def word_of(info: Mapping[str, Any], value: Any) -> str:
    """What a stored value is called, by the `words` of its column."""
    return said(info["words"]().get(value, value))


def _plain_cell(value: Any, info: dict[str, Any]) -> Cell:
    if info.get("words") is not None:
        return Cell("text", word_of(info, value))
    if info.get("format") == "lines":
        return Cell("text", line_text(value) or _("全部"))
    if isinstance(value, bool):
        return Cell("flag", _("是") if value else _("否"), tone="success" if value else "neutral")
    if isinstance(value, datetime):
        return Cell("date", datetime_text(value), title=clock.local(value).isoformat(timespec="seconds"))
    if isinstance(value, date):
        return Cell("date", date_text(value), title=value.isoformat())
    if isinstance(value, (int, float, Decimal)):
        return Cell("number", str(value) if info.get("format") == "code" else f"{value:,}")  # a year is no amount
    if info.get("choices") is not None or info.get("format") == "term":
        return Cell("text", said(value))
    return Cell("code" if info.get("format") in {"code", "login", "tel"} else "text", str(value))


class DateText(str):
    """A date as people say it; `on` is the same in full, for paper, where nothing is today."""

    __slots__ = ("on",)
    on: str


def dated(text: str, on: str) -> DateText:
    """The text with its full form."""
    made = DateText(text)
    made.on = on
    return made


def full_date(day: date) -> str:
    """A business date with its year."""
    return str(format_date(day, _("y年M月d日")))


def date_text(day: date) -> DateText:
    """A business date as people say it: 今天, 明天, 11月23日, and the year when it is another."""
    distance = (day - clock.today()).days
    near = {0: _("今天"), 1: _("明天"), -1: _("昨天")}.get(distance)
    if near:
        return dated(str(near), full_date(day))
    if day.year == clock.today().year:
        return dated(str(format_date(day, _("M月d日"))), full_date(day))
    return dated(full_date(day), full_date(day))


def datetime_text(instant: datetime) -> DateText:
    """An instant in Shanghai, to the minute."""
    here = clock.local(instant)
    day = date_text(here.date())
    return dated(f"{day} {here:%H:%M}", f"{day.on} {here:%H:%M}")


_views: dict[str, str] = {}  # entity name → route base; the same for every application of a process


def register_route(model: type[Entity], route_base: str) -> None:
    """Tell where rows of a model are shown."""
    _views[model.__name__] = route_base


def url_of(row: Entity) -> str | None:
    """The page of a row, when its entity has one and the person in context may open such pages.

    Everybody reads the names of offices and areas; their pages are for whom a role grants them.
    """
    base = _views.get(type(row).__name__)
    if base is None or (has_access_context() and not current_access().may(row.policy_name(), Verb.READ)):
        return None
    return f"{base}/{row.id}"


def base_of(model: type[Entity] | str) -> str | None:
    """The route base of an entity's screens."""
    return _views.get(model if isinstance(model, str) else model.__name__)
