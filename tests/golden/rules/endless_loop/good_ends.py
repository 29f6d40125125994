"""It may end."""

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("desk")


class Tick(BaseModel):
    id: str
    left: int


ticks = desk.topic("ticks", Tick, key="id")


@desk.on(ticks, to=ticks)
async def tick(one: Tick) -> Tick | None:
    return Tick(id=one.id, left=one.left - 1)
