"""A step: a plain function whose answer is journaled, so that a replay does not compute it again."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.function import Function
from parti.design.goals import Retry
from parti.design.places import Place
from parti.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Calls `function` as a step of the run. It has no effect outside the system."""

    name: str
    place: Place
    function: Function
    timeout: Seconds
    retry: Retry
    about: str = ""

    @property
    def arrow(self) -> str:
        """How an arrow to it reads, without its source."""
        return f"calls {self.name}"
