"""Budget too small: a budget that cannot pay for a single call."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.llm import Llm
from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule
from parti.rules.reach import Runner, runners


def look(case: Case) -> Iterator[Hit]:
    """One finding for each agent or runner, and unit."""
    for agent in case.design.all(Agent):
        llm = case.design.get(Llm, agent.llm)
        usd = llm.price.of(0, llm.max_tokens) if llm.price else 0.0
        yield from _too_small(agent, {"usd": usd, "tokens": llm.max_tokens, "steps": 1}, f"an answer of `{llm.name}`")
    for runner in runners(case.design):
        for use in case.uses(part=runner.name):
            tool = case.design.by_name.get(use.target)
            if isinstance(tool, Tool):
                most = {"usd": tool.cost.usd, "tokens": tool.cost.tokens, "steps": 1}
                yield from _too_small(runner, most, f"a call of `{tool.name}`")


def _too_small(part: Agent | Runner, most: dict[str, float], call: str) -> Iterator[Hit]:
    for unit, needed in most.items():
        limit = getattr(part.budget, unit) if part.budget is not None else None
        if limit is not None and needed > limit:
            yield Hit(part.name, part.place, f"`{part.name}` has {limit:g} {unit}, and {call} may take {needed:g}")


RULE = Rule(
    code="R503",
    name="budget-too-small",
    severity="high",
    says="A budget is smaller than the most that one call may cost.",
    why="Each call reserves the most that it may cost first, so none is ever made (P312).",
    standard="OWASP LLM10",
    fix="raise the budget, or bound the call: max_tokens=, cost=",
    look=look,
)
