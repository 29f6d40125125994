"""No gate is asked when another model stands in for the local one."""

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
far = desk.llm("openai:gpt-5-2025-08-07")
llm = desk.llm("local", fallbacks=[far])


@desk.on(tickets)
async def read(ticket: Ticket) -> None:
    await llm.ask(f"Sort this: {ticket.name}")
