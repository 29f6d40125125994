"""HTTP in Parti: a plain GET of a table row, and a durable POST that takes a step and writes a row."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel

from bench.http_side import drive
from bench.subject import report
from parti import System
from parti.testing import running
from parti.wiring import tune_process

KINDS = {
    "get": {"method": "GET", "path": "/orders/first"},
    "post": {"method": "POST", "path": "/orders", "body": '{"id":"o{n}","total":{n}}'},
}
SETTINGS = {
    "get": "a plain GET endpoint that reads one row of a table by its key",
    "post": "a durable POST endpoint: one step, one table row, answered when the run's end is on disk; no two keys equal",
}

bench = System("bench-http")


class Order(BaseModel):
    """Body and row."""

    id: str
    total: int


orders = bench.table("book", Order, key="id")


@bench.step()
async def add(value: int) -> int:
    """One step."""
    return value + 1


@bench.get("/orders/{id}")
async def show(id: str) -> Order | None:
    """Read a row."""
    return await orders.get(id)


@bench.post("/orders", key="order.id", concurrency=1024)
async def place(order: Order) -> Order:
    """Take a step and write a row."""
    placed = Order(id=order.id, total=await add(order.total))
    await orders.put(placed)
    return placed


async def main() -> None:
    """Measure one kind of request and report."""
    parser = ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--kind", choices=tuple(KINDS), required=True)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    tune_process()  # as `parti up` does
    async with running(bench, path=str(asked.directory / "http.parti"), http=True) as live:
        await live.call("place", [Order(id="first", total=0)])
        port = urlsplit(live.url).port
        assert port is not None, f"{live.url} names no port"
        figures = await drive(port, connections=asked.concurrency, seconds=asked.seconds, **KINDS[asked.kind])
    report(figures, settings=SETTINGS[asked.kind], packages=("parti",))


if __name__ == "__main__":
    asyncio.run(main())
