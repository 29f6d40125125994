"""Options that several commands share, and the target they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from parti.verbs.target import Target

AppArgument = Annotated[
    Path | None,
    typer.Argument(metavar="APP", envvar="PARTI_APP", help="The file that declares the system.", show_default="app.py"),
]
AppOption = Annotated[
    Path | None,
    typer.Option("--app", "-a", envvar="PARTI_APP", help="The file that declares the system.", show_default="app.py"),
]
StoreOption = Annotated[
    Path | None,
    typer.Option("--store", envvar="PARTI_STORE", help="The store.", show_default="beside the app, named after it"),
]
TokenOption = Annotated[
    str,
    typer.Option(
        "--token", envvar="PARTI_TOKEN", help="The operator's token of the running system.", show_default="the kept one"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def target_of(app: Path | None, store: Path | None) -> Target:
    """What the options name."""
    from parti.verbs.target import find  # noqa: PLC0415 help and completion do without

    return find(app, store)


def again(command: str, app: Path | None, store: Path | None) -> str:
    """`command` with the options that name the same target."""
    named = f" --app {app}" if app else ""
    return f"parti {command}{named}{f' --store {store}' if store else ''}"
