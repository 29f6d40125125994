"""The command `parti` and its subcommands, in the order in which a newcomer meets them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from parti.cli.answer import answer
from parti.cli.audit import audit
from parti.cli.cancel import cancel
from parti.cli.check import check
from parti.cli.draw import draw
from parti.cli.eval import eval
from parti.cli.failures import Verb
from parti.cli.local import local
from parti.cli.models import models
from parti.cli.optimize import optimize
from parti.cli.plan import plan
from parti.cli.profile import profile
from parti.cli.publish import publish
from parti.cli.questions import questions
from parti.cli.retry import retry
from parti.cli.runs import runs
from parti.cli.topics import topics
from parti.cli.train import train
from parti.cli.up import up
from parti.cli.verify import verify
from parti.cli.why import why

app = typer.Typer(
    name="parti",
    help="Run, draw and look into systems declared with Parti.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"parti {version('parti')}")
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (also: PARTI_DEBUG=1).")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run, draw and look into systems declared with Parti."""


for command in (
    up, draw, check, audit, train, models, local, eval, optimize, profile, plan, runs, why, topics, publish, retry, cancel, questions,
    answer, verify,
):  # fmt: skip
    if isinstance(command, typer.Typer):
        app.add_typer(command)
    else:
        app.command(command.__name__, cls=Verb)(command)


def main() -> None:
    """The entry point of the script `parti`."""
    app(prog_name="parti")
