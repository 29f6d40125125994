"""LLM in a loop: a language model is asked in a loop that nothing bounds."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.llm import Llm
from parti.rules.base import Case, Hit, Rule
from parti.rules.reach import budget_of


def look(case: Case) -> Iterator[Hit]:
    """One finding for each place."""
    for use in case.dataflow.uses:
        asked = isinstance(case.design.by_name.get(use.target), Llm | Agent)
        if asked and use.loop == "while" and budget_of(case, use.part) is None:
            yield Hit(use.part, use.place, f"`{use.part}` asks `{use.target}` in a loop without end, and has no budget")


RULE = Rule(
    code="R501",
    name="llm-in-loop",
    severity="high",
    says="A language model or agent is asked in a `while` loop, in work without a budget.",
    why="A loop that does not end as it should is paid by the call.",
    standard="OWASP LLM10",
    fix="give the runner a budget=, or count the rounds with for",
    look=look,
)
