"""Deployments: how many of each part run, where, on which machine, with which batch and variant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


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
class Deployed:
    """A whole plan: a deployment for each part that takes machines, in the order of the design."""

    parts: tuple[Deployment, ...]

    def of(self, part: str) -> Deployment:
        """How that part runs; where nothing is said, one process on the machine that was measured."""
        return next((one for one in self.parts if one.part == part), Deployment(part))
