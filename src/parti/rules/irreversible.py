"""Irreversible: what cannot be undone happens without a person's yes."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule
from parti.rules.reach import acts


def look(case: Case) -> Iterator[Hit]:
    """One finding for each such tool that something calls."""
    called = {arrow.target for arrow in case.design.arrows if arrow.kind == "calls"}
    for tool in case.design.all(Tool):
        if tool.undo == "never" and acts(tool) and tool.name in called:
            yield Hit(tool.name, tool.place, f"`{tool.name}` can never be undone, and nobody is asked before it")


RULE = Rule(
    code="R114",
    name="irreversible",
    severity="high",
    says="A tool that cannot be undone is called without a person's yes.",
    why="A mistake of the program or of a model then stays.",
    standard="OWASP LLM06; AI Act Art. 14",
    fix="add approval=, or name the tool that undoes it with undo=",
    look=look,
)
