"""Goals: what a system promises to those who use it, and how failures are tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from parti.errors import DeclarationError
from parti.units import Seconds, seconds

Combine = Literal["product", "minimum", "mean"]
"""How the qualities of parts make the quality of the system: all must be right, the worst decides, or the mean counts."""


@dataclass(frozen=True, slots=True, init=False)
class Slo:
    """A service-level objective: the 99th percentile of latency and the share of requests answered.

    `quality` (0 to 1) is the least that the parts' qualities may come to, combined as `combine` says. `usd_per_month` is the
    most that machines and language models may cost in a month of 730 hours. A plan keeps all of them; None promises nothing.
    """

    p99: Seconds
    availability: float
    quality: float | None
    combine: Combine | None
    usd_per_month: float | None

    def __init__(
        self,
        *,
        p99: str | float,
        availability: float = 0.999,
        quality: float | None = None,
        combine: Combine | None = None,
        usd_per_month: float | None = None,
    ) -> None:
        if not 0 < availability < 1:
            raise DeclarationError("P105", f"availability {availability!r} is not between 0 and 1", fix="write 0.999")
        if quality is not None and not 0 <= quality <= 1:
            raise DeclarationError("P105", f"quality {quality!r} is not between 0 and 1", fix="write 0.9")
        if combine is not None and combine not in get_args(Combine):
            known = ", ".join(get_args(Combine))
            raise DeclarationError("P105", f"combine={combine!r} is no way to combine", fix=f"one of: {known}")
        if usd_per_month is not None and not 0 < usd_per_month < float("inf"):
            raise DeclarationError("P105", f"usd_per_month={usd_per_month!r} buys nothing", fix="give more than 0")
        object.__setattr__(self, "p99", seconds(p99))
        object.__setattr__(self, "availability", availability)
        object.__setattr__(self, "quality", quality)
        object.__setattr__(self, "combine", combine)
        object.__setattr__(self, "usd_per_month", usd_per_month)


@dataclass(frozen=True, slots=True, init=False)
class Retry:
    """How often, and how far apart, a failure is tried again: exponential backoff with full jitter.

    The wait before attempt n + 1 is drawn evenly from 0 to ``min(longest, first * factor ** (n - 1))``.
    """

    attempts: int
    first: Seconds
    factor: float
    longest: Seconds

    def __init__(
        self,
        attempts: int = 5,
        *,
        first: str | float = "200ms",
        factor: float = 2.0,
        longest: str | float = "1m",
    ) -> None:
        if attempts < 1 or factor < 1:
            raise DeclarationError(
                "P105",
                f"Retry(attempts={attempts}, factor={factor}) never tries",
                fix="attempts and factor are at least 1",
            )
        object.__setattr__(self, "attempts", attempts)
        object.__setattr__(self, "first", seconds(first))
        object.__setattr__(self, "factor", factor)
        object.__setattr__(self, "longest", seconds(longest))

    def wait_before(self, attempt: int, chance: float) -> Seconds:
        """Seconds to wait before `attempt` (2 is the first retry), given `chance` in [0, 1)."""
        ceiling = self.first * float(self.factor) ** min(attempt - 2, 64)
        return chance * min(self.longest, ceiling)


NO_RETRY = Retry(1)
