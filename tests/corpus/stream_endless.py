"""Each tick makes another.

expects: R115 R302
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


ticks = desk.topic("ticks", Tick, key="id", retain="7d")


@desk.source(to=ticks, labels=Label.TRUSTED)
def clock(position: int) -> Iterator[Tick]:
    yield from ()


@desk.on(ticks, to=ticks)
async def again(tick: Tick) -> Tick:
    return tick.model_copy(update={"left": tick.left - 1})


@desk.on(ticks.dead)
async def ticks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
