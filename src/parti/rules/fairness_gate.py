"""Fairness gate: a model decides on people, and no evaluation with a gate compares groups before a release."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.model import Model
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each decision that a model has part in."""
    gated = {evaluation.name for evaluation in case.design.evaluations if evaluation.gate is not None}
    for decision in case.design.decisions:
        reached = case.design.reach(decision.by)
        model = next((model for model in case.design.all(Model) if model.name in reached), None)
        if model is not None and decision.fairness not in gated:
            said = (
                f"`{decision.fairness}` is no evaluation with a gate" if decision.fairness else "no evaluation is named"
            )
            what = f"`{decision.name}` uses `{model.name}`, and {said} that compares groups"
            yield Hit(decision.by, decision.place, what)


RULE = Rule(
    code="R211",
    name="fairness-gate",
    severity="high",
    says="A model that decides on people has no evaluation of groups with a gate.",
    why="A model that is good on average can be bad for some.",
    standard="AI Act Art. 10 and 15; NIST AI RMF, Measure 2.11",
    fix='write an evaluation with gate= that compares groups, and name it: desk.decision(..., fairness="groups")',
    look=look,
)
