"""A machine for tests: its CPU is used as they say, and what else goes on too."""

from __future__ import annotations

from dataclasses import dataclass, field

from profile_kit import MACHINE

from parti.ports.machine import Calibration, Fingerprint, Usage


@dataclass
class FakeMachine:
    """Implements ports.machine.Machine. `calibrations` are told one after the other, the last one for ever."""

    calibrations: list[Calibration] = field(default_factory=lambda: [Calibration(0.02, 0.02, 10.0)])
    usages: list[Usage] = field(default_factory=lambda: [Usage(0.0, 0.0, 0.0, 0.0), Usage(10.0, 1.0, 1.0, 0.0)])
    used: float = 0.0
    """CPU seconds so far; functions under test add to it."""
    on_loop: float = 0.0
    """Those of the thread of the event loop."""

    def fingerprint(self, score: float = 0.0) -> Fingerprint:
        return Fingerprint(MACHINE.cpu, MACHINE.cores, MACHINE.memory, MACHINE.python, MACHINE.system, score)

    def calibrate(self) -> Calibration:
        return self.calibrations.pop(0) if len(self.calibrations) > 1 else self.calibrations[0]

    def usage(self) -> Usage:
        return self.usages.pop(0) if len(self.usages) > 1 else self.usages[0]

    def elapsed(self) -> float:
        return 0.0

    def cpu(self) -> float:
        return self.used

    def thread_cpu(self) -> float:
        return self.on_loop
