"""Load: what is asked of a system to plan for, as streams of arrivals at its entries."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parti.sim.distributions import Empirical
from parti.sim.load import Arrivals, GammaArrivals, Mmpp, Poisson, Ticks, Trace


@dataclass(frozen=True, slots=True)
class Stream:
    """One process of arrivals, shared out among entries: names of handlers, endpoints, schedules and topics, each with its share (sum 1).

    What comes to a topic is one request, which begins a run of each of its handlers.
    `text` is how it was asked for. `prompt` and `output` are tokens of a request where a trace brought them: they replace those of the
    profile for the language models that its requests call.
    """

    arrivals: Arrivals
    entries: tuple[tuple[str, float], ...]
    text: str
    prompt: Empirical | None = None
    output: Empirical | None = None

    @property
    def per_second(self) -> float:
        """The mean rate of all its entries together, in the long run."""
        return mean_rate(self.arrivals)


@dataclass(frozen=True, slots=True)
class Workload:
    """All streams that arrive at once, independently of each other."""

    streams: tuple[Stream, ...]

    @property
    def per_second(self) -> float:
        """The mean rate of all streams."""
        return sum(stream.per_second for stream in self.streams)

    @property
    def rates(self) -> dict[str, float]:
        """The mean rate at each entry."""
        found: dict[str, float] = {}
        for stream in self.streams:
            for entry, share in stream.entries:
                found[entry] = found.get(entry, 0.0) + share * stream.per_second
        return found

    def scaled(self, factor: float) -> Workload:
        """`factor` (> 0) times as much of everything; bursts come as much closer together."""
        streams = (replace(stream, arrivals=scaled(stream.arrivals, factor)) for stream in self.streams)
        return Workload(tuple(streams))


def mean_rate(arrivals: Arrivals) -> float:
    """Arrivals per second in the long run."""
    match arrivals:
        case Poisson() | GammaArrivals():
            return arrivals.per_second
        case Mmpp():
            weighted = sum(rate * dwell for rate, dwell in zip(arrivals.per_second, arrivals.dwell, strict=True))
            return weighted / sum(arrivals.dwell)
        case Trace():
            return len(arrivals.times) / arrivals.cycle if arrivals.cycle > 0 else 0.0
        case Ticks():
            return 1.0 / arrivals.every


def scaled(arrivals: Arrivals, factor: float) -> Arrivals:
    """`factor` (> 0) times as many arrivals a second, of the same kind; a trace is played so many times as fast."""
    match arrivals:
        case Poisson():
            return Poisson(arrivals.per_second * factor)
        case GammaArrivals():
            return GammaArrivals(arrivals.per_second * factor, arrivals.cv)
        case Mmpp():
            return Mmpp(tuple(rate * factor for rate in arrivals.per_second), arrivals.dwell)
        case Trace():
            return replace(arrivals, faster=arrivals.faster * factor)
        case Ticks():
            return Ticks(arrivals.every / factor)
