"""What labels cost: CPU time of a durable run of five steps without labels, with them held, with arguments traced, and with values masked.

Masking is measured beside the same runs past a gate that allows. The systems take turns in one process, and the median of the rounds counts: a busy machine slows all of them alike.
"""

from __future__ import annotations

import asyncio
import statistics
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel

from bench.subject import report
from bench.timing import cpu_seconds
from parti import Gate, Label, System
from parti.testing import running
from parti.testing.live import Live

STEPS = 5
ABREAST = 50
SETTINGS = "a durable endpoint of four steps and a write over labelled values, 50 at once; CPU of the process, median of the rounds"

Mode = Literal["off", "run", "traced", "allowed", "masked"]


class Value(BaseModel):
    """A number, and what strangers say of it."""

    number: int
    said: Annotated[str, Label.UNTRUSTED]


class Person(BaseModel):
    """Somebody, by number."""

    number: int
    name: Annotated[str, Label.PII]


def letters(mode: Literal["allowed", "masked"]) -> System:
    """A system whose runs make four steps over personal data, and a write whose text it stands in."""
    made = System(f"bench-{mode}", labels="run", gate=Gate("mask" if mode == "masked" else "allow"))

    @made.step
    async def add(value: Person) -> Person:
        return Person(number=value.number + 1, name=value.name)

    @made.tool(effect="write", key="id", idempotent=True)
    async def keep(id: int, text: str) -> int:
        return id

    @made.post("/five", concurrency=ABREAST, labels=Label.TRUSTED)
    async def five(value: Person) -> None:
        for _ in range(STEPS - 1):
            value = await add(value)
        await keep(value.number, f"A letter to {value.name}, who has asked for one.")

    return made


def system(mode: Literal["off", "run", "traced"]) -> System:
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


async def round_of(live: Live, first: int, runs: int, value: Callable[[int], BaseModel]) -> float:
    """CPU seconds of so many runs, numbered from `first` on."""
    began = cpu_seconds()
    for start in range(first, first + runs, ABREAST):
        calls = [live.call("five", [value(n)]) for n in range(start, start + ABREAST)]
        await asyncio.gather(*calls)
    return cpu_seconds() - began


async def measure(directory: Path, rounds: int, runs: int) -> dict[Mode, float]:
    """Median CPU microseconds of a run, by mode."""
    systems: dict[Mode, System] = {
        "off": system("off"), "run": system("run"), "traced": system("traced"),
        "allowed": letters("allowed"), "masked": letters("masked"),
    }  # fmt: skip
    found: dict[Mode, list[float]] = {mode: [] for mode in systems}
    async with AsyncExitStack() as stack:
        lives = {m: await stack.enter_async_context(running(s, directory / f"{m}.parti")) for m, s in systems.items()}
        for number in range(rounds + 1):
            for mode in systems:
                took = await round_of(
                    lives[mode], number * runs, runs, _person if mode in ("allowed", "masked") else _value
                )
                if number:  # the first round warms up
                    found[mode].append(took / runs * 1e6)
    return {mode: statistics.median(took) for mode, took in found.items()}


def _value(number: int) -> Value:
    return Value(number=number * STEPS, said="a word")


def _person(number: int) -> Person:
    return Person(number=number * STEPS, name=f"Ann Alder {number}")


def main() -> None:
    """Measure and report."""
    parser = ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--runs", type=int, default=400)
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.directory, asked.rounds, asked.runs))
    figures: dict[str, float] = {f"labels_{mode}_cpu_us": micros for mode, micros in found.items()}
    figures["labels_more_percent"] = 100 * (found["run"] / found["off"] - 1)
    figures["labels_traced_more_percent"] = 100 * (found["traced"] / found["off"] - 1)
    figures["labels_masked_more_percent"] = 100 * (found["masked"] / found["allowed"] - 1)
    report(figures, settings=SETTINGS, packages=("parti",))


if __name__ == "__main__":
    main()
