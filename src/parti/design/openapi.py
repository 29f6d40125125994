"""The operations of an OpenAPI document as tools: what each takes, where in a request that goes, and what it does outside."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Where = Literal["path", "query", "header", "body", "whole"]
"""Where an argument goes: "body" is a field of the JSON body, "whole" all of it."""

METHODS: Final = {
    "get": "read",
    "head": "read",
    "put": "idempotent",
    "delete": "idempotent",
    "post": "write",
    "patch": "write",
}
"""What each method does outside, by its definition (RFC 9110, section 9.2)."""

NOT_JSON_SCHEMA: Final = frozenset({"nullable", "discriminator", "xml", "externalDocs", "example"})
"""Keywords of OpenAPI's schemas that JSON schema does not have."""

OURS: Final = frozenset({
    "authorization", "proxy-authorization", "accept", "content-type", "idempotency-key", "host", "cookie", "forwarded",
    "x-real-ip", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
})  # fmt: skip
"""Headers that are said by `headers=`, by Parti or by HTTP itself, and never by a model; `X-Forwarded-…` are others."""

REFS_MAX: Final = 64
"""References that may lead one to the next."""


class Unfit(Exception):
    """What is described cannot be offered as a tool; what it says is the reason."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: ``PUT /customers/{id}``, its arguments' schema, and where each of them goes."""

    name: str
    method: str
    path: str
    about: str
    schema: Mapping[str, Any]
    places: Mapping[str, Where]

    @property
    def reach(self) -> str:
        """What a call does outside."""
        return METHODS[self.method]


def operations_of(
    document: Mapping[str, Any], headers: Collection[str] = ()
) -> tuple[dict[str, Operation], dict[str, str]]:
    """The operations by name, and the reason for each that cannot be offered. Raises Unfit for what is no OpenAPI 3.

    `headers` are those that the program says itself: like those of OURS, they are no arguments.
    """
    said = OURS | {header.lower() for header in headers}
    version = str(document.get("openapi", ""))
    if not version.startswith("3.") or not isinstance(document.get("paths"), Mapping):
        raise Unfit(f"it is not an OpenAPI 3 document (openapi: {version or 'missing'})")
    found: dict[str, Operation] = {}
    refused: dict[str, str] = {}
    for path, method, shared, facts in _described(document):
        name = str(facts.get("operationId") or _name_of(method, path))
        if name in found or name in refused:
            found.pop(name, None)
            refused[name] = "two operations have this name"
            continue
        try:
            found[name] = _operation(document, name, path, method, shared, facts, said)
        except Unfit as why:
            refused[name] = str(why)
    return found, refused


def _described(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        if not isinstance(path, str):
            raise Unfit(f"its path {path!r} is not a text")
        if isinstance(item, Mapping):
            for method in METHODS:
                if isinstance(item.get(method), Mapping):
                    yield path, method, item.get("parameters"), item[method]


def _operation(
    document: Mapping[str, Any],
    name: str,
    path: str,
    method: str,
    shared: object,
    facts: Mapping[str, Any],
    said: Collection[str],
) -> Operation:
    properties: dict[str, Any] = {}
    required: list[str] = []
    places: dict[str, Where] = {}
    for given in _parameters(document, shared, facts):
        where = given.get("in")
        if where == "cookie":
            continue
        if where not in ("path", "query", "header"):
            raise Unfit(f"its parameter {given.get('name')!r} is in {where!r}")
        if where == "header" and (given["name"].lower() in said or given["name"].lower().startswith("x-forwarded-")):
            continue
        schema = given.get("schema")
        if not isinstance(schema, Mapping):
            raise Unfit(f"its parameter {given['name']!r} has no schema")
        about = {"description": given["description"]} if given.get("description") else {}
        properties[given["name"]] = {**schema, **about}
        places[given["name"]] = where
        if given.get("required"):
            required.append(given["name"])
    _body(document, facts, properties, required, places)
    missing = set(re.findall(r"{([^}]+)}", path)) - places.keys()
    if missing:
        raise Unfit(f"its path names {', '.join(sorted(missing))}, which is no parameter")
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    summary = str(facts.get("summary") or facts.get("description") or f"{method.upper()} {path}")
    return Operation(name, method, path, summary, _with_definitions(document, schema), places)


def _parameters(document: Mapping[str, Any], shared: object, facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Parameters of the path and of the operation, whose own word counts."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for given in (*_listed(shared, "parameters"), *_listed(facts.get("parameters"), "parameters")):
        parameter = _resolved(document, given)
        if not isinstance(parameter.get("name"), str):
            raise Unfit("a parameter has no name")
        found[parameter["name"], str(parameter.get("in"))] = parameter
    return list(found.values())


def _body(
    document: Mapping[str, Any],
    facts: Mapping[str, Any],
    properties: dict[str, Any],
    required: list[str],
    places: dict[str, Where],
) -> None:
    """The fields of a JSON body beside the parameters; one that is no plain object as a whole, as `body`."""
    if facts.get("requestBody") is None:
        return
    body = _resolved(document, facts["requestBody"])
    content = body.get("content") or {}
    if not isinstance(content, Mapping):
        raise Unfit("the content of its body is no object")
    kind = next((kind for kind in content if str(kind).split(";")[0].strip() == "application/json"), None)
    if kind is None:
        raise Unfit(f"its body is {', '.join(map(str, content)) or 'of no kind'}, not application/json")
    written = _resolved(document, content[kind]).get("schema", {})
    schema = _resolved(document, written)
    given = schema.get("properties")
    fields: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    plain = schema.get("type") == "object" and fields and not schema.get("additionalProperties")
    if plain and not fields.keys() & properties.keys() and not schema.keys() & {"allOf", "anyOf", "oneOf"}:
        properties.update(fields)
        places.update(dict.fromkeys(fields, "body"))
        if body.get("required"):
            required.extend(_listed(schema.get("required"), "required fields"))
        return
    if "body" in properties:
        raise Unfit("it has both a parameter `body` and a body")
    properties["body"], places["body"] = written, "whole"
    if body.get("required"):
        required.append("body")


def _listed(thing: object, what: str) -> list[Any]:
    if thing is not None and not isinstance(thing, list):
        raise Unfit(f"its {what} are no list")
    return thing or []


def _resolved(document: Mapping[str, Any], thing: Any) -> Mapping[str, Any]:
    """What a reference inside the document leads to."""
    for _ in range(REFS_MAX):
        if not isinstance(thing, Mapping):
            raise Unfit(f"{thing!r} stands where an object should")
        if "$ref" not in thing:
            return thing
        thing = _at(document, thing["$ref"])
    raise Unfit("its references lead nowhere")


def _at(document: Mapping[str, Any], reference: object) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        raise Unfit(f"it refers to {reference!r}, outside the document")
    thing: Any = document
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(thing, Mapping) or name not in thing:
            raise Unfit(f"it refers to {reference!r}, which is not there")
        thing = thing[name]
    return thing


def _with_definitions(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with all it refers to under `$defs`, as JSON schema has it."""
    names: dict[str, str] = {}
    definitions: dict[str, Any] = {}

    def moved(thing: Any) -> Any:
        if isinstance(thing, list):
            return [moved(item) for item in thing]
        if not isinstance(thing, Mapping):
            return thing
        if isinstance(thing.get("$ref"), str):
            return {"$ref": f"#/$defs/{define(thing['$ref'])}"}
        plain = {
            name: each(value) if name == "properties" else moved(value)
            for name, value in thing.items()
            if name not in NOT_JSON_SCHEMA
        }
        return {"anyOf": [plain, {"type": "null"}]} if thing.get("nullable") is True else plain

    def each(properties: Any) -> Any:  # their names are the author's choice
        return {name: moved(value) for name, value in properties.items()} if isinstance(properties, Mapping) else {}

    def define(reference: str) -> str:
        if reference not in names:
            last = re.sub(r"[^A-Za-z0-9._-]", "_", reference.rsplit("/", 1)[-1])
            names[reference] = last if last not in definitions else f"{last}_{len(names)}"
            definitions[names[reference]] = {}  # taken, also while it refers to itself
            definitions[names[reference]] = moved(_at(document, reference))
        return names[reference]

    whole: dict[str, Any] = moved(schema)
    return {**whole, "$defs": definitions} if definitions else whole


def _name_of(method: str, path: str) -> str:
    """A name for an operation that has none: ``get_customers_id``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", f"{method} {path}").strip("_")
