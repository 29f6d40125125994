"""Single point of failure: a promised availability rests on one provider."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.agent import Agent
from parti.design.llm import Llm
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.clearing import is_outside


def look(case: Case) -> Iterator[Hit]:
    """One finding for each part and model."""
    found = set()
    for use in case.dataflow.uses if case.design.slo is not None else ():
        part = case.design.by_name.get(use.target)
        llm = case.design.by_name.get(part.llm) if isinstance(part, Agent) else part
        if (
            isinstance(llm, Llm)
            and is_outside(llm)
            and not llm.fallbacks
            and not use.caught
            and (use.part, llm.name) not in found
        ):
            found.add((use.part, llm.name))
            yield Hit(use.part, use.place, f"`{use.part}` fails whenever `{llm.name}` does, which has no fallback")


RULE = Rule(
    code="R305",
    name="single-point",
    severity="high",
    says="A system with an SLO asks a model outside that has no fallback, and does not catch its failure.",
    why="The promise can be no better than that of the one provider.",
    standard="Beyer et al., Site Reliability Engineering (2016), ch. 3; Treynor et al., The Calculus of Service Availability (2017)",
    fix="give the model fallbacks=, or catch StepFailed and go on without it",
    look=look,
)
