"""Memory of Parti with a long queue: events that wait in a topic behind handlers which do not return."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from argparse import ArgumentParser
from pathlib import Path

from pydantic import BaseModel

from bench.subject import report
from parti import System
from parti.testing import running
from parti.wiring import tune_process

SETTINGS = "events of 100 bytes published in batches of 1,000; all 64 hands of the one handler are held up"
BATCH = 1000
MIB = 1024

bench = System("bench-memory")


class Order(BaseModel):
    """What waits."""

    id: str
    note: str


orders = bench.topic("orders", Order, key="id")


@bench.step(timeout="1h")
async def wait_for_ever(id: str) -> str:
    """A step that does not end while anything is measured."""
    await asyncio.get_running_loop().create_future()
    return id


@bench.on(orders, timeout="2h")
async def decide(order: Order) -> None:
    """The run that holds up the rest."""
    await wait_for_ever(order.id)


def memory() -> dict[str, float]:
    """MiB of this process: resident now, and at its peak."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {"now": int(fields["VmRSS"].split()[0]) / MIB, "peak": int(fields["VmHWM"].split()[0]) / MIB}


async def main() -> None:
    """Measure, report, and leave without waiting for what never ends."""
    parser = ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--events", type=int, default=100_000)
    asked = parser.parse_args()
    tune_process()  # as `parti up` does
    async with running(bench, path=str(asked.directory / "memory.parti")) as live:
        before = memory()
        started = time.perf_counter()
        for first in range(0, asked.events, BATCH):
            last = min(first + BATCH, asked.events)
            await live.publish("orders", [b'{"id":"%012d","note":"%070d"}' % (n, n) for n in range(first, last)])
        elapsed = time.perf_counter() - started
        gc.collect()
        after = memory()
        ends = await live.store.ends()
        waiting = sum(end - first for (topic, _), (first, end) in ends.items() if topic == "orders")
        figures = {
            "events_waiting": waiting,
            "resident_before_mib": before["now"],
            "resident_mib": after["now"],
            "resident_peak_mib": after["peak"],
            "published_per_second": waiting / elapsed,
        }
        report(figures, settings=SETTINGS, packages=("parti",))
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
