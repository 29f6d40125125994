"""The system whose runs are recorded for the tests of `check --against`; each edit changes a line or two of this text."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel

from parti import StepFailed, System, ask, now, sleep

desk = System("orders")


class Order(BaseModel):
    id: str
    customer: str
    amount: int
    channel: str = "web"


class Features(BaseModel):
    amount: float


class Risk(BaseModel):
    level: float


class Bill(BaseModel):
    order: str
    total: int


class Account(BaseModel):
    customer: str
    spent: int = 0


orders = desk.topic("orders", Order, key="customer")
bills = desk.topic("bills", Bill, key="order")
accounts = desk.table("accounts", Account, key="customer")
risk = desk.model("risk", inputs=Features, output=Risk)
llm = desk.llm("https://example.com/v1", model="m", name="mind")


@desk.step
async def rate(order: Order) -> int:
    return order.amount % 7


@desk.step
async def stock(id: str) -> int:
    return len(id)


@desk.step
async def price(id: str, amount: int) -> int:
    return amount + len(id)


@desk.step
async def log(text: str) -> None:
    """Nothing is kept."""


@desk.tool(effect="read")
async def look(id: str) -> str:
    return f"about {id}"


@desk.tool(effect="read", approval="clerk")
async def dig(id: str) -> str:
    return f"more about {id}"


@desk.tool(effect="write", key="order.id", timeout="30s")
async def charge(order: Order, total: int) -> str:
    if order.amount % 10 == 9:
        raise OSError("the line went dead")
    return f"paid {total}"


clerk = desk.agent("advisor", llm=llm, instructions="Say what to do.", tools=[look, dig], output=str)


@desk.on(orders, to=bills, timeout="10m", retry=1)
async def settle(order: Order) -> Bill | None:
    began = now()
    rated = await rate(order)
    level = await risk.predict(Features(amount=float(order.amount)))
    left, total = await asyncio.gather(stock(order.id), price(order.id, order.amount))
    if order.amount % 10 == 8 and not await ask("clerk", f"Is {order.id} right?", timeout="7d", default=False):
        return None
    await charge(order, total)
    if order.amount % 10 == 7:
        await sleep("2d")
    account = await accounts.get(order.customer) or Account(customer=order.customer)
    await accounts.put(Account(customer=order.customer, spent=account.spent + total))
    if level.level > 2 or began is None:
        raise ValueError(f"{order.id} is too risky: {rated} of {left}")
    return Bill(order=order.id, total=total)


@desk.on(orders)
async def advise(order: Order) -> None:
    try:
        said = await clerk.run(order.id)
    except StepFailed:
        return
    await log(said)


@desk.post("/refunds", key="id")
async def refund(id: str, amount: int) -> str:
    rated = await stock(id)
    if amount % 5 == 4 and not await ask("clerk", f"Refund {id}?", timeout="7d", default=False):
        return "no"
    return f"{rated} of {amount}"
