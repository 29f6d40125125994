"""Windows: where each replication begins to play recorded arrivals, and how much of them it plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from parti.extras import need
from parti.planning.load import Workload
from parti.sim.load import Mmpp, Trace
from parti.units import Seconds, duration_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WARMUP: Final = 0.1
"""The share of the time that is left out at the start, while queues fill."""

REQUESTS_MOST: Final = 200_000
"""No more requests are simulated at a time, however long a trace is."""

PROMISES: Final = 10
"""So often as long as what is promised, at least, is what is simulated."""

CYCLES: Final = 20
"""So often in the mean an MMPP goes through all of its states, so that p99 does not hang on one burst."""

BUSIEST: Final = 0.5
"""Of a trace that is cut, this share of each window is the busiest stretch of that length."""


def horizon(workload: Workload, requests: int, judged: float | None = None, promised: Seconds = 0.0) -> Seconds:
    """How many seconds of a load are simulated.

    They hold about so many `requests` of those that are judged, `judged` of them a second (None: all), and PROMISES times the
    `promised` seconds at least: under a heavy load so many requests have come before the first of them is done, and no queue is
    seen. A trace is taken as long as it is, an MMPP for CYCLES of its cycles at least. Nothing is taken for more than
    REQUESTS_MOST in all. The warm-up comes before, and of a trace it is what was recorded before where it begins.
    """
    wanted = max(_wanted(workload, requests, judged), PROMISES * promised)
    return min(wanted, _most(workload)) / (1.0 - WARMUP)


def cut(workload: Workload, seconds: Seconds, promised: Seconds = 0.0) -> tuple[str, ...]:
    """What of a load is longer than `seconds` can hold, as sentences for whoever reads the plan."""
    kept, found = seconds * (1.0 - WARMUP), []
    if kept < PROMISES * promised * (1 - 1e-9):
        found.append(
            f"only {duration_text(kept)} of this load are simulated at a time, {kept / promised:.2g} times the promised "
            f"{duration_text(promised)}: a queue that grows more slowly is not seen"
        )
    longest = max((one.cycle for one in _traces(workload)), default=0.0)
    if longest > kept * (1 + 1e-9):
        busiest = duration_text(kept * BUSIEST)
        found.append(
            f"the recorded arrivals last {duration_text(longest)}, of which {duration_text(kept)} are simulated at a time, "
            f"always with their busiest {busiest}"
        )
    cycle = max((sum(one.dwell) for one in _mmpps(workload)), default=0.0)
    if cycle * CYCLES > kept * (1 + 1e-9):
        found.append(f"only {kept / cycle:.1f} cycles of the mmpp are simulated at a time: its p99 is uncertain")
    return tuple(found)


def begins(workload: Workload, *, seconds: Seconds, drawn: float) -> dict[Seconds, Seconds]:
    """From where on traces are played, in seconds after their begin, by how long they last; `drawn` from 0 to 1 chooses it.

    Traces that last equally long were recorded together, and are played from the same moment on. One that is played whole begins
    anywhere. One that is cut begins where the time after the warm-up holds its busiest stretch.
    """
    np = need("numpy", extra="plan", purpose="planning")
    kept = seconds * (1.0 - WARMUP)
    together: dict[Seconds, list[Trace]] = {}
    for trace in _traces(workload):
        together.setdefault(trace.cycle, []).append(trace)
    found = {}
    for cycle, traces in together.items():
        if cycle <= kept * (1 + 1e-9):
            found[cycle] = drawn * cycle
        else:
            busiest = _busiest(np, traces, kept * BUSIEST)
            found[cycle] = (busiest - drawn * kept * (1.0 - BUSIEST) - seconds * WARMUP) % cycle
    return found


def _busiest(np: Any, traces: list[Trace], length: Seconds) -> Seconds:
    """Where the stretch of that length begins in which most arrives, at an arrival; it may go beyond the end, to the begin."""
    times: NDArray[np.float64] = np.sort(np.concatenate([np.array(one.times) / one.faster for one in traces]))
    twice = np.concatenate([times, times + traces[0].cycle])
    within = np.searchsorted(twice, times + length) - np.arange(len(times))
    return float(times[int(np.argmax(within))])


def _wanted(workload: Workload, requests: int, judged: float | None) -> Seconds:
    asked = requests / (judged or workload.per_second)
    mmpps = [CYCLES * sum(one.dwell) for one in _mmpps(workload)]
    traces = [one.cycle for one in _traces(workload)]
    return max(traces + mmpps) if traces else max([asked, *mmpps])


def _most(workload: Workload) -> Seconds:
    return REQUESTS_MOST / workload.per_second


def _traces(workload: Workload) -> list[Trace]:
    return [one.arrivals for one in workload.streams if isinstance(one.arrivals, Trace)]


def _mmpps(workload: Workload) -> list[Mmpp]:
    return [one.arrivals for one in workload.streams if isinstance(one.arrivals, Mmpp)]
