"""What the search asks of a simulation: stage by stage, from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from parti.optimise.problem import Choice, Option, Promise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Simulation(Protocol):
    """A staged simulation. A *state* is a simulation up to some stage; extending never changes it.

    What happens up to a stage must not depend on choices after it. The same seed and choices give the same bits, and
    the same requests (same number, same arrivals, same draws where behaviours agree) for all plans. Arrays are float64 of
    shape (requests,), the same requests in the same order throughout: those that count, so without a warm-up.
    """

    @property
    def monotone(self) -> bool:
        """Whether it is certain that `relax` never makes more requests late, whatever comes after.

        It is where no request overtakes another and none is rejected, times out or shares a batch. Where it is False the
        search tells apart what it proved and what holds if waiting in one stage does not help in another.
        """
        ...

    def begin(self, seed: int) -> Any:
        """The state before the first stage."""
        ...

    def extend(self, state: Any, choice: Choice) -> Any:
        """One stage further, with this choice for it."""
        ...

    def relax(self, state: Any) -> Any:
        """One stage further, at its best: nobody waits in it, and each request takes what its fastest option would (or 0)."""
        ...

    def reached(self, state: Any) -> NDArray[np.float64]:
        """Seconds since its arrival that each request will take at least, whatever the later choices.

        Infinite for one that already did not end well. It may include what later stages take at the very least. Never less
        than for the state before.
        """
        ...

    def taken(self, state: Any) -> NDArray[np.float64]:
        """Seconds since its arrival that each request has spent in the stages so far, without what later ones will take."""
        ...

    def finish(self, state: Any) -> NDArray[np.float64]:
        """The latency of each request in seconds, after the last stage: infinite for those that did not end well."""
        ...

    def size(self, state: Any) -> int:
        """About how many bytes the state holds."""
        ...

    def possible(self, seed: int, part: str, option: Option, promise: Promise) -> bool:
        """False only where no plan with this option of this part can keep the promised seconds: say True when in doubt.

        `capacity.late_least` gives such a bound from arrivals and work alone.
        """
        ...
