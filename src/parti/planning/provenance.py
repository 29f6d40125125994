"""Provenance: what a plan rests on: how old its profile is, how many calls it saw, and what one must know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from parti.planning.asked import Asked
from parti.planning.computing import computes, own_cpu
from parti.planning.deployment import Deployed
from parti.planning.lasting import failures_on
from parti.planning.profile import Source
from parti.units import Seconds

FEW: Final = 30
"""Fewer calls than this tell a time only roughly."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Of a profile: how it was measured, seconds since its latest call, how many runs or calls it covers, and for each part of a
    plan how many calls (of batches: batches) its time is known from.
    """

    source: Source
    age: Seconds
    covers: int
    calls: dict[str, int]


def provenance(asked: Asked, now: Seconds) -> Provenance:
    """Where the times of a plan come from, as seen `now` (seconds since 1970)."""
    known = {
        part.part: service.seconds.count
        for part in asked.profile.parts
        if part.part in asked.design.by_name and (service := part.service()) is not None
    }
    return Provenance(asked.profile.source, asked.profile.age(now), asked.profile.covers, known)


def about_profile(asked: Asked) -> Iterator[str]:
    """What one must know of a profile before one relies on what is made from it."""
    profile = asked.profile
    if profile.contention is not None and profile.contention.found:
        yield f"the profile was measured while {'; '.join(profile.contention.why)}: measure again before you rely on this"
    if profile.source == "traffic":
        yield "service times are those of traffic, which a busy machine makes longer: `parti profile` measures them"
    if profile.design != asked.design.digest:
        yield "the profile is of another version of this program: what changed since was not measured"
    few = [
        f"`{part.part}` ({service.seconds.count})"
        for part in profile.parts
        if part.part in asked.rates and (service := part.service()) is not None and service.seconds.count < FEW
    ]
    if few:
        yield f"few calls were measured of {', '.join(few)}: their times are known roughly"
    guessed = ", ".join(f"`{part}`" for part in _taken_to_compute(asked))
    if guessed:
        yield f"nobody measured the CPU time of {guessed}: all their time is taken to be computing; `parti profile` measures it"


def _taken_to_compute(asked: Asked) -> Iterator[str]:
    """The parts whose time may be waiting, and is taken to be computing since the profile does not say."""
    for known in asked.profile.parts:
        part, service = asked.design.by_name.get(known.part), known.service()
        if part is None or service is None or known.part not in asked.rates:
            continue
        unknown = own_cpu(asked.design, asked.profile, known.part, service) is None
        if unknown and computes(part, None, service.seconds.mean):
            yield known.part


def about_plan(asked: Asked, deployed: Deployed) -> Iterator[str]:
    """What one must know before one relies on what is said of a plan: of its profile, its load and its machines."""
    yield from about_profile(asked)
    yield from asked.notes
    failing = asked.stations.failing()
    if failing:
        told = ", ".join(f"`{part}` ({share:.1%})" for part, share in failing.items())
        yield f"calls failed when they were measured: {told}; they are taken off those that end well"
    machines = {one.machine for one in deployed.parts if one.machine}
    unknown = sorted(name for name in machines if (m := asked.prices.machine(name)) is not None and m.speed is None)
    if unknown:
        yield f"nobody measured how fast {', '.join(unknown)} is: it is taken to be as fast as the measured machine"
    if any(failures_on(asked.prices, one, asked.failures) is None for one in machines):
        yield "nobody said how often machines fail, so all replicas are taken to be up: give --failures 30d/5m"
