"""Load: how requests arrive, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Poisson:
    """Independent arrivals, `per_second` > 0 of them in the mean."""

    per_second: float


@dataclass(frozen=True, slots=True)
class GammaArrivals:
    """Gaps drawn independently from a gamma distribution: `per_second` > 0, and `cv` > 0 of the gaps (4 is bursty)."""

    per_second: float
    cv: float


@dataclass(frozen=True, slots=True)
class Mmpp:
    """A Poisson process whose rate changes (MMPP): in state i it is ``per_second[i]`` for an exponential time of mean ``dwell[i]``.

    States follow each other in a circle; with which it begins is drawn, each as often as it lasts. A rate may be 0, not all of them.
    """

    per_second: tuple[float, ...]
    dwell: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """Recorded arrivals: `times` in seconds, ascending, from 0; `faster` > 1 plays them so many times as fast.

    They were recorded for `span` seconds from 0 on, which may go on after the last of them. None: for so long that one would arrive
    in the mean gap after the last.
    """

    times: tuple[float, ...]
    faster: float = 1.0
    span: float | None = None

    @property
    def cycle(self) -> float:
        """Seconds for which it is played, as fast as it is, before it would begin again; 0 where all arrives at once."""
        if self.span is not None:
            return self.span / self.faster
        gaps = len(self.times) - 1
        return (self.times[-1] - self.times[0]) * (gaps + 1) / gaps / self.faster if gaps > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Ticks:
    """Arrivals at every whole multiple of `every` > 0 seconds of a clock that begins at a moment which the seed draws.

    It is one clock for all: what ticks each minute and what ticks each hour tick together once an hour.
    """

    every: float


Arrivals = Poisson | GammaArrivals | Mmpp | Trace | Ticks


@dataclass(frozen=True, slots=True)
class Load:
    """Requests in order of arrival: request i arrives at ``arrived[i]`` seconds (float64, ascending, at least 0).

    ``entries[i]`` (int64) is the index in ``network.all_calls()`` of the call where it enters; None: all at the network's entry.
    """

    arrived: NDArray[np.float64]
    entries: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.arrived)
