"""The machine port: what it is, how fast it is now, and how much else is going on on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from parti.units import Bytes, Seconds


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The machine that something was measured on. `score` is its speed by `Machine.calibrate` (0: not measured)."""

    cpu: str
    cores: int
    memory: Bytes
    python: str
    system: str
    score: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fixed piece of CPU work: how long it took by the wall clock, and on the CPU (seconds).

    `score` is how many millions of its steps were done in a CPU second: a faster core has a higher one, whatever else goes on.
    """

    wall: Seconds
    cpu: Seconds
    score: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Counters since the machine started, in seconds: the wall clock, this process's CPU, CPU of all cores at work, and stolen.

    `busy` and `stolen` are None where the system does not tell.
    """

    wall: Seconds
    own: Seconds
    busy: Seconds | None
    stolen: Seconds | None


class Machine(Protocol):
    """The machine this process runs on."""

    def fingerprint(self, score: float = 0.0) -> Fingerprint:
        """What it is."""
        ...

    def calibrate(self) -> Calibration:
        """Do the fixed piece of work, some 20 ms of it."""
        ...

    def usage(self) -> Usage:
        """How much was used so far."""
        ...

    def elapsed(self) -> Seconds:
        """A clock for short times: monotonic seconds, of no known beginning."""
        ...

    def cpu(self) -> Seconds:
        """CPU seconds of this process so far, all of its threads together."""
        ...

    def thread_cpu(self) -> Seconds:
        """CPU seconds of the calling thread so far."""
        ...
