"""Nobody said where the ticks come from.

expects: R108
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel

from parti import (
    DeadLetter,
    System,
)

desk = System("stream", retain="90d")


class Tick(BaseModel):
    id: str
    left: int
    side: Literal["left", "right"]


ticks = desk.topic("ticks", Tick, key="id", retain="7d")


@desk.source(to=ticks)
def clock(position: int) -> Iterator[Tick]:
    yield from ()


@desk.on(ticks)
async def keep(tick: Tick) -> None:
    print(tick.id)


@desk.on(ticks.dead)
async def ticks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
