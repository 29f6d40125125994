"""A clock, a tool that reads, and a table.

expects: nothing
"""

from typing import Literal

from pydantic import BaseModel

import parti
from parti import (
    DeadLetter,
    Label,
    Retry,
    System,
)

desk = System("stream", retain="90d")


class Tick(BaseModel):
    id: str
    left: int
    side: Literal["left", "right"]


ticks = desk.topic("ticks", Tick, key="id", retain="7d")


@desk.tool(effect="read", labels=Label.TRUSTED, timeout="5s", retry=Retry(3))
async def left() -> int:
    return 7


@desk.every("1h", timeout="1m")
async def poll() -> None:
    await ticks.publish(Tick(id=parti.now().isoformat(), left=await left(), side="left"))


@desk.on(ticks)
async def keep(tick: Tick) -> None:
    print(tick.id)


@desk.on(ticks.dead)
async def ticks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
