"""Tight timeout: a part may take longer than the part that waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.graph import Design, Part
from parti.design.llm import Llm
from parti.design.model import Model
from parti.design.step import Step
from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule
from parti.rules.reach import runners
from parti.units import Seconds, duration_text


def look(case: Case) -> Iterator[Hit]:
    """One finding for each part that starts work and what it calls."""
    for runner in runners(case.design):
        for name in sorted({use.target for use in case.uses(part=runner.name)}):
            part = case.design.by_name.get(name)
            longest = _longest(case.design, part) if part else 0.0
            if longest > runner.timeout:
                place = min(use.place for use in case.uses(part=runner.name, target=name))
                what = f"`{name}` may take {duration_text(longest)}, and `{runner.name}` has {duration_text(runner.timeout)}"
                yield Hit(runner.name, place, what)


def _longest(design: Design, part: Part) -> Seconds:
    """The longest that one call may take, retries and the waits between them included; of an agent, one answer."""
    match part:
        case Tool() | Step():
            retry = part.retry
            waits = sum(
                min(retry.longest, retry.first * retry.factor ** (n - 1)) for n in range(1, min(retry.attempts, 64))
            )
            return part.timeout * retry.attempts + waits
        case Model():
            return part.timeout
        case Llm():
            return part.timeout * part.attempts
        case Agent():
            return _longest(design, design.by_name[part.llm])
    return 0.0


RULE = Rule(
    code="R306",
    name="tight-timeout",
    severity="high",
    says="What a part calls may take longer, with its retries, than the part itself has.",
    why="The caller gives up on work that goes on: it is paid, and its answer is lost.",
    standard="Nygard, Release It! (2018), ch. 5; gRPC, Deadlines",
    fix="give the inner part a shorter timeout= or fewer attempts, or the outer one more time",
    look=look,
)
