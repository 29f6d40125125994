"""Five durable steps in Burr: an application of five actions whose state is saved to SQLite after each."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from itertools import pairwise
from typing import Any

from burr.core import ApplicationBuilder, State, action
from burr.core.graph import Graph, GraphBuilder
from burr.core.persistence import SQLitePersister
from burr.integrations.persisters.b_aiosqlite import AsyncSQLitePersister

from bench.subject import STEPS, arguments, check, report
from bench.timing import Timing, time_runs, time_threads

SETTINGS = (
    "five actions, {}, one app_id a run, the graph built once and shared; "
    "WAL, synchronous=FULL; telemetry and tracking off"
)
APIS = {"sync": "SQLitePersister and run()", "async": "AsyncSQLitePersister and arun()"}
NAMES = tuple(f"step{index}" for index in range(STEPS))
PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")


@action(reads=["value"], writes=["value"])
def add(state: State) -> State:
    """One step."""
    return state.update(value=state["value"] + 1)


@action(reads=["value"], writes=["value"])
async def add_async(state: State) -> State:
    """One step, on the event loop."""
    return state.update(value=state["value"] + 1)


def graph(step: Any) -> Graph:
    """Five actions in a row."""
    builder = GraphBuilder().with_actions(**dict.fromkeys(NAMES, step))
    return builder.with_transitions(*pairwise(NAMES)).build()


def application(steps: Graph, persister: Any, number: int) -> ApplicationBuilder:
    """An application of its own for each run, as its documentation has it."""
    builder = ApplicationBuilder().with_graph(steps).with_entrypoint(NAMES[0]).with_state(value=number)
    return builder.with_identifiers(app_id=str(number)).with_state_persister(persister)


def measure(asked: Namespace) -> Timing:
    """Through the blocking API; its persister does not bear more than one thread."""
    steps = graph(add)
    persister = SQLitePersister(str(asked.directory / "burr.db"), connect_kwargs={"check_same_thread": False})
    for pragma in PRAGMAS:
        persister.connection.execute(pragma)
    persister.initialize()

    def run(number: int) -> None:
        _, _, state = application(steps, persister, number).build().run(halt_after=[NAMES[-1]])
        check(state["value"], number)

    return time_threads(run, concurrency=1, seconds=asked.seconds)


async def measure_async(asked: Namespace) -> Timing:
    """Through the event loop; runs share the connection, so one commit often takes several runs' steps along."""
    steps = graph(add_async)
    persister = await AsyncSQLitePersister.from_values(db_path=str(asked.directory / "burr.db"))
    for pragma in PRAGMAS:
        await persister.connection.execute(pragma)
    await persister.initialize()

    async def run(number: int) -> None:
        app = await application(steps, persister, number).abuild()
        _, _, state = await app.arun(halt_after=[NAMES[-1]])
        check(state["value"], number)

    timing = await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)
    await persister.cleanup()
    return timing


def main() -> None:
    """Measure and report."""
    asked = arguments()
    if asked.api == "sync" and asked.concurrency > 1:
        raise SystemExit("Burr's SQLitePersister does not bear more than one thread")
    api = ("sync" if asked.concurrency == 1 else "async") if asked.api == "best" else asked.api
    timing = measure(asked) if api == "sync" else asyncio.run(measure_async(asked))
    report(timing.figures(), settings=SETTINGS.format(APIS[api]), packages=("apache-burr", "aiosqlite"))


if __name__ == "__main__":
    main()
