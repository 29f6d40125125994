"""Small apps whose boards are looked at: one of sixty parts, and one in which every name would be markup."""

from __future__ import annotations

SIXTY = '''
"""Twelve desks that hand on to each other: 61 parts."""
from pydantic import BaseModel
from parti import System

desk = System("sixty")


class Item(BaseModel):
    id: str


topics = [desk.topic(f"orders-of-region-{n}", Item, key="id") for n in range(13)]


def add(n):
    table = desk.table(f"standings_{n}", Item, key="id")

    async def settle(item: Item) -> Item:
        await table.put(item)
        await called(item)
        return item

    async def call(item: Item) -> str:
        return item.id

    async def read(id: str) -> Item | None:
        return await table.get(id)

    for function, name in ((settle, "settle_region"), (call, "call_partner"), (read, "standing_of_region")):
        function.__name__ = function.__qualname__ = f"{name}_{n}"
    called = desk.tool(effect="read")(call)
    desk.on(topics[n], to=topics[(n + 1) if n % 4 < 3 else 12])(settle)
    desk.get(f"/regions/{n}/{{id}}")(read)


for n in range(12):
    add(n)
'''

MARKUP = "<img src=x onerror=window.pwned=1>"

HOSTILE = f'''
"""Names, keys, payloads and errors that would run as markup, were they not shown as text."""
from pydantic import BaseModel
from parti import System

desk = System("{MARKUP}")


class Item(BaseModel):
    id: str


items = desk.topic("{MARKUP}", Item, key="id")


@desk.on(items, retry=1)
async def fail(item: Item) -> None:
    """{MARKUP}"""
    raise RuntimeError(f"{MARKUP} {{item.id}}")
'''
