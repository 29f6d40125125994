"""Simulating a network: all at once by the event loop, or stage by stage, which is faster and gives the same bits.

A *stage* is what cannot be simulated station by station: one station with its retries, or stations on a loop or under a
limit. Stages are in order: what leaves one never comes back, so what happened up to a stage does not depend on choices
after it. `begin` and `extend` give a search that order, one stage at a time, and every `Prefix` may be kept and extended
in several ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from parti.sim.load import Load
from parti.sim.network import Network, Station
from parti.sim.result import Simulated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kernel = Literal["stages", "events"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Stations that are simulated together (names, in the order of the network), and whether that needs the event loop."""

    stations: tuple[str, ...]
    events: bool


@dataclass(frozen=True, slots=True)
class Prefix:
    """A simulation up to, not including, stage number `done` of `stages`. It is never changed by being extended.

    `reached` (float64, one per request) is the latest time that is known of each request so far: its end comes at or
    after it, whatever the later stages are; infinite for one that already did not end well.
    """

    network: Network
    load: Load
    seed: int
    stages: tuple[Stage, ...]
    done: int
    reached: NDArray[np.float64]


def simulate(
    network: Network, load: Load, *, seed: int, warmup: float = 0.0, kernel: Kernel = "stages", parts: bool = True
) -> Simulated:
    """Simulate until every request ended. Same network, load and seed: same bits, by either kernel, with or without numba.

    `warmup` seconds at the start are left out of all figures. Without `parts` it takes less memory and time.
    Raises P801 to P804 for a network or load that cannot be, P110 without numpy.
    """
    raise NotImplementedError


def begin(network: Network, load: Load, *, seed: int, warmup: float = 0.0, parts: bool = False) -> Prefix:
    """The empty prefix: all requests have just arrived. Raises as `simulate`."""
    raise NotImplementedError


def extend(prefix: Prefix, changed: Mapping[str, Station] | None = None) -> Prefix:
    """One stage further. `changed` replaces stations of that stage, by name; calls, routes and limits stay as they are.

    Extending one prefix with several choices of the next stage costs one stage each: earlier stages are not simulated again.
    Raises P801 for a replacement that is not of the next stage, or cannot be.
    """
    raise NotImplementedError


def finish(prefix: Prefix) -> Simulated:
    """The simulation, once `prefix.done` is ``len(prefix.stages)``: the same bits as `simulate` of the changed network."""
    raise NotImplementedError
