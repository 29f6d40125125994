"""Exposed parts as tools of the Model Context Protocol: what is said of each, and its arguments and results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mcp_types import CallToolResult, TextContent, Tool, ToolAnnotations
from pydantic_core import from_json, to_json

from parti.design.function import schema_of
from parti.design.graph import Design
from parti.design.tool import Tool as ToolPart
from parti.errors import PayloadError
from parti.ports.operations import Outcome
from parti.serve.outwards.calls import Exposed, Work, text_of

RUN: Final = "parti/run"
"""The field of a result's `_meta` that names the run."""

_TASK: Final = {
    "type": "object",
    "properties": {"task": {"type": "string", "minLength": 1, "description": "What is to be done"}},
    "required": ["task"],
    "additionalProperties": False,
}

_REPEATABLE: Final = frozenset({"GET", "PUT", "DELETE"})
"""Methods that do nothing more when they are repeated (RFC 9110)."""


class Misfit(Exception):
    """Arguments that do not fit; what it says is for the model that wrote them."""


def tool_name(each: Exposed) -> str:
    """Its name, in the characters that a tool's may have."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", each.name)[:128]


def tool_of(each: Exposed, design: Design) -> Tool:
    """What clients are told of it."""
    endpoint = each.endpoint
    return Tool(
        name=tool_name(each),
        description=endpoint.about or each.name,
        input_schema=_TASK if endpoint.agent else schema_of(endpoint.function),
        output_schema=_output_schema(each),
        annotations=ToolAnnotations(
            read_only_hint=endpoint.method == "GET",
            destructive_hint=endpoint.method == "DELETE" or _writes_outside(each, design),
            idempotent_hint=endpoint.method in _REPEATABLE,
        ),
    )


def _writes_outside(each: Exposed, design: Design) -> bool:
    parts = (design.by_name.get(name) for name in design.reach(each.endpoint.name))
    return any(isinstance(part, ToolPart) and part.effect == "write" for part in parts)


def _output_schema(each: Exposed) -> dict[str, Any]:
    """The schema of the structured result: an object, in which everything else is the field `result`."""
    schema = dict(each.output.schema)
    if _is_object(each):
        return schema
    definitions = schema.pop("$defs", None)
    wrapped = {"type": "object", "properties": {"result": schema}, "required": ["result"]}
    return {**wrapped, "$defs": definitions} if definitions else wrapped


def _is_object(each: Exposed) -> bool:
    return each.output.schema.get("type") == "object"


def arguments_of(each: Exposed, given: Mapping[str, Any]) -> list[Any]:
    """The arguments of the endpoint's function. Raises Misfit naming each that does not fit."""
    if each.endpoint.agent:
        task = given.get("task")
        if not isinstance(task, str) or not task or len(given) > 1:
            raise Misfit(f"`{each.name}` takes a task: one text that is not empty")
        return [task, ""]
    parameters = each.endpoint.function.parameters
    wrong = [f"{name} is not known" for name in given.keys() - {parameter.name for parameter in parameters}]
    values: list[Any] = []
    for parameter in parameters:
        if parameter.name not in given:
            wrong += [f"{parameter.name} is missing"] if parameter.required else []
            values.append(parameter.default)
            continue
        try:
            values.append(parameter.payload.decode(to_json(given[parameter.name])))
        except PayloadError as misfit:
            wrong.append(f"{parameter.name}: {misfit.what}")
    if wrong:
        raise Misfit("; ".join(sorted(wrong)))
    return values


def result_of(each: Exposed, outcome: Outcome) -> CallToolResult:
    """The result of a call that went well."""
    value = Work.of(outcome).output if each.endpoint.agent else from_json(outcome.result or b"null")
    return CallToolResult(
        content=[TextContent(text=text_of(value))],
        structured_content=value if _is_object(each) else {"result": value},
        _meta={RUN: outcome.run} if outcome.run else None,
    )


def failure(text: str, run: str = "") -> CallToolResult:
    """The result of a call that failed, for the model to see."""
    return CallToolResult(content=[TextContent(text=text)], is_error=True, _meta={RUN: run} if run else None)
