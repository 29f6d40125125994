"""Profiles for tests: small ones by hand, and any by Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from parti.planning.calls import CallGraph, Published, added, chain
from parti.planning.profile import (
    ArrivalsSeen,
    Contention,
    Outcomes,
    PartProfile,
    Profile,
    Service,
    Tokens,
    Unmeasured,
)
from parti.planning.sampled import Sampled
from parti.ports.machine import Fingerprint

MACHINE = Fingerprint("Test CPU", 2, 8 * 1024**3, "3.11", "Linux", 10.0)
NONE = Outcomes(0, 0, 0, 0, 0, 0, 0)

TIMES = st.floats(0, 1e6)
COUNTS = st.integers(0, 10**9)
NAMES = st.text(max_size=8)
SAMPLED = st.lists(TIMES, min_size=1, max_size=30).map(Sampled.of)
OUTCOMES = st.builds(Outcomes, *[COUNTS] * 9)
SERVICES = st.builds(
    Service, NAMES, st.integers(1, 64), SAMPLED, st.none() | SAMPLED, st.none() | TIMES, st.none() | SAMPLED
)
TOKENS = st.builds(
    Tokens, NAMES, SAMPLED, SAMPLED, TIMES, st.none() | SAMPLED, st.none() | SAMPLED, TIMES, TIMES, TIMES,
    st.floats(0, 1), st.none() | TIMES, COUNTS,
)  # fmt: skip
KINDS = st.sampled_from(["handler", "endpoint", "step", "tool", "model", "llm", "agent", "person", "timer"])
PARTS = st.builds(
    PartProfile, NAMES, KINDS, st.lists(SERVICES, max_size=3).map(tuple), OUTCOMES, TIMES, TIMES,
    st.lists(TOKENS, max_size=2).map(tuple), st.none() | SAMPLED,
)  # fmt: skip
RUNS = st.lists(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple), max_size=5), max_size=5)


def graph_of(caller: str, runs: list[list[tuple[str, ...]]]) -> CallGraph:
    """The call graph of runs that called these groups one after the other."""
    return CallGraph(caller, len(runs), added((pair, 1) for run in runs for pair in chain(run)))


GRAPHS = st.builds(graph_of, NAMES, RUNS)
CONTENTION = st.builds(Contention, st.booleans(), st.lists(NAMES).map(tuple), TIMES, TIMES, TIMES, TIMES)
PROFILES = st.builds(
    Profile, NAMES, NAMES, st.sampled_from(["load", "traffic"]), TIMES, TIMES, TIMES,
    st.builds(Fingerprint, NAMES, COUNTS, COUNTS, NAMES, NAMES, TIMES),
    st.lists(PARTS, max_size=3).map(tuple), st.lists(GRAPHS, max_size=3).map(tuple),
    st.lists(st.builds(ArrivalsSeen, NAMES, COUNTS, TIMES, TIMES), max_size=2).map(tuple),
    st.lists(st.builds(Unmeasured, NAMES, NAMES), max_size=2).map(tuple), st.none() | CONTENTION, COUNTS,
)  # fmt: skip
PUBLISHED = Published("letters", 3, ("post",))


def part(name: str, *seconds: float, batch: int = 1, variant: str = "", kind: str = "step") -> PartProfile:
    """A part whose calls took so long."""
    service = Service(variant, batch, Sampled.of(seconds))
    return PartProfile(name, kind, (service,), NONE, 0.0, 100.0)  # type: ignore[arg-type]


def profile(*parts: PartProfile, **facts: object) -> Profile:
    """A profile from traffic."""
    return Profile("desk", "d1", "traffic", 100.0, 0.0, 100.0, MACHINE, parts, **facts)  # type: ignore[arg-type]
