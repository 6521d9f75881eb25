"""The OpenAPI document: what the specification asks for, and only what this person may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.services.demo import CAST
from tests.support.house import House

METHODS = {"get", "post", "put", "patch", "delete"}


def document(house: House, username: str) -> dict[str, Any]:
    answer = house.client(username).get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    for path, item in told["paths"].items():
        for method in METHODS & set(item):
            yield path, method, item[method], item


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name == "$ref":
                yield one
            else:
                yield from references(one)
    if isinstance(value, list):
        for one in value:
            yield from references(one)


def resolve(told: dict[str, Any], ref: str) -> Any:
    assert ref.startswith("#/"), ref
    found: Any = told
    for part in ref[2:].split("/"):
        found = found[part]
    return found


@pytest.mark.parametrize("username", [one.username for one in CAST])
def test_the_document_keeps_to_the_specification(small: House, username: str) -> None:
    told = document(small, username)
    assert told["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(told["info"]) and set(told) <= {
        "openapi", "info", "servers", "security", "tags", "paths", "components",
    }  # fmt: skip
    for ref in references(told):
        assert resolve(told, ref) is not None
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in told["components"]["schemas"])
    names = [operation["operationId"] for _path, _method, operation, _item in operations(told)]
    assert len(names) == len(set(names))
    for path, method, operation, item in operations(told):
        assert_operation(path, method, operation, item)
        for scheme in told["security"]:
            assert set(scheme) <= set(told["components"]["securitySchemes"])


def assert_operation(path: str, method: str, operation: dict[str, Any], item: dict[str, Any]) -> None:
    parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
    in_path = {one["name"] for one in parameters if one["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", path)), path
    for one in parameters:
        assert one["in"] in {"path", "query", "header", "cookie"} and "schema" in one
        assert one["in"] != "path" or one["required"] is True
        if "$ref" not in one["schema"]:
            Draft202012Validator.check_schema(one["schema"])
    assert len({(one["name"], one["in"]) for one in parameters}) == len(parameters), path
    assert operation["responses"] and all(re.fullmatch(r"[1-5]\d\d", code) for code in operation["responses"])
    for answer in operation["responses"].values():
        assert "$ref" in answer or answer["description"]
    assert ("requestBody" in operation) == (method in {"post", "put", "patch"})
    if method != "get":
        assert "X-CSRFToken" in {one["name"] for one in parameters}


def test_only_what_one_may_do_is_told(small: House) -> None:
    def methods(username: str) -> set[tuple[str, str]]:
        return {(path, method) for path, method, _operation, _item in operations(document(small, username))}

    inspector, firm, audit = methods("yuan-a"), methods("firm-a"), methods("audit")
    assert ("/api/v1/enterprises/", "post") in inspector
    assert ("/api/v1/notices/{key}/do/sign", "post") not in inspector
    assert ("/api/v1/notices/{key}/do/sign", "post") in methods("ju")
    written = {path.split("/")[3] for path, method in firm if method != "get"}
    mine = {"daily-checks", "risk-lists", "closures", "trainings", "staff-changes", "policy-documents",
            "self-assessments"}  # fmt: skip
    assert firm and written <= mine
    assert not {path for path, _method in firm if "postings" in path or "accounts" in path}
    assert not {path for path, _method in firm if "inspections" in path}
    assert len(audit) < len(firm) or not {method for _path, method in audit} - {"get"}


def test_every_operation_told_is_a_route_and_answers(small: House) -> None:
    """What the document offers a person is not refused by the gate: 403 would mean that it lies."""
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in small.app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    client = small.client("yuan-a")
    for path, method, _operation, _item in operations(document(small, "yuan-a")):
        named = re.sub(r"/do/\w+$", "/do/{name}", path)
        assert (named, method) in routes, path
        answer = client.open(path.replace("{key}", "A" * 22), method=method.upper(), json={})
        assert answer.status_code in {200, 404, 422}, (method, path, answer.status_code)


def test_a_list_is_what_its_schema_says(small: House) -> None:
    told = document(small, "yuan-a")
    client = small.client("yuan-a")
    checked = 0
    for path, method, operation, _item in operations(told):
        if method != "get" or "{" in path:
            continue
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        whole = schema | {"components": told["components"]}
        body = client.get(path).get_json()
        Draft202012Validator(whole).validate(body)
        for row in body["items"][:1]:
            one = told["paths"][f"{path}{{key}}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            single = client.get(f"{path}{row['id']}").get_json()
            Draft202012Validator(one | {"components": told["components"]}).validate(single)
            ref = resolve(told, one["$ref"])
            assert set(single) <= set(ref["properties"]), path
            checked += 1
    assert checked >= 8


def test_the_page_lists_the_addresses_without_a_script(small: House) -> None:
    page = small.client("yuan-a").get("/api/v1/").get_data(as_text=True)
    assert "POST /api/v1/enterprises/" in page and "/api/v1/openapi.json" in page
    assert "POST /api/v1/accounts/" not in page
    assert small.client().get("/api/v1/").status_code == 302
