"""The version before."""

from pydantic import BaseModel

from parti import System

desk = System("desk")


class Order(BaseModel):
    id: str
    amount: int


class Row(BaseModel):
    id: str
    name: str


class Features(BaseModel):
    amount: float


class Level(BaseModel):
    level: float


class Facts(BaseModel):
    id: str
    name: str = ""


orders = desk.topic("orders", Order, key="id")
keyed = desk.topic("keyed", Facts, key="id", partitions=2)
rows = desk.table("rows", Row, key="id")
risk = desk.model("risk", inputs=Features, output=Level)
known = desk.memory("known")


class Found(BaseModel):
    id: str
    name: str


@desk.get("/orders/{id}")
async def find(id: str, deep: bool) -> Found:
    return Found(id=id, name="")


@desk.get("/old/{id}")
async def moved(id: str) -> str:
    return id


@desk.get("/gone")
async def gone() -> str:
    return ""
