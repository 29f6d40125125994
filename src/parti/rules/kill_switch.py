"""Kill switch: nobody is named who watches over an agent with effects and stops it."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.rules.base import Case, Hit, Rule
from parti.rules.reach import effects_of


def look(case: Case) -> Iterator[Hit]:
    """One finding for each agent."""
    for agent in case.design.all(Agent) if not case.design.responsible else ():
        effects = effects_of(case.design, agent)
        if effects:
            what = f"`{agent.name}` may call `{effects[0].name}`, and nobody is named who stops it"
            yield Hit(agent.name, agent.place, what)


RULE = Rule(
    code="R117",
    name="kill-switch",
    severity="medium",
    says="An agent may act outside, and nobody is named who stops it.",
    why="`parti cancel` stops any run, but somebody must know that it is theirs to do.",
    standard="AI Act Art. 14(4)(e); OWASP ASI10",
    fix='say System(responsible="operator")',
    look=look,
)
