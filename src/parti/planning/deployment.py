"""Deployments: how many of each part run, where, on which machine, with which batch and variant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from parti.units import Seconds


class Deployment(NamedTuple):
    """How one part runs: so many processes of its own, each taking `cpus` vCPUs of a machine of the price list.

    An empty `machine` is the one that was measured, which costs nothing; an empty `variant` is the one that was measured most;
    an empty `site` is where load comes in. A `batch` of 1 takes calls one by one.
    """

    part: str
    replicas: int = 1
    batch: int = 1
    machine: str = ""
    variant: str = ""
    site: str = ""
    cpus: float = 1.0


@dataclass(frozen=True, slots=True)
class Door:
    """What HTTP in front adds to a call of an endpoint: seconds on the event loop, and seconds besides, on the way and back."""

    loop: Seconds = 0.0
    besides: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class OneProcess:
    """All parts run in one process, as under `parti up`, on a machine with so many `cores`.

    `handing_on` is how long it takes from when an event is on disk until its handler begins, with no other run at work.
    So many runs are `sharing` a commit in the mean, and what the event loop does once for it. Pairs of a station and a factor say by how
    much it is `slower` since its cores are at work for others, too. Predictions find both out (`sharing.py`).
    """

    cores: int
    door: Door = Door()
    handing_on: Seconds = 0.0
    sharing: float = 1.0
    slower: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Deployed:
    """A whole plan: a deployment for each part that takes machines, in the order of the design.

    With `together` all of them are in that process, whatever replicas and machines they name.
    """

    parts: tuple[Deployment, ...]
    together: OneProcess | None = None

    def of(self, part: str) -> Deployment:
        """How that part runs; where nothing is said, one process on the machine that was measured."""
        found = next((one for one in self.parts if one.part == part), Deployment(part))
        if self.together is None:
            return found
        return found._replace(replicas=1, machine="", site="", cpus=float(self.together.cores))
