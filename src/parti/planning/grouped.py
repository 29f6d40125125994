"""Batches and versions: what a step, tool or model takes for several calls at once, and each version of a model for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from parti.design.batch import Batch
from parti.design.model import Model
from parti.design.step import Step
from parti.design.tenants import MAIN_TENANT
from parti.design.tool import Tool
from parti.engine.calling import call
from parti.engine.loop import Engine
from parti.engine.predicting import ready
from parti.planning.profile import Service
from parti.planning.sampled import Sampled
from parti.planning.subjects import Subject
from parti.ports.context import CURRENT
from parti.ports.machine import Machine
from parti.units import Seconds

VERSIONS: Final = 3
"""Versions of a model that are measured, the latest ones."""

WARM: Final = 2


@dataclass(slots=True)
class Timed:
    """Times of batches of one size, served by one variant, and the CPU seconds of each."""

    variant: str
    batch: int
    seconds: list[Seconds] = field(default_factory=list)
    cpu: list[Seconds] = field(default_factory=list)

    def service(self) -> Service:
        """As a part of a profile."""
        return Service(
            self.variant, self.batch, Sampled.of(self.seconds), cpu=sum(self.cpu) / len(self.cpu),
            alone=Sampled.of(self.seconds),
        )  # fmt: skip


def sizes_of(batch: Batch | None) -> list[int]:
    """The sizes that are measured: powers of two from 2 on, and the largest."""
    largest = batch.size if batch is not None else 1
    sizes = [size for power in range(1, 20) if (size := 2**power) < largest]
    return [*sizes, largest] if largest > 1 else []


async def times_of_batches(engine: Engine, machine: Machine, subject: Subject, samples: int) -> list[Timed]:
    """What a subject takes for each size of batch that it may be served in, alone. A batch that fails is left out.

    Functions are called as the engine calls them, apart from any run.
    """
    found = []
    for variant, size, serve in _servings(engine, subject):
        timed = Timed(variant, size)
        try:
            for number in range(WARM + max(1, samples)):
                items = [subject.arguments[(number * size + at) % len(subject.arguments)][0] for at in range(size)]
                begin, cpu = engine.clock.now(), machine.cpu()
                await serve(items)
                if number >= WARM:
                    timed.seconds.append(engine.clock.now() - begin)
                    timed.cpu.append(machine.cpu() - cpu)
        except Exception:  # the user's function: what is wrong with it shows where it is called one by one
            continue
        found.append(timed)
    return found


Serve = Callable[[Sequence[Any]], Awaitable[Any]]


def _servings(engine: Engine, subject: Subject) -> Iterator[tuple[str, int, Serve]]:
    part = subject.part
    if isinstance(part, Step | Tool) and part.batch is not None:
        for size in sizes_of(part.batch):
            yield "", size, _by_function(engine, part)
    if isinstance(part, Model):
        yield from _by_versions(engine, part)


def _by_function(engine: Engine, part: Step | Tool) -> Serve:
    async def serve(items: Sequence[Any]) -> Any:
        until = engine.clock.now() + part.timeout
        token = CURRENT.set(engine.services.apart(part, MAIN_TENANT, until))
        try:
            return await call(part.function, (list(items),), part.timeout, engine.services.offload)
        finally:
            CURRENT.reset(token)

    return serve


def _by_versions(engine: Engine, model: Model) -> Iterator[tuple[str, int, Serve]]:
    """Earlier versions one by one, and all of them in batches where the scorer serves such."""
    latest = engine.services.latest.get(model.name)
    if latest is None:
        return
    for version in range(max(1, latest.version - VERSIONS + 1), latest.version + 1):
        if version != latest.version:
            yield f"v{version}", 1, _by_scorer(engine, model, version, "predict")
        for size in sizes_of(model.batch) if hasattr(engine.services.scorer, "predict_many") else ():
            yield f"v{version}", size, _by_scorer(engine, model, version, "predict_many")


def _by_scorer(engine: Engine, model: Model, version: int, how: str) -> Serve:
    async def serve(items: Sequence[Any]) -> Any:
        scorer = await ready(engine.services, model, version)
        asked = items[0] if how == "predict" else list(items)
        return await engine.services.offload(getattr(scorer, how), model, version, asked)

    return serve
