"""Five durable steps in DBOS: a workflow of five steps on its SQLite system database."""

from __future__ import annotations

import asyncio
import sqlite3
from argparse import Namespace
from pathlib import Path

from dbos import DBOS, DBOSConfig

from bench.subject import STEPS, arguments, check, report
from bench.timing import Timing, time_runs, time_threads

SETTINGS = (
    "a workflow of five steps, {}, SQLite system database, pool of 20 connections (its default); "
    "WAL (its default is a rollback journal, which is slower), synchronous=FULL; tracing off"
)
APIS = {"sync": "called from threads", "async": "called on the event loop"}


@DBOS.step()
def add(value: int) -> int:
    """One step."""
    return value + 1


@DBOS.workflow()
def five(value: int) -> int:
    """The run."""
    for _ in range(STEPS):
        value = add(value)
    return value


@DBOS.step()
async def add_async(value: int) -> int:
    """One step, on the event loop."""
    return value + 1


@DBOS.workflow()
async def five_async(value: int) -> int:
    """The run, on the event loop."""
    for _ in range(STEPS):
        value = await add_async(value)
    return value


def launch(path: Path) -> None:
    """Start DBOS on a new file in WAL mode, which SQLite remembers in the file. FULL is SQLite's default."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    config: DBOSConfig = {
        "name": "five-steps",
        "system_database_url": f"sqlite:///{path}",
        "log_level": "WARNING",
    }
    DBOS(config=config)
    DBOS.launch()


def measure(asked: Namespace) -> Timing:
    """Through the blocking API."""

    def run(number: int) -> None:
        check(five(number), number)

    return time_threads(run, concurrency=asked.concurrency, seconds=asked.seconds)


async def measure_async(asked: Namespace) -> Timing:
    """Through the event loop."""

    async def run(number: int) -> None:
        check(await five_async(number), number)

    return await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)


def main() -> None:
    """Measure and report. The blocking API was the faster one at every concurrency when this was written."""
    asked = arguments()
    api = "sync" if asked.api == "best" else asked.api
    launch(asked.directory / "dbos.db")
    timing = measure(asked) if api == "sync" else asyncio.run(measure_async(asked))
    DBOS.destroy()
    report(timing.figures(), settings=SETTINGS.format(APIS[api]), packages=("dbos", "sqlalchemy"))


if __name__ == "__main__":
    main()
