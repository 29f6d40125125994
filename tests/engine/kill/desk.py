"""The system whose process is killed: two handlers of one group, a table, three kinds of writes, a source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pydantic import BaseModel

from parti import System, now, uuid

from .outside import Outside

CUSTOMERS = ("ann", "bob", "cy", "dee", "eve")


class Order(BaseModel):
    id: str
    customer: str
    amount: int


class Receipt(BaseModel):
    order: str
    customer: str
    amount: int


class Bonus(BaseModel):
    customer: str
    order: str
    points: int


class Account(BaseModel):
    customer: str
    total: int = 0
    points: int = 0
    log: list[str] = []


class World:
    """What this process was given: the line outside, and how many orders the source holds."""

    outside: Outside
    arrivals: int = 0


world = World()


def order_of(kind: str, number: int) -> Order:
    """The order of that number: "p" for those that are published, "s" for those that a source yields."""
    return Order(id=f"{kind}{number}", customer=CUSTOMERS[number * 7 % len(CUSTOMERS)], amount=number + 1)


desk = System("kill-desk")
orders = desk.topic("orders", Order, key="customer", partitions=3)
receipts = desk.topic("receipts", Receipt, key="customer", partitions=2)
bonuses = desk.topic("bonuses", Bonus, key="customer", partitions=2)
accounts = desk.table("accounts", Account, key="customer")


@desk.tool(effect="read")
async def price(order: str, amount: int) -> int:
    await world.outside.look("price", order)
    return amount * 2


@desk.step()
async def points(amount: int) -> int:
    await asyncio.sleep(0)
    return amount * 10


@desk.tool(effect="write", key="order")
async def pay(order: str, amount: int, reference: str) -> str:
    """Not idempotent, cannot be looked up: at most once, and a person is asked."""
    await world.outside.do("pay", order)
    return f"paid {amount} for {order}"


@desk.tool(effect="read")
async def slip(order: str) -> int:
    """Looked at after the payment, whose answer must be on disk by then."""
    return await world.outside.look("slip", order)


async def shipment(order: str) -> str | None:
    return f"shipped {order}" if await world.outside.look("ship", order) else None


@desk.tool(effect="write", key="order", reconcile=shipment)
async def ship(order: str) -> str:
    """Can be looked up: exactly once."""
    await world.outside.do("ship", order)
    return f"shipped {order}"


@desk.tool(effect="write", key="order", idempotent=True)
async def mail(order: str) -> str:
    """Idempotent: at least once, its key counts once."""
    await world.outside.do("mail", order)
    return f"mailed {order}"


@desk.on(orders, to=receipts, concurrency=6)
async def charge(order: Order) -> Receipt:
    double, bonus = await asyncio.gather(price(order.id, order.amount), points(order.amount))
    # A replay that draws another time or id calls `pay` with other arguments, which is refused for good.
    await pay(order.id, double, f"{now().isoformat()} {uuid()}")
    await slip(order.id)
    await asyncio.gather(ship(order.id), mail(order.id))
    account = await accounts.get(order.customer) or Account(customer=order.customer)
    account.total += double
    account.log.append(order.id)
    await accounts.put(account)
    await bonuses.publish(Bonus(customer=order.customer, order=order.id, points=bonus))
    return Receipt(order=order.id, customer=order.customer, amount=double)


@desk.on(bonuses, concurrency=6)
async def reward(bonus: Bonus) -> None:
    await price(f"bonus {bonus.order}", bonus.points)
    account = await accounts.get(bonus.customer)
    assert account is not None, "a bonus follows a charge"
    account.points += bonus.points
    account.log.append(f"bonus {bonus.order}")
    await accounts.put(account)


@desk.source(to=orders, per_second=40)
async def arrivals(position: int) -> AsyncIterator[Order]:
    for number in range(position, world.arrivals):
        yield order_of("s", number)
