"""The OpenAPI 3.1 document, from the declarations: only what this person's roles let them ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Boolean, Date, Integer, Numeric, inspect

from app.core.access.context import current_access
from app.core.access.veil import withheld
from app.core.entity import Entity
from app.core.fab.api.routes import EntityApi
from app.core.fab.api.schemas import COMMON, input_schema, listed, nullable
from app.core.fab.api.values import public_name, shown_names
from app.core.fab.cells import label_of, one_of, said
from app.core.fab.converter import row_form
from app.core.fab.forming import fillable
from app.core.fab.gate import API
from app.core.fab.listing import SIZES
from app.core.fab.naming import shown
from app.core.types import LineSet, UtcDateTime
from app.core.verbs import Verb

KEY = {"name": "key", "in": "path", "required": True, "schema": {"$ref": "#/components/schemas/Id"}}
ERRORS = ("400", "401", "403", "404", "409", "413", "415", "422", "429")


@dataclass(frozen=True)
class Operation:
    """One thing a person can ask of an entity: where, how, what it is called, what goes in and comes out."""

    api: EntityApi
    method: str
    path: str  # with {key}
    name: str
    text: str
    takes: Any = None  # JSON Schema of the body
    step: str = ""

    @property
    def answer(self) -> str:
        """The status of success."""
        return {"add": "201", "delete": "204"}.get(self.name, "200")


def operations(apis: list[EntityApi]) -> Iterator[Operation]:
    """What this person may ask of these entities, in order."""
    access = current_access()
    for api in apis:
        if not access.may(api.entity_name, Verb.READ):
            continue
        base, what = api.route_base, one_of(api.model)
        ref = {"$ref": f"#/components/schemas/{api.entity_name}Input"}
        yield Operation(api, "get", f"{base}/", "list", _("列出%(what)s", what=what))
        yield Operation(api, "get", f"{base}/{{key}}", "show", _("一条%(what)s", what=what))
        if api.view.form_parts and access.may(api.entity_name, Verb.CREATE):
            yield Operation(api, "post", f"{base}/", "add", _("新建%(what)s", what=what), ref)
        if api.view.form_parts and access.may(api.entity_name, Verb.UPDATE):
            changing = {"allOf": [ref], "required": ["version"]}
            yield Operation(api, "patch", f"{base}/{{key}}", "change", _("修改%(what)s", what=what), changing)
            yield Operation(api, "put", f"{base}/{{key}}", "replace", _("整条替换%(what)s", what=what), changing)
        if access.may(api.entity_name, Verb.DELETE):
            yield Operation(api, "delete", f"{base}/{{key}}", "delete", _("删除%(what)s", what=what))
        yield from _steps(api)


def _steps(api: EntityApi) -> Iterator[Operation]:
    flow = api.model.__workflow__
    for step in flow.transitions if flow else ():
        if current_access().may(api.entity_name, step.verb):
            path = f"{api.route_base}/{{key}}/do/{step.name}"
            form, names = api.view.asks.get(step.name, (None, []))
            fields = [] if form is None else [one for name, one in form(formdata=None)._fields.items() if name in names]
            takes = input_schema(fields, {"version": {"type": "integer"}, "reason": {"type": "string"}})
            if step.reason:
                takes["required"] = [*takes.get("required", []), "reason"]
            yield Operation(api, "post", path, f"do_{step.name}", said(step.label), takes, step.name)


def document(apis: list[EntityApi], version: str) -> dict[str, Any]:
    """The whole document as plain data."""
    paths: dict[str, dict[str, Any]] = {}
    schemas = dict(COMMON)
    for one in operations(apis):
        item = paths.setdefault(one.path, {"parameters": [KEY]} if "{key}" in one.path else {})
        item[one.method] = _operation(one)
        if one.api.entity_name not in schemas:
            schemas |= _schemas(one.api)
    problem = {"description": _("被拒绝"), "content": _json({"$ref": "#/components/schemas/Problem"})}
    return {
        "openapi": "3.1.0",
        "info": {"title": _("守责接口"), "version": version, "description": _("和页面同样的权限、同样的检查。")},
        "servers": [{"url": "/"}],
        "security": [{"session": []}],
        "tags": [{"name": api.entity_name, "description": str(api.view.title)} for api in apis
                 if current_access().may(api.entity_name, Verb.READ)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "shouze"}},
            "responses": {"Problem": problem},
        },
    }  # fmt: skip


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _operation(one: Operation) -> dict[str, Any]:
    entity = f"#/components/schemas/{one.api.entity_name}"
    good: dict[str, Any] = {"description": one.text}
    if one.answer != "204":
        good["content"] = _json(listed(entity) if one.name == "list" else {"$ref": entity})
    made: dict[str, Any] = {
        "operationId": f"{one.name}_{one.api.entity_name}", "summary": one.text, "tags": [one.api.entity_name],
        "responses": {one.answer: good} | {code: {"$ref": "#/components/responses/Problem"} for code in ERRORS},
    }  # fmt: skip
    parameters = list(_list_parameters(one.api)) if one.name == "list" else []
    if one.method != "get":
        parameters.append({"name": "X-CSRFToken", "in": "header", "required": True, "schema": {"type": "string"},
                           "description": _("取自 %(url)s", url=f"{API}/token")})  # fmt: skip
    if parameters:
        made["parameters"] = parameters
    if one.takes is not None:
        made["requestBody"] = {"required": True, "content": _json(one.takes)}
    return made


def _list_parameters(api: EntityApi) -> Iterator[dict[str, Any]]:
    orders = shown(api.model, api.view.order_columns)
    both = [*orders, *(f"-{name}" for name in orders)]
    yield _query("q", {"type": "string", "maxLength": 100}, _("关键词、拼音首字母或代码"))
    yield _query("page", {"type": "integer", "minimum": 1, "default": 1}, _("第几页"))
    yield _query("after", {"type": "string"}, _("上一页 next 里的位置：从那一条之后开始，一直走到底"))
    yield _query("size", {"type": "integer", "minimum": 1, "maximum": max(SIZES), "default": SIZES[0]}, _("每页几条"))
    yield _query("order", {"type": "string", "enum": both} if both else {"type": "string"}, _("排序，前面加 - 为倒序"))
    for name in shown(api.model, api.view.list_filters):
        yield from _filter(api.model, name)


def _filter(model: type[Entity], name: str) -> Iterator[dict[str, Any]]:
    target, label = inspect(model).columns.get(name), label_of(model, name)
    if target is not None and isinstance(target.type, (Date, UtcDateTime)):
        yield _query(f"{name}_from", {"type": "string", "format": "date"}, label)
        yield _query(f"{name}_to", {"type": "string", "format": "date"}, label)
    elif target is not None and isinstance(target.type, Boolean):
        yield _query(name, {"type": "string", "enum": ["0", "1"]}, label)
    else:
        choices = target.info.get("choices") if target is not None else None
        listed_ = {"enum": [one.value for one in choices]} if choices else {}
        yield _query(name, {"type": "string", **listed_}, label)


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}


def _schemas(api: EntityApi) -> dict[str, Any]:
    """What comes out, and what goes in where something may."""
    told: dict[str, Any] = {"id": {"$ref": "#/components/schemas/Id"}, "version": {"type": "integer"}}
    told |= {public_name(api.model, name): _shown(api.model, name) for name in api.names()}
    kept = withheld(api.model)
    fields = [one for name, one in api.view.edit_form(formdata=None)._fields.items() if name not in kept]
    more: dict[str, Any] = {
        "version": {"type": "integer", "description": _("读到的版本号，修改时必填")},
        "accept": {"type": "array", "items": {"type": "string"}, "description": _("已核对、可以放过的疑问")},
        "client_id": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{16,64}$",
            "description": _("设备上生成的编号，新建时可用"),
        },
    }
    for rows in api.child_rows():
        model: type[Entity] = inspect(api.model).relationships[rows.relation].mapper.class_
        inner: dict[str, Any] = {"id": {"$ref": "#/components/schemas/Id"}, "version": {"type": "integer"}}
        visible = {public_name(model, name): _shown(model, name) for name in shown_names(model, rows.columns)}
        told[rows.relation] = {"type": "array", "items": {"type": "object", "properties": inner | visible}}
        names = fillable(model, rows.columns)
        row_fields = [one for name, one in row_form(model, names)()._fields.items() if name in names]
        more[rows.relation] = {"type": "array", "maxItems": 200, "items": input_schema(row_fields, inner)}
    if api.model.__workflow__ is not None:
        told["steps"] = {"type": "array", "items": {"type": "string"}, "description": _("现在可以办的步骤")}
    return {
        api.entity_name: {"type": "object", "title": one_of(api.model), "properties": told},
        f"{api.entity_name}Input": input_schema(fields, more),
    }


def _shown(model: type[Entity], name: str) -> dict[str, Any]:
    """The schema of one value that comes out."""
    label: dict[str, Any] = {"title": label_of(model, name)}
    target = inspect(model).columns.get(name)
    if target is None:
        related = name in inspect(model).relationships
        return label | ({"anyOf": [{"$ref": "#/components/schemas/Ref"}, {"type": "null"}]} if related else {})
    if target.foreign_keys:
        return label | {"anyOf": [{"$ref": "#/components/schemas/Ref"}, {"type": "null"}]}
    return label | nullable(_type_of(target.type))


def _type_of(kind: Any) -> dict[str, Any]:
    if isinstance(kind, LineSet):
        return {"type": "array", "items": {"type": "integer"}}
    for column_type, schema in (
        (Boolean, {"type": "boolean"}), (UtcDateTime, {"type": "string", "format": "date-time"}),
        (Date, {"type": "string", "format": "date"}), (Integer, {"type": "integer"}), (Numeric, {"type": "string"}),
    ):  # fmt: skip
        if isinstance(kind, column_type):
            return dict(schema)
    return {"type": "string"}
