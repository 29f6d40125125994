"""The annex of the shop: a source, a schedule, events that expire, errands that are cancelled, writes that fail together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from pydantic import BaseModel

from parti import NotDone, Retry, ask, random, sleep

from .shop import flaky, outside, price, shop


class Ping(BaseModel):
    id: str
    customer: str
    asks: bool = False
    sleeps: bool = False
    flaky: int = 0


class Notice(BaseModel):
    key: str
    text: str


class Visits(BaseModel):
    customer: str
    log: list[str] = []


class Errands(BaseModel):
    customer: str
    done: list[int] = []


pings = shop.topic("pings", Ping, key="customer", partitions=1, retain="1s")
notices = shop.topic("notices", Notice, key="key", partitions=2)
visits = shop.table("visits", Visits, key="customer")
errands = shop.table("errands", Errands, key="customer")


@shop.source(to=pings, per_second=4)
def pinger(position: int) -> Iterator[Ping]:
    yield from outside().pings[position:]


@shop.tool(effect="write", key="ping")
async def stamp(ping: str) -> str:
    """Not idempotent, cannot be looked up: at most once, whatever fails beside it."""
    world = outside()
    await world.trip()
    if world.faults and world.chance.random() < 0.3:
        raise NotDone("out of ink")
    world.stamped[ping] += 1
    await world.trip()
    return f"stamped {ping}"


@shop.tool(effect="write", key="ping", idempotent=True, retry=Retry(2, first="50ms"))
async def post(ping: str) -> int:
    """Idempotent, and fails often."""
    world = outside()
    await world.trip()
    if world.faults and world.chance.random() < 0.4:
        raise TimeoutError("no answer")
    world.posted.add(ping)
    return len(ping)


@shop.on(pings, retry=Retry(20, first="100ms"), concurrency=3)
async def pong(ping: Ping) -> None:
    """Its event has expired long before it ends, and its writes fail side by side."""
    world, place = outside(), f"the visit of {ping.customer}"
    world.enter(place, ping.id)
    try:
        if ping.asks:
            await ask("teller", f"Let {ping.id} in?", timeout="6s", default=True)
        if ping.sleeps:
            await sleep(2 + random().random())
        await asyncio.gather(stamp(ping.id), post(ping.id), flaky(ping.id, ping.flaky))
        row = await visits.get(ping.customer) or Visits(customer=ping.customer)
        row.log.append(ping.id)
        await visits.put(row)
    finally:
        world.inside.pop(place, None)


@shop.every("10s")
async def beat() -> None:
    await price("beat", 1)
    await notices.publish(Notice(key="clock", text="beat"))


@shop.post("/errands", key="customer", concurrency=100, timeout="1h")
async def errand(customer: str, number: int) -> int:
    """May be cancelled at any moment: then nothing of it is left."""
    world, place = outside(), f"the errand of {customer}"
    world.enter(place, f"errand {number}")
    try:
        row = await errands.get(customer) or Errands(customer=customer)
        await sleep(random().random() * 2)
        if number % 3 == 0:
            await ask("teller", f"Run errand {number}?", timeout="4s", default=True)
        row.done.append(number)
        await errands.put(row)
        await notices.publish(Notice(key=customer, text=f"errand {number}"))
        await price(f"errand {number}", number)
        return number
    finally:
        world.inside.pop(place, None)
