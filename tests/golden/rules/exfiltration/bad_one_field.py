"""A tool whose address may be personal has a text beside it, which may not; an agent can put anything into it."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk", responsible="owner")


class Person(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    illness: Annotated[str, Label.PII, Label.TRUSTED]


@desk.tool(effect="read", clearance=Label.PII)
async def person(id: str) -> Person: ...


@desk.tool(effect="write", key="to", idempotent=True, control=["to"])
async def post(to: Annotated[str, Label.PII], text: str) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[person, post])


@desk.post("/a", labels=Label.TRUSTED, clearance=Label.PII)
async def ask(task: str) -> str:
    return await clerk.run(task)
