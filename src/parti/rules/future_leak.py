"""Future leak: a model learns from what is known only after the decision."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.labels import Label
from parti.design.model import Model
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.spreading import Stage


def look(case: Case) -> Iterator[Hit]:
    """One finding for each model."""
    for model in case.design.all(Model):
        way = case.way(model.name, "in", Label.OUTCOME)
        typed = [path for path, tag in model.inputs.labels if tag is Label.OUTCOME]
        if typed and not way:
            way = (Stage(model.place, f"`{typed[0]}` is an input of `{model.name}`"),)
        if way:
            yield Hit(model.name, model.place, f"`{model.name}` is given what is known only afterwards", way)


RULE = Rule(
    code="R402",
    name="future-leak",
    severity="high",
    says="A field that is known only after the decision reaches the input of a model.",
    why="The model looks good when it is tested and fails when it is used: the field is not there yet.",
    standard="Kaufman et al., Leakage in Data Mining (2012)",
    fix="leave the field out of the features",
    look=look,
)
