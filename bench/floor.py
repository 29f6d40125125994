"""The floor: plain SQLite writing rows of a step's size, and one fsync for each batch of five times the concurrency.

No framework that journals every step in SQLite can be faster with this batching; what lies between is its own work.
"""

from __future__ import annotations

import sqlite3
import time

from bench.subject import STEPS, arguments, report
from bench.timing import MEASURED_SECONDS_MAX, Timing, cpu_seconds


def measure(connection: sqlite3.Connection, *, concurrency: int, seconds: float, row_bytes: int) -> Timing:
    """Write batches for `seconds` (and at least four); every run of a batch takes as long as the batch."""
    body = b"x" * row_bytes
    latencies: list[float] = []
    number, cpu, started = 0, cpu_seconds(), time.perf_counter()
    while number < 4 or time.perf_counter() - started < min(seconds, MEASURED_SECONDS_MAX):
        before = time.perf_counter()
        rows = [(f"{number:08x}{run:024x}", body) for run in range(concurrency) for _ in range(STEPS)]
        with connection:
            connection.executemany("INSERT INTO journal (run, body) VALUES (?, ?)", rows)
        latencies += [time.perf_counter() - before] * concurrency
        number += 1
    return Timing(number * concurrency, time.perf_counter() - started, cpu_seconds() - cpu, latencies)


def main() -> None:
    """Measure and report."""
    asked = arguments()
    connection = sqlite3.connect(asked.directory / "floor.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE journal (seq INTEGER PRIMARY KEY, run TEXT NOT NULL, body BLOB NOT NULL)")
    timing = measure(connection, concurrency=asked.concurrency, seconds=asked.seconds, row_bytes=asked.row_bytes)
    connection.close()
    settings = (
        f"executemany of {STEPS} x concurrency rows of {asked.row_bytes} bytes and a 32-character id, "
        "then commit; WAL, synchronous=FULL"
    )
    report(timing.figures(), settings=settings)


if __name__ == "__main__":
    main()
