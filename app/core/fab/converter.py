"""Columns to form fields: our converter in place of FAB's, whose fields break on typed columns (fab_defects)."""

from __future__ import annotations

from typing import Any

from flask_appbuilder.forms import DynamicForm, GeneralModelConverter
from flask_babel import lazy_gettext
from sqlalchemy import JSON, Boolean, Date, Integer, Numeric, inspect
from wtforms import Form

from app.core.entity import Entity, Scope
from app.core.fab import fields
from app.core.lines import line_choices
from app.core.types import Encrypted, LineSet, UtcDateTime


class AppModelConverter(GeneralModelConverter):
    """Builds form classes from what the columns declare."""

    def create_form(self, inc_columns: list[str], extra: dict[str, Any] | None = None) -> type[DynamicForm]:
        """A form class with one field a name; `extra` adds fields of the view's own. CSRF is the whole app's."""
        made = {name: field_of(self.datamodel.obj, name) for name in inc_columns if name not in (extra or {})}
        ordered = {name: (extra or {}).get(name) or made[name] for name in inc_columns}
        return type(f"{self.datamodel.obj.__name__}Form", (AppForm,), ordered)


class AppForm(DynamicForm):
    """Base of generated forms."""

    class Meta:
        """CSRF belongs to the request (flask_wtf.CSRFProtect), not to each form."""

        csrf = False


class RowForm(Form):
    """Base of the forms of child rows."""


def row_form(model: type[Entity], names: list[str]) -> type[RowForm]:
    """The form class of one child row."""
    return type(f"{model.__name__}Row", (RowForm,), {name: field_of(model, name) for name in names})


def field_of(model: type[Entity], name: str) -> Any:
    """The unbound field of one column or many-to-one relationship."""
    mapper = inspect(model)
    if name in mapper.relationships:
        relation = mapper.relationships[name]
        target = next(iter(relation.local_columns))
        other = relation.mapper.class_
        small = other.__scope__ is Scope.REFERENCE and getattr(other, "__short_list__", False)
        options = _options(target)
        return (fields.Pick if small else fields.Lookup)(options.pop("label"), model=other, **options)
    target = mapper.columns[name]
    return _of_column(target)


def _options(target: Any) -> dict[str, Any]:
    info = target.info
    nullable = not info.get("required") and (bool(target.nullable) or target.default is not None)
    return {
        "label": lazy_gettext(str(info.get("label") or target.name)),
        "description": lazy_gettext(str(info["help"])) if info.get("help") else "",
        "nullable": nullable,
        "default": _default(target),
        "empty": None if target.nullable else _default(target),
        "meta_info": {
            "maxlength": getattr(target.type, "length", None),
            "format": info.get("format", ""),
            "private": bool(info.get("secret")),
        },
    }


def _default(target: Any) -> Any:
    default = target.default
    return default.arg if default is not None and default.is_scalar else None


def _of_column(target: Any) -> Any:
    options, kind = _options(target), target.type
    label, form = options.pop("label"), target.info.get("format", "")
    if choices := target.info.get("choices"):
        never = target.info.get("never", ())
        offered = [(one.value, one.value) for one in choices if one not in never]
        return fields.Choice(label, choices=lambda: offered, **options)
    if isinstance(kind, Encrypted) and form == "id_card":
        return fields.Sealed(label, **options)
    if isinstance(kind, LineSet):
        return fields.Bits(label, choices=line_choices, **options)
    for column_type, field in (
        (Boolean, fields.Tick),
        (Date, fields.Day),
        (UtcDateTime, fields.Moment),
        (JSON, fields.Json),
        (Integer, fields.Whole),
        (Numeric, fields.Number),
    ):
        if isinstance(kind, column_type):
            return field(label, **options)
    by_format = {"long": fields.Long, "code": fields.Code, "login": fields.Login, "tel": fields.Tel}
    return by_format.get(form, fields.Plain)(label, **options)
