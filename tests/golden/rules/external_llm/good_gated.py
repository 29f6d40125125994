"""What has a name in it is refused before it goes out."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Label,
    System,
)

desk = System("desk", gate=Gate("refuse"))


class Ticket(BaseModel):
    id: str
    name: Annotated[str, Label.PII]
    text: str


tickets = desk.topic("tickets", Ticket, key="id")
llm = desk.llm("openai:gpt-5-2025-08-07")


@desk.on(tickets)
async def read(ticket: Ticket) -> None:
    await llm.ask(f"Sort this: {ticket.name}")
