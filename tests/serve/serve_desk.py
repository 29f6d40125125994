"""A small lending desk, declared by hand: the system behind the HTTP tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from parti.declare.types import function_of, payload_of
from parti.design.endpoint import Endpoint, Method
from parti.design.goals import Retry
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.model import Model
from parti.design.places import Place
from parti.design.topic import Topic
from parti.errors import RunError, StepFailed

PLACE = Place("desk.py", 1)


class Address(BaseModel):
    """Where somebody lives."""

    street: str
    zip: int = Field(ge=0)


class Application(BaseModel):
    """An application for a loan."""

    id: str
    income: float = Field(gt=0, description="Yearly, in euros")
    address: Address
    note: str | None = None


class Decision(BaseModel):
    application_id: str
    approved: bool


class Level(IntEnum):
    LOW = 1
    HIGH = 2


async def standing(id: str) -> Decision | None:
    """Where an application stands.

    Reads committed data alone.
    """
    return None if id == "nobody" else Decision(application_id=id, approved=True)


async def search(
    limit: int,
    since: date = date(2020, 1, 1),
    level: Level = Level.LOW,
    tag: list[str] = [],  # noqa: B006
    ratio: float = 0.5,
) -> list[str]:
    """Find applications."""
    return [str(limit), since.isoformat(), level.name, ",".join(tag), str(ratio)]


async def apply(application: Application) -> Decision:
    """Decide on an application."""
    return Decision(application_id=application.id, approved=application.income > 1000)


async def note(id: str, text: str, mark: Literal[1, 2] = 1) -> None:
    """Keep a note."""


async def broken(how: str) -> int:
    """Fails in the way that it is asked to."""
    if how == "step":
        raise StepFailed("P302", "http://inside/secret answered 500", kind="httpx.ConnectError")
    if how == "misfit":
        raise StepFailed("P402", "secret row does not fit")
    if how == "late":
        raise RunError("P303", "`broken` took longer than 30s", fix="ask again")
    raise ZeroDivisionError("secret in a traceback")


async def broken_read(how: str) -> int:
    """Fails in the way that it is asked to."""
    return await broken(how)


async def slow(id: str) -> str:
    """Waits until it is told to go on."""
    started, go = GATES[id]
    started.set()
    await go.wait()
    return id


GATES: dict[str, tuple[asyncio.Event, asyncio.Event]] = {}


async def file(name: str) -> str:
    return name


async def latest() -> str:
    """The latest application."""
    return "latest"


def endpoint(
    function: Callable[..., Any], method: Method, path: str, *, durable: bool, body: str | None = None, limit: int = 256
) -> Endpoint:
    described = function_of(function, root=Path(__file__).parent, names={})
    return Endpoint(
        name=described.name, place=PLACE, method=method, path=path, function=described, durable=durable, key=None,
        body=body, timeout=30.0, concurrency=limit, about=described.about,
    )  # fmt: skip


def topic(name: str, kind: Any, key: str) -> Topic:
    payload = payload_of(kind, place=PLACE, what=name)
    return Topic(
        name=name, place=PLACE, payload=payload, key=key, partitions=2, retain=None, backlog=100, dead_letters=None
    )  # fmt: skip


def desk() -> Design:
    """The design."""
    applications = topic("applications", Application, "id")
    handler = Handler(
        name="decide", place=PLACE, topic="applications", to=None, timeout=60.0, concurrency=4, retry=Retry(1),
        function=function_of(apply, root=Path(__file__).parent, names={}),
    )  # fmt: skip
    risk = Model(
        name="risk", place=PLACE, timeout=1.0,
        inputs=payload_of(Address, place=PLACE, what="inputs"), output=payload_of(float, place=PLACE, what="output"),
    )  # fmt: skip
    endpoints = (
        endpoint(standing, "GET", "/applications/{id}", durable=False),
        endpoint(latest, "GET", "/applications/latest", durable=False),
        endpoint(search, "GET", "/applications", durable=False),
        endpoint(apply, "POST", "/applications", durable=True, body="application"),
        endpoint(note, "PUT", "/applications/{id}/note", durable=True),
        endpoint(broken, "POST", "/broken/{how}", durable=True),
        endpoint(broken_read, "GET", "/broken/{how}", durable=False),
        endpoint(slow, "POST", "/slow/{id}", durable=True, limit=2),
        endpoint(file, "GET", "/files/{name:path}", durable=False),
    )
    return Design("lending-desk", (applications, topic("plain", int, "id"), handler, risk, *endpoints), place=PLACE)
