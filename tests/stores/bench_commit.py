"""How fast the SQLite store commits: ``python tests/stores/bench_commit.py [folder]``. Numbers, no assertions."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from parti.adapters.sqlite import SqliteStore, open_store
from parti.adapters.virtual import SeededChance, VirtualClock, VirtualStore, run_virtual
from parti.ports.store import Batch, State
from parti.testing.store_samples import a_run, an_event

BODY = b'[["step","credit",1,2,3]]' * 4


def batches(size: int, count: int, *, runs: bool, events: bool = False) -> list[Batch]:
    made = []
    for number in range(count):
        ids = [f"decide/orders/{n % 8}/{number * size + n}" for n in range(size)]
        batch = Batch(entries=[(id, BODY) for id in ids])
        if runs:
            batch.runs = {id: a_run(id, state=State.DONE, result=b'{"ok":true}') for id in ids}
        if events:
            batch.events = [an_event(partition=n % 8, key=id, body=BODY) for n, id in enumerate(ids)]
        made.append(batch)
    return made


async def measure(store: SqliteStore | VirtualStore, what: str, todo: list[Batch]) -> None:
    rows = sum(len(batch.entries) for batch in todo)
    start = time.perf_counter()
    for batch in todo:
        await store.commit(batch)
    seconds = time.perf_counter() - start
    print(f"{what:60} {rows / seconds:10,.0f} rows/s {seconds / len(todo) * 1e6:10,.0f} us/commit")


async def busy(stop: asyncio.Event) -> None:
    """Other work on the event loop, in turns of about a millisecond."""
    while not stop.is_set():
        sum(range(50_000))
        await asyncio.sleep(0)


async def sqlite(folder: Path) -> None:
    store = open_store(folder / "bench.db")
    await measure(store, "1 entry", batches(1, 500, runs=False))
    for size, count in ((64, 300), (1000, 100), (4000, 25)):
        await measure(store, f"{size} entries", batches(size, count, runs=False))
    for size, count in ((64, 300), (1000, 50)):
        await measure(store, f"{size} entries + runs", batches(size, count, runs=True))
    await measure(store, "1000 entries + runs + events", batches(1000, 50, runs=True, events=True))
    stop = asyncio.Event()
    other = asyncio.create_task(busy(stop))
    await measure(store, "1 entry, busy loop", batches(1, 300, runs=False))
    await measure(store, "64 entries + runs, busy loop", batches(64, 100, runs=True))
    await measure(store, "1000 entries + runs, busy loop", batches(1000, 30, runs=True))
    stop.set()
    await other
    start = time.perf_counter()
    findings = await store.verify()
    print(f"verify: {len(findings)} findings in {time.perf_counter() - start:.2f} s")
    start = time.perf_counter()
    await store.counts()
    print(f"counts: {(time.perf_counter() - start) * 1e3:.1f} ms")
    await store.close()


async def virtual(clock: VirtualClock) -> None:
    store = VirtualStore(clock, SeededChance(1))
    await measure(store, "virtual: 1 entry", batches(1, 2000, runs=False))
    await measure(store, "virtual: 64 entries + runs + events", batches(64, 100, runs=True, events=True))


async def nothing(clock: VirtualClock) -> None:
    await clock.wait(1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        asyncio.run(sqlite(Path(folder)))
    run_virtual(virtual)
    began = time.perf_counter()
    for _ in range(1000):
        run_virtual(nothing)
    print(f"a virtual world: {(time.perf_counter() - began) * 1e3:.0f} us")
