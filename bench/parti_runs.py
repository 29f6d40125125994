"""Five durable steps in Parti: a durable endpoint of five journaled steps on the SQLite store."""

from __future__ import annotations

import asyncio
import json

from bench.subject import STEPS, arguments, check, report
from bench.timing import time_runs
from parti import System
from parti.testing import running
from parti.wiring import tune_process

STORE = "Operations.call in the process; SQLite store with its defaults (WAL, FULL)"
SETTINGS = {
    "five": f"a durable endpoint of five steps, journaled but not waited for one by one; its end is; {STORE}",
    "five_fenced": f"a durable endpoint of five `write` tools: intent on disk before each, result after each; {STORE}",
}
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


@bench.tool(effect="write", key="id", idempotent=True)
async def add_outside(id: str, value: int) -> int:
    """One step that is fenced like an effect on the outside, though it has none."""
    return value + 1


@bench.post("/five-fenced", concurrency=MANY)
async def five_fenced(value: int) -> int:
    """The run whose every step is on disk before the next one starts."""
    first = value
    for _ in range(STEPS):
        value = await add_outside(f"{first}-{value}", value)
    return value


async def main() -> None:
    """Measure and report, with the bytes that each step took in the journal and in the file."""
    asked = arguments()
    endpoint = "five_fenced" if asked.fenced else "five"
    path = asked.directory / "runs.parti"
    ended = 0

    tune_process()  # as `parti up` does
    async with running(bench, path=str(path)) as live:

        async def run(number: int) -> None:
            nonlocal ended
            outcome = await live.call(endpoint, [number])
            check(json.loads(outcome.result), number)
            ended += 1

        timing = await time_runs(run, concurrency=asked.concurrency, seconds=asked.seconds)
        journal = await live.store.size()
    files = sum(file.stat().st_size for file in asked.directory.iterdir() if file.is_file())
    sizes = {
        "journal_bytes_per_step": journal / (ended * STEPS),
        "file_bytes_per_step": files / (ended * STEPS),
    }
    report(timing.figures(), settings=SETTINGS[endpoint], packages=("parti",), **sizes)


if __name__ == "__main__":
    asyncio.run(main())
