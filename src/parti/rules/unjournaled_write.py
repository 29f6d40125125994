"""Unjournaled write: a plain endpoint calls a tool that must not be called twice."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.endpoint import Endpoint
from parti.design.monitor import Monitor
from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each endpoint or monitor and tool. Runs journal their writes, and fence them."""
    for part in case.design.parts:
        if isinstance(part, Monitor) or (isinstance(part, Endpoint) and not part.durable):
            for name in sorted(case.design.reach(part.name)):
                tool = case.design.by_name.get(name)
                if isinstance(tool, Tool) and tool.effect == "write" and not tool.idempotent:
                    what = f"`{part.name}` is no run, and calls `{tool.name}`, which may not be called twice"
                    yield Hit(part.name, part.place, what)


RULE = Rule(
    code="R301",
    name="unjournaled-write",
    severity="high",
    says="A part that is no run calls a tool that writes and may not be called again.",
    why="Nothing remembers that it was called: a caller's second try, after a crash or a timeout, does it twice.",
    standard="Helland, Idempotence Is Not a Medical Condition (2012)",
    fix="make the endpoint durable, or say idempotent=True where the outside knows the key",
    look=look,
)
