"""`parti retry`: dead runs are put back in line."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from parti.cli.options import AppOption, JsonOption, StoreOption, TokenOption, again, target_of
from parti.cli.output import counted, print_json, print_line, say, say_next


def retry(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run.", show_default=False)] = "",
    all_of: Annotated[str, typer.Option("--all-of", metavar="PART", help="Every dead run of this part.")] = "",
    app: AppOption = None,
    store: StoreOption = None,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put a dead run back in line, with all its attempts; or every dead run of a part."""
    if bool(run) == bool(all_of):
        raise typer.BadParameter("name a run, or a part with --all-of")
    from parti.verbs import retry as verb  # noqa: PLC0415 help and completion do without

    target = target_of(app, store)
    work = verb.retry(target, run, token=token) if run else verb.retry_all(target, all_of, token=token)
    done = asyncio.run(work)
    if as_json:
        print_json(done)
    else:
        print_line(f"put {counted(len(done.runs), 'run')} back in line")
        for refused in done.refused:
            say(str(refused))
        say_next(again(f"runs --part {all_of}" if all_of else f"why '{run}'", app, store))
    if done.refused:
        raise typer.Exit(1)
