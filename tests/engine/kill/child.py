"""The doomed process: a server that has imported everything forks one life after the other, and tells how each ended.

One life is one line of JSON on its input. It answers with one line: the exit status, negative for a signal.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jsonschema  # noqa: F401 so that no life pays for it

from parti.engine import writes
from parti.engine.loop import Engine
from parti.ports.store import Store
from parti.wiring import new_engine, open_store

from .desk import desk, order_of, world
from .outside import Outside

LIFE_MAX = 60.0
"""Seconds; a life that takes longer hangs."""


@dataclass(frozen=True)
class Life:
    """What a process is to do: work until it is killed, or with `last` until nothing is left."""

    store: str
    outside: str
    publish: int
    arrivals: int
    operator: bool = True
    last: bool = False
    fenced: bool = True
    grace: float = 10.0
    """Seconds that SIGTERM leaves to runs."""

    @property
    def failed(self) -> str:
        """Where a process leaves what went wrong: beside the outside, whose disk has room."""
        return f"{self.outside}.failed"

    def as_line(self) -> str:
        return json.dumps(asdict(self))


async def live(life: Life) -> None:
    if not life.fenced:
        writes._fence = _no_fence
    world.outside = await Outside.reached(life.outside)
    world.arrivals = life.arrivals
    await world.outside.tell("born")
    store = open_store(life.store)
    engine = new_engine(desk.design, store)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await engine.start()
    await world.outside.tell("started")
    work = asyncio.create_task(_work(engine, store, life))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([work, stopped], timeout=LIFE_MAX, return_when=asyncio.FIRST_COMPLETED)
    assert work.done() or stop.is_set(), f"it hangs: {await store.open_runs()}"
    work.cancel()
    await engine.stop(life.grace)
    await store.close()
    if not stop.is_set():
        await work  # whatever ended it


async def _work(engine: Engine, store: Store, life: Life) -> None:
    """Publish what is not acknowledged, see all of it done, and answer for the writes in doubt."""
    for number in range(life.publish):
        order = order_of("p", number)
        if not await world.outside.look("published", order.id):
            await engine.publish("orders", [order.model_dump_json().encode()], idempotency_key=order.id)
            await world.outside.do("published", order.id)
    await engine.idle()
    while life.operator and (doubts := await store.questions(who="operator")):
        for doubt in doubts:
            await engine.answer(doubt.id, await _truth(json.loads(doubt.answer)), by="operator")
        await engine.idle()
    if not life.last:
        await world.outside.tell("idle")
        await asyncio.Event().wait()


async def _truth(doubt: dict[str, str]) -> bytes:
    happened = await world.outside.look(doubt["tool"], doubt["key"]) > 0
    return json.dumps({"happened": happened, "result": "paid, said the operator"}).encode()


async def _no_fence(*_: Any) -> None:
    """The planted bug: writes start and go on before anything is on disk."""


def main() -> None:
    """Fork a life for each line; the server itself opens nothing and starts no thread."""
    assert desk.design.parts
    for line in sys.stdin:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _live_and_end(Life(**json.loads(line)))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _live_and_end(life: Life) -> None:
    try:
        asyncio.run(asyncio.wait_for(live(life), LIFE_MAX + 30))
    except BaseException:  # told to whoever started it, and never back into the server's loop
        Path(life.failed).write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
