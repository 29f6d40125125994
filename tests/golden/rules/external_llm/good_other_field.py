"""The text holds no name."""

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


@desk.on(tickets)
async def read(ticket: Ticket) -> None:
    await llm.ask(f"Sort this: {ticket.text}")
