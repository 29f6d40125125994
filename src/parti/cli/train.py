"""`parti train`: a new version of a model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.options import AppOption, JsonOption, StoreOption, TokenOption, again, target_of
from parti.cli.output import print_json, print_line, say, say_next
from parti.units import size_text

if TYPE_CHECKING:
    from parti.verbs.train import Trained


def train(
    model: Annotated[str, typer.Argument(help="The model.")],
    app: AppOption = None,
    store: StoreOption = None,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Train a model, measure it and store the version. A running system serves it from its next run on."""
    from parti.verbs.train import train as verb  # noqa: PLC0415 help and completion do without

    say(f"training {model}")
    trained = asyncio.run(verb(target_of(app, store), model, token=token))
    if as_json:
        print_json(trained)
        return
    new = trained.version
    print_line(f"{new.model} version {new.version}  {new.rows} rows, {size_text(new.size)}", "bold")
    for line in _metrics(trained):
        print_line(line)
    say_next(again(f"models {model}", app, store))


def _metrics(trained: Trained) -> list[str]:
    """Each metric, beside that of the version before."""
    before = trained.before.metrics if trained.before else {}
    lines = []
    for name, value in trained.version.metrics.items():
        was = f"  (version {trained.before.version}: {before[name]:.4g})" if trained.before and name in before else ""
        lines.append(f"  {name} {value:.4g}{was}")
    return lines
