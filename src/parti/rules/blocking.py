"""Blocking: an asynchronous function waits in a way that stops all others."""

from __future__ import annotations

from collections.abc import Iterator

from parti.rules.base import Case, Hit, Rule


def look(case: Case) -> Iterator[Hit]:
    """One finding for each call."""
    for one in case.dataflow.blocking:
        yield Hit(one.part, one.place, f"`{one.part}` calls `{one.call}`, which blocks the event loop")


RULE = Rule(
    code="R310",
    name="blocking",
    severity="high",
    says="An asynchronous function makes a call that blocks the event loop.",
    why="Until the call returns, no other run, request or timer of the process goes on.",
    standard="Python, Developing with asyncio: Running Blocking Code",
    fix="make the function a plain `def` (Parti runs it in a thread), or use asyncio.to_thread",
    look=look,
)
