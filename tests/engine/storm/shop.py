"""The system that the storms break: two handlers sharing a table, three kinds of writes, people, sleeps, poison."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from pydantic import BaseModel

from parti import NotDone, Retry, System, ask, now, random, sleep, uuid
from parti.ports.clock import Clock


class Order(BaseModel):
    id: str
    customer: str
    amount: int
    poison: bool = False
    asks: bool = False
    sleeps: bool = False
    sick: bool = False
    flaky: int = 0


class Receipt(BaseModel):
    order: str
    customer: str
    amount: int
    drawn: int


class Bonus(BaseModel):
    customer: str
    order: str
    points: int


class Account(BaseModel):
    customer: str
    total: int = 0
    points: int = 0
    log: list[str] = []


@dataclass
class Outside:
    """The world beyond the process: it outlives every crash, and counts what is done to it."""

    chance: Random
    clock: Clock
    paid: Counter[str] = field(default_factory=Counter)
    shipped: Counter[str] = field(default_factory=Counter)
    mailed: set[str] = field(default_factory=set)
    stamped: Counter[str] = field(default_factory=Counter)
    posted: set[str] = field(default_factory=set)
    cured: set[str] = field(default_factory=set)
    pings: list[BaseModel] = field(default_factory=list)
    order_of_payments: list[str] = field(default_factory=list)
    flaked: Counter[str] = field(default_factory=Counter)
    inside: dict[str, str] = field(default_factory=dict)
    faults: bool = True
    breaches: list[str] = field(default_factory=list)

    async def trip(self) -> None:
        """Time passes on the wire."""
        await self.clock.wait(self.chance.random() * 0.2)

    def enter(self, customer: str, who: str) -> None:
        """One customer is never in two hands."""
        if customer in self.inside:
            self.breaches.append(f"{customer} is in the hands of {self.inside[customer]} and {who}")
        self.inside[customer] = who


WORLDS: list[Outside] = []


def outside() -> Outside:
    """The world of the storm that is being played."""
    return WORLDS[-1]


def set_outside(world: Outside) -> None:
    WORLDS[:] = [world]


shop = System("shop")
orders = shop.topic("orders", Order, key="customer", partitions=2)  # customers share one
receipts = shop.topic("receipts", Receipt, key="customer", partitions=2)
bonuses = shop.topic("bonuses", Bonus, key="customer", partitions=2)
accounts = shop.table("accounts", Account, key="customer")


@shop.step(retry=Retry(3, first="50ms"))
async def price(order: str, amount: int) -> int:
    world = outside()
    await world.trip()
    if world.faults and world.chance.random() < 0.05:
        raise ConnectionError("the price list is away")
    return amount * 2


@shop.step()
async def twice(amount: int) -> int:
    await outside().trip()
    return amount * 2


@shop.step()
async def flaky(order: str, times: int) -> int:
    """Fails `times` times in the life of the world."""
    world = outside()
    if world.flaked[order] < times:
        world.flaked[order] += 1
        raise ValueError(f"{order} is not ready")
    return times


@shop.tool(effect="write", key="order")
async def pay(order: str, amount: int) -> str:
    """Not idempotent, cannot be looked up: at most once, whatever happens."""
    world = outside()
    await world.trip()
    if world.faults and world.chance.random() < 0.05:
        raise NotDone("the bank is closed")
    world.paid[order] += 1
    world.order_of_payments.append(order)
    await world.trip()
    return f"paid {order}"


async def shipment(order: str) -> str | None:
    await outside().trip()
    return f"shipped {order}" if outside().shipped[order] else None


@shop.tool(effect="write", key="order", reconcile=shipment, retry=Retry(4, first="50ms"))
async def ship(order: str) -> str:
    """Can be looked up: exactly once."""
    world = outside()
    await world.trip()
    world.shipped[order] += 1
    await world.trip()
    if world.faults and world.chance.random() < 0.1:
        raise TimeoutError("no answer")
    return f"shipped {order}"


@shop.tool(effect="write", key="order", idempotent=True, retry=Retry(4, first="50ms"))
async def mail(order: str) -> int:
    """Idempotent: at least once, and once counts."""
    world = outside()
    await world.trip()
    if world.faults and world.chance.random() < 0.1:
        raise TimeoutError("no answer")
    world.mailed.add(order)
    return len(order)


@shop.on(orders, to=receipts, retry=Retry(12, first="100ms"), concurrency=4)
async def charge(order: Order) -> Receipt:
    world = outside()
    world.enter(order.customer, order.id)
    try:
        return await charged(order)
    finally:
        world.inside.pop(order.customer, None)


async def charged(order: Order) -> Receipt:
    if order.poison:
        raise RuntimeError("poison")
    if order.sick and order.id not in outside().cured:
        raise RuntimeError("sick")
    double, triple = await asyncio.gather(price(order.id, order.amount), price(order.id + "'", order.amount))
    await flaky(order.id, order.flaky)
    if order.sleeps:
        await sleep(random().random() * 3)
    if order.asks and not await ask("teller", f"Charge {order.id}?", timeout="5s", default=True):
        double = 0
    when, name = now(), uuid()
    await pay(order.id, double)
    await asyncio.gather(ship(order.id), mail(order.id))
    account = await accounts.get(order.customer) or Account(customer=order.customer)
    account.total += double
    account.log.append(order.id)
    await accounts.put(account)
    await bonuses.publish(Bonus(customer=order.customer, order=order.id, points=order.amount))
    drawn = when.microsecond + name.int % 1000 + triple - triple
    return Receipt(order=order.id, customer=order.customer, amount=double, drawn=drawn)


@shop.on(bonuses, concurrency=4)
async def reward(bonus: Bonus) -> None:
    world = outside()
    world.enter(bonus.customer, f"bonus {bonus.order}")
    try:
        await price(bonus.order + '"', bonus.points)
        account = await accounts.get(bonus.customer)
        assert account is not None, "a bonus follows a charge"
        account.points += bonus.points
        account.log.append(f"bonus {bonus.order}")
        await accounts.put(account)
    finally:
        world.inside.pop(bonus.customer, None)


@shop.post("/deposits", key="customer", concurrency=100, timeout="1h")
async def deposit(customer: str, amount: int) -> int:
    world = outside()
    world.enter(customer, "a deposit")
    try:
        account = await accounts.get(customer) or Account(customer=customer)
        account.total += await twice(amount)
        account.log.append(f"deposit {amount}")
        await accounts.put(account)
        return account.total
    finally:
        world.inside.pop(customer, None)
