"""Two handlers play ball.

expects: R115
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
tocks = desk.topic("tocks", Tick, key="id", retain="7d")


@desk.source(to=ticks, labels=Label.TRUSTED)
def clock(position: int) -> Iterator[Tick]:
    yield from ()


@desk.on(ticks, to=tocks)
async def tock(tick: Tick) -> Tick:
    return tick


@desk.on(tocks)
async def back(tick: Tick) -> None:
    await ticks.publish(tick)


@desk.on(ticks.dead)
async def ticks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)


@desk.on(tocks.dead)
async def tocks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
