"""Draws: every random number is a hash of the seed, the call, the request, its turn and what is drawn.

So a draw does not depend on the order of events, two plans meet the same draws wherever they do the same, and kernels can
be compared bit by bit. The hash is the finaliser of SplitMix64 (Steele, Lea, Flood 2014) over a sum of odd multiples.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any, Final

from parti.sim import layout as at
from parti.sim.compiled import NUMBA, compiled, inlined, np

SERVICE: Final = 1
ROUTE: Final = 2
JITTER: Final = 3
PROMPT: Final = 4
OUTPUT: Final = 5
COLD: Final = 6
UP: Final = 7
DOWN: Final = 8
ARRIVAL: Final = 9
DWELL: Final = 10
CHANCE: Final = 11

CONSTANT: Final = 0
EXPONENTIAL: Final = 1
LOGNORMAL: Final = 2
GAMMA: Final = 3
EMPIRICAL: Final = 4

MASK: Final = (1 << 64) - 1
_REQUEST, _TURN, _WHAT, _AGAIN = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7, 0xABC98388FB8FAC03
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def key_of(seed: int, name: str) -> int:
    """The 64 bits that stand for a seed and the name of a call, station or process in every draw for it."""
    return int.from_bytes(hashlib.blake2b(name.encode(), key=b"%d" % seed, digest_size=8).digest(), "little")


if NUMBA is None:

    def unit(key: Any, request: Any, turn: Any, what: Any, again: Any) -> float:
        """A number between 0 and 1, both excluded, with 52 random bits."""
        z = int(key) + int(request) * _REQUEST + int(turn) * _TURN + int(what) * _WHAT + int(again) * _AGAIN & MASK
        z = (z ^ z >> 30) * _FIRST & MASK
        z = (z ^ z >> 27) * _SECOND & MASK
        return ((z ^ z >> 31) >> 12) * 2.0**-52 + 2.0**-53

else:
    REQUEST_, TURN_, WHAT_, AGAIN_, FIRST_, SECOND_ = (
        np.uint64(value) for value in (_REQUEST, _TURN, _WHAT, _AGAIN, _FIRST, _SECOND)
    )
    S30, S27, S31, S12 = (np.uint64(shift) for shift in (30, 27, 31, 12))

    @inlined
    def unit(key: Any, request: Any, turn: Any, what: Any, again: Any) -> float:
        """A number between 0 and 1, both excluded, with 52 random bits."""
        z = np.uint64(key) + np.uint64(request) * REQUEST_ + np.uint64(turn) * TURN_ + np.uint64(what) * WHAT_
        z = z + np.uint64(again) * AGAIN_
        z = (z ^ (z >> S30)) * FIRST_
        z = (z ^ (z >> S27)) * SECOND_
        return np.float64((z ^ (z >> S31)) >> S12) * 2.0**-52 + 2.0**-53


@compiled
def normal_quantile(p: float) -> float:
    """The standard normal quantile of 0 < p < 1, to 16 digits: algorithm AS 241 (Wichura 1988)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                + 45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r
                + 133.14166789178437745) * r + 3.387132872796366608)  # fmt: skip
        below = (((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                + 21213.794301586595867) * r + 5394.1960214247511077) * r + 687.1870074920579083) * r
                + 42.313330701600911252) * r + 1.0)  # fmt: skip
        return q * above / below
    r = math.sqrt(-math.log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        above = (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                + 1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r
                + 4.6303378461565452959) * r + 1.42343711074968357734)  # fmt: skip
        below = (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                + 0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r
                + 2.05319162663775882187) * r + 1.0)  # fmt: skip
    else:
        r -= 5.0
        above = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                + 0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r
                + 5.4637849111641143699) * r + 6.6579046435011037772)  # fmt: skip
        below = (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                + 7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r
                + 0.59983220655588793769) * r + 1.0)  # fmt: skip
    return -above / below if q < 0.0 else above / below


@compiled
def gamma_draw(key: Any, request: Any, turn: Any, what: Any, shape: float) -> float:
    """A gamma variable of this shape and scale 1, by Marsaglia and Tsang (2000); each try has draws of its own."""
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    value = d
    for again in range(64):  # a try fails with a probability below 5%
        x = normal_quantile(unit(key, request, turn, what, 2 * again))
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if math.log(unit(key, request, turn, what, 2 * again + 1)) < 0.5 * x * x + d - d * v + d * math.log(v):
                value = d * v
                break
    if shape >= 1.0:
        return value
    return value * math.exp(math.log(unit(key, request, turn, what, 1000)) / shape)


@compiled
def draw(ints: Any, reals: Any, which: int, key: Any, request: Any, turn: Any, what: Any) -> float:
    """A value of the distribution that lies at `which` (see `layout.py`)."""
    kind, first, second = ints[which + at.KIND], reals[which], reals[which + at.SECOND_NUMBER]
    if kind == EXPONENTIAL:
        return -first * math.log(unit(key, request, turn, what, 0))
    if kind == CONSTANT:
        return first
    if kind == LOGNORMAL:
        return math.exp(first + second * normal_quantile(unit(key, request, turn, what, 0)))
    if kind == EMPIRICAL:
        position = unit(key, request, turn, what, 0) * (ints[which + at.KNOTS] - 1)
        low = min(int(position), ints[which + at.KNOTS] - 2)
        share = position - low
        begin = which + at.QUANTILES + low
        return reals[begin] * (1.0 - share) + reals[begin + 1] * share
    return second * gamma_draw(key, request, turn, what, first)
