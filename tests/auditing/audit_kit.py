"""Small systems for tests of the audit, with honest and with wrong declarations, and what an audit found in them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel

from parti import Label, System
from parti.testing import Audit

Sinks = set[tuple[str, str]]


class Letter(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    text: Annotated[str, Label.UNTRUSTED]


class Receipt(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    title: Annotated[str, Label.TRUSTED]


class HonestReceipt(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    title: Annotated[str, Label.UNTRUSTED]


class Note(BaseModel):
    id: str
    text: Annotated[str, Label.TRUSTED]


class HonestNote(BaseModel):
    id: str
    text: Annotated[str, Label.UNTRUSTED]


def found_in(audit: Audit) -> Sinks:
    """Where marks showed up, and what was wrong there."""
    return {(str(finding.sink), finding.wrong) for finding in audit.findings}


def office(kind: type[Any] = Receipt) -> System:
    """A clerk books what letters ask for, and the calendar repeats the title."""
    desk = System("desk")

    @desk.tool(effect="read")
    async def letter(id: str) -> Letter:
        raise AssertionError("nothing outside is called")

    @desk.tool(effect="write", key="title", idempotent=True, control=["title"])
    async def book(title: str) -> kind:  # type: ignore[valid-type]
        return kind(id="r1", title=title)

    clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[letter, book])

    @desk.post("/do", labels=Label.TRUSTED)
    async def do(task: str) -> str:
        return await clerk.run(task)

    return desk
