"""This machine: what it is, how fast its core is now, and how much of it is used.

Linux tells all of it; elsewhere what the machine does besides is not known.
"""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Final

from parti.ports.machine import Calibration, Fingerprint, Usage
from parti.units import Bytes, Seconds

STEPS: Final = 200_000
"""Steps of the fixed piece of work: about 15 to 30 ms of CPU time."""

_PROC: Final = Path("/proc")


class ThisMachine:
    """Implements ports.machine.Machine."""

    def fingerprint(self, score: float = 0.0) -> Fingerprint:
        """See ports.machine.Machine."""
        return Fingerprint(
            cpu=_model(), cores=_cores(), memory=_memory(), python=platform.python_version(),
            system=f"{platform.system()} {platform.release()}", score=score,
        )  # fmt: skip

    def calibrate(self) -> Calibration:
        """See ports.machine.Machine. Whole numbers and a list: what a Python program mostly does."""
        wall, cpu = time.perf_counter(), time.thread_time()
        state, seen = 1, [0] * 64
        for _ in range(STEPS):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            seen[state & 63] += 1
        cpu = time.thread_time() - cpu
        return Calibration(time.perf_counter() - wall, cpu, STEPS / max(cpu, 1e-9) / 1e6)

    def usage(self) -> Usage:
        """See ports.machine.Machine."""
        busy, stolen = _counters()
        return Usage(time.monotonic(), time.process_time(), busy, stolen)

    def elapsed(self) -> Seconds:
        """See ports.machine.Machine."""
        return time.perf_counter()

    def cpu(self) -> Seconds:
        """See ports.machine.Machine."""
        return time.process_time()

    def thread_cpu(self) -> Seconds:
        """See ports.machine.Machine."""
        return time.thread_time()


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _model() -> str:
    for line in _lines("cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.processor() or platform.machine()


def _memory() -> Bytes:
    for line in _lines("meminfo"):
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def _counters() -> tuple[Seconds | None, Seconds | None]:
    """CPU seconds of all cores at work (user, nice, system, irq, softirq) and stolen, since the machine started."""
    for line in _lines("stat"):
        if line.startswith("cpu "):
            ticks = [int(value) / os.sysconf("SC_CLK_TCK") for value in line.split()[1:]]
            return sum(ticks[:3]) + sum(ticks[5:7]), ticks[7] if len(ticks) > 7 else 0.0
    return None, None


def _lines(name: str) -> list[str]:
    """The lines of a file of /proc; none where there is none."""
    try:
        return (_PROC / name).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
