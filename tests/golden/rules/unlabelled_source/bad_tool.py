"""A tool that reads, without labels."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Order(BaseModel):
    id: str
    note: str


orders = desk.topic("orders", Order, key="id")


@desk.tool(effect="read")
async def page(url: str) -> str:
    return ""


@desk.every("1h")
async def poll() -> None:
    await orders.publish(Order(id="1", note=await page("https://example.com")))


@desk.on(orders)
async def handle(order: Order) -> None: ...
