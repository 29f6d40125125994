"""Unlabelled source: nobody said how far what comes in can be believed."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.dataflow import Slot
from parti.design.endpoint import Endpoint
from parti.design.source import Source
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.seeds import is_outside, is_said
from parti.rules.flow.spreading import Stage, reached


def look(case: Case) -> Iterator[Hit]:
    """One finding for each part by which something comes in, and goes on."""
    for part in case.design.parts:
        if not isinstance(part, Source | Endpoint | Tool | ToolServer) or not is_outside(part):
            continue
        if is_said(case.design, part) or (isinstance(part, Endpoint) and part.agent):
            continue
        start = Slot(part.name, "in" if isinstance(part, Endpoint) else "out")
        far = next((slot.part for slot in reached(case.edges, start) if slot.part != part.name), "")
        if far:
            what = f"what comes in by `{part.name}` has no labels, and goes on to `{far}`"
            yield Hit(part.name, part.place, what, (Stage(part.place, f"`{part.name}` reaches `{far}`"),))


RULE = Rule(
    code="R108",
    name="unlabelled-source",
    severity="high",
    says="Nobody said how far what comes in from outside can be believed, and it goes on to other parts.",
    why="It counts as written by strangers wherever it goes, which may be too strict, and says that nobody looked.",
    standard="Costa et al., FIDES (2025)",
    fix="say labels=Label.TRUSTED or Label.UNTRUSTED there, or label the fields of its type",
    look=look,
)
