"""Events in Parti: published to a topic, handled in two steps that write a row and publish a decision."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from pydantic import BaseModel

from bench.subject import arguments, report
from bench.timing import cpu_seconds
from parti import System
from parti.testing import running
from parti.wiring import tune_process

SETTINGS = (
    "events of 30 bytes with keys of their own, published in batches of 500; a handler (concurrency {}) of two steps, "
    "one table row and one published decision; the time ends when every decision is committed"
)
BATCH = 500

bench = System("bench-events")


class Order(BaseModel):
    """What comes in."""

    id: str
    amount: int


class Decision(BaseModel):
    """What goes out."""

    id: str
    total: int


orders = bench.topic("orders", Order, key="id")
decisions = bench.topic("decisions", Decision, key="id")
book = bench.table("book", Decision, key="id")


@bench.step()
async def price(amount: int) -> int:
    """The first step."""
    return amount + 1


@bench.step()
async def tax(amount: int) -> int:
    """The second step."""
    return amount + 2


@bench.on(orders, to=decisions, concurrency=256)
async def decide(order: Order) -> Decision:
    """The run."""
    decision = Decision(id=order.id, total=await tax(await price(order.amount)))
    await book.put(decision)
    return decision


async def publish(live: Any, first: int, count: int) -> None:
    """Publish `count` events with the ids `first` and following."""
    payloads = [b'{"id":"%012d","amount":%d}' % (number, number) for number in range(first, first + count)]
    for start in range(0, count, BATCH):
        await live.publish("orders", payloads[start : start + BATCH])


async def decided(live: Any) -> int:
    """How many decisions are on disk."""
    ends = await live.store.ends()
    return sum(end for (topic, _), (_, end) in ends.items() if topic == "decisions")


async def time_events(live: Any, first: int, count: int) -> tuple[float, float]:
    """Seconds of wall and processor time from the first publish until all `count` decisions are on disk."""
    before, cpu, started = await decided(live), cpu_seconds(), time.perf_counter()
    await publish(live, first, count)
    await live.idle(within=300)
    elapsed, used = time.perf_counter() - started, cpu_seconds() - cpu
    made = await decided(live) - before
    if made != count:
        raise AssertionError(f"{count} events made {made} decisions")
    return elapsed, used


async def main() -> None:
    """Measure and report."""
    asked = arguments()
    tune_process()  # as `parti up` does
    async with running(bench, path=str(asked.directory / "events.parti")) as live:
        warm, done = 500, 0
        elapsed = 0.0
        while elapsed < 0.5:
            elapsed, _ = await time_events(live, done, warm)
            done, warm = done + warm, warm * 2
        count = max(500, int(warm / 2 / elapsed * asked.seconds))
        elapsed, used = await time_events(live, done, count)
    figures = {
        "events": count,
        "seconds": elapsed,
        "events_per_second": count / elapsed,
        "cpu_ms_per_event": 1000 * used / count,
    }
    report(figures, settings=SETTINGS.format(256), packages=("parti",))


if __name__ == "__main__":
    asyncio.run(main())
