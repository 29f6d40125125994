"""`parti draw`: the picture of a system."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from parti.cli.options import AppArgument, JsonOption, target_of
from parti.cli.output import console, print_json, safe, say, say_next
from parti.errors import UsageError


def draw(
    app: AppArgument = None,
    svg: Annotated[str, typer.Option("--svg", metavar="FILE", help="Write an SVG file; - is stdout.")] = "",
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Draw a system, as read from its program: text for the terminal, SVG, Mermaid or JSON."""
    from parti.verbs import draw as verb  # noqa: PLC0415 help and completion do without

    target = target_of(app, None)
    if as_json:
        print_json(verb.as_json(target))
    elif mermaid:
        typer.echo(verb.as_mermaid(target), nl=False)
    elif svg == "-":
        typer.echo(verb.as_svg(target), nl=False)
    elif svg:
        _write(Path(svg), verb.as_svg(target))
        say(f"{svg} is written")
    else:
        width = console().width if sys.stdout.isatty() else 100
        typer.echo(safe(verb.as_text(target, width=width)).rstrip("\n"))
        say_next(f"parti up {app or ''}".rstrip())


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as wrong:
        raise UsageError("P504", f"{path} cannot be written: {wrong.strerror}", fix="name another file") from wrong
