"""Capacity: how many requests are late whatever is done elsewhere, because a station cannot do so much work in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from parti.extras import need

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOWS_MAX: Final = 64


def late_least(ready: NDArray[np.float64], due: NDArray[np.float64], work: NDArray[np.float64], servers: float) -> int:
    """At least so many of these requests are late at a station, in whatever order they are served and whatever is upstream.

    Arrays of shape (requests,), in order of arrival: request i comes to the station at ``ready[i]`` at the earliest, must leave it
    by ``due[i]`` to be in time, and takes `work[i]` server-seconds at least (of a batch: its share when full).

    Requests i to j that are all in time are worked on between the least `ready` and the greatest `due` of them, and in that window
    the servers can do no more than its length times `servers`. If their work exceeds that by x, so many of them are late that
    their work makes up x; all of them where the window has no length at all. Windows that share no request add up. O(requests) for each of at most 64 windows.
    """
    np: Any = need("numpy", extra="plan", purpose="planning")
    count = len(work)
    if not count:
        return 0
    starts = np.minimum.accumulate(ready[::-1])[::-1]
    ends = np.maximum.accumulate(due)
    late, open_windows = 0, [(0, count)]
    for _ in range(WINDOWS_MAX):
        if not open_windows:
            break
        low, high = open_windows.pop()
        first, last, excess = _fullest(np, starts[low:high], ends[low:high], work[low:high], servers)
        if excess > 0:
            largest = np.cumsum(np.sort(work[low + first : low + last + 1])[::-1])
            late += min(len(largest), int(np.searchsorted(largest, excess * (1 - 1e-9))) + 1)
            open_windows += [(a, b) for a, b in ((low, low + first), (low + last + 1, high)) if b > a]
    return late


def _fullest(np: Any, starts: Any, ends: Any, work: Any, servers: float) -> tuple[int, int, float]:
    """The window with the most work beyond what it has room for: its first and last request, and that excess."""
    total = np.cumsum(work)
    opening = total - work - servers * starts
    closing = total - servers * ends
    last = int(np.argmax(closing - np.minimum.accumulate(opening)))
    first = int(np.argmin(opening[: last + 1]))
    return first, last, float(closing[last] - opening[first])
