"""Arrivals: the times of a load, drawn from a seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from parti.errors import PlanError
from parti.sim import draws
from parti.sim.compiled import kept, np
from parti.sim.load import Arrivals, GammaArrivals, Load, Mmpp, Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARRIVALS_MOST = 1 << 30


def load_of(arrivals: Arrivals, *, seconds: float, seed: int, name: str = "") -> Load:
    """The requests of `seconds` of arrivals. Loads of other seeds or names are independent. Raises P803 for numbers that cannot be."""
    return Load(times_of(arrivals, seconds=seconds, seed=seed, name=name))


def times_of(arrivals: Arrivals, *, seconds: float, seed: int, name: str = "") -> NDArray[np.float64]:
    """When requests arrive in the first `seconds` (float64, ascending). Raises P803."""
    _unless(0 < seconds < math.inf, f"arrivals over {seconds:g} s", "last longer than 0 s")
    if isinstance(arrivals, Trace):
        return _trace(arrivals, seconds)
    key = np.uint64(draws.key_of(seed, "arrivals " + name))
    if isinstance(arrivals, Mmpp):
        _check_mmpp(arrivals)
        rates, dwell = np.array(arrivals.per_second, np.float64), np.array(arrivals.dwell, np.float64)
        room = _room(float(rates.max()) * seconds)
        made = np.empty(room)
        return made[: mmpp_times(key, rates, dwell, seconds, made)].copy()
    _unless(0 < arrivals.per_second < math.inf, f"a rate of {arrivals.per_second:g}/s", "is above 0")
    shape = 1.0
    if isinstance(arrivals, GammaArrivals):
        _unless(0 < arrivals.cv < math.inf, f"a cv of {arrivals.cv:g}", "is above 0")
        shape = 1.0 / (arrivals.cv * arrivals.cv)
    made, number = np.empty(_room(arrivals.per_second * seconds)), 0
    while True:
        number = renewal_times(key, shape, arrivals.per_second, seconds, made)
        if number < len(made):
            return made[:number].copy()
        made = np.empty(_room(2.0 * len(made)))


def _unless(right: bool, what: str, rule: str) -> None:
    if not right:
        raise PlanError("P803", f"{what}: it {rule}" if what else rule, fix="correct the load")


def _room(expected: float) -> int:
    _unless(expected < ARRIVALS_MOST, f"{expected:.3g} requests", "is below a billion")
    return int(expected + 6.0 * math.sqrt(expected) + 64.0)


def _check_mmpp(arrivals: Mmpp) -> None:
    rates, dwell = arrivals.per_second, arrivals.dwell
    right = len(rates) == len(dwell) >= 1 and all(0 < each < math.inf for each in dwell)
    _unless(right, "an MMPP", "has one dwell above 0 s for each rate")
    _unless(
        all(0 <= each < math.inf for each in rates) and max(rates) > 0, "an MMPP", "has rates of at least 0, one above"
    )


def _trace(trace: Trace, seconds: float) -> NDArray[np.float64]:
    times = np.array(trace.times, np.float64)
    _unless(0 < trace.faster < math.inf, f"a trace {trace.faster:g} times as fast", "is played faster than 0 times")
    backwards = np.flatnonzero(np.diff(times) < 0)
    where = int(backwards[0]) + 1 if len(backwards) else 0
    _unless(not len(backwards), "a trace", f"never runs backwards, as it does at number {where}")
    _unless(not len(times) or (times[0] >= 0 and bool(np.isfinite(times).all())), "a trace", "begins at 0 s or later")
    times = times / trace.faster
    return times[times <= seconds]


@kept
def renewal_times(key: Any, shape: float, rate: float, seconds: float, made: Any) -> int:
    """Arrivals with independent gamma gaps of this shape; gives how many there are, at most as many as there is room."""
    now, number = 0.0, 0
    while number < len(made):
        if shape == 1.0:
            now -= math.log(draws.unit(key, number, 0, draws.ARRIVAL, 0)) / rate
        else:
            now += draws.gamma_draw(key, number, 0, draws.ARRIVAL, shape) / (shape * rate)
        if now > seconds:
            break
        made[number] = now
        number += 1
    return number


@kept
def mmpp_times(key: Any, rates: Any, dwell: Any, seconds: float, made: Any) -> int:
    """Arrivals of an MMPP: candidates at its greatest rate, of which each state takes its share (thinning)."""
    greatest, now, number, candidate, change = rates.max(), 0.0, 0, 0, 0
    state, until = 0, -math.log(draws.unit(key, 0, 0, draws.DWELL, 0)) * dwell[0]
    while number < len(made):
        now -= math.log(draws.unit(key, candidate, 0, draws.ARRIVAL, 0)) / greatest
        if now > seconds:
            break
        while now > until:
            change += 1
            state = (state + 1) % len(rates)
            until -= math.log(draws.unit(key, change, 0, draws.DWELL, 0)) * dwell[state]
        if draws.unit(key, candidate, 1, draws.ARRIVAL, 0) * greatest < rates[state]:
            made[number] = now
            number += 1
        candidate += 1
    return number
