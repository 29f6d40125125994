"""Parti's simulator: model events a second, and how soon a new process has its first result."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial

from bench.queues import BACK, SERVERS, SERVICE, arguments, measured, rates
from bench.subject import report
from parti.sim.arrivals import load_of
from parti.sim.distributions import Exponential
from parti.sim.load import Poisson
from parti.sim.network import Choice, Network, Retry, Station, tandem
from parti.sim.simulating import simulate

SETTINGS = "one core, compiled and cached, without parts; arrivals drawn and results gathered in the time measured"
FIRST = """
import time
began = time.perf_counter()
from bench.parti_simulation import network, once
once(network("loop"), "stages", 80.0, 20.0, 1)
print(time.perf_counter() - began)
"""


def network(kind: str) -> Network:
    """A row, a loop, or one station with retries."""
    if kind == "retries":
        retry = Retry(timeout=0.25, attempts=4, backoff=0.05)
        return tandem(Station("only", Exponential(0.02), 5, retry=retry))
    stations = tuple(Station(name, Exponential(SERVICE), SERVERS) for name in "abc")
    routes = {"a": Choice((("b", 1.0),)), "b": Choice((("a", BACK), ("c", 1.0 - BACK)))}
    return tandem(*stations) if kind == "row" else Network(stations, "a", routes)


def once(network: Network, kernel: str, rate: float, seconds: float, seed: int) -> tuple[int, float]:
    """Model events and mean latency of one run."""
    load = load_of(Poisson(rate), seconds=seconds, seed=seed)
    found = simulate(network, load, seed=seed, kernel=kernel, parts=False)  # type: ignore[arg-type]
    return found.events, float(found.latency.mean())


def retries(seconds: float) -> dict[str, float]:
    """One station at use 0.9 whose callers give up after 250 ms, take their work back and try again."""
    events, took, seed = 0, 0.0, 1
    while took < seconds:
        began = time.process_time()
        events += once(network("retries"), "events", 225.0, 400.0, seed)[0]
        took, seed = took + time.process_time() - began, seed + 1
    return {"model_events_per_second": events / took}


def start() -> dict[str, float]:
    """The second process that simulates: the first has compiled."""
    times = [
        float(subprocess.run([sys.executable, "-c", FIRST], check=True, capture_output=True, text=True).stdout)
        for _ in range(4)
    ]
    return {"first_simulation_ms": 1000.0 * min(times[1:])}


def main() -> None:
    """Measure and report."""
    asked = arguments()
    if asked.kind == "start":
        figures = start()
    elif asked.kind == "retries":
        once(network("retries"), "events", 225.0, 1.0, 1)
        figures = retries(asked.seconds)
    else:
        kernel = "stages" if asked.kind == "row" else "events"
        run = partial(once, network(asked.kind), kernel, rates()[asked.kind])
        run(1.0, 1)
        figures = measured(asked.kind, asked.seconds, run)
    report(figures, settings=SETTINGS, packages=("parti", "numba", "numpy"))


if __name__ == "__main__":
    main()
