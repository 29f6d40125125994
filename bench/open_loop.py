"""An open-loop load generator: each request is sent when it is due, however late the answers to others are.

    python -m bench.open_loop --port 8000 --asked due.json --told sent.json

`asked` holds ``{"method", "paths", "bodies", "due"}``: when each request is due, in seconds from the start; `paths` and `bodies`
are taken in turn, and ``{n}`` in them stands for the request's number. `told` gets, for each, the moment in seconds since 1970 at which it was sent, for how
long its answer took (None: there was none) and the status.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.load import Connection, request

OPEN_AHEAD = 32
"""Connections that are open before the first request; a further one is opened when all are waiting for answers."""


class Generator:
    """Requests on their way, and what came of them."""

    def __init__(self, port: int, asked: dict[str, Any]) -> None:
        self.port = port
        self.asked = asked
        self.free: list[Connection] = []
        self.sent: list[float] = [0.0] * len(asked["due"])
        self.took: list[float | None] = [None] * len(asked["due"])
        self.status: list[int] = [0] * len(asked["due"])

    async def send(self, number: int) -> None:
        """One request, sent now."""
        paths, bodies = self.asked["paths"], self.asked["bodies"] or [""]
        path, body = paths[number % len(paths)], bodies[number % len(bodies)]
        content = request(self.asked["method"], path, body, number, self.port)
        began = time.perf_counter()
        self.sent[number] = time.time()
        with suppress(OSError):
            connection = await self.connection()
            self.status[number], _ = await connection.ask(content)
            self.took[number] = time.perf_counter() - began
            self.free.append(connection)

    async def connection(self) -> Connection:
        """One that waits for no answer: that which was used last, since the server hangs up on idle ones; else a new one."""
        while self.free:
            connection = self.free.pop()
            if not connection.lost:
                return connection
        return await Connection.open(self.port)

    async def run(self) -> None:
        """All requests when they are due; with ``one_by_one`` each when the one before was answered."""
        if self.asked.get("one_by_one"):
            for number in range(len(self.sent)):
                await self.send(number)
            return
        self.free = [await Connection.open(self.port) for _ in range(OPEN_AHEAD)]
        loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()
        start = loop.time()
        for number, due in enumerate(self.asked["due"]):
            wait = start + due - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.add(task := loop.create_task(self.send(number)))
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    def told(self) -> dict[str, Any]:
        """What came of them."""
        return {"sent": self.sent, "took": self.took, "status": self.status}


def main() -> None:
    """Send what is asked for, and write down what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--asked", type=Path, required=True)
    parser.add_argument("--told", type=Path, required=True)
    asked = parser.parse_args()
    generator = Generator(asked.port, json.loads(asked.asked.read_text(encoding="utf-8")))
    asyncio.run(generator.run())
    asked.told.write_text(json.dumps(generator.told()), encoding="utf-8")


if __name__ == "__main__":
    main()
