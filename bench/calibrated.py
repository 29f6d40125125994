"""A system of four calibrated parts to predict: one waits, one computes, one waits in batches, one waits again.

    parti up bench/calibrated.py

Environment variables are its plan (`FETCH=4 CRUNCH=1 SCORE=1 BATCH=8 FILE=16`: how many each part serves at once, and the size of
batches) and `ITERATIONS`, how many rounds of PBKDF2 are a millisecond of CPU time here. How long each part takes follows
from the number of the request, so that it is the same whenever it is asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from random import Random

from parti import Batch, System

FETCH = int(os.environ.get("FETCH", "4"))
CRUNCH = int(os.environ.get("CRUNCH", "1"))
SCORE = int(os.environ.get("SCORE", "1"))
BATCH = int(os.environ.get("BATCH", "8"))
FILE = int(os.environ.get("FILE", "16"))
ITERATIONS = int(os.environ.get("ITERATIONS", "500"))

desk = System("calibrated")


def drawn(part: str, number: int, mean: float, cv: float) -> float:
    """Seconds (or milliseconds) of a gamma distribution, the same for the same part and number."""
    shape = 1.0 / cv**2
    return Random(f"{part} {number}").gammavariate(shape, mean / shape)


@desk.tool(effect="read", concurrency=FETCH)
async def fetch(number: int) -> int:
    """Waits for 30 ms in the mean, cv 0.5."""
    await asyncio.sleep(drawn("fetch", number, 0.030, 0.5))
    return number


@desk.step(concurrency=CRUNCH)
def crunch(number: int) -> int:
    """Computes for 8 ms of CPU time in the mean, cv 0.4, in C code that releases the interpreter's lock."""
    rounds = max(1, round(ITERATIONS * drawn("crunch", number, 8.0, 0.4)))
    return hashlib.pbkdf2_hmac("sha256", b"parti", b"salt", rounds)[0]


@desk.step(concurrency=SCORE, batch=Batch(BATCH, linger="5ms"))
async def score(numbers: list[int]) -> list[float]:
    """Waits for 10 ms and 2 ms for each number, as an accelerator elsewhere that serves batches does."""
    await asyncio.sleep(0.010 + 0.002 * len(numbers))
    return [number / 255 for number in numbers]


@desk.tool(effect="read", concurrency=FILE)
async def file(number: int) -> int:
    """Waits for 20 ms in the mean, exponentially distributed."""
    await asyncio.sleep(drawn("file", number, 0.020, 1.0))
    return number


@desk.post("/work", concurrency=4096, timeout="10m")
async def work(number: int) -> float:
    """One request: all four, one after the other."""
    found = await score(await crunch(await fetch(number)))
    await file(number)
    return found


@desk.post("/nothing", concurrency=64)
async def nothing(number: int) -> int:
    """A request that calls no part: what HTTP and the journal take by themselves."""
    return number
