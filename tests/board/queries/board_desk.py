"""A desk with something of everything that the board shows: labels, lines, retries, people, writes, an agent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, Field

from parti import Budget, Gate, Label, Retry, Slo, System, ask, sleep
from parti.journal.whole import entries_of
from parti.ports.store import Store


class Claim(BaseModel):
    """What comes in."""

    id: str
    seconds: float = 0.1
    name: Annotated[str, Label.PII] = "Ann Ardent"
    account: Annotated[str, Label.SECRET] = Field(default="DE-4711-xyz", alias="accountNumber")
    note: str = ""
    plan: str = "plain"

    model_config = {"populate_by_name": True}


class Letter(BaseModel):
    """What goes out."""

    claim: str
    to: Annotated[str, Label.PII]
    text: str


class Paid(BaseModel):
    """What is kept."""

    id: str
    name: Annotated[str, Label.PII]
    times: int = 0


class Draft(BaseModel):
    """What the agent writes."""

    text: str


@dataclass
class Outside:
    """What the world outside does: how often the post fails, and what it was given."""

    fails: int = 0
    posted: list[str] = field(default_factory=list)


def a_desk(outside: Outside | None = None) -> System:
    """Claims are checked, looked at by people where they are odd, paid, and answered by letter."""
    world = outside or Outside()
    desk = System("claims", slo=Slo(p99="2s"), gate=Gate("allow"))
    claims = desk.topic("claims", Claim, key="id", partitions=2)
    letters = desk.topic("letters", Letter, key="claim")
    book = desk.table("book", Paid, key="id")
    llm = desk.llm("local", name="llm", max_tokens=50)

    @desk.step
    async def look(claim: Claim) -> str:
        await asyncio.sleep(claim.seconds)
        return f"{claim.name} has {claim.account}"

    @desk.step(concurrency=1)
    async def alone(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @desk.tool(effect="write", key="letter.claim", idempotent=True, retry=Retry(attempts=1))
    async def post(letter: Letter) -> str:
        await asyncio.sleep(0.2)
        if world.fails:
            world.fails -= 1
            raise RuntimeError(f"no street for {letter.to}")
        world.posted.append(letter.claim)
        return "sent"

    @desk.tool(effect="read", timeout="30s")
    async def weather(place: str) -> str:
        await asyncio.sleep(0.3)
        return f"rain in {place}"

    writer = desk.agent(
        "writer", llm=llm, tools=[weather], output=Draft, instructions="Write.", budget=Budget(tokens=10_000, steps=9)
    )

    @desk.on(claims, to=letters, retry=Retry(attempts=3, first="1s", factor=2))
    async def decide(claim: Claim) -> Letter | None:
        if claim.plan == "broken":
            raise ValueError(f"claim {claim.id} of {claim.name} is broken since 2024-01-{len(claim.id):02}")
        if claim.plan == "gather":
            await asyncio.gather(alone(0.5), alone(0.5), look(claim))
        else:
            await look(claim)
        if claim.plan == "ask":
            yes = await ask("clerk", f"Pay {claim.name} for {claim.id}?", timeout="9d", default=False)
            if not yes:
                return None
        if claim.plan == "sleep":
            await sleep("2h")
        text = "paid"
        if claim.plan == "agent":
            text = (await writer.run(f"Tell {claim.name}")).text
        await book.put(Paid(id=claim.id, name=claim.name, times=1))
        return Letter(claim=claim.id, to=claim.name, text=text)

    @desk.on(letters, retry=Retry(attempts=2, first="5s"))
    async def send(letter: Letter) -> None:
        await post(letter)

    @desk.post("/claims/{id}")
    async def file(id: str, name: Annotated[str, Label.PII]) -> str:
        await claims.publish(Claim(id=id, name=name))
        return f"filed for {name}"

    return desk


async def entries(store: Store, run: str) -> list[tuple[str, str]]:
    """Kind and part of each entry of a run."""
    return [(one.kind, one.part) for one in await entries_of(store, run)]
