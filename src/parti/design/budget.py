"""A budget: how much a run may spend; and a cost, what one call of a tool takes from it."""

from __future__ import annotations

from dataclasses import dataclass

from parti.errors import DeclarationError
from parti.units import Seconds, seconds


@dataclass(frozen=True, slots=True)
class Cost:
    """Money (US dollars) and tokens. Declared of a tool, it is the most that one call may cost."""

    usd: float = 0.0
    tokens: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.usd < float("inf") and self.tokens >= 0):
            raise DeclarationError("P105", f"{self} is no cost", fix="write Cost(usd=0.01, tokens=0)")


NO_COST = Cost()


@dataclass(frozen=True, slots=True, init=False)
class Budget:
    """The most that may be spent: US dollars, tokens, steps, and seconds at work. What is None has no limit.

    A step counts once, however often its own retries call it; each such call costs what it costs. Waiting for people and
    timers is not work.
    """

    usd: float | None
    tokens: int | None
    steps: int | None
    seconds: Seconds | None

    def __init__(
        self,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        steps: int | None = None,
        seconds: str | float | None = None,
    ) -> None:
        limits = {"usd": usd, "tokens": tokens, "steps": steps}
        for name, limit in limits.items():
            if limit is not None and not 0 <= limit < float("inf"):
                raise DeclarationError("P105", f"Budget({name}={limit!r}) is no limit", fix="write a number from 0 on")
            object.__setattr__(self, name, limit)
        object.__setattr__(self, "seconds", None if seconds is None else _seconds(seconds))


_seconds = seconds
