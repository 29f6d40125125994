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

CLAIMS = f'''
"""A claims desk: labelled fields, people, tries that fail, a write, large values, and long runs."""
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel
from parti import Gate, Label, Retry, System, ask

desk = System("claims", gate=Gate("allow"))


class Claim(BaseModel):
    id: str
    name: Annotated[str, Label.PII] = "Ann Ardent"
    plan: str = "plain"
    note: str = ""


class Letter(BaseModel):
    claim: str
    to: Annotated[str, Label.PII]


claims = desk.topic("claims", Claim, key="id")
letters = desk.topic("letters", Letter, key="claim")


@desk.step
async def look(number: int) -> int:
    return number


@desk.step(retry=Retry(attempts=2, first="10ms"))
async def fetch(id: str) -> str:
    """Fetches a file from the archive; it may be closed."""
    if Path("closed").exists():
        raise RuntimeError(f"{MARKUP} the archive is closed for {{id}}")
    return f"file {{id}}"


@desk.tool(effect="write", key="letter.claim", idempotent=True)
async def post(letter: Letter) -> str:
    """Hands a letter to the post."""
    return f"sent to {{letter.to}}"


@desk.on(claims, to=letters, retry=Retry(attempts=1))
async def decide(claim: Claim) -> Letter | None:
    """Decides a claim, and answers by letter."""
    for number in range(2100 if claim.plan == "many" else 1):
        await look(number)
    if claim.plan == "fetch":
        await fetch(claim.id)
    if claim.plan == "ask":
        await ask("clerk", f"Pay {{claim.name}} for {{claim.id}}? {MARKUP}", timeout="9d", default=False)
    return Letter(claim=claim.id, to=claim.name)


@desk.on(letters)
async def send(letter: Letter) -> None:
    await post(letter)


@desk.post("/claims/{{id}}")
async def file(id: str, name: Annotated[str, Label.PII]) -> str:
    """Files a claim that somebody hands in."""
    await claims.publish(Claim(id=id, name=name))
    return f"filed for {{name}}"
'''
