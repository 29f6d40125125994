"""A model with a use, an evaluation and a monitor.

expects: nothing
"""

from collections.abc import Iterator
from typing import Any, Literal

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


class Guess(BaseModel):
    id: str
    value: float


def measure(predict: Any) -> dict[str, float]:
    return {"error": 0.1}


guess = desk.model("guess", inputs=Features, output=Answer, evaluate=measure, use="to guess how many are left")
guesses = desk.table("guesses", Guess, key="id")


@desk.source(to=ticks, labels=Label.TRUSTED)
def clock(position: int) -> Iterator[Tick]:
    yield from ()


@desk.on(ticks)
async def keep(tick: Tick) -> None:
    answer = await guess.predict(Features(left=tick.left))
    await guesses.put(Guess(id=tick.id, value=answer.value))


@desk.monitor("guesses")
async def mean() -> dict[str, float]:
    found = [row.value for row in await guesses.scan(limit=100)]
    return {"mean": sum(found) / max(len(found), 1)}


@desk.on(ticks.dead)
async def ticks_failed(letter: DeadLetter) -> None:
    print(letter.handler, letter.code)
