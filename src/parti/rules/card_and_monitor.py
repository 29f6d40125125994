"""Card and monitor: a model without intended use, without evaluation, or watched by nothing."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.dataflow import Slot
from parti.design.model import Model
from parti.design.monitor import Monitor
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.spreading import reached


def look(case: Case) -> Iterator[Hit]:
    """One finding for each model, which says what is missing."""
    monitors = {monitor.name for monitor in case.design.all(Monitor)}
    for model in case.design.all(Model):
        watched = any(slot.part in monitors for slot in reached(case.edges, Slot(model.name, "out")))
        judged = model.evaluate is not None or any(one.of == model.name for one in case.design.evaluations)
        missing = [
            *([] if model.use else ["an intended use"]),
            *([] if judged else ["an evaluation"]),
            *([] if watched else ["a monitor"]),
        ]
        if missing:
            yield Hit(
                model.name, model.place, f"`{model.name}` has no {', no '.join(m.partition(' ')[2] for m in missing)}"
            )


RULE = Rule(
    code="R213",
    name="card-and-monitor",
    severity="medium",
    says="A model has no intended use, no evaluation, or no monitor that what it answers comes to.",
    why="A model that is used for something else, or on other data, than it was made for fails silently.",
    standard="Mitchell et al., Model Cards (2019); NIST AI RMF, Manage 4.1",
    fix="give use= and evaluate=, and a monitor that reads what comes of its answers",
    look=look,
)
