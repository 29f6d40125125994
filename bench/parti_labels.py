"""What labels cost: CPU time of a durable run of five steps, without labels, held, and with arguments traced.

`python -m bench.parti_labels --rounds 5`. The three systems take turns in one process, and the median of the rounds is shown,
because a busy machine slows all of them alike. CPU time is that of the process, all threads.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from typing import Annotated, Literal

from pydantic import BaseModel

from parti import Gate, Label, System
from parti.testing import running
from parti.testing.live import Live

STEPS = 5
RUNS = 400
"""Runs of one system in one round."""
ABREAST = 50

Mode = Literal["off", "run", "traced"]


class Value(BaseModel):
    """A number, and what strangers say of it."""

    number: int
    said: Annotated[str, Label.UNTRUSTED]


def system(mode: Mode) -> System:
    """A system whose runs make five steps over labelled values; what they write is not labelled."""
    gate = Gate("refuse", trace=mode == "traced")
    made = System(f"bench-{mode}", labels="off" if mode == "off" else "run", gate=gate)

    @made.step
    async def add(value: Value) -> Value:
        return Value(number=value.number + 1, said=value.said)

    @made.tool(effect="write", key="id", idempotent=True)
    async def keep(id: int) -> int:
        return id

    @made.post("/five", concurrency=ABREAST)
    async def five(value: Value) -> int:
        for _ in range(STEPS - 1):
            value = await add(value)
        return await keep(value.number)

    return made


async def round_of(live: Live, first: int) -> float:
    """CPU seconds of so many runs."""
    began = time.process_time()
    for start in range(first, first + RUNS, ABREAST):
        calls = [live.call("five", [Value(number=n * STEPS, said="a word")]) for n in range(start, start + ABREAST)]
        await asyncio.gather(*calls)
    return time.process_time() - began


async def measure(rounds: int) -> dict[Mode, float]:
    """Median CPU microseconds of a run, by mode."""
    modes: tuple[Mode, ...] = ("off", "run", "traced")
    found: dict[Mode, list[float]] = {mode: [] for mode in modes}
    async with AsyncExitStack() as stack:
        lives = {mode: await stack.enter_async_context(running(system(mode))) for mode in modes}
        for number in range(rounds + 1):
            for mode in modes:
                took = await round_of(lives[mode], number * RUNS)
                if number:  # the first round warms up
                    found[mode].append(took / RUNS * 1e6)
    return {mode: statistics.median(took) for mode, took in found.items()}


def main() -> None:
    """Print what a run takes, and how much more than without labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    found = asyncio.run(measure(parser.parse_args().rounds))
    for mode, micros in found.items():
        print(f"{mode:8} {micros:8.0f} us CPU a run  {micros / found['off'] - 1:+.1%}")


if __name__ == "__main__":
    main()
