"""JSON Schemas of what goes in, from the form's fields; and those that every entity shares."""

from __future__ import annotations

from typing import Any

from app.core.fab import fields as f

ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}
DOUBT = {
    "type": "object", "required": ["name", "field", "text"],
    "properties": {"name": {"type": "string"}, "field": {"type": "string"}, "text": {"type": "string"}},
}  # fmt: skip
BOTH = {
    "type": "object",
    "properties": {
        "version": {"type": "integer"}, "who": {"type": "string"}, "at": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {
            "type": "object", "properties": {"yours": {}, "theirs": {}}, "required": ["yours", "theirs"],
        }},
    },
}  # fmt: skip
COMMON: dict[str, Any] = {
    "Id": ID,
    "Ref": {
        "type": "object", "required": ["id"], "properties": {"id": {"$ref": "#/components/schemas/Id"},
                                                              "text": {"type": "string"}},
    },
    "Problem": {
        "type": "object", "required": ["error", "fields", "doubts"],
        "properties": {
            "error": {"type": "string"}, "fields": {"type": "object", "additionalProperties": {"type": "string"}},
            "doubts": {"type": "array", "items": DOUBT}, "conflict": BOTH,
        },
    },
}  # fmt: skip


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The same, or null."""
    return schema | {"type": [schema["type"], "null"]} if isinstance(schema.get("type"), str) else schema


def listed(entity: str) -> dict[str, Any]:
    """A page of an entity's rows."""
    return {
        "type": "object", "required": ["items", "page", "size", "count", "more_than_counted", "next"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": entity}}, "page": {"type": "integer"},
            "size": {"type": "integer"}, "count": {"type": "integer"}, "more_than_counted": {"type": "boolean"},
            "next": {"type": ["string", "null"]},
        },
    }  # fmt: skip


def input_schema(fields: list[Any], more: dict[str, Any]) -> dict[str, Any]:
    """An object of these form fields and of `more`; nothing else is taken."""
    properties = {one.short_name: field_schema(one) for one in fields}
    return {"type": "object", "additionalProperties": False, "properties": properties | more}


def field_schema(one: Any) -> dict[str, Any]:
    """What a field takes."""
    told = {"title": str(one.label.text)}
    if text := str(one.description or ""):
        told["description"] = text
    return told | _accepts(one)


def _accepts(one: Any) -> dict[str, Any]:
    if isinstance(one, f.Tick):
        return {"type": "boolean"}
    if isinstance(one, f.Bits):
        bits = [int(value) for value, _label in one.choices()]
        return {"type": "array", "items": {"type": "integer", **({"enum": bits} if bits else {})}}
    if isinstance(one, f.Lookup):
        kinds: list[dict[str, Any]] = [{"$ref": "#/components/schemas/Id"}, {"$ref": "#/components/schemas/Ref"}]
        return {"anyOf": [*kinds, {"type": "null"}] if one.nullable else kinds}
    if isinstance(one, f.Choice):
        values = [value for value, _label in one.choices()]
        return {"enum": [*values, None] if one.nullable else values}
    found: dict[str, Any] = {"type": "string"}
    if isinstance(one, f.Whole):
        found = {"type": "integer"}
    elif isinstance(one, f.Number):
        found = {"type": ["number", "string"]}
    elif isinstance(one, f.Day):
        found = {"type": "string", "format": "date"}
    elif longest := one.meta_info.get("maxlength"):
        found["maxLength"] = longest
    return nullable(found) if one.nullable else found
