"""Untrusted argument: what strangers wrote decides what a tool does to whom."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.labels import Label
from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each control argument."""
    for tool in case.design.all(Tool):
        for path in tool.control:
            way = case.way(tool.name, "in", Label.UNTRUSTED, path)
            if way:
                what = f"`{path}` of `{tool.name}` may come from strangers: it begins where {way[0].text}"
                yield Hit(tool.name, tool.place, what, way, about=path)


RULE = Rule(
    code="R102",
    name="untrusted-argument",
    severity="critical",
    says="What strangers wrote joins an argument that decides what happens to whom.",
    why="A recipient, an amount or a path that a stranger chose is a command of the stranger's.",
    standard="Debenedetti et al., CaMeL (2025); Costa et al., FIDES (2025)",
    fix="take it from a trusted field, choose among an enum by a guard, or add approval= to the tool",
    look=look,
)
