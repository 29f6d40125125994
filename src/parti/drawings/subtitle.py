"""The line below a part's name that says what matters most about it: its types, its address, its rhythm."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from parti.design.addresses import shown_address
from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.function import Function
from parti.design.graph import Part
from parti.design.handler import Handler
from parti.design.llm import LOCAL, Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.monitor import Monitor
from parti.design.person import Person
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.units import duration_text

_PROTOCOLS: Final = {"mcp": "MCP", "openapi": "OpenAPI"}


def subtitle(part: Part) -> str:
    """A few words about `part`, never empty."""
    match part:
        case Topic() | Table():
            return f"{part.payload.name} by {part.key}"
        case Llm() | Agent() | Memory() | ToolServer():
            return _intelligent(part)
        case Endpoint():
            return " · ".join(_address(part))
        case Schedule():
            return f"every {duration_text(part.every)}"
        case Model():
            return " · ".join((f"{part.inputs.name} → {part.output.name}", *_service(part)))
        case Tool():
            return " · ".join((_signature(part.function), _effect(part), *_service(part)))
        case Step():
            return " · ".join((_signature(part.function), *_service(part)))
        case Handler():
            return _signature(part.function)
        case Source():
            return f"up to {part.per_second:g} per second" if part.per_second else "as fast as it is taken"
        case Monitor():
            return part.title
        case Person():
            return (
                f"stand-in after {duration_text(part.after)}" if part.stand_in and part.after else "answers questions"
            )


def _intelligent(part: Llm | Agent | Memory | ToolServer) -> str:
    match part:
        case ToolServer():
            return f"{_PROTOCOLS[part.protocol]} · {shown_address(part.url) or Path(part.command[0]).name}"
        case Llm():
            return "in this process" if part.target == LOCAL else shown_address(part.target)
        case Agent():
            return " · ".join((f"{part.llm} → {part.output.name}", *part.expose))
        case Memory():
            kept = f"kept {duration_text(part.retain)}" if part.retain else "kept"
            return f"facts {'shared' if part.shared else 'by key'} · {kept}"


def _address(endpoint: Endpoint) -> tuple[str, ...]:
    """How it is called: at its path, or by protocols alone."""
    if endpoint.agent:
        return ("from outside", *endpoint.expose)
    durable = ("durable",) if endpoint.durable else ()
    return (f"{endpoint.method} {endpoint.path}", *durable, *endpoint.expose)


def _signature(function: Function) -> str:
    takes = ", ".join(parameter.payload.name for parameter in function.parameters)
    return f"{takes} → {function.returns.name}" if takes else f"→ {function.returns.name}"


def _service(part: Step | Tool | Model) -> tuple[str, ...]:
    """How many calls are served together, and at once."""
    together = (f"batches of {part.batch.size}",) if part.batch else ()
    return (*together, f"{part.concurrency} at once") if part.concurrency else together


def _effect(tool: Tool) -> str:
    return {"none": "no effect", "read": "reads", "write": "writes"}[tool.effect]
