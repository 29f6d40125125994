"""Arrivals: the times of a load, drawn from a seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from parti.errors import PlanError
from parti.sim import draws
from parti.sim.compiled import kept, np
from parti.sim.load import Arrivals, GammaArrivals, Load, Mmpp, Ticks, Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARRIVALS_MOST = 1 << 30

EPOCH = 1 << 24
"""Ticks are counted from a moment that is drawn among the first so many seconds (half a year)."""


def load_of(arrivals: Arrivals, *, seconds: float, seed: int, name: str = "") -> Load:
    """The requests of `seconds` of arrivals. Loads of other seeds or names are independent. Raises P803 for numbers that cannot be."""
    return Load(times_of(arrivals, seconds=seconds, seed=seed, name=name))


def times_of(arrivals: Arrivals, *, seconds: float, seed: int, name: str = "") -> NDArray[np.float64]:
    """When requests arrive in the first `seconds` (float64, ascending). Raises P803.

    A trace begins at its begin and ends at its end, whatever the seed; `played` begins elsewhere.
    """
    _unless(0 < seconds < math.inf, f"arrivals over {seconds:g} s", "last longer than 0 s")
    if isinstance(arrivals, Trace):
        times = _trace(arrivals)
        return times[times <= seconds]
    if isinstance(arrivals, Ticks):
        return _ticks(arrivals.every, seconds, seed)
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


def played(trace: Trace, *, seconds: float, begin: float) -> NDArray[np.float64]:
    """A trace from `begin` seconds after its own begin on, for `seconds`: after its end it begins again (float64, ascending).

    Both are seconds as fast as it is played. Raises P803.
    """
    times, cycle = _trace(trace), trace.cycle
    _unless(cycle >= (times[-1] if len(times) else 0.0) and cycle > 0, "a trace", "lasts until its last arrival")
    rounds = range(math.floor(begin / cycle), math.floor((begin + seconds) / cycle) + 1)
    _room(float(len(times) * len(rounds)))
    every = np.concatenate([times + number * cycle for number in rounds]) - begin
    return every[(every >= 0) & (every < seconds)]


def shares_drawn(seed: int, name: str, count: int) -> NDArray[np.float64]:
    """`count` numbers between 0 and 1 (float64), of which a seed and a name draw always the same."""
    made = np.empty(count)
    draw_units(np.uint64(draws.key_of(seed, name)), made)
    return made


@kept
def draw_units(key: Any, made: Any) -> None:
    """Fill `made` with numbers between 0 and 1."""
    for number in range(len(made)):
        made[number] = draws.unit(key, number, 0, draws.ARRIVAL, 0)


def _ticks(every: float, seconds: float, seed: int) -> NDArray[np.float64]:
    _unless(0 < every < math.inf, f"ticks every {every:g} s", "are further apart than 0 s")
    start = float(shares_drawn(seed, "clock", 1)[0]) * EPOCH
    first = math.ceil(start / every) * every - start
    count = _room(max(0.0, seconds - first) / every)
    times = first + np.arange(count) * every
    return times[(times >= 0) & (times <= seconds)]


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


def _trace(trace: Trace) -> NDArray[np.float64]:
    """The times of a trace as fast as it is played."""
    times = np.array(trace.times, np.float64)
    _unless(0 < trace.faster < math.inf, f"a trace {trace.faster:g} times as fast", "is played faster than 0 times")
    backwards = np.flatnonzero(np.diff(times) < 0)
    where = int(backwards[0]) + 1 if len(backwards) else 0
    _unless(not len(backwards), "a trace", f"never runs backwards, as it does at number {where}")
    _unless(not len(times) or (times[0] >= 0 and bool(np.isfinite(times).all())), "a trace", "begins at 0 s or later")
    return times / trace.faster


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
    """Arrivals of an MMPP: candidates at its greatest rate, of which each state takes its share (thinning).

    It begins in a state that is drawn, each as often as it lasts; what is left of an exponential time is exponential again.
    """
    greatest, now, number, candidate, change = rates.max(), 0.0, 0, 0, 0
    state, among = 0, draws.unit(key, 0, 1, draws.DWELL, 0) * dwell.sum() - dwell[0]
    while among > 0.0 and state < len(dwell) - 1:
        state += 1
        among -= dwell[state]
    until = -math.log(draws.unit(key, 0, 0, draws.DWELL, 0)) * dwell[state]
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
