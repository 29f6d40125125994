"""Everything that others count on changed so that it does not fit any more."""

from pydantic import BaseModel

from parti import System

desk = System("desk")


class Order(BaseModel):
    id: str
    amount: str
    note: str


class Row(BaseModel):
    id: str
    name: str


class Features(BaseModel):
    amount: float
    hour: int


class Level(BaseModel):
    level: int


class Facts(BaseModel):
    id: str


orders = desk.topic("orders", Order, key="id")
keyed = desk.topic("keyed", Facts, key="id", partitions=4)
rows = desk.table("rows", Row, key="name")
risk = desk.model("risk", inputs=Features, output=Level)
known = desk.memory("known", shared=True)


@desk.get("/orders/{id}")
async def find(id: str, depth: int) -> Facts:
    return Facts(id=id)


@desk.get("/moved/{id}")
async def moved(id: str) -> str:
    return id
