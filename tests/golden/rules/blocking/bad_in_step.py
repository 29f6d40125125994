"""A step blocks; the endpoint that uses it does nothing wrong."""

import time

from parti import System

desk = System("desk")


@desk.step
async def rest(seconds: int) -> int:
    time.sleep(seconds)
    return seconds


@desk.post("/rest", key="id")
async def have_rest(id: str) -> str:
    await rest(3)
    return id
