"""The system that wrote the golden store of format 2: large bodies, a budget, and runs that were forgotten. Its meaning is frozen."""

from __future__ import annotations

import asyncio
import time

from pydantic import BaseModel

from parti import Budget, BudgetSpent, Cost, System, ask, spend

LARGE = 100_000


class Paper(BaseModel):
    id: str
    text: str


class World:
    """What is outside: every call of a tool."""

    def __init__(self) -> None:
        self.calls: list[str] = []


world = World()


class GivenClock:
    """A clock that begins at a given time and goes on from there."""

    def __init__(self, begin: float) -> None:
        self._begin, self._started = begin, time.monotonic()

    def now(self) -> float:
        return self._begin + time.monotonic() - self._started

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


archive = System("archive", retain="30d")
papers = archive.topic("papers", Paper, key="id")
shelf = archive.table("shelf", Paper, key="id")


@archive.tool(effect="read", cost=Cost(usd=0.04, tokens=10))
async def copy(text: str) -> str:
    world.calls.append(f"copy {text[:8]}")
    spend(usd=0.03, tokens=7)
    return text * 2


@archive.on(papers, budget=Budget(usd=0.08, steps=9))
async def file(paper: Paper) -> None:
    twice = await copy(paper.text)
    if paper.id != "plain":
        await ask("librarian", f"Keep {paper.id}?")
    refused = ""
    for number in range(3):
        try:
            await copy(f"{number} {paper.id}")
        except BudgetSpent as spent:
            refused = f"{number} {spent.limit}"
            break
    await shelf.put(Paper(id=paper.id, text=f"{refused} {len(twice)}"))


@archive.post("/echo")
async def echo(text: str) -> str:
    return text
