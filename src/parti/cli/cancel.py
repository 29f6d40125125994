"""`parti cancel`: a run is ended."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from parti.cli.options import AppOption, JsonOption, StoreOption, TokenOption, again, target_of
from parti.cli.output import print_json, print_line, say_next


def cancel(
    run: Annotated[str, typer.Argument(help="The run.")],
    app: AppOption = None,
    store: StoreOption = None,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """End a run that has not ended; what it journaled stays, what it wanted to publish is dropped."""
    from parti.verbs.cancel import cancel as verb  # noqa: PLC0415 help and completion do without

    record = asyncio.run(verb(target_of(app, store), run, token=token))
    if as_json:
        print_json(record)
    else:
        print_line(f"{record.id} is {record.state}")
        say_next(again(f"why '{run}'", app, store))
