"""The OpenAPI 3.1 document of a system's endpoints, built from the schemas of their payloads."""

from __future__ import annotations

import inspect
from typing import Any, Final

from pydantic_core import to_json, to_jsonable_python

from parti.design.endpoint import Endpoint
from parti.design.function import Parameter
from parti.design.graph import Design
from parti.serve.calls import may_be_none
from parti.serve.routes import PLACEHOLDER
from parti.serve.schemas import ROOF, Components

Json = dict[str, Any]

PROBLEM: Final[Json] = {
    "title": "Problem",
    "type": "object",
    "description": "Why a request was not carried out.",
    "required": ["code", "error"],
    "properties": {
        "code": {"type": "string", "description": "A permanent code", "examples": ["P402"]},
        "error": {"type": "string", "description": "What is wrong"},
        "errors": {
            "type": "array",
            "description": "Each field that does not fit",
            "items": {
                "type": "object",
                "required": ["field", "error"],
                "properties": {
                    "field": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "error": {"type": "string"},
                },
            },
        },
        "run": {"type": "string", "description": "The run that failed"},
        "try": {"type": "string", "description": "What to do next"},
    },
}
PROBLEM_NAME: Final = "Parti.Problem"

IDEMPOTENCY_KEY: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeating a request with the same key gets the first answer; nothing happens twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
RETRY_AFTER: Final[Json] = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}
RUN_HEADERS: Final[Json] = {
    "Parti-Run": {"description": "The id of the run that answered", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` when the answer is that of an earlier request with the same key",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


def openapi_document(design: Design) -> bytes:
    """The document as JSON. Operations keep the order of declaration; tags are the first segments of their paths."""
    components = Components()
    components.schemas[PROBLEM_NAME] = PROBLEM
    paths: dict[str, Json] = {}
    endpoints = [endpoint for endpoint in design.all(Endpoint) if not endpoint.agent]
    for endpoint in endpoints:
        operations = paths.setdefault(PLACEHOLDER.sub(r"{\1}", endpoint.path), {})
        operations[endpoint.method.lower()] = _operation(endpoint, components)
    tags = dict.fromkeys(_tag(endpoint) for endpoint in endpoints)
    return to_json(
        {
            "openapi": "3.1.0",
            "info": {"title": design.name, "version": design.digest},
            "tags": [{"name": tag} for tag in tags],
            "paths": paths,
            "components": {"schemas": components.schemas},
        }
    )


def _operation(endpoint: Endpoint, components: Components) -> Json:
    in_path = {match[1] for match in PLACEHOLDER.finditer(endpoint.path)}
    parameters = [
        _parameter(parameter, in_path, components)
        for parameter in endpoint.function.parameters
        if parameter.name != endpoint.body
    ]
    if endpoint.durable:
        parameters.append(IDEMPOTENCY_KEY)
    operation: Json = {
        "operationId": endpoint.name,
        "summary": endpoint.about or endpoint.name,
        "tags": [_tag(endpoint)],
        "parameters": parameters,
        "responses": _responses(endpoint, components),
    }
    _, _, description = (inspect.getdoc(endpoint.function.call) or "").partition("\n")
    if description.strip():
        operation["description"] = description.strip()
    for parameter in endpoint.function.parameters:
        if parameter.name == endpoint.body:
            operation["requestBody"] = {
                "required": parameter.required,
                "content": {"application/json": {"schema": components.add(parameter.payload)}},
            }
    return operation


def _parameter(parameter: Parameter, in_path: set[str], components: Components) -> Json:
    schema = components.add(parameter.payload)
    where = "path" if parameter.name in in_path else "query"
    if not parameter.required and where == "query" and "$ref" not in schema:
        schema = {**schema, "default": to_jsonable_python(parameter.default, fallback=str)}
    said = {"name": parameter.name, "in": where, "required": where == "path" or parameter.required, "schema": schema}
    return {**said, "description": schema["description"]} if "description" in schema else said


def _responses(endpoint: Endpoint, components: Components) -> Json:
    returns = endpoint.function.returns
    ok: Json = {"description": "The answer", "content": {"application/json": {"schema": components.add(returns)}}}
    if endpoint.durable:
        ok["headers"] = RUN_HEADERS
    responses: Json = {"200": ok}
    if endpoint.body is not None:
        responses["400"] = _problem("The body is not JSON")
        responses["413"] = _problem("The body is too large")
    if not endpoint.durable and may_be_none(returns):
        responses["404"] = _problem("There is no such thing")
    responses["422"] = _problem("A value does not fit its type, or a key was used with other values")
    responses["500"] = _problem("The request failed inside")
    responses["503"] = {**_problem("The system is busy, or cannot store anything now"), "headers": RETRY_AFTER}
    responses["504"] = _problem("It took too long")
    return responses


def _problem(description: str) -> Json:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": ROOF + PROBLEM_NAME}}},
    }


def _tag(endpoint: Endpoint) -> str:
    first = endpoint.path[1:].partition("/")[0]
    return first if first and "{" not in first else "system"
