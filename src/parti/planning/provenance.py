"""Provenance: what a plan rests on: how old its profile is, how many calls it saw, and what one must know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from parti.planning.asked import Asked
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
