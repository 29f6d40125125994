"""What was accepted is no more.

expects: R001
"""

from typing import Literal

from pydantic import BaseModel

from parti import (
    System,
)

desk = System("stream", retain="90d")


class Tick(BaseModel):
    id: str
    left: int
    side: Literal["left", "right"]


desk.accept("R404", reason="It was small.", until="2027-12-31")
