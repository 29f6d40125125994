"""Parti runs a plain function in a thread."""

import time

from parti import (
    System,
)

desk = System("desk")


@desk.every("1h")
def poll() -> None:
    time.sleep(1)
