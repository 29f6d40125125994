"""Prompts as they are declared: the file is read, and its variables are proved to be those of the type."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, create_model

from parti.declare.types import payload_of
from parti.design.filling import fields_of, refuse_field
from parti.design.payload import Payload
from parti.design.places import Place
from parti.design.prompt import Prompt, Template, line_of_misfit, variables_in
from parti.errors import DeclarationError


def template_of(prompt: Prompt, *, root: Path, place: Place, agent: str) -> Template:
    """The template in the file of `prompt`, under the folder `root`. Raises P105 naming the file, and the line in it."""
    file = root / prompt.path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        why = getattr(wrong, "strerror", None) or "it is not UTF-8"
        raise DeclarationError(
            "P105",
            f"the prompt {prompt.path} of `{agent}` cannot be read: {why}",
            place=place,
            fix=f"write it at {prompt.path}, beside the app",
        ) from wrong
    variables = _variables(prompt.variables, place, agent)
    template = Template(prompt.path, text, variables, str(file.absolute()))
    prove_variables(prompt.path, text, template.names)
    return template


def _variables(kind: type[Any] | Mapping[str, Any] | None, place: Place, agent: str) -> Payload | None:
    if isinstance(kind, Mapping):
        fields: dict[str, Any] = {name: (type_, ...) for name, type_ in kind.items()}
        kind = create_model("Variables", __config__=ConfigDict(arbitrary_types_allowed=False), **fields)
    return payload_of(kind, place=place, what=f"the variables of `{agent}`") if kind is not None else None


def prove_variables(path: str, text: str, names: set[str]) -> None:
    """Raise P105 for a variable that only the file or only the type knows, for braces that do not match, and for what is never put in."""
    try:
        found = list(variables_in(text))
    except ValueError as wrong:
        where = f"{path}:{line_of_misfit(text)}"
        raise DeclarationError("P105", f"{wrong}", place=where, fix="write {{ and }} for braces themselves") from wrong
    for name, line in found:
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            what = f"the variable {{{name}}} is not declared; there are: {known}"
            fix = f"add `{name}` to variables=, or write {{{{ for a brace" if name else "name the variable"
            raise DeclarationError("P105", what, place=f"{path}:{line}", fix=fix)
    prove_fields(path, text)
    if unused := sorted(names - {name for name, _ in found}):
        raise DeclarationError(
            "P105", f"the variable `{unused[0]}` is declared and nowhere used", place=f"{path}:1",
            fix=f"write {{{unused[0]}}} where it belongs, or drop it",
        )  # fmt: skip


def prove_fields(path: str, text: str) -> None:
    """Raise P105 for a path that leads out of the data, and for a format that is too wide."""
    for name, _, spec in fields_of(text):
        try:
            refuse_field(name, spec)
        except ValueError as wrong:
            line = text[: text.find(f"{{{name}")].count("\n") + 1
            fix = "name fields, keys and items of the variables, in at most 1,000 characters"
            raise DeclarationError("P105", str(wrong), place=f"{path}:{line}", fix=fix) from wrong
