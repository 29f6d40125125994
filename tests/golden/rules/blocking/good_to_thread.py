"""It goes to a thread by itself."""

import asyncio
import time

from parti import (
    System,
)

desk = System("desk")


@desk.every("1h")
async def poll() -> None:
    await asyncio.to_thread(time.sleep, 1)
