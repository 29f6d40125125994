"""The virtual world: the same engine under a clock that jumps, seeded chance and a store that fails on purpose."""

from __future__ import annotations

from parti.adapters.virtual.chance import SeededChance
from parti.adapters.virtual.store import Faults, VirtualStore, WorldEnded
from parti.adapters.virtual.world import EPOCH, Deadlock, VirtualClock, VirtualLoop, run_virtual

__all__ = [
    "EPOCH",
    "Deadlock",
    "Faults",
    "SeededChance",
    "VirtualClock",
    "VirtualLoop",
    "VirtualStore",
    "WorldEnded",
    "run_virtual",
]
