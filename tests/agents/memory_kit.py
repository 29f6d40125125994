"""Desks with a memory, and a look at what lies in it."""

from __future__ import annotations

from typing import Any

from parti import System
from parti.declare.agent_handles import MemoryHandle
from parti.design.memory import Memory
from parti.engine import facts


def a_desk(**options: Any) -> System:
    """A desk whose endpoints do one thing each with the memory `notes`, under the key that they are given."""
    desk = System("desk")
    notes = desk.memory("notes", **options)

    @desk.post("/remember", key="id")
    async def remember(id: str, text: str) -> str:
        return await notes.remember(text)

    @desk.post("/recall", key="id")
    async def recall(id: str, query: str) -> list[str]:
        return [fact.text for fact in await notes.recall(query)]

    @desk.post("/forget", key="id")
    async def forget(id: str, fact: str) -> int:
        return await notes.forget(id=fact or None)

    @desk.post("/elsewhere", key="id")
    async def elsewhere(id: str, scope: str) -> list[str]:
        await notes.remember("a word left elsewhere", scope=scope)
        return [fact.text for fact in await notes.recall("word", scope=scope)]

    return desk


def the_memory(desk: System) -> MemoryHandle:
    """A handle of the memory of `a_desk`, for another endpoint."""
    return MemoryHandle(desk.design.get(Memory, "notes"))


async def facts_of(live: Any, memory: str = "notes", tenant: str = "main") -> list[str]:
    """The texts of all committed facts of a tenant, by key."""
    rows = await live.store.rows(f"memory:{memory}", tenant, after="", limit=10_000)
    return [facts.unpack("", row).text for _, row in rows]
