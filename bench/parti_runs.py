"""Five durable steps in Parti: a durable endpoint of five journaled steps on the SQLite store."""

from __future__ import annotations

import asyncio
import json

from bench.subject import STEPS, arguments, check, report
from bench.timing import time_runs
from parti import System
from parti.testing import running

SETTINGS = (
    "a durable endpoint of five steps, Operations.call in the process; SQLite store with its defaults (WAL, FULL)"
)
MANY = 1024
"""How many calls may be under way: more than any concurrency that is measured."""

bench = System("bench-runs")


@bench.step()
async def add(value: int) -> int:
    """One step."""
    return value + 1


@bench.post("/five", concurrency=MANY)
async def five(value: int) -> int:
    """The run."""
    for _ in range(STEPS):
        value = await add(value)
    return value


async def main() -> None:
    """Measure and report, with the bytes that each step took in the journal and in the file."""
    asked = arguments()
    path = asked.directory / "runs.parti"
    ended = 0

    async with running(bench, path=str(path)) as live:

        async def run(number: int) -> None:
            nonlocal ended
            outcome = await live.call("five", [number])
            check(json.loads(outcome.result), number)
            ended += 1

        timing = await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)
        journal = await live.store.size()
    files = sum(file.stat().st_size for file in asked.directory.iterdir() if file.is_file())
    sizes = {
        "journal_bytes_per_step": journal / (ended * STEPS),
        "file_bytes_per_step": files / (ended * STEPS),
    }
    report(timing.figures(), settings=SETTINGS, packages=("parti",), **sizes)


if __name__ == "__main__":
    asyncio.run(main())
