"""Prompts: instructions kept in a file of their own, with typed variables in braces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from string import Formatter
from typing import Any

from pydantic_core import to_json

from parti.design.filling import fill
from parti.design.payload import Payload
from parti.errors import PayloadError


@dataclass(frozen=True, slots=True)
class Prompt:
    """Instructions in a Markdown file; `path` is relative to the folder of the app.

    ``{name}`` stands for the variable `name` (``{{`` is a brace), ``{order.total:.2f}`` for a field of one, formatted as in
    `str.format`; a path goes through fields, keys and items alone. `variables` is a Pydantic model or a
    dict from names to types. Its version is the digest of the file's text.
    """

    path: str
    variables: type[Any] | Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """The text of a prompt, and the type of its variables (None: it has none). `file` is where it was read from, absolute."""

    path: str
    text: str = field(repr=False)
    variables: Payload | None = None
    file: str = field(default="", repr=False, compare=False)

    @property
    def names(self) -> set[str]:
        """The names of its variables."""
        return set(self.variables.schema.get("properties", {})) if self.variables else set()

    @property
    def unfilled(self) -> str:
        """The instructions while no task has given variables: with the defaults put in where all have one, else the text."""
        try:
            return self.render({})[0]
        except PayloadError:
            return self.text

    def render(self, given: Any) -> tuple[str, bytes]:
        """The instructions with `given` (a value of the variables' type, or a mapping) put in, and `given` as JSON.

        Raises PayloadError (P402) naming the first variable that is missing, unknown or of another type.
        """
        if self.variables is None:
            if given:
                raise PayloadError("P402", "it takes no variables", place=self.path, fix="leave out variables=")
            return self._filled({}), b""
        names = self.variables.schema.get("properties", {})
        if isinstance(given, Mapping) and (odd := sorted(map(str, given.keys() - names))):
            known = ", ".join(names)
            what = f"it has no variable {odd[0]!r}"
            raise PayloadError("P402", what, place=self.path, fix=f"give only: {known}")
        try:
            values = self.variables.coerce(given)
        except PayloadError as misfit:
            what = f"its variables: {misfit.what}"
            raise PayloadError("P402", what, place=self.path, fix="give each variable of its type") from misfit
        inside = {name: getattr(values, name) for name in names}
        return self._filled(inside), to_json(inside)

    def _filled(self, values: Mapping[str, Any]) -> str:
        try:
            return fill(self.text, values)
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, MemoryError) as wrong:
            what = f"a variable cannot be put in: {wrong or type(wrong).__name__}"
            raise PayloadError("P402", what, place=self.path, fix="mend what stands in the braces") from wrong


def version_of_text(text: str) -> str:
    """The version of instructions: 8 hex digits of a digest of their text."""
    return blake2b(text.encode(), digest_size=4).hexdigest()


def variables_in(text: str) -> Iterator[tuple[str, int]]:
    """Each variable that a template names (``order`` of ``{order.id}``), with its line from 1; "" for a bare ``{}``.

    Raises ValueError for a brace without its partner.
    """
    line = 1
    for literal, name, spec, _ in Formatter().parse(text):
        line += literal.count("\n")
        if name is None:
            continue
        yield name.partition(".")[0].partition("[")[0], line
        yield from ((inner, line) for inner, _ in variables_in(spec or ""))
        line += name.count("\n") + (spec or "").count("\n")


def line_of_misfit(text: str) -> int:
    """The first line, from 1, after which the braces of `text` cannot be read any more."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        try:
            list(Formatter().parse(line))
        except ValueError:
            return number
    return len(lines)
