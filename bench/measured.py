"""What a system did under a load, out of its journal and from what its callers saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from parti.design.graph import Design
from parti.optimise.oracle import quantile
from parti.planning.predicting import LEVELS
from parti.planning.profile import Profile
from parti.planning.spans import Run, Span, flat
from parti.planning.traffic import profile_of_traffic, read_runs
from parti.planning.windows import WARMUP
from parti.wiring import open_store

RUNS_MAX = 200_000


@dataclass(frozen=True)
class Window:
    """From when to when something was measured, in seconds since 1970: the warm-up is over at `since`."""

    begin: float
    since: float
    until: float

    @staticmethod
    def of(arrived: Sequence[float]) -> Window:
        """As predictions have it: the first tenth of the time between the first and the last arrival is the warm-up."""
        begin, until = min(arrived), max(arrived)
        return Window(begin, begin + WARMUP * (until - begin), until)

    @property
    def seconds(self) -> float:
        """How long it was measured."""
        return self.until - self.since


@dataclass(frozen=True)
class Measured:
    """Latencies in seconds at the levels p50, p95 and p99; throughput per second; of each part its use and the mean of its times.

    `use` is the share of the places of a part at which it was busy; `service` the mean of its times, a batch as one.
    """

    quantiles: tuple[float, ...]
    throughput: float
    use: dict[str, float]
    service: dict[str, float]


def of_callers(
    arrived: Sequence[float], took: Sequence[float | None], window: Window
) -> tuple[tuple[float, ...], float]:
    """The latencies of who arrived after the warm-up, and how many were answered each second. Infinite for no answer."""
    import numpy as np  # noqa: PLC0415 - as the predictions do

    taken = [
        float("inf") if took is None else took for at, took in zip(arrived, took, strict=True) if at >= window.since
    ]
    ended = (at + took for at, took in zip(arrived, took, strict=True) if took is not None)
    answered = sum(window.since <= end <= window.until for end in ended)
    values = np.array(taken)
    return tuple(float(quantile(values, level)) for level in LEVELS), answered / window.seconds


async def runs_of(design: Design, store: Path, runners: Sequence[str], window: Window) -> list[Run]:
    """The runs of these runners that began in the window, warm-up included."""
    opened = open_store(store, read_only=True)
    try:
        found = []
        for runner in runners:
            records = await opened.runs(part=runner, since=window.begin - 0.1, until=window.until + 0.1, limit=RUNS_MAX)
            found += [run async for run in read_runs(design, opened, records)]
        return found
    finally:
        await opened.close()


async def traffic(design: Design, store: Path, window: Window) -> Profile:
    """The profile of the runs that began in the window."""
    opened = open_store(store, read_only=True)
    try:
        return await profile_of_traffic(
            design, opened, now=window.until, since=window.since, until=window.until, limit=RUNS_MAX
        )
    finally:
        await opened.close()


def busy(runs: Sequence[Run], window: Window, places: dict[str, int]) -> tuple[dict[str, float], dict[str, float]]:
    """The use of each part with so many places, and the mean of its times: of a batch, once for all its calls."""
    served: dict[str, dict[tuple[float, float, int], Span]] = {name: {} for name in places}
    for number, span in enumerate(flat(span for run in runs for span in run.calls)):
        if span.part in places:
            alone = number if span.batch <= 1 else -1
            served[span.part][round(span.served_from, 4), round(span.until, 4), alone] = span
    use, service = {}, {}
    for name, spans in served.items():
        times = [
            max(0.0, min(span.until, window.until) - max(span.served_from, window.since)) for span in spans.values()
        ]
        use[name] = sum(times) / (window.seconds * places[name])
        counted = [span.until - span.served_from for span in spans.values() if span.served_from >= window.since]
        service[name] = fmean(counted) if counted else 0.0
    return use, service
