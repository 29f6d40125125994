"""Blind approval: a person says yes without seeing what to, or by saying nothing."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.approval import Approval
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each question."""
    for use in case.dataflow.uses:
        if use.method == "asks" and use.constant:
            what = f"`{use.part}` asks `{use.target or 'a person'}` a question that shows nothing of the matter"
            yield Hit(use.part, use.place, what)
        elif use.method == "asks" and use.yes:
            yield Hit(
                use.part, use.place, f"where `{use.target or 'a person'}` says nothing, `{use.part}` takes it for a yes"
            )
    for part in case.design.parts:
        agreed: Approval | None = part.approval if isinstance(part, Tool | ToolServer) else None
        if agreed is not None and agreed.default:
            what = f"where `{agreed.who}` says nothing, `{part.name}` is called as if they had said yes"
            yield Hit(part.name, part.place, what)


RULE = Rule(
    code="R113",
    name="blind-approval",
    severity="high",
    says="A person is asked without being shown what it is about, or silence is their yes.",
    why="An approval by somebody who sees nothing is none, and undoes every other defence.",
    standard="AI Act Art. 14; OWASP ASI09",
    fix="say in the question what it is about and where that comes from; let default be False",
    look=look,
)
