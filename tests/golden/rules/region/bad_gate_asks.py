"""A yes is no ground for a transfer."""

from typing import Annotated

from pydantic import BaseModel

from parti import (
    Gate,
    Region,
    System,
)

desk = System("desk", gate=Gate("ask", who="boss"))


class Person(BaseModel):
    id: str
    name: Annotated[str, Region("eu")]


people = desk.topic("people", Person, key="id")
llm = desk.llm("openai:gpt-5-2025-08-07", region="us", processor="OpenAI")


@desk.on(people)
async def greet(person: Person) -> None:
    await llm.ask(f"Greet {person.name}")
