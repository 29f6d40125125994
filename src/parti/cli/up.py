"""`parti up`: a system runs until it is stopped, or has nothing left to do."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.closing import print_closing
from parti.cli.failures import INTERRUPTED
from parti.cli.live import Screen
from parti.cli.options import AppArgument, JsonOption, StoreOption, again, target_of
from parti.cli.output import print_json_line, print_line, say_next
from parti.cli.signals import Signals
from parti.errors import UsageError

if TYPE_CHECKING:
    from parti.verbs.closing import Closing
    from parti.verbs.target import Target
    from parti.verbs.up import Options, Up
    from parti.wiring import Tape


def up(
    app: AppArgument = None,
    store: StoreOption = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 picks a free one.")] = 8000,
    token: Annotated[
        str,
        typer.Option(
            "--token",
            envvar="PARTI_TOKEN",
            help="The operator's token; needed where others can reach the address.",
            show_default="a kept, random one",
        ),
    ] = "",
    stand_ins: Annotated[bool, typer.Option("--stand-ins", help="Let declared stand-ins answer for people.")] = False,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when no work is left.")] = False,
    no_train: Annotated[bool, typer.Option("--no-train", help="Train no models.")] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on with what is left of a damaged store.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option("--record", help="Keep what language models answer in this folder.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option("--replay", help="Answer from that folder, without any language model.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a system: its handlers, schedules and sources, with HTTP in front. Ctrl-C stops it; nothing is lost."""
    from parti.verbs.up import Options  # noqa: PLC0415 help and completion do without

    options = Options(
        host=host, port=port, token=token, stand_ins=stand_ins, train=not no_train, accept_loss=accept_loss,
        tape=_tape(record, replay),
    )  # fmt: skip
    closing = asyncio.run(_run(target_of(app, store), options, until_idle=until_idle, as_json=as_json))
    if as_json:
        print_json_line(closing)
        return
    print_closing(closing)
    waiting, failed = (sum(getattr(one, what) for one in closing.runners) for what in ("waiting", "failed"))
    command = "questions" if waiting else "runs --state dead" if failed else "runs"
    say_next(again(command, app, store))


def _tape(record: Path | None, replay: Path | None) -> Tape | None:
    from parti.wiring import Tape  # noqa: PLC0415 see above

    if record is not None and replay is not None:
        raise UsageError("P504", "--record and --replay exclude each other", fix="give one of them")
    folder = record or replay
    return None if folder is None else Tape(folder, play=replay is not None)


async def _run(target: Target, options: Options, *, until_idle: bool, as_json: bool) -> Closing:
    """The system from start to end."""
    from parti.verbs.up import up as verb  # noqa: PLC0415 see above

    with Screen() as screen, Signals() as signals:
        try:
            async with verb(target, options, tell=screen.tell) as running:
                _introduce(running, target.path, as_json=as_json)
                await _until_over(running, screen, signals, until_idle=until_idle)
                screen.tell("stopping")
                return await running.stop()
        except asyncio.CancelledError:
            if not signals.came.is_set():
                raise
    # It was interrupted before it had begun. A training that is under way cannot be cancelled, only left.
    os._exit(INTERRUPTED)


async def _until_over(running: Up, screen: Screen, signals: Signals, *, until_idle: bool) -> None:
    """Show progress until there is no work left or a signal comes. Raises what ended the engine."""
    waits = [asyncio.ensure_future(wait) for wait in (running.wait(until_idle=until_idle), signals.came.wait())]
    signals.begun()
    try:
        while True:
            over, _ = await asyncio.wait(waits, timeout=screen.pause, return_when=asyncio.FIRST_COMPLETED)
            screen.show(running.progress(), last=bool(over))
            for wait in over:
                wait.result()
            if over:
                return
    finally:
        for wait in waits:
            wait.cancel()


def _introduce(running: Up, store: Path, *, as_json: bool) -> None:
    if as_json:
        addresses = {"url": running.url, "board": f"{running.url}/-/board/", "docs": f"{running.url}/docs"}
        print_json_line({"system": running.design.name, **addresses, "store": str(store)})
        return
    print_line(f"{running.design.name}  {running.url}", "bold")
    print_line(f"  board  {running.url}/-/board/")
    print_line(f"  docs   {running.url}/docs")
    print_line(f"  store  {store}")
