"""Times many short runs at a fixed concurrency: first a calibrating warm-up, then a fixed number of runs.

Needs nothing but the standard library, since it runs in the peers' environment too.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

WARM_UP_SECONDS = 0.7
MEASURED_SECONDS_MAX = 12.0
"""A slow peer at a high concurrency still gets two runs a worker, but not for longer than about this."""

Run = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Timing:
    """Measured runs: how many, in how many seconds of wall and of processor time, and how long each took."""

    runs: int
    seconds: float
    cpu_seconds: float
    latencies: list[float]

    def figures(self) -> dict[str, Any]:
        """Rates per second, latencies in milliseconds, processor time in milliseconds a run (all threads)."""
        ordered = sorted(self.latencies)
        return {
            "runs": self.runs,
            "seconds": self.seconds,
            "runs_per_second": self.runs / self.seconds,
            "p50_ms": 1000 * percentile(ordered, 0.50),
            "p99_ms": 1000 * percentile(ordered, 0.99),
            "cpu_ms_per_run": 1000 * self.cpu_seconds / self.runs,
        }


def percentile(ordered: list[float], share: float) -> float:
    """The nearest-rank percentile of ascending numbers; `share` in (0, 1]."""
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, int(rank) - 1)]


async def time_runs(run: Run, *, concurrency: int, seconds: float) -> Timing:
    """Call `run(number)` from `concurrency` workers for about `seconds`, after a warm-up."""
    numbers = itertools.count()
    count = 16
    warm = await _time(run, numbers, count, min(concurrency, count))
    while warm.seconds < min(seconds, WARM_UP_SECONDS):
        count *= 2
        warm = await _time(run, numbers, count, min(concurrency, count))
    return await _time(run, numbers, runs_for(warm, concurrency, seconds), concurrency)


def time_threads(run: Callable[[int], None], *, concurrency: int, seconds: float) -> Timing:
    """The same for a blocking `run`, from `concurrency` threads."""
    numbers = itertools.count()
    count = 16
    warm = _time_threads(run, numbers, count, min(concurrency, count))
    while warm.seconds < min(seconds, WARM_UP_SECONDS):
        count *= 2
        warm = _time_threads(run, numbers, count, min(concurrency, count))
    return _time_threads(run, numbers, runs_for(warm, concurrency, seconds), concurrency)


def runs_for(warm: Timing, concurrency: int, seconds: float) -> int:
    """How many runs take about `seconds` at the warm-up's pace, at least two a worker unless that takes for ever."""
    pace = warm.runs / warm.seconds
    least = min(2 * concurrency, int(pace * MEASURED_SECONDS_MAX))
    return max(least, int(pace * seconds), 4)


async def _time(run: Run, numbers: Iterator[int], count: int, concurrency: int) -> Timing:
    latencies: list[float] = []
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            started = time.perf_counter()
            await run(next(numbers))
            latencies.append(time.perf_counter() - started)

    cpu, started = cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return Timing(count, time.perf_counter() - started, cpu_seconds() - cpu, latencies)


def _time_threads(run: Callable[[int], None], numbers: Iterator[int], count: int, concurrency: int) -> Timing:
    latencies: list[float] = []
    failures: list[Exception] = []
    left = iter(range(count))

    def worker() -> None:
        try:
            for _ in left:  # next() of a range's iterator is atomic in CPython
                started = time.perf_counter()
                run(next(numbers))
                latencies.append(time.perf_counter() - started)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=worker) for _ in range(concurrency)]
    cpu, started = cpu_seconds(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    if failures:
        raise failures[0]
    return Timing(count, elapsed, cpu_seconds() - cpu, latencies)


def cpu_seconds() -> float:
    """Processor time of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
