"""A guard takes the name out."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Label,
    System,
)

desk = System("desk")


class Ticket(BaseModel):
    id: str
    name: Annotated[str, Label.PII]
    text: str


tickets = desk.topic("tickets", Ticket, key="id")
llm = desk.llm("openai:gpt-5-2025-08-07")


@desk.guard(releases=Label.PII)
def initial(name: str) -> str:
    return name[:1]


@desk.on(tickets)
async def read(ticket: Ticket) -> None:
    await llm.ask(f"Sort this: {await initial(ticket.name)}")
