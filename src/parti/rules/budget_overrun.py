"""Budget overrun: what a part calls may spend more than the part has."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.rules.base import Case, Hit, Rule
from parti.rules.reach import runners


def look(case: Case) -> Iterator[Hit]:
    """One finding for each runner and unit. An agent in a loop counts as often as nobody knows."""
    for runner in runners(case.design):
        for unit in ("usd", "tokens") if runner.budget is not None else ():
            limit = getattr(runner.budget, unit)
            if limit is None:
                continue
            total, looped = 0.0, ""
            for use in case.uses(part=runner.name):
                agent = case.design.by_name.get(use.target)
                most = getattr(agent.budget, unit) if isinstance(agent, Agent) and agent.budget else None
                total += most or 0.0
                looped = use.target if use.loop and most else looped
            if total > limit or looped:
                more = (
                    f"`{looped}` in a loop may spend any number of times"
                    if looped
                    else f"its agents may spend {total:g}"
                )
                yield Hit(runner.name, runner.place, f"`{runner.name}` has {limit:g} {unit}, and {more}")


RULE = Rule(
    code="R502",
    name="budget-overrun",
    severity="medium",
    says="The agents that a run sets to work may spend more together than the run.",
    why="The last of them is refused in the middle of its work (P312), and what was paid before is lost.",
    standard="OWASP LLM10",
    fix="give the run more, the agents less, or bound the loop",
    look=look,
)
