"""A topic is kept for ever, for a reason.

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


ticks = desk.topic("ticks", Tick, key="id")
desk.accept("R404", on=ticks, reason="A few a year.", until="2027-12-31")


@desk.source(to=ticks, labels=Label.TRUSTED)
def clock(position: int) -> Iterator[Tick]:
    yield from ()


@desk.on(ticks)
async def keep(tick: Tick) -> None:
    print(tick.id)


@desk.on(ticks.dead)
async def ticks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
