"""A small system with one part of each kind, for the tests of reading arrows."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from parti.declare.system import System

desk = System("desk")


class Row(BaseModel):
    id: str
    amount: float = 0.0


class Score(BaseModel):
    risk: float


orders = desk.topic("orders", Row, key="id")
answers = desk.topic("answers", Row, key="id")
book = desk.table("book", Row, key="id")
other = desk.table("other", Row, key="id")
risk = desk.model("risk", inputs=Row, output=Score)


@desk.tool(effect="read")
async def look_up(id: str) -> str:
    return id


@desk.tool(effect="write", key="row.id")
async def post(row: Row) -> str:
    return row.id


@desk.step()
def price(row: Row) -> float:
    return row.amount


@desk.on(orders)
async def handle(row: Row) -> None:
    await book.put(row)


TABLES = (book, other)
TOOLS = [look_up, post]
BY_NAME = {"book": book, "other": other}


async def save(table, row):
    await table.put(row)


class Service:
    """Keeps a part as a class attribute and one as its own."""

    shared = other

    def __init__(self, table):
        self.table = table

    async def store(self, row):
        await self.table.put(row)

    async def share(self, row):
        await self.shared.put(row)

    @property
    def scores(self):
        return risk

    @functools.cached_property
    def kept(self):
        return self.table

    def __getattr__(self, name):
        return other

    @staticmethod
    async def tell(row):
        await orders.publish(row)

    @classmethod
    async def both(cls, row):
        await cls.shared.put(row)
        await cls.tell(row)


service = Service(book)


class Slotted:
    __slots__ = ("table",)


slotted = Slotted()
slotted.table = book

ROLE = "auditor"


class Role(StrEnum):
    CHIEF = "chief"


def timed(function):
    """A decorator that keeps what it wraps."""

    @functools.wraps(function)
    async def run(*args, **kwargs):
        return await function(*args, **kwargs)

    return run


def bare(function):
    """A decorator that forgets what it wraps."""

    async def run(*args, **kwargs):
        return await function(*args, **kwargs)

    return run


@timed
async def timed_save(row):
    await book.put(row)


@bare
async def bare_save(row):
    await book.put(row)


@functools.lru_cache
def cached_price(row):
    return price(row)


@contextlib.asynccontextmanager
async def opened():
    yield book


def tables():
    yield book
    yield from (other,)


async def find(name):
    if name == "book":
        return book
    return other


async def through(table, row, depth=3):
    """Calls itself."""
    if depth:
        return await through(table, row, depth - 1)
    return await save(table, row)


save_book = functools.partial(save, book)


@dataclass
class Desk:
    """Holds its parts as fields."""

    table: object
    tool: object = look_up

    async def work(self, row):
        await self.table.put(row)
        await self.tool(row.id)


class Base:
    async def run(self, row):
        await book.put(row)
        await self.more(row)

    async def more(self, row):
        raise NotImplementedError


class Derived(Base):
    async def run(self, row):
        await super().run(row)

    async def more(self, row):
        await other.put(row)


class Session:
    """A context manager, iterator and callable."""

    async def __aenter__(self):
        await orders.publish(None)
        return book

    async def __aexit__(self, *why):
        await answers.publish(None)

    def __call__(self, row):
        return price(row)

    def __getitem__(self, name):
        return BY_NAME[name]

    def __iter__(self):
        return iter(TABLES)


class Bound:
    """An object whose method a callback is."""

    def __init__(self):
        self.done = []

    async def finish(self, row):
        await answers.publish(row)
