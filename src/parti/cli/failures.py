"""From errors to exit codes: 0 clean, 1 findings, 2 misuse or a coded error, 3 a bug of ours."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from typing import Any, Final

import typer
from typer.core import TyperCommand

from parti.cli.output import error_console, safe
from parti.errors import PartiError

FINDINGS: Final = 1
MISUSE: Final = 2
BUG: Final = 3
INTERRUPTED: Final = 130
"""What shells call the end by SIGINT."""


class Verb(TyperCommand):
    """A command whose errors become a message on stderr, as JSON with --json, and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except PartiError as wrong:
            show(wrong, as_json=bool(ctx.params.get("as_json")))
            _debug(ctx)
            raise typer.Exit(MISUSE) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as bug:
            if isinstance(bug, OSError) and bug.errno == errno.EPIPE:
                raise
            _own_up(bug)
            _debug(ctx)
            raise typer.Exit(BUG) from None


def show(wrong: PartiError, *, as_json: bool = False) -> None:
    """The error on stderr: ``app.py:14: P103 what`` and ``try: fix``, or the same facts as a JSON object."""
    if as_json:
        typer.echo(json.dumps(wrong.as_json()), err=True)
        return
    head, *fix = safe(str(wrong)).split("\n  try: ")
    console = error_console()
    console.print(head, style="bold red", markup=False, highlight=False, soft_wrap=True)
    for line in fix:
        console.print(f"  try: {line}", markup=False, highlight=False, soft_wrap=True)


def _own_up(bug: Exception) -> None:
    said = traceback.format_exception_only(bug)[-1].strip()
    typer.echo(f"parti failed: {safe(said)}", err=True)
    typer.echo("  This is a bug in Parti. Please report it with the command, `parti --version`, and what the", err=True)
    typer.echo("  same command says with PARTI_DEBUG=1 set.", err=True)


def _debug(ctx: Any) -> None:
    """The traceback of what is being handled, for those who asked for it."""
    if ctx.find_root().params.get("debug") or os.environ.get("PARTI_DEBUG", "") not in ("", "0"):
        traceback.print_exc(file=sys.stderr)
