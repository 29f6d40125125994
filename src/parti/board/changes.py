"""What a person may change from the page, by the name of its address: one function a change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from pydantic_core import to_json

from parti.board.queries.lines import run_lines
from parti.board.queries.questions import question
from parti.board.queries.reveal import revealed
from parti.board.requests import text_of
from parti.board.shown import Shown
from parti.errors import UsageError

Change = Callable[[Shown, dict[str, Any]], Awaitable[object]]
"""Does what the body of a request says; raises P504 for a body that it cannot read, and what the running system raises."""


async def answer(shown: Shown, body: dict[str, Any]) -> object:
    """``{"question", "answer", "by"}``: answer an open question, in somebody's name. The question as it now is."""
    running, id = shown.operations, text_of(body, "question")
    await running.answer(id, to_json(_value_of(body, "answer")), by=text_of(body, "by"))
    return await question(running.store, running.design, id, at=running.clock.now())


async def retry(shown: Shown, body: dict[str, Any]) -> object:
    """``{"run"}``: start a dead run again. The run as it now is."""
    running, id = shown.operations, text_of(body, "run")
    record = await running.retry(id)
    [line] = await run_lines(running.store, running.design, [record], running.clock.now())
    return line


async def cancel(shown: Shown, body: dict[str, Any]) -> object:
    """``{"run"}``: end a run that has not ended; what it journaled stays. The run as it now is."""
    running, id = shown.operations, text_of(body, "run")
    record = await running.cancel(id)
    [line] = await run_lines(running.store, running.design, [record], running.clock.now())
    return line


async def publish(shown: Shown, body: dict[str, Any]) -> object:
    """``{"topic", "payload", "key"}``: publish one event; the same `key` publishes it once. Where it lies."""
    topic, payload, key = text_of(body, "topic"), to_json(_value_of(body, "payload")), text_of(body, "key")
    done = await shown.operations.publish(topic, [payload], idempotency_key=key)
    return {"topic": done.topic, "positions": [list(position) for position in done.positions]}


async def reveal(shown: Shown, body: dict[str, Any]) -> object:
    """``{"place", "by"}``: one masked value. Who asked for what is on disk before it is read."""
    running, place = shown.operations, text_of(body, "place")
    await running.note_reveal(place, by=text_of(body, "by"))
    return await revealed(running.store, running.design, place)


CHANGES: Final[Mapping[str, Change]] = {
    "answer": answer,
    "cancel": cancel,
    "publish": publish,
    "retry": retry,
    "reveal": reveal,
}
"""Every change. ``POST /-/board/api/<name>`` with its body as JSON."""


def _value_of(body: dict[str, Any], name: str) -> Any:
    if name not in body:
        raise UsageError("P504", f"the body has no `{name}`", fix=f'send {{"{name}": ...}}')
    return body[name]
