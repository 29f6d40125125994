"""An evaluation looks back further than runs are kept.

expects: R403
"""

from typing import Literal

from pydantic import BaseModel

from parti import (
    Budget,
    Journal,
    System,
    checks,
)

desk = System("stream", retain="90d")


class Tick(BaseModel):
    id: str
    left: int
    side: Literal["left", "right"]


clerk = desk.agent("clerk", llm=desk.llm("local"), budget=Budget(usd=1))
desk.evaluation("facts", of=clerk, data=Journal(since="1y"), check=checks.exact())
