"""The critical path: where the time of each request went, along the branch that came last wherever branches join."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parti.errors import PlanError
from parti.extras import need
from parti.sim.network import Fork
from parti.sim.result import Outcome, Parts, Simulated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def on_path(simulated: Simulated) -> NDArray[np.bool_]:
    """Which calls lie on each request's critical path (calls, requests): those that its last branch came through.

    Without forks that is every call. A request that did not end well has no path. Loops with forks inside count as they
    were passed the last time.
    """
    numpy = need("numpy", extra="plan", purpose="simulation")
    calls, number = len(simulated.network.all_calls()), len(simulated.arrived)
    done = simulated.outcome == Outcome.DONE
    if not any(isinstance(route, Fork) for route in simulated.network.routes.values()):
        return numpy.broadcast_to(done, (calls, number)).copy()
    found = numpy.zeros((calls + 1, number), numpy.bool_)  # one row more, for the entry
    here = numpy.where(done, simulated.via[calls], -1)
    requests = numpy.flatnonzero(here >= 0)
    while len(requests):
        fresh = ~found[here[requests], requests]
        requests = requests[fresh]
        found[here[requests], requests] = True
        here[requests] = simulated.via[here[requests], requests]
        requests = requests[here[requests] >= 0]
    return found[:calls]


def critical_parts(simulated: Simulated) -> Parts:
    """The parts of each request's time on its critical path: arrays (calls, requests), 0 off the path.

    They sum to the latency of each request that is done, unless a loop has forks inside. Raises P801 for a result without parts.
    """
    if simulated.parts is None:
        raise PlanError("P801", "this was simulated without parts", fix="simulate(..., parts=True)")
    path, parts = on_path(simulated), simulated.parts
    return Parts(parts.waiting * path, parts.batching * path, parts.service * path, parts.retrying * path)
