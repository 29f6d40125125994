"""What a person may change from the page, by the name of its address: one function a change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from pydantic_core import from_json, to_json

from parti.board.misfits import check_payload, check_schema
from parti.board.queries.lines import run_lines
from parti.board.queries.questions import question
from parti.board.queries.reveal import revealed
from parti.board.requests import text_of
from parti.board.retries import retry_dead
from parti.board.shown import Shown
from parti.design.topic import Topic
from parti.errors import RunError, UsageError

Change = Callable[[Shown, dict[str, Any]], Awaitable[object]]
"""Does what the body of a request says; raises P504 for a body that it cannot read, and what the running system raises."""

NAME_MAX: Final = 200
"""Characters of the name of who answers."""


async def answer(shown: Shown, body: dict[str, Any]) -> object:
    """``{"question", "answer", "by"}``: answer an open question, in somebody's name. The question as it now is.

    The same answer by the same person again changes nothing, as after an answer whose outcome the page never heard of.
    """
    running, id, value = shown.operations, text_of(body, "question"), _value_of(body, "answer")
    by = text_of(body, "by").strip()
    if not 1 <= len(by) <= NAME_MAX:
        raise UsageError("P504", f"`by` has {len(by)} characters", fix=f"say who answers in 1 to {NAME_MAX}")
    record = await running.store.question(id)
    if record is not None and record.state == "open":
        check_schema(value, from_json(record.schema))
    try:
        await running.answer(id, to_json(value), by=by)
    except RunError as wrong:
        record = await running.store.question(id)
        same = record is not None and record.state == "answered" and record.by == by
        if wrong.code != "P309" or not same or from_json(record.answer) != value:  # type: ignore[union-attr]
            raise
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


async def retry_all(shown: Shown, body: dict[str, Any]) -> object:
    """``{"topic", "part", "after"}``: start dead runs again, of the handlers of a topic or of one part, from a place in their list.

    One page of them; what was done, and where to go on.
    """
    topic, part, after = (text_of(body, name) for name in ("topic", "part", "after"))
    return await retry_dead(shown.operations, topic=topic, part=part, after=after)


async def publish(shown: Shown, body: dict[str, Any]) -> object:
    """``{"topic", "payload", "key"}``: publish one event; the same `key` publishes it once. Where it lies."""
    topic, payload, key = text_of(body, "topic"), to_json(_value_of(body, "payload")), text_of(body, "key")
    check_payload(shown.operations.design.get(Topic, topic).payload, payload)
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
    "retry-all": retry_all,
    "reveal": reveal,
}
"""Every change. ``POST /-/board/api/<name>`` with its body as JSON."""


def _value_of(body: dict[str, Any], name: str) -> Any:
    if name not in body:
        raise UsageError("P504", f"the body has no `{name}`", fix=f'send {{"{name}": ...}}')
    return body[name]
