"""A design as JSON, and the published schema of that JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import files
from typing import Any, Final

from parti.design.addresses import shown_address
from parti.design.approval import Approval
from parti.design.batch import Batch
from parti.design.budget import Budget, Cost
from parti.design.function import Function
from parti.design.goals import Retry
from parti.design.graph import Design, Part
from parti.design.llm import Llm, Price
from parti.design.overflow import Summarise, Truncate
from parti.design.payload import Payload
from parti.design.places import Place
from parti.design.tool_server import ToolServer
from parti.drawings.flow import kind_of

FORMAT: Final = 1
_COMMON: Final = {"name", "place", "about"}

Json = dict[str, Any]


def design_json(design: Design) -> Json:
    """All of `design` that is data, as `schema` describes it. Durations are in seconds; functions are only named.
    Of the settings of models only the names are told, of addresses neither user nor query, of commands only the program.

    Types are ``{"type": name, "digest": d}``; their JSON schemas stand once each under ``schemas`` by that digest.
    """
    schemas: Json = {}
    slo = design.slo
    return {
        "format": FORMAT,
        "name": design.name,
        "digest": design.digest,
        "place": _place(design.place),
        "slo": {"p99": slo.p99, "availability": slo.availability} if slo else None,
        "retain": design.retain,
        "parts": [_part(part, schemas) for part in design.parts],
        "arrows": [
            {"source": a.source, "kind": a.kind, "target": a.target, "place": _place(a.place), "may": a.may}
            for a in design.arrows
        ],
        "opaque": [{"part": spot.part, "place": _place(spot.place), "why": spot.why} for spot in design.opaque],
        "groups": dict(design.groups),
        "schemas": schemas,
    }


def schema() -> Json:
    """The JSON schema (draft 2020-12) of what `design_json` gives."""
    text = files("parti.drawings").joinpath("design.schema.json").read_text(encoding="utf-8")
    found: Json = json.loads(text)
    return found


def _part(part: Part, schemas: Json) -> Json:
    """Fields that hold code are left out: they are those that a part's repr leaves out."""
    facts = {field.name: getattr(part, field.name) for field in fields(part) if field.repr} | _without_secrets(part)
    return {
        "kind": kind_of(part),
        "name": part.name,
        "place": _place(part.place),
        "about": part.about,
        "options": {name: _value(value, schemas) for name, value in facts.items() if name not in _COMMON},
    }


def _without_secrets(part: Part) -> dict[str, object]:
    """The options in which secrets may stand, as anybody may see them."""
    match part:
        case Llm():
            return {"target": shown_address(part.target), "settings": sorted(part.settings)}
        case ToolServer():
            return {"url": shown_address(part.url), "command": part.command[:1]}
    return {}


def _value(value: object, schemas: Json) -> Any:
    match value:
        case Payload():
            return _type(value, schemas)
        case Function():
            return _function(value, schemas)
        case Retry():
            return {
                "attempts": value.attempts,
                "first": value.first,
                "factor": value.factor,
                "longest": value.longest,
            }
        case Budget():
            return {"usd": value.usd, "tokens": value.tokens, "steps": value.steps, "seconds": value.seconds}
        case Cost():
            return {"usd": value.usd, "tokens": value.tokens}
        case Price():
            return {"input": value.input, "output": value.output}
        case Batch():
            return {"size": value.size, "linger": value.linger}
        case Approval():
            return {"who": value.who, "timeout": value.timeout, "default": value.default}
        case Truncate() | Summarise():
            facts = {field.name: _value(getattr(value, field.name), schemas) for field in fields(value)}
            return {"kind": type(value).__name__.lower(), **facts}
        case Mapping():
            return {str(name): _value(item, schemas) for name, item in value.items()}
        case tuple() | list():
            return [_value(item, schemas) for item in value]
        case None | bool() | int() | float() | str():
            return value
    raise AssertionError(f"an option of the type {type(value).__name__} has no place in the schema")


def _type(payload: Payload, schemas: Json) -> Json:
    schemas[payload.digest] = _plain(payload.schema)
    return {"type": payload.name, "digest": payload.digest}


def _plain(schema: Mapping[str, Any]) -> Json:
    """A copy that shares nothing with the design, so that whoever gets it may change it."""
    copy: Json = json.loads(json.dumps(dict(schema)))
    return copy


def _function(function: Function, schemas: Json) -> Json:
    return {
        "name": function.name,
        "place": _place(function.place),
        "about": function.about,
        "digest": function.digest,
        "async": function.is_async,
        "parameters": [
            {"name": parameter.name, "required": parameter.required, **_type(parameter.payload, schemas)}
            for parameter in function.parameters
        ],
        "returns": _type(function.returns, schemas),
    }


def _place(place: Place) -> Json:
    return {"file": place.file, "line": place.line}
