"""Receipt laundering: a tool that repeats what it was given is declared to be trusted, all of it."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.fields import free_texts
from parti.design.labels import Label
from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule
from parti.rules.flow.seeds import types_of


def look(case: Case) -> Iterator[Hit]:
    """One finding for each tool, which names the fields that can repeat something."""
    for tool in (tool for tool in case.design.all(Tool) if tool.effect == "write"):
        said = (*types_of(case.design, tool), *(tool.labels or ()))
        doubted = {path for path, tag in said if tag is Label.UNTRUSTED}
        echoes = [path for path in free_texts(tool.function.returns.kind) if path not in doubted]
        way = case.way(tool.name, "in", Label.UNTRUSTED)
        if ("", Label.TRUSTED) in said and "" not in doubted and echoes and way:
            fields = ", ".join(f"`{path}`" for path in echoes if path) or "its text"
            what = f"all that `{tool.name}` gives is declared trusted, but {fields} may repeat what strangers wrote"
            yield Hit(tool.name, tool.place, what, way)


RULE = Rule(
    code="R107",
    name="receipt-laundering",
    severity="high",
    says="A tool is given what strangers wrote, and its whole answer is declared trusted, free text too.",
    why="A calendar repeats the title that an attacker chose: what went in untrusted comes back as if it were not.",
    standard="measured: trusting a receipt opened 30 attacks again (labels on values, see docs/check.md)",
    fix='label the fields of the answer that can be trusted: labels={"id": Label.TRUSTED}, or leave the answer unlabelled',
    look=look,
)
