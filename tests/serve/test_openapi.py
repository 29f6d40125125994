"""The OpenAPI document says exactly what the endpoints take and answer; the page that shows it asks nobody else."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, create_model
from serve_desk import PLACE
from serve_fakes import Ask

from parti.declare.types import payload_of
from parti.serve.schemas import ROOF, Components, moved

APPLICATION: dict[str, Any] = {"id": "a1", "income": 2000, "address": {"street": "Elm", "zip": 1}}


def document(ask: Ask) -> dict[str, Any]:
    body: dict[str, Any] = ask("GET", "/openapi.json").json()
    return body


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (target for key, target in value.items() if key == "$ref" and isinstance(target, str))
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def schema_of(spec: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": spec["components"]})


def test_every_reference_leads_somewhere(ask: Ask) -> None:
    spec = document(ask)
    found = set(references(spec))
    assert {"Application", "Address", "Decision"} <= {name.removeprefix(ROOF) for name in found}
    assert {name.removeprefix(ROOF) for name in found} <= set(spec["components"]["schemas"])


def test_every_schema_is_valid_json_schema(ask: Ask) -> None:
    for schema in document(ask)["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_endpoint_is_an_operation_named_after_it(ask: Ask) -> None:
    paths = document(ask)["paths"]
    named = {
        (path, method): operation["operationId"] for path, item in paths.items() for method, operation in item.items()
    }
    assert named == {
        ("/applications/{id}", "get"): "standing",
        ("/applications/latest", "get"): "latest",
        ("/applications", "get"): "search",
        ("/applications", "post"): "apply",
        ("/applications/{id}/note", "put"): "note",
        ("/broken/{how}", "post"): "broken",
        ("/broken/{how}", "get"): "broken_read",
        ("/slow/{id}", "post"): "slow",
        ("/files/{name}", "get"): "file",
    }


def test_an_operation_tells_its_purpose(ask: Ask) -> None:
    standing = document(ask)["paths"]["/applications/{id}"]["get"]
    assert standing["summary"] == "Where an application stands."
    assert standing["description"] == "Reads committed data alone."
    assert standing["tags"] == ["applications"]


def test_parameters_say_where_they_go_and_what_they_are_by_default(ask: Ask) -> None:
    parameters = {p["name"]: p for p in document(ask)["paths"]["/applications"]["get"]["parameters"]}
    assert (parameters["limit"]["in"], parameters["limit"]["required"]) == ("query", True)
    assert (parameters["ratio"]["required"], parameters["ratio"]["schema"]["default"]) == (False, 0.5)
    assert parameters["since"]["schema"]["default"] == "2020-01-01"


def test_only_durable_operations_take_an_idempotency_key(ask: Ask) -> None:
    paths = document(ask)["paths"]
    takes = {
        operation["operationId"]
        for item in paths.values()
        for operation in item.values()
        if any(p["name"] == "Idempotency-Key" for p in operation["parameters"])
    }
    assert takes == {"apply", "note", "broken", "slow"}


def test_the_schema_of_a_body_takes_what_the_endpoint_takes_and_refuses_what_it_refuses(ask: Ask) -> None:
    spec = document(ask)
    body = spec["paths"]["/applications"]["post"]["requestBody"]
    validator = schema_of(spec, body["content"]["application/json"]["schema"])
    for value in (APPLICATION, {**APPLICATION, "income": -1}, {**APPLICATION, "address": {"street": "Elm"}}):
        assert validator.is_valid(value) == (ask("POST", "/applications", json=value).status_code == 200)


@pytest.mark.parametrize(
    ("method", "path", "declared"),
    [
        ("GET", "/applications/a1", "/applications/{id}"), ("GET", "/applications/nobody", "/applications/{id}"),
        ("GET", "/applications", "/applications"), ("POST", "/applications", "/applications"),
        ("POST", "/broken/step", "/broken/{how}"), ("POST", "/broken/late", "/broken/{how}"),
    ],
)  # fmt: skip
def test_answers_are_as_the_document_says(ask: Ask, method: str, path: str, declared: str) -> None:
    spec = document(ask)
    answer = ask(method, path)
    responses = spec["paths"][declared][method.lower()]["responses"]
    schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
    schema_of(spec, schema).validate(answer.json())


def test_two_types_of_one_name_keep_their_own_schemas() -> None:
    inner_one, inner_two = create_model("Inner", a=(int, ...)), create_model("Inner", b=(str, ...))
    # What stands above them reads the same; only what it leads to, two steps down, differs.
    middle_one, middle_two = (create_model("Middle", inner=(inner, ...)) for inner in (inner_one, inner_two))
    outer_one, outer_two = (create_model("Outer", middle=(middle, ...)) for middle in (middle_one, middle_two))
    components = Components()
    one, two = (components.add(payload_of(kind, place=PLACE, what="it")) for kind in (outer_one, outer_two))
    again = components.add(payload_of(list[outer_one], place=PLACE, what="it"))  # type: ignore[valid-type]
    assert one == {"$ref": ROOF + "Outer"} == again["items"]
    assert two != one
    assert len(components.schemas) == 6
    whole = {"components": {"schemas": components.schemas}}
    assert Draft202012Validator({**one, **whole}).is_valid({"middle": {"inner": {"a": 1}}})
    assert Draft202012Validator({**two, **whole}).is_valid({"middle": {"inner": {"b": "x"}}})
    assert not Draft202012Validator({**two, **whole}).is_valid({"middle": {"inner": {"a": 1}}})


class Node(BaseModel):
    children: list[Node] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Odd(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


def test_recursive_and_discriminated_types_are_moved_whole() -> None:
    components = Components()
    for kind in (Node, Odd):
        components.add(payload_of(kind, place=PLACE, what="it"))
    odd = components.schemas["Odd"]["properties"]
    assert odd["pet"]["discriminator"]["mapping"] == {"cat": ROOF + "Cat", "dog": ROOF + "Dog"}
    assert components.schemas["Node"]["properties"]["children"]["items"] == {"$ref": ROOF + "Node"}


def test_data_and_names_that_look_like_references_are_left_alone() -> None:
    link = {"$ref": "#/$defs/Cat"}
    schema = {"default": link, "examples": [link], "properties": {"default": link, "$ref": {"type": "string"}}}
    assert moved(schema, {"Cat": "Cat_1"}) == {
        "default": link,
        "examples": [link],
        "properties": {"default": {"$ref": ROOF + "Cat_1"}, "$ref": {"type": "string"}},
    }


def test_the_page_asks_no_other_server(ask: Ask) -> None:
    page = ask("GET", "/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert re.findall(r"(?:src|href)=\"(?!#)([^\"]*)\"", page.text) == ["/openapi.json", "/openapi.json"]
    assert "http://" not in page.text
    assert "https://" not in page.text


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_of_the_page_lets_its_own_script_and_style_run_and_nothing_else(ask: Ask, tag: str) -> None:
    page = ask("GET", "/docs")
    (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
    policy = dict(rule.strip().split(" ", 1) for rule in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy[f"{tag}-src"] == f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'"
