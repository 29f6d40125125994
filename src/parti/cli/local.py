"""`parti local`: the small language model that runs inside the process."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.options import JsonOption
from parti.cli.output import lasting, print_json, print_line, say, say_next
from parti.units import size_text

if TYPE_CHECKING:
    from parti.verbs.local import LocalState


class Action(StrEnum):
    """What to do about the local model."""

    STATUS = "status"
    INSTALL = "install"


def local(
    action: Annotated[
        Action, typer.Argument(help="See whether it is there, or bring what is missing.")
    ] = Action.STATUS,
    as_json: JsonOption = False,
) -> None:
    """The small language model that runs inside the process: whether it is there, and how it comes."""
    from parti.verbs.local import install, state  # noqa: PLC0415 help and completion do without

    if action is Action.STATUS:
        found = state()
        _show(found, as_json)
        say_next("parti up" if found.complete else "parti local install")
        return
    tried = asyncio.run(install(say))
    if as_json:
        print_json(tried)
        return
    _show(tried.state, as_json)
    took, speed = lasting(tried.took), f"{tried.per_second:.0f} tokens a second"
    print_line(f"{tried.model} answers: loaded and asked in {took}, {speed}", "bold")
    say_next("parti up")


def _show(found: LocalState, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_line(f"runtime  {f'xllamacpp {found.runtime}' if found.runtime else 'not installed'}")
    print_line(f"weights  {f'{found.weights} ({size_text(found.size)})' if found.weights else 'not installed'}")
