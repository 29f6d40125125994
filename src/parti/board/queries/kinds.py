"""Kinds: the word for each kind of part, as the board shows it."""

from __future__ import annotations

import re

from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.graph import Design, Part
from parti.design.guard import Guard
from parti.design.handler import Handler
from parti.design.llm import Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.schedule import Schedule
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic

Runner = Handler | Endpoint | Schedule


def kind_of(part: Part) -> str:
    """``tool_server`` for a ToolServer, and so on."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(part).__name__).lower()


def runners_of(design: Design) -> list[Runner]:
    """The parts whose functions are runs: a plain endpoint's calls leave nothing behind."""
    return [
        part
        for part in design.parts
        if isinstance(part, Handler | Schedule) or (isinstance(part, Endpoint) and part.durable)
    ]


def kind_of_call(design: Design, name: str) -> tuple[str, bool]:
    """What kind of thing a journal entry's part is, and whether it may call others; parts that are gone count as steps."""
    match part_of(design, name):
        case Agent():
            return "agent", True
        case Guard() | Step():
            return "step", True
        case Tool() | ToolServer():
            return "tool", True
        case Model():
            return "model", False
        case Llm():
            return "llm", False
        case Table():
            return "table", False
        case Memory():
            return "memory", False
        case Topic():
            return "topic", False
    return "step", True


def part_of(design: Design, name: str) -> Part | None:
    """The part of that name; for a tool of a tool server (``files.read``) the server."""
    found = design.by_name.get(name)
    if found is None:
        server = design.by_name.get(name.partition(".")[0])
        return server if isinstance(server, ToolServer) else None
    return found
