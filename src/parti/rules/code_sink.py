"""Code sink: text of a language model or of strangers is run as a program."""

from __future__ import annotations

from collections.abc import Iterator

from parti.design.dataflow import Slot
from parti.design.labels import Label
from parti.design.tool import Tool
from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each place where something is run."""
    for part in case.design.parts:
        runs = part.runs if isinstance(part, Tool) else ()
        places = [(Slot(part.name, "in", path), language) for path, language in runs]
        places += [(Slot(part.name, "runs", language), language) for language in ("code", "html", "shell", "sql")]
        for slot, language in places:
            for label, who in ((Label.GENERATED, "a language model"), (Label.UNTRUSTED, "a stranger")):
                way = case.way(slot.part, slot.port, label, slot.path)
                if way:
                    yield Hit(part.name, way[-1].place, f"`{part.name}` runs as {language} what {who} wrote", way)
                    break


RULE = Rule(
    code="R106",
    name="code-sink",
    severity="critical",
    says="Text that a model or a stranger wrote is run in a shell, as SQL, as code or as HTML.",
    why="It does there whatever it says.",
    standard="OWASP LLM05, ASI05; CWE-78, CWE-89, CWE-95, CWE-79",
    fix="use parameters, escape it in a guard that releases GENERATED and UNTRUSTED, or run it in a sandbox",
    look=look,
)
