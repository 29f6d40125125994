"""A model that nothing measures.

expects: R213
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


class Features(BaseModel):
    left: int


class Answer(BaseModel):
    value: float


guess = desk.model("guess", inputs=Features, output=Answer)


@desk.source(to=ticks, labels=Label.TRUSTED)
def clock(position: int) -> Iterator[Tick]:
    yield from ()


@desk.on(ticks)
async def keep(tick: Tick) -> None:
    await guess.predict(Features(left=tick.left))


@desk.on(ticks.dead)
async def ticks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
