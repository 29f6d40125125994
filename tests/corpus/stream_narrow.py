"""Two keys, and two at once.

expects: nothing
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel

from parti import (
    DeadLetter,
    Label,
    System,
)

desk = System("stream", retain="90d")


class Tick(BaseModel):
    id: str
    left: int
    side: Literal["left", "right"]


ticks = desk.topic("ticks", Tick, key="side", retain="7d")


@desk.source(to=ticks, labels=Label.TRUSTED)
def clock(position: int) -> Iterator[Tick]:
    yield from ()


@desk.on(ticks, concurrency=2)
async def keep(tick: Tick) -> None:
    print(tick.id)


@desk.on(ticks.dead)
async def ticks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
