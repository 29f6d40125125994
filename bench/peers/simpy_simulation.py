"""SimPy on the same networks: one process a request, one Resource a station."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import simpy

from bench.queues import BACK, EVENTS_PER_VISIT, SERVERS, SERVICE, arguments, measured, rates
from bench.subject import report

SETTINGS = "a generator process a request, a Resource of capacity 4 a station, random.expovariate; no monitoring but the latency"


def once(kind: str, rate: float, seconds: float, seed: int) -> tuple[int, float]:
    """Model events and mean latency of one run."""
    draw, world = random.Random(seed), simpy.Environment()
    stations = [simpy.Resource(world, SERVERS) for _ in range(3)]
    latencies: list[float] = []
    visits = [0]

    def request() -> Iterator[Any]:
        began, at = world.now, 0
        while at < 3:
            visits[0] += 1
            with stations[at].request() as turn:
                yield turn
                yield world.timeout(draw.expovariate(1.0 / SERVICE))
            at = 0 if kind == "loop" and at == 1 and draw.random() < BACK else at + 1
        latencies.append(world.now - began)

    def arrivals() -> Iterator[Any]:
        while world.now < seconds:
            yield world.timeout(draw.expovariate(rate))
            world.process(request())

    world.process(arrivals())
    world.run()
    return EVENTS_PER_VISIT * visits[0], sum(latencies) / len(latencies)


def main() -> None:
    """Measure and report."""
    asked = arguments()
    figures = measured(asked.kind, asked.seconds, partial(once, asked.kind, rates()[asked.kind]))
    report(figures, settings=SETTINGS, packages=("simpy",))


if __name__ == "__main__":
    main()
