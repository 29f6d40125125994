"""A bank that writes letters by a language model outside: what the tests of masking share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, Field

from parti import Gate, Label, System

ANN = "Ann Alder"
IBAN = "DE89370400440532013000"
PASSWORD = "hunter-2-plus-3"


class Address(BaseModel):
    """Where somebody lives."""

    street: Annotated[str, Label.PII]
    town: str = "Bonn"


class Person(BaseModel):
    """A row about somebody."""

    id: str
    name: Annotated[str, Label.PII] = ANN
    iban: Annotated[str, Label.PII] = IBAN
    age: Annotated[int, Label.PII] = 41
    homes: list[Address] = Field(default_factory=list)
    notes: dict[str, Annotated[str, Label.PII]] = Field(default_factory=dict)


class Login(BaseModel):
    """How one gets in."""

    user: str
    password: Annotated[str, Label.SECRET]


class Letter(BaseModel):
    """What a model writes."""

    subject: str
    text: str


class Notice(BaseModel):
    """What others read of it."""

    id: str
    text: str
    count: int = 0


@dataclass
class Outside:
    """What was done outside."""

    done: list[Any] = field(default_factory=list)


def bank(outside: Outside, gate: Gate | None = None, own: Gate | None = None, **options: Any) -> System:
    """A system in which PII and secrets could leave in every way, past a gate that masks unless another is given."""
    bank = System("bank", gate=gate or Gate("mask"), **options)
    people = bank.table("people", Person, key="id")
    notices = bank.topic("notices", Notice, key="id")
    cloud = bank.llm("openai:gpt-5-mini", name="cloud", gate=own)

    @bank.tool(effect="read", labels=Label.TRUSTED)
    async def login(user: str) -> Login:
        return Login(user=user, password=PASSWORD)

    @bank.tool(effect="read", labels=Label.TRUSTED)
    async def person(id: str) -> Person:
        return Person(id=id)

    @bank.tool(effect="write", key="id", idempotent=True, labels=Label.TRUSTED)
    async def post(id: str, text: str, about: dict[str, str | int | bool] | None = None) -> str:
        outside.done.append((id, text, about))
        return "posted"

    @bank.tool(effect="write", key="id", control=["to"], labels=Label.TRUSTED)
    async def send(id: str, to: str, age: int = 0, code: Annotated[str, Field(max_length=8)] = "") -> str:
        outside.done.append((id, to, age, code))
        return "sent"

    @bank.tool(effect="read", labels=Label.TRUSTED)
    async def look(query: str) -> str:
        outside.done.append(query)
        return "nothing"

    @bank.tool(effect="write", key="id", labels=Label.TRUSTED)
    async def enter(id: str, password: Annotated[str, Label.SECRET]) -> str:
        outside.done.append((id, password))
        return "in"

    @bank.post("/put", key="id", labels=Label.TRUSTED)
    async def put(id: str) -> None:
        home = Address(street="12 High Street")
        await people.put(Person(id=id, homes=[home], notes={"call": "after six pm"}))

    @bank.post("/rename", key="id", labels=Label.TRUSTED)
    async def rename(id: str, name: str) -> None:
        await people.put(Person(id=id, name=name))

    @bank.post("/write", key="id", labels=Label.TRUSTED)
    async def write(id: str, prompt: str) -> int:
        row = await people.get(id)
        values = {} if row is None else {**dict(row), "row": row.model_dump_json()}
        letter = await cloud.ask(prompt.format(**values), output=Letter)
        await post(id, letter.text)
        return len(letter.text)

    @bank.post("/posts", key="id", labels=Label.TRUSTED)
    async def posts(id: str, fields: list[str]) -> int:
        row = await people.get(id)
        about = {name: getattr(row, name) for name in fields if name}
        await post(id, f"About {row.name if row else 'nobody'}: {row.iban if row else ''}.", about)
        return len(about)

    @bank.post("/sends", key="id", labels=Label.TRUSTED)
    async def sends(id: str, how: str) -> str:
        row = await people.get(id)
        name, age = (row.name, row.age) if row else ("", 0)
        if how == "to":
            return await send(id, name)
        return await send(id, "boss", age=age) if how == "age" else await send(id, "boss", code=name[:8])

    @bank.post("/looks", key="id", labels=Label.TRUSTED)
    async def looks(id: str) -> int:
        row = await people.get(id)
        return len(await look(row.name if row else ""))

    @bank.post("/tells", key="id", labels=Label.TRUSTED)
    async def tells(id: str) -> dict[str, str]:
        row = await people.get(id)
        return {"name": row.name if row else "", "bank": "ours"}

    @bank.post("/leaks", labels=Label.TRUSTED)
    async def leaks(id: str) -> int:
        found = await login(id)
        await notices.publish(Notice(id=id, text=f"use {found.password}"))
        return 1

    clerk = bank.agent("clerk", llm=cloud, tools=[person, post, login, enter])

    @bank.post("/do", labels=Label.TRUSTED)
    async def do(task: str) -> int:
        return len(await clerk.run(task))

    @bank.post("/twice", labels=Label.TRUSTED)
    async def twice(task: str) -> int:
        said = await clerk.run(task)
        await post("after", f"The clerk says: {said}")
        return len(said)

    return bank
