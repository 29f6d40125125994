"""Wrong type: what is published or stored is of another type than is held there."""

from __future__ import annotations

from collections.abc import Iterator

from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each place."""
    for use in case.dataflow.uses:
        if use.misfit:
            yield Hit(
                use.part, use.place, f"`{use.part}` hands {use.misfit} to `{use.target}`, which holds another type"
            )


RULE = Rule(
    code="R401",
    name="wrong-type",
    severity="high",
    says="A part publishes or stores values of another type than the topic or table holds.",
    why="The first such value fails at run time (P402), or loses fields without a word.",
    standard="Kleppmann, Designing Data-Intensive Applications (2017), ch. 4",
    fix="make a value of the declared type, or declare another one",
    look=look,
)
