"""A system with a part of every kind that labels may come to, whose flows a test makes up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel

from parti import Approval, Budget, Label, Purpose, Region, System

desk = System("pool", keep={Label.PII: "1y"})


class Row(BaseModel):
    id: str
    name: Annotated[str, Label.PII, Region("eu")]
    race: Annotated[str, Label.PROTECTED]
    token: Annotated[str, Label.SECRET]
    paid: Annotated[bool, Label.OUTCOME]
    income: Annotated[float, Purpose("credit")]
    text: Annotated[str, Label.UNTRUSTED]
    free: str


class Features(BaseModel):
    a: float
    b: str


class Score(BaseModel):
    probability: float


rows = desk.topic("rows", Row, key="id")
plain = desk.topic("plain", Features, key="b")
table = desk.table("table", Features, key="b")
memory = desk.memory("memory")
near = desk.llm("local", name="near")
far = desk.llm("openai:gpt-5", name="far")
risk = desk.model("risk", inputs=Features, output=Score)


@desk.tool(effect="write", key="to", idempotent=True, control=["to"], undo="never")
async def pay(to: str, text: str) -> str:
    return to


@desk.tool(effect="write", key="to", idempotent=True, control=["to"], approval=Approval("boss", timeout="1d"))
async def pay_approved(to: str) -> str:
    return to


@desk.tool(effect="read", labels=Label.TRUSTED, runs={"query": "sql"})
async def find(query: str) -> str:
    return query


@desk.tool(effect="read")
async def fetch(url: str) -> str:
    return url


@desk.step
def tidy(text: str) -> Literal["a", "b"]:
    return "a"


@desk.tool(effect="write", key="to", idempotent=True)
async def send(to: str) -> None: ...


agent = desk.agent("agent", llm=far, tools=[send], budget=Budget(usd=1))


@desk.source(to=rows)
def origin(position: int) -> Iterator[Row]:
    yield from ()


@desk.on(rows, to=plain)
async def decide(row: Row) -> Features:
    return Features(a=0, b="")


@desk.post("/door", key="id")
async def door(id: str, body: str) -> str:
    return id


@desk.monitor("watched")
async def watched() -> dict[str, int]:
    return {}


desk.decision("loan", by=decide, of="credit")
