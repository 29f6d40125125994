"""`parti runs`: the latest runs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from parti.cli.options import AppOption, JsonOption, StoreOption, again, target_of
from parti.cli.output import compact, lasting, moment, print_json, print_table, say, say_next
from parti.units import seconds

if TYPE_CHECKING:
    from parti.ports.store import RunRecord


def runs(
    part: Annotated[str, typer.Option("--part", "-p", help="Only runs of this handler, endpoint or schedule.")] = "",
    state: Annotated[
        str,
        typer.Option("--state", help="Only queued, running, waiting, backoff, parked, done, dead or cancelled runs."),
    ] = "",
    since: Annotated[str, typer.Option("--since", metavar="1h", help="Only runs created within this time.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 20,
    app: AppOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the latest runs. Works beside the running system."""
    from parti.verbs.runs import runs as verb  # noqa: PLC0415 help and completion do without

    within = seconds(since) if since else None
    found = asyncio.run(verb(target_of(app, store), part=part, state=state, since=within, limit=limit))
    if as_json:
        print_json(found)
        return
    if not found:
        say("no such runs")
        say_next(again("topics", app, store))
        return
    print_table(("run", "state", "key", "created", "at work", "tries", "error"), map(_row, found), numbers=(4, 5))
    say_next(again(f"why {_shown(found[0].id)}", app, store))


def _shown(id: str) -> str:
    """A run's id as it can be typed."""
    return id if id.replace(":", "").replace("-", "").replace("_", "").replace(".", "").isalnum() else f"'{id}'"


def _row(run: RunRecord) -> tuple[str, ...]:
    error = json.loads(run.error) if run.error else {}
    said = compact(f"{error.get('code', '')} {error.get('error', '')}".strip(), 80)
    return run.id, str(run.state), run.key, moment(run.created), lasting(run.busy), str(run.attempt), said
