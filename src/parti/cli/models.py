"""`parti models`: the versions of models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.options import AppOption, JsonOption, StoreOption, again, target_of
from parti.cli.output import moment, print_json, print_table, say, say_next
from parti.units import size_text

if TYPE_CHECKING:
    from parti.verbs.models import Version


def models(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Only this model.", show_default=False)] = "",
    app: AppOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List versions of models: how good they are, what they learned from, and by which code."""
    from parti.verbs.models import models as verb  # noqa: PLC0415 help and completion do without

    found = asyncio.run(verb(target_of(app, store), model))
    if as_json:
        print_json(found)
        return
    if not found:
        say("no model has a version yet")
        say_next(again(f"train {model or 'MODEL'}", app, store))
        return
    headers = ("model", "version", "metrics", "rows", "period", "size", "code", "trained")
    print_table(headers, map(_row, found), numbers=(1, 3, 5))
    stale = next((version.model for version in reversed(found) if version.current is False), "")
    say_next(again(f"train {stale or found[-1].model}", app, store))


def _row(version: Version) -> tuple[str, ...]:
    return (
        version.model,
        str(version.version),
        "  ".join(f"{name} {value:.4g}" for name, value in version.metrics.items()),
        str(version.rows),
        " to ".join(filter(None, version.period)),
        size_text(version.size),
        version.code + (" (changed since)" if version.current is False else ""),
        moment(version.created),
    )
