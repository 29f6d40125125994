"""Exfiltration: data goes to a tool, tool server or caller that is not cleared for it."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.endpoint import Endpoint
from parti.design.graph import Part
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule, slot_name
from parti.rules.flow.clearing import is_cleared
from parti.rules.reach import PRIVATE


def look(case: Case) -> Iterator[Hit]:
    """One finding for each part and label."""
    for part in case.design.parts:
        port = "out" if isinstance(part, Endpoint) else "in"
        for label in PRIVATE:
            if not _leaves_by(part):
                continue
            for slot in case.labels.slots(part.name, port, label):  # type: ignore[arg-type]
                if not is_cleared(part, label, slot.path):
                    leaves = f"leaves by {slot_name(slot)}" if port == "in" else f"goes to callers of `{part.name}`"
                    what = f"what is {label} {leaves}, which is not cleared for it"
                    yield Hit(part.name, part.place, what, case.labels.way(slot, label))
                    break


def _leaves_by(part: Part) -> bool:
    """Whether what the part is given leaves the system."""
    return isinstance(part, ToolServer | Endpoint) or (isinstance(part, Tool) and part.effect != "none")


RULE = Rule(
    code="R103",
    name="exfiltration",
    severity="critical",
    says="Private data reaches a tool, tool server or answer that neither its types nor clearance= allow it.",
    why="What has left cannot be called back, and a URL that is only read carries data out as well as a message does.",
    standard="Costa et al., FIDES (2025); OWASP LLM02",
    fix="leave the field out, redact it in a guard, type or clear the argument for it, or add approval=",
    look=look,
)
