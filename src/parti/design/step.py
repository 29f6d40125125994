"""A step: a plain function whose answer is journaled, so that a replay does not compute it again."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.batch import Batch
from parti.design.function import Function
from parti.design.goals import Retry
from parti.design.places import Place
from parti.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Calls `function` as a step of the run. It has no effect outside the system.

    At most `concurrency` calls (None: any number) are served at once in a process. With a `batch`, calls of several runs
    are: `function` describes one call, from one item to one answer, and its `call` takes and returns lists of them; then
    `concurrency` counts batches.
    """

    name: str
    place: Place
    function: Function
    timeout: Seconds
    retry: Retry
    concurrency: int | None = None
    batch: Batch | None = None
    about: str = ""

    @property
    def arrow(self) -> str:
        """How an arrow to it reads, without its source."""
        return f"calls {self.name}"
