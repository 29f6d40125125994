"""Short retention: something is forgotten before what reads it has read it."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.evaluation import Journal
from parti.rules.base import Case, Hit, Rule
from parti.units import duration_text, seconds


def look(case: Case) -> Iterator[Hit]:
    """One finding for each evaluation and question."""
    kept = case.design.retain
    if kept is None:
        return
    for evaluation in case.design.evaluations:
        if isinstance(evaluation.data, Journal) and seconds(evaluation.data.since) > kept:
            back = duration_text(seconds(evaluation.data.since))
            what = f"`{evaluation.name}` looks back {back}, and runs are kept for {duration_text(kept)}"
            yield Hit(evaluation.name, evaluation.place, what)
    for use in case.dataflow.uses:
        if use.method == "asks" and use.wait is not None and use.wait > kept:
            what = f"`{use.part}` waits {duration_text(use.wait)} for an answer, and runs are kept for {duration_text(kept)}"
            yield Hit(use.part, use.place, what)


RULE = Rule(
    code="R403",
    name="short-retention",
    severity="medium",
    says="Runs are kept for a shorter time than an evaluation looks back, or a question waits.",
    why="What is looked for is no longer there.",
    standard="Kleppmann, Designing Data-Intensive Applications (2017), ch. 11",
    fix="keep runs for longer (System(retain=...)), or look back less far",
    look=look,
)
