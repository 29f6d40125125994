"""A network of queues, as frozen values: stations, the calls of them, and the routes from call to call.

Times are seconds, rates are per second, sizes are numbers of requests. `checking.py` refuses what cannot be (P801 to P804).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from parti.sim.distributions import Constant, Distribution

END: Final = ""
"""The target of a route on which a request leaves the network."""

EVERYONE: Final = 1 << 40
"""So many servers that nobody ever waits: a delay station (time that passes, such as a network or a person)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Up to `size` requests are served together, as soon as so many wait or the first has waited `linger` seconds.

    A batch of b takes ``growth[b - 1]`` times as long as its first request alone would; an empty `growth` means that a
    batch takes as long as one request. What arrives at the instant of a dispatch is queued before it.
    """

    size: int
    linger: float = 0.0
    growth: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket before the station: `per_second` requests in the long run, `burst` at once.

    What comes too fast waits for its turn, or with `rejects` is turned away (HTTP 429).
    """

    per_second: float
    burst: int = 1
    rejects: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """How the caller of a station treats an attempt that took longer than `timeout`, was rejected, or failed.

    `attempts` counts the first one: 4 are three retries. Before attempt k + 1 the caller pauses for
    ``min(longest, backoff · factor^(k - 1))``, of which the share `jitter` (0 to 1) is random. With `cancel` work that timed
    out leaves the queue or its server at once; without, it is served although nobody waits for it any more; and where what has
    begun does not `stop`, as in a thread, only work that still waits is taken back.

    With `begun` the timeout counts from the begin of the service, so that whoever waits in line is never late. The share `failing` of attempts comes to nothing by chance once it was served, and is made again; after the
    last attempt the branch goes on, since what its program makes of a failure is its own affair.
    """

    timeout: float = math.inf
    attempts: int = 1
    backoff: float = 0.1
    factor: float = 2.0
    longest: float = math.inf
    jitter: float = 0.0
    cancel: bool = True
    stop: bool = True
    begun: bool = False
    failing: float = 0.0


@dataclass(frozen=True, slots=True)
class Failures:
    """Each replica is up for a time drawn from `up` and then down for one drawn from `down`, independently of its load.

    What it served when it failed starts again at the head of the queue, or with `loses` that attempt has failed.
    """

    up: Distribution
    down: Distribution
    loses: bool = False


@dataclass(frozen=True, slots=True)
class ColdStart:
    """A replica that never worked, came back from a failure, or idled for more than `idle` seconds, first takes `seconds`.

    Of several idle replicas the one that worked last is taken, so that few stay warm.
    """

    seconds: Distribution
    idle: float = math.inf


@dataclass(frozen=True, slots=True)
class Llm:
    """A language model that serves up to `slots` sequences per replica by continuous batching.

    A sequence is admitted between two steps when a slot is free, in order of arrival. Its prompt is read first
    (``prefill_seconds + tokens · prefill_seconds_per_token``), while the other sequences of the replica stand still; that gives
    its first token. Each step then gives every sequence one token and takes
    ``step_seconds + sequences · step_seconds_per_sequence``. A request goes to the replica with the fewest sequences in
    hand and in line. `prompt_growth` tokens are added to the prompt for each earlier visit of the request by this call,
    as an agent's conversation grows.
    """

    slots: int
    prompt: Distribution = field(default_factory=lambda: Constant(0.0))
    output: Distribution = field(default_factory=lambda: Constant(1.0))
    prefill_seconds: float = 0.0
    prefill_seconds_per_token: float = 0.0
    step_seconds: float = 0.0
    step_seconds_per_sequence: float = 0.0
    prompt_growth: float = 0.0


@dataclass(frozen=True, slots=True)
class Station:
    """Servers behind one queue, first come first served.

    `replicas` machines with `concurrency` places each are ``replicas · concurrency`` servers. `room` bounds how many may be
    at the station, waiting and in service together (the K of M/M/1/K); whoever finds it full is rejected. `service` is
    what one request takes, unless its call says otherwise; for an `Llm` station the replicas are engines with slots.
    """

    name: str
    service: Distribution | Llm
    replicas: int = 1
    concurrency: int = 1
    batch: Batch | None = None
    room: int | None = None
    rate: Rate | None = None
    retry: Retry | None = None
    failures: Failures | None = None
    cold: ColdStart | None = None

    @property
    def servers(self) -> int:
        """How many requests (or batches) are served at once; of an `Llm` station, how many sequences."""
        each = self.service.slots if isinstance(self.service, Llm) else self.concurrency
        return self.replicas * each


@dataclass(frozen=True, slots=True)
class Call:
    """One place in the program where a station is called: several calls may share a station, each with its own routes.

    `joins` > 1 waits until so many branches of the request have come, and starts with the last of them. `service` replaces
    that of the station (not for an `Llm` station, whose prompt and output may be replaced by an `Llm` of the same slots).
    Every draw is known by the name of its call, so a plan that adds or takes away a station leaves all others' draws alone.
    """

    name: str
    station: str
    service: Distribution | Llm | None = None
    joins: int = 1


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the targets, by probability: pairs of a call (or END) and its probability, which sum to 1."""

    targets: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Fork:
    """All of the targets at once, each a branch of the request; a call with `joins` brings branches together again.

    A branch that nothing joins runs to its end beside the others, and the request is done when its last branch is.
    """

    targets: tuple[str, ...]


Route = Choice | Fork


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `slots` branches are among `calls` at once, from entering the first until leaving the last of them.

    Branches into which one forks inside share its slot; those that enter apart take one each, even of one request. So a handler with 64 hands holds one of them while it calls its tools. Who comes too early waits, first come first served.
    A call belongs to one limit at most.
    """

    name: str
    slots: int
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """Stations, calls and routes. Without `calls` each station is called once, by its own name.

    `routes` gives for each call where its requests go next; a call without a route is the end. Requests enter at `entry`
    unless their load says otherwise. A request that made `visits_max` visits to one call has failed, so no loop is endless.
    """

    stations: tuple[Station, ...]
    entry: str
    routes: Mapping[str, Route] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    limits: tuple[Limit, ...] = ()
    visits_max: int = 1000

    def all_calls(self) -> tuple[Call, ...]:
        """The calls, in the order in which results list them."""
        return self.calls or tuple(Call(station.name, station.name) for station in self.stations)


def tandem(*stations: Station) -> Network:
    """Stations one after the other."""
    names = [station.name for station in stations]
    routes: dict[str, Route] = {name: Choice(((after, 1.0),)) for name, after in pairwise(names)}
    return Network(stations, names[0], routes)
