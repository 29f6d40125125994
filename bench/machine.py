"""What the numbers were measured on: processor, memory, file system, how long an fsync takes, and how busy it was."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from pathlib import Path
from typing import Any

from bench.timing import percentile

FSYNCS = 200
IN_MEMORY = ("tmpfs", "ramfs")


def machine(directory: Path) -> dict[str, Any]:
    """Facts of this machine, and of the disk that `directory` lies on."""
    syncs = fsync_seconds(directory)
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 1024**2, 1),
        "system": f"{platform.system()} {platform.release()}",
        "file_system": file_system(directory),
        "fsync_p50_ms": 1000 * percentile(syncs, 0.50),
        "fsync_p99_ms": 1000 * percentile(syncs, 0.99),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_before": os.getloadavg()[0],
    }


def fsync_seconds(directory: Path) -> list[float]:
    """How long each of some appends of 4 KiB takes to be on disk, ascending."""
    path = directory / "fsync"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(FSYNCS):
            file.write(b"x" * 4096)
            started = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - started)
    path.unlink()
    return sorted(taken)


def file_system(directory: Path) -> str:
    """The type of the file system that `directory` lies on, such as ext4 or tmpfs."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, name, *_ = line.split()
        if directory.resolve().is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, name
    return kind


def warnings(facts: dict[str, Any]) -> list[str]:
    """What makes the numbers worth less than they look."""
    found = []
    if facts["file_system"] in IN_MEMORY:
        found.append(
            "The databases lie in memory (tmpfs): an fsync costs nothing here. Choose a disk with --directory."
        )
    if facts["load_before"] > facts["cores"] / 2:
        found.append(
            f"Other work kept the machine busy (load {facts['load_before']:.1f} on {facts['cores']} cores before "
            "anything was measured): all rates are lower bounds, all times upper bounds."
        )
    return found


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return ""
