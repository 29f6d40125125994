"""What labels cost: CPU time of a durable run of five calls without labels, with labels held, and with arguments traced.

Runs of `five` have nothing to gate; in those of `gated` the gate decides once, which is journaled, and traces an argument. Systems
without labels, with them, and with tracing take turns in one process, in short rounds. The median of each round's ratio counts: a
busy machine slows all three alike. Masking is measured beside the same runs past a gate that allows.
"""

from __future__ import annotations

import asyncio
import statistics
from argparse import ArgumentParser
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel

from bench.subject import report
from bench.timing import cpu_seconds
from parti import Gate, Label, System
from parti.testing import running
from parti.testing.live import Live

STEPS = 5
ABREAST = 50
SETTINGS = "a durable endpoint of four steps and a write over labelled values, 50 at once; CPU of the process, median of the rounds"

Mode = Literal["off", "run", "traced"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
Kind = Literal["five", "gated"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


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


def system(mode: Mode) -> System:
    """A system whose runs make five calls over labelled values; what `five` writes is not labelled, what `gated` does is."""
    gate = Gate("allow", trace=mode == "traced")
    made = System(f"bench-{mode}", labels="off" if mode == "off" else "run", gate=gate)

    @made.step
    async def add(value: Value) -> Value:
        return Value(number=value.number + 1, said=value.said)

    @made.tool(effect="write", key="id", idempotent=True)
    async def keep(id: int) -> int:
        return id

    @made.tool(effect="write", key="id", idempotent=True, control=["to"])
    async def send(id: int, to: str) -> int:
        return id

    @made.post("/five", concurrency=ABREAST)
    async def five(value: Value) -> int:
        for _ in range(STEPS - 1):
            value = await add(value)
        return await keep(value.number)

    @made.post("/gated", concurrency=ABREAST)
    async def gated(value: Value) -> int:
        for _ in range(STEPS - 1):
            value = await add(value)
        return await send(value.number, value.said)

    return made


async def round_of(live: Live, kind: Kind, first: int, runs: int, *, person: bool = False) -> float:
    """CPU seconds of so many runs, numbered from `first` on."""
    values = [_value(n, person=person) for n in range(first, first + runs)]
    began = cpu_seconds()
    for start in range(0, runs, ABREAST):
        await asyncio.gather(*(live.call(kind, [value]) for value in values[start : start + ABREAST]))
    return cpu_seconds() - began


def _value(number: int, *, person: bool) -> BaseModel:
    if person:
        return Person(number=number * STEPS, name=f"Ann Alder {number}")
    return Value(number=number * STEPS, said=f"stranger-{number}@strangers.example")


Found = dict[tuple[Kind, Mode], list[float]]


async def measure(directory: Path, rounds: int, runs: int) -> Found:
    """CPU microseconds of a run in each round, by kind of run and mode."""
    found: Found = {(kind, mode): [] for kind in KINDS for mode in MODES}
    async with AsyncExitStack() as stack:
        lives = {m: await stack.enter_async_context(running(system(m), directory / f"{m}.parti")) for m in MODES}
        for number in range(rounds + 2):
            for kind in KINDS:
                for mode in (*MODES[number % 3 :], *MODES[: number % 3]):  # none is always first
                    took = await round_of(lives[mode], kind, (2 * number + KINDS.index(kind)) * runs, runs)
                    if number >= 2:  # the first rounds warm up
                        found[kind, mode].append(took / runs * 1e6)
    return found


async def measure_masked(directory: Path, rounds: int, runs: int) -> dict[str, float]:
    """Median CPU microseconds of a run past a gate that allows and past one that masks, and by how many percent that is more."""
    modes: tuple[Literal["allowed", "masked"], ...] = ("allowed", "masked")
    took: dict[str, list[float]] = {mode: [] for mode in modes}
    async with AsyncExitStack() as stack:
        lives = {m: await stack.enter_async_context(running(letters(m), directory / f"{m}.parti")) for m in modes}
        for number in range(rounds + 2):
            for mode in modes if number % 2 else modes[::-1]:
                seconds = await round_of(lives[mode], "five", number * runs, runs, person=True)
                if number >= 2:  # the first rounds warm up
                    took[mode].append(seconds / runs * 1e6)
    ratios = [masked / allowed for masked, allowed in zip(took["masked"], took["allowed"], strict=True)]
    more = 100 * (statistics.median(ratios) - 1)
    return {**{f"labels_{m}_cpu_us": statistics.median(took[m]) for m in modes}, "labels_masked_more_percent": more}


def figures_of(found: Found) -> dict[str, float]:
    """The median microseconds of each, and by how many percent more than without labels."""
    figures: dict[str, float] = {}
    for kind in KINDS:
        name, off = "labels" if kind == "five" else "labels_gated", found[kind, "off"]
        for mode in MODES:
            figures[f"{name}_{mode}_cpu_us"] = statistics.median(found[kind, mode])
        for mode, said in (("run", "more"), ("traced", "traced_more")):
            ratios = [took / without for took, without in zip(found[kind, mode], off, strict=True)]  # type: ignore[index]
            figures[f"{name}_{said}_percent"] = 100 * (statistics.median(ratios) - 1)
    return figures


def main() -> None:
    """Measure and report."""
    parser = ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=100)
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.directory, asked.rounds, asked.runs))
    masked = asyncio.run(measure_masked(asked.directory, asked.rounds, asked.runs))
    report({**figures_of(found), **masked}, settings=SETTINGS, packages=("parti",))


if __name__ == "__main__":
    main()
