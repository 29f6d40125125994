"""`parti verify`: a store is compared with its hashes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from parti.cli.failures import FINDINGS
from parti.cli.options import AppOption, JsonOption, StoreOption, again, target_of
from parti.cli.output import print_json, print_line, say_next
from parti.units import size_text


def verify(
    which: Annotated[
        Path | None, typer.Argument(metavar="STORE", help="The store, or the app it belongs to.", show_default=False)
    ] = None,
    app: AppOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read everything in a store and compare it with its hashes. Exits with 1 when something is wrong."""
    from parti.verbs.verify import verify as verb  # noqa: PLC0415 help and completion do without

    if which is not None:
        app, store = (which, None) if which.suffix == ".py" else (app, which)
    found = asyncio.run(verb(target_of(app, store)))
    if as_json:
        print_json(found)
    elif not found.findings:
        print_line(f"{found.path}: all of it ({size_text(found.bytes)}) is as it was written")
        say_next(again("runs", app, store))
    else:
        for finding in found.findings:
            print_line(f"{found.path}: {finding.code} {finding.what}")
        say_next(f"parti up --store {found.path} --accept-loss  (goes on with what is left)")
    if found.findings:
        raise typer.Exit(FINDINGS)
