"""A desk whose agent's answers depend on its prompt in a known way, so that the best prompt is known, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cli_apps import lines

from parti.ports.llm import Answer, Request
from parti.testing import said

DESK = '''"""A desk that sorts tickets."""

from __future__ import annotations

from pydantic import BaseModel

from parti import Case, Prompt, Score, System, checks

desk = System("desk")


class Tone(BaseModel):
    tone: str


class Label(BaseModel):
    label: str


class Ticket(BaseModel):
    id: str
    text: str


tickets = desk.topic("tickets", Ticket, key="id")
labels = desk.topic("labels", Label, key="label")

llm = desk.llm("local")
coach = desk.llm("local", name="coach")
sorter = desk.agent("sorter", llm=llm, output=Label, instructions=Prompt("prompts/sorter.md", Tone))


@desk.on(tickets, to=labels)
async def sort(ticket: Ticket) -> Label:
    """Sort a ticket."""
    return await sorter.run(ticket.text, variables={"tone": "plain"})


@desk.evaluation(of=sorter, data="tickets.jsonl")
def right(case: Case[str, str], output: Label) -> Score:
    """Whether the label is the expected one."""
    return Score(float(output.label == case.expected), f"{output.label}, expected {case.expected}")


@desk.evaluation(of=sort, data="events.jsonl")
def sorted_right(case: Case[Ticket, str], output: Label) -> float:
    """Whether the label is the expected one."""
    return output.label == case.expected


desk.evaluation("whole", of=sorter, data="whole.jsonl", check=checks.exact())
'''

PRESENT = "Sort in a {tone} tone.\n"
CLEARER = "Sort with care, in a {tone} tone.\n"

KINDS = ("bill", "bug", "wish")


def kind_of(number: int) -> str:
    """The right label of a ticket."""
    return KINDS[number % 3]


def ticket(number: int) -> str:
    """The text of a ticket, which says its own number."""
    return f"ticket {number} {{about}} `{kind_of(number)}`"


def write_desk(folder: Path, cases: int = 60) -> None:
    """The app, its prompt, and its cases."""
    (folder / "prompts").mkdir()
    (folder / "prompts" / "sorter.md").write_text(PRESENT, encoding="utf-8")
    (folder / "app.py").write_text(DESK, encoding="utf-8")
    tone = {"variables": {"tone": "plain"}}
    lines(folder / "tickets.jsonl", *({"input": ticket(n), "expected": kind_of(n), **tone} for n in range(cases)))
    lines(
        folder / "events.jsonl",
        *({"input": {"id": f"t{n}", "text": ticket(n)}, "expected": kind_of(n)} for n in range(cases)),
    )
    lines(
        folder / "whole.jsonl",
        *({"input": ticket(n), "expected": {"label": kind_of(n)}, **tone} for n in range(cases)),
    )


def wanted(request: Request) -> tuple[str, int]:
    """The instructions, and the number of the ticket."""
    system, task = request.messages[0], request.messages[-1]
    return system.text, int(task.text.split()[1])


def taught(request: Request) -> Answer:
    """Knows bills of itself, bugs when it is told to take care, and wishes only from an example of one."""
    instructions, number = wanted(request)
    known = {"bill"}
    known |= {"bug"} if "with care" in instructions else set()
    known |= {"wish"} if "`wish`" in instructions else set()
    kind = kind_of(number)
    return said({"label": kind if kind in known else "bill"})


def unteachable(request: Request) -> Answer:
    """Knows bills, whatever it is told."""
    return said({"label": "bill"})


def asked_of(request: Request) -> Any:
    """The request of a proposer as JSON, or None for any other."""
    if "You improve the instructions" not in request.messages[0].text:
        return None
    return json.loads(request.messages[1].text)
