"""Computing: how much of a part's time is on the CPU, and how many calls of it compute at once in one process."""

from __future__ import annotations

from typing import Final

from parti.design.endpoint import Endpoint
from parti.design.function import Function
from parti.design.graph import Design, Part
from parti.design.handler import Handler
from parti.design.llm import Llm
from parti.design.schedule import Schedule
from parti.design.tool import Tool
from parti.planning.profile import Profile, Service
from parti.units import Seconds

COMPUTES: Final = 0.5
"""A part whose calls spend this share of their own time on the CPU, or more, computes; else it waits."""

RUNNERS = (Handler, Endpoint, Schedule)
"""Parts whose CPU time was measured over the whole run."""


def own_cpu(design: Design, profile: Profile, name: str, service: Service) -> Seconds | None:
    """CPU seconds of one call without what it calls, at least 0; None where nobody measured it.

    A profile has the CPU time of the whole run for a runner: of that what its callees take in the mean is theirs. Callees
    whose CPU time was not measured take none off. Of parts that are served in batches it is measured of batches alone: then a call
    by itself spends the same share of its time there as the smallest of them.
    """
    if service.cpu is None:
        return _as_in_batches(profile, name, service)
    if not isinstance(design.by_name.get(name), RUNNERS):
        return service.cpu
    return max(0.0, service.cpu - _called(profile, name, (name,)))


def _as_in_batches(profile: Profile, name: str, service: Service) -> Seconds | None:
    known = profile.part(name)
    batches = [
        one for one in (known.services if known else ()) if one.variant == service.variant and one.cpu is not None
    ]
    smallest = min(batches, key=lambda one: one.batch, default=None)
    if smallest is None or smallest.cpu is None or smallest.seconds.mean <= 0:
        return None
    return service.seconds.mean * min(1.0, smallest.cpu / smallest.seconds.mean)


def computes(part: Part, cpu: Seconds | None, mean: Seconds) -> bool:
    """Whether calls that take `mean` seconds mostly compute. Where CPU time was not measured: all but tools and language models do."""
    return cpu >= COMPUTES * mean if cpu is not None else not isinstance(part, Tool | Llm)


def at_once(part: Part, cpus: float, *, accelerated: bool = False) -> int:
    """How many calls compute at once in one process that has so many vCPUs.

    A coroutine does so on the one event loop, and what is `accelerated` on its machine's GPU: one after the other. Blocking
    functions and models are called in threads, each on a core.
    """
    function = getattr(part, "function", None)
    if accelerated or (isinstance(function, Function) and function.is_async):
        return 1
    return max(1, int(cpus))


def _called(profile: Profile, name: str, path: tuple[str, ...]) -> Seconds:
    """CPU seconds in the mean of all that one call of a part calls, and of what that calls."""
    graph = profile.graph(name)
    return sum(
        visits * (_cpu(profile, part) + _called(profile, part, (*path, part)))
        for part, visits in (graph.visits() if graph is not None else {}).items()
        if part not in path
    )


def _cpu(profile: Profile, part: str) -> Seconds:
    known = profile.part(part)
    service = known.service() if known is not None else None
    return 0.0 if service is None or service.cpu is None else service.cpu
