"""A letter in 30 days, with reasons."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Application(BaseModel):
    id: str


class Decision(BaseModel):
    id: str
    approved: bool


applications = desk.topic("applications", Application, key="id")
decisions = desk.topic("decisions", Decision, key="id")


@desk.tool(effect="write", key="id", idempotent=True)
async def write_letter(id: str) -> None: ...


@desk.on(applications, to=decisions)
async def decide(application: Application) -> Decision:
    await write_letter(application.id)
    return Decision(id=application.id, approved=True)


desk.decision("loan", by=decide, of="credit", notice=write_letter, notice_within="30d", reasons=True)
