"""Endless question: a run waits for a person for ever."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each question and approval."""
    for use in case.dataflow.uses:
        if use.method == "asks" and "timeout" not in use.given:
            yield Hit(use.part, use.place, f"`{use.part}` asks `{use.target or 'a person'}`, and waits for ever")
    for part in case.design.parts:
        if isinstance(part, Tool | ToolServer) and part.approval is not None and part.approval.timeout is None:
            yield Hit(part.name, part.place, f"`{part.name}` waits for the yes of `{part.approval.who}` for ever")


RULE = Rule(
    code="R307",
    name="endless-question",
    severity="medium",
    says="A person is asked without a timeout.",
    why="Where nobody answers, the run stays open, and all of its key waits behind it.",
    standard="Hohpe and Woolf, Enterprise Integration Patterns (2003); AI Act Art. 14",
    fix='give timeout= (and default=): ask(..., timeout="2d"), Approval("treasurer", timeout="2d")',
    look=look,
)
