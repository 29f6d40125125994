"""`parti answer`: a question is answered."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from parti.cli.options import AppOption, JsonOption, StoreOption, TokenOption, again, target_of
from parti.cli.output import compact, plain, print_json, print_line, say_next


def answer(
    question: Annotated[str, typer.Argument(help="The question, or the run that waits for it.")],
    value: Annotated[str, typer.Argument(help="JSON, or one of: yes, no, true, false.")],
    by: Annotated[str, typer.Option("--by", help="Who answers.", show_default="your login")] = "",
    app: AppOption = None,
    store: StoreOption = None,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Answer a question; the run that waits for it goes on."""
    from parti.verbs.answer import answer as verb  # noqa: PLC0415 help and completion do without

    record = asyncio.run(verb(target_of(app, store), question, value, by=by, token=token))
    if as_json:
        print_json(record)
    else:
        print_line(f"answered {compact(plain(record.answer))} as {record.by}")
        say_next(again(f"why '{record.run}'", app, store))
