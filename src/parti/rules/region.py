"""Region: data leaves the region in which it must be processed."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.labels import Region
from parti.design.llm import Llm
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.clearing import is_outside


def look(case: Case) -> Iterator[Hit]:
    """One finding for each part and region. What runs in this process is where the data already is."""
    for part in case.design.parts:
        if not isinstance(part, Llm | Tool | ToolServer) or (isinstance(part, Llm) and not is_outside(part)):
            continue
        if isinstance(part, Tool) and part.effect == "none":
            continue
        for tag, slot in case.labels.at(part.name, "in").items():
            there = isinstance(part, Llm) and isinstance(tag, Region) and part.region == tag.name
            if isinstance(tag, Region) and not there and tag not in part.clearance:
                what = f"what must stay in {tag.name} reaches `{part.name}`, which is not declared to be there"
                yield Hit(part.name, part.place, what, case.labels.way(slot, tag))


RULE = Rule(
    code="R205",
    name="region",
    severity="high",
    says="Data that must stay in a region reaches a part that is not declared to be there.",
    why="A transfer to another country needs a ground of its own.",
    standard="GDPR Art. 44",
    fix='declare region= of the model, or clearance=Region("…") of the tool, or use one that is there',
    look=look,
)
