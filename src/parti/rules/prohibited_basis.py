"""Prohibited basis: a ground on which nobody may be treated differently reaches a decision."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.graph import Design
from parti.design.labels import Label, Labelled
from parti.design.model import Model
from parti.rules.base import Case, Hit, Rule, slot_name
from parti.rules.flow.clearing import allows
from parti.rules.flow.spreading import Stage


def look(case: Case) -> Iterator[Hit]:
    """One finding for each model, and for each field of a decision that it reaches, also by way of a condition."""
    for model in case.design.all(Model):
        if Label.PROTECTED in model.clearance:
            continue
        way = case.way(model.name, "in", Label.PROTECTED) or case.way(model.name, "in", Label.SWAYED)
        typed = [path for path, tag in model.inputs.labels if tag is Label.PROTECTED]
        if typed and not way:
            way = (Stage(model.place, f"`{typed[0]}` is an input of `{model.name}`"),)
        if way:
            yield Hit(model.name, model.place, f"`{model.name}` is given what is protected", way)
    for decision in case.design.decisions:
        allowed = _said(case.design, decision.by)
        for tag in (Label.PROTECTED, Label.SWAYED):
            for slot in case.labels.slots(decision.by, "out", tag):
                if not allows(allowed, Label.PROTECTED, slot.path):
                    place, what = (
                        case.design.by_name[decision.by].place,
                        f"{slot_name(slot)} depends on what is protected",
                    )
                    yield Hit(decision.by, place, what, case.labels.way(slot, tag))


def _said(design: Design, part: str) -> Labelled:
    """The fields of what a part gives that are protected themselves, and so handed on rather than decided."""
    function = getattr(design.by_name.get(part), "function", None)
    return function.returns.labels if function is not None else ()


RULE = Rule(
    code="R201",
    name="prohibited-basis",
    severity="critical",
    says="A protected ground reaches the input of a model, or what a decision says.",
    why="To decide on race, sex, religion or age is disparate treatment, whatever else went in.",
    standard="ECOA, 15 USC 1691; Regulation B, 12 CFR 1002.4 and 1002.6; AI Act Art. 10",
    fix="leave it out of what decides, and use it to measure alone",
    look=look,
)
