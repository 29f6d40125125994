"""A profile: what was measured of each part of a design, on which machine, and in which order parts are called.

Times are seconds, moments are seconds since 1970. `version` is that of this form; it is stored as JSON (`storing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from parti.planning.calls import CallGraph
from parti.planning.sampled import Sampled
from parti.ports.machine import Fingerprint
from parti.units import Seconds

VERSION: Final = 1
"""The version of the form. A later one is refused (P820); older ones will be read for ever."""

PartKind = Literal["handler", "endpoint", "schedule", "step", "tool", "model", "llm", "agent", "person", "timer"]
"""What kind a part is. A person's and a timer's "service" is how long runs waited for an answer, or slept."""

Source = Literal["load", "traffic"]
"""How it was measured: under controlled load, or from the journal of ordinary traffic."""


@dataclass(frozen=True, slots=True)
class Service:
    """How long one variant takes for a batch of `batch` calls (1: one call alone): a part's own time, without waiting.

    `seconds` is the time of the whole batch, without its queue and without what the parts that it calls take. `waited` is the
    time in line before, where it is known (of every call). `alone` was measured with nothing else at work, `together` with
    the other parts, in turn. `cpu` is the mean CPU time of the process in seconds for one batch, where it was measured: the
    rest of the mean is waiting for something outside, which any number of calls can do at once. That of a handler or
    endpoint is of the whole run, with all that it calls and with Parti's own work for it.
    """

    variant: str
    batch: int
    seconds: Sampled
    waited: Sampled | None = None
    cpu: Seconds | None = None
    alone: Sampled | None = None
    together: Sampled | None = None
    loop: Seconds | None = None
    """Of a runner: mean CPU seconds of the event loop's thread for a run, with all that it calls there and Parti's own work for it."""
    loop_shared: Seconds | None = None
    """What is left of `loop` for a run where very many share each commit and the turns of the loop around it."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one variant (the model that answered) of a language model reads and writes, and how fast; from calls that answered.

    `prompt` and `output` are tokens of a call, `growth` the mean of tokens that a conversation's prompt grows by from turn to turn.
    `first` is the time to the first token and `decode` the seconds for each further token, where calls streamed.
    `prefill_seconds`, `prefill_seconds_per_token` and `step_seconds` are the least-squares line through the calls'
    times, ``prefill_seconds + prompt · prefill_seconds_per_token + output · step_seconds``, each at least 0; `fit` is the share of
    the variance that it explains (0 to 1). `usd` is the mean cost of a call, None where nobody knows.
    """

    variant: str
    prompt: Sampled
    output: Sampled
    growth: float
    first: Sampled | None
    decode: Sampled | None
    prefill_seconds: Seconds
    prefill_seconds_per_token: Seconds
    step_seconds: Seconds
    fit: float
    usd: float | None
    cached: int = 0
    """Calls that were answered from the cache, and are left out of all else."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of calls (of a runner: of its runs). Counts; `retried` of them needed more than one attempt.

    `attempts` counts all attempts, so ``attempts / calls`` is how often work is done in the mean. Those of models and
    language models count once, and those of steps in journals of older versions. `waited` runs waited for people or timers.
    """

    calls: int
    done: int
    failed: int
    timed_out: int
    cancelled: int
    retried: int
    attempts: int
    waited: int = 0
    interrupted: int = 0
    """Runs that a stop or a crash of the process cut in two: they are left out of all times."""
    open: int = 0
    """Runs that have not ended: they are left out of all else."""

    @property
    def failure(self) -> float:
        """The share that failed or took too long, of those that ended; 0 without any."""
        ended = self.done + self.failed + self.timed_out
        return (self.failed + self.timed_out) / ended if ended else 0.0


@dataclass(frozen=True, slots=True)
class PartProfile:
    """What was measured of one part, by variant and batch size. `since` and `until` are the first and last call's moments."""

    part: str
    kind: PartKind
    services: tuple[Service, ...]
    outcomes: Outcomes
    since: Seconds
    until: Seconds
    tokens: tuple[Tokens, ...] = ()
    latency: Sampled | None = None
    """Of a runner: seconds from the creation of a run that was done at last to its end, with all that it waited for."""

    def service(self, variant: str | None = None, batch: int = 1) -> Service | None:
        """The service of a variant (None: the one with the most samples) at that size of batch, if it was measured."""
        chosen = self.main_variant if variant is None else variant
        return next((one for one in self.services if (one.variant, one.batch) == (chosen, batch)), None)

    @property
    def main_variant(self) -> str:
        """The variant that was measured most; "" where parts have no variants."""
        return max(self.services, key=lambda one: one.seconds.count).variant if self.services else ""

    @property
    def variants(self) -> tuple[str, ...]:
        """All variants, sorted."""
        return tuple(sorted({one.variant for one in self.services}))

    def growth(self, variant: str | None = None) -> tuple[float, ...]:
        """How a batch's time grows with its size: for b = 1, 2, … the mean of a batch of b over that of one alone.

        This is `growth` of the simulator's Batch. Between sizes that were measured it is linear; empty when size 1 was not measured.
        """
        chosen = self.main_variant if variant is None else variant
        known = sorted((one.batch, one.seconds.mean) for one in self.services if one.variant == chosen)
        if not known or known[0][0] != 1 or known[0][1] <= 0:
            return ()
        found = [1.0]
        for (low, before), (high, after) in pairwise(known):
            steps = high - low
            found += [(before + (after - before) * at / steps) / known[0][1] for at in range(1, steps + 1)]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ArrivalsSeen:
    """What arrived from outside at an entry (a handler, endpoint or schedule): `count` within `seconds`.

    `cv` is the coefficient of variation of the gaps between them (1: Poisson, more: bursty; 0 with fewer than 3).
    """

    entry: str
    count: int
    seconds: Seconds
    cv: float

    @property
    def per_second(self) -> float:
        """The mean rate; 0 with fewer than two."""
        return (self.count - 1) / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A part that could not be measured, and why."""

    part: str
    why: str


@dataclass(frozen=True, slots=True)
class Contention:
    """How much else was going on while it was measured. `found` marks a profile that predictions must not rest on.

    `why` says each sign of it in a sentence. `slowdown` is by how much the calibration's wall time exceeded its CPU time,
    `drift` by how much its speed changed between begin and end, `steal` the share of CPU time that the hypervisor took,
    `others` the share of all cores that other programs used; all 0 for nothing.
    """

    found: bool
    why: tuple[str, ...]
    slowdown: float
    drift: float
    steal: float
    others: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What was measured of a system. `design` is the digest of the design then, `at` when it was made.

    `contention` is None for a profile from traffic: nobody looked. `covers` are the runs that were read (traffic) or the
    calls that were made (load).
    """

    system: str
    design: str
    source: Source
    at: Seconds
    since: Seconds
    until: Seconds
    machine: Fingerprint
    parts: tuple[PartProfile, ...]
    graphs: tuple[CallGraph, ...] = ()
    arrivals: tuple[ArrivalsSeen, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    contention: Contention | None = None
    covers: int = 0
    other_code: int = 0
    """How many of them ran by another design than today's."""
    at_once: float = 1.0
    """Of traffic: how many runs were at work at once in the mean, while any was. Where many were, own times hold turns of the
    event loop and of threads."""
    commit: Sampled | None = None
    """Seconds from the end of a run until it is on disk and who called it is answered, with no other run at work."""
    version: int = VERSION

    def part(self, name: str) -> PartProfile | None:
        """What was measured of that part, if anything."""
        return next((part for part in self.parts if part.part == name), None)

    def graph(self, caller: str) -> CallGraph | None:
        """What that part calls, if it was seen at work."""
        return next((graph for graph in self.graphs if graph.caller == caller), None)

    @property
    def shares(self) -> dict[str, float]:
        """The share of each entry in what arrived from outside; sums to 1, empty when nothing was seen."""
        total = sum(seen.count for seen in self.arrivals)
        return {seen.entry: seen.count / total for seen in self.arrivals} if total else {}

    def age(self, now: Seconds) -> Seconds:
        """Seconds since the latest of what was measured."""
        return max(0.0, now - self.until)
