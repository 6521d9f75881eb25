"""Values as people read them: a cell for any column or relationship of any row."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import format_date, pgettext
from flask_babel import gettext as _
from sqlalchemy import inspect

from app.core import clock
from app.core.access.context import current_access
from app.core.entity import Entity
from app.core.lines import line_text
from app.core.screen import Badge, Cell
from app.core.types import Encrypted


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
    return said(getattr(getattr(model, name), "__label__", name))


def cell(row: Entity, name: str, *, link: bool = True) -> Cell:
    """The cell of `name` (a column, a property, a relationship, or relationship.column) of a row."""
    head, _dot, rest = name.partition(".")
    if rest:
        other = getattr(row, head)
        return cell(other, rest, link=False) if other is not None else Cell()
    if name in current_access().hidden(row.policy_name()):
        return Cell()
    value = getattr(row, name)
    if value is None or value == "":
        return Cell()
    if isinstance(value, Badge):
        return Cell("text", value.text, tone=value.tone)
    if isinstance(value, Entity):
        return Cell("link", str(value), url=url_of(value) if link else None)
    target = inspect(type(row)).columns.get(name)
    info = target.info if target is not None else {}
    if row.__workflow__ is not None and name == row.__workflow__.column:
        return Cell("state", _(value), tone=row.__workflow__.tones.get(value, "neutral"))
    if target is not None and isinstance(target.type, Encrypted) and info.get("format") == "id_card":
        return Cell("code", masked(value))
    return _plain_cell(value, info)


def _plain_cell(value: Any, info: dict[str, Any]) -> Cell:
    if info.get("format") == "lines":
        return Cell("text", line_text(value) or _("全部"))
    if isinstance(value, bool):
        return Cell("flag", _("是") if value else _("否"), tone="success" if value else "neutral")
    if isinstance(value, datetime):
        return Cell("date", datetime_text(value), title=clock.local(value).isoformat(timespec="seconds"))
    if isinstance(value, date):
        return Cell("date", date_text(value), title=value.isoformat())
    if isinstance(value, (int, float, Decimal)):
        return Cell("number", f"{value:,}")
    if info.get("choices") is not None or info.get("format") == "term":
        return Cell("text", said(value))
    return Cell("code" if info.get("format") in {"code", "tel"} else "text", str(value))


def masked(value: str) -> str:
    """An ID card or a number to those who may not see it whole: first four and last four."""
    return f"{value[:4]}{'*' * max(len(value) - 8, 4)}{value[-4:]}" if len(value) > 8 else "*" * len(value)


def date_text(day: date) -> str:
    """A business date as people say it: 今天, 明天, 11月23日, and the year when it is another."""
    distance = (day - clock.today()).days
    near = {0: _("今天"), 1: _("明天"), -1: _("昨天")}.get(distance)
    if near:
        return str(near)
    if day.year == clock.today().year:
        return str(format_date(day, _("M月d日")))
    return str(format_date(day, _("y年M月d日")))


def datetime_text(instant: datetime) -> str:
    """An instant in Shanghai, to the minute."""
    here = clock.local(instant)
    return f"{date_text(here.date())} {here:%H:%M}"


_views: dict[str, str] = {}  # entity name → route base; the same for every application of a process


def register_route(model: type[Entity], route_base: str) -> None:
    """Tell where rows of a model are shown."""
    _views[model.__name__] = route_base


def url_of(row: Entity) -> str | None:
    """The page of a row, when its entity has one."""
    base = _views.get(type(row).__name__)
    return f"{base}/{row.id}" if base else None


def base_of(model: type[Entity] | str) -> str | None:
    """The route base of an entity's screens."""
    return _views.get(model if isinstance(model, str) else model.__name__)
