"""`parti publish`: events from the command line, a file or a pipe."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.text import Text

from parti.cli.options import AppOption, JsonOption, StoreOption, TokenOption, again, target_of
from parti.cli.output import counted, error_console, print_json, print_line, say, say_next

if TYPE_CHECKING:
    from parti.verbs.publish import Publication

SHOWN = 20


def publish(
    topic: Annotated[str, typer.Argument(help="The topic.")],
    events: Annotated[
        str,
        typer.Argument(
            metavar="JSON|FILE|-",
            help="One event as JSON, a file (.jsonl, .csv with headers, .json with one event), or - for JSON lines on stdin.",
        ),
    ] = "",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out lines that do not fit, and go on.")] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Leave out lines of this file that were published before.")
    ] = False,
    start: Annotated[int, typer.Option("--from", min=1, metavar="LINE", help="The first line to publish.")] = 1,
    tenant: Annotated[str, typer.Option("--tenant", help="Whose events they are.")] = "main",
    app: AppOption = None,
    store: StoreOption = None,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Publish events to a topic, through the running system if there is one. Each is checked against the topic's type.

    A bad line ends it and is named; the lines before it are stored.
    """
    if not events and sys.stdin.isatty():
        raise typer.BadParameter("give an event as JSON, a file, or a pipe")
    from parti.verbs import publish as verb  # noqa: PLC0415 help and completion do without

    how = verb.How(skip_bad=skip_bad, once=once, start=start, tenant=tenant)
    with Live(console=error_console(), auto_refresh=False, transient=True) as live:

        def tell(so_far: Publication) -> None:
            if live.console.is_terminal:
                live.update(Text(f"stored {counted(so_far.published, 'event')}"), refresh=True)

        target = target_of(app, store)
        done = asyncio.run(
            verb.publish(target, topic, events or "-", stream=sys.stdin.buffer, how=how, token=token, tell=tell)
        )
    for wrong in done.refused[:SHOWN]:
        say(f"{wrong.place}: {wrong.code} {wrong.what}")
    if len(done.refused) > SHOWN:
        say(f"and {len(done.refused) - SHOWN} more lines")
    if as_json:
        print_json(done)
    else:
        print_line(_summary(done))
        say_next(again("topics", app, store))
    if done.refused:
        raise typer.Exit(1)


def _summary(done: Publication) -> str:
    before = f", {done.repeated} were there before" if done.repeated else ""
    bad = f", left out {counted(len(done.refused), 'bad line')}" if done.refused else ""
    return f"stored {counted(done.published, 'event')} in {done.topic}{before}{bad}"
