"""It sleeps."""

import time

from parti import (
    System,
)

desk = System("desk")


@desk.every("1h")
async def poll() -> None:
    time.sleep(1)
