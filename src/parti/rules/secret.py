"""Secret: a key or password comes into a prompt, a topic, a table, a log, a journal or a memory."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.dataflow import Port
from parti.design.graph import Part
from parti.design.labels import Label
from parti.design.llm import Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.rules.base import Case, Hit, Rule, slot_name


def look(case: Case) -> Iterator[Hit]:
    """One finding for each part that holds one."""
    for part in case.design.parts:
        port, where = _kept(part)
        places: list[tuple[Port, str]] = [
            (port, where),
            ("log", "is written to a log by"),
            ("fails", "is journaled with an error of"),
        ]
        for at, how in places:
            for slot in case.labels.slots(part.name, at, Label.SECRET)[:1]:
                yield Hit(
                    part.name, part.place, f"a secret {how} {slot_name(slot)}", case.labels.way(slot, Label.SECRET)
                )


def _kept(part: Part) -> tuple[Port, str]:
    match part:
        case Topic() | Table() | Memory():
            return "data", "is stored in"
        case Llm():
            return "in", "stands in a prompt of"
        case Tool() | Step() | Model() | ToolServer():
            return "in", "is journaled with the arguments:"
    return "runs", "is run by"


RULE = Rule(
    code="R105",
    name="secret",
    severity="critical",
    says="A secret reaches a prompt, a topic, a table, a log, a journal or a memory.",
    why="What is stored is read by more people than may know the secret, and what a model was shown it can say.",
    standard="OWASP LLM02, LLM07; CWE-532",
    fix="keep it in the environment and read it inside the tool that needs it",
    look=look,
)
