"""Purpose: data is used for something else than it may be used for."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.labels import Purpose
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each part and purpose."""
    for part in case.design.parts:
        if isinstance(part, Llm | Model | Tool | ToolServer):
            for tag, slot in case.labels.at(part.name, "in").items():
                if isinstance(tag, Purpose) and tag not in part.clearance:
                    what = f"`{part.name}` uses what is for {tag.name} alone, and is not declared to serve that"
                    yield Hit(part.name, part.place, what, case.labels.way(slot, tag))


RULE = Rule(
    code="R204",
    name="purpose",
    severity="high",
    says="Data that may be used for one purpose only reaches a part that is not declared to serve it.",
    why="Personal data is collected for a purpose, and may not be used for another.",
    standard="GDPR Art. 5(1)(b)",
    fix='say clearance=Purpose("…") where it is used so, or leave the field out',
    look=look,
)
