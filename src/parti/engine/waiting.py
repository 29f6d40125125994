"""Durable waits, for a person's answer and for a moment.

Both survive restarts, and a run in them leaves memory.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from parti.design.payload import Payload
from parti.engine.activation import Wait
from parti.engine.steps import rewind
from parti.errors import QuestionExpired
from parti.journal.entries import Kind
from parti.journal.identity import step_digest
from parti.ports.context import NO_DEFAULT
from parti.ports.store import QuestionRecord
from parti.units import Seconds, duration_text

if TYPE_CHECKING:
    from parti.engine.context import RunContext


@dataclass(frozen=True, slots=True)
class Asking:
    """The arguments of `ask`."""

    who: str
    text: str
    answer: Payload
    timeout: Seconds | None
    default: Any


async def ask(context: RunContext, asking: Asking) -> Any:
    """The answer, from the journal or from whoever gives it. Raises QuestionExpired (P306)."""
    run = context.run
    id = f"{run.record.id}?{context.question(asking.who, asking.text)}"
    recorded = run.recorded
    if recorded and id in recorded.answers:
        return _settled(asking, recorded.answers[id])
    if id in run.settled:
        return _settled(asking, run.settled[id])
    deadline = recorded.asked.get(id) if recorded else None
    if deadline is None:
        deadline = _put(context, asking, id)
    answer = _settled(asking, await _wait(context, id, deadline, id))
    if run.services.replay_each:
        await rewind(context)
    return answer


def _put(context: RunContext, asking: Asking, id: str) -> Seconds:
    """Journal the question and show it to people; its deadline."""
    run = context.run
    asked = run.services.clock.now()
    deadline = asked + asking.timeout if asking.timeout else 0.0
    question = QuestionRecord(
        id=id,
        run=run.record.id,
        who=asking.who,
        text=asking.text,
        schema=to_json(asking.answer.schema),
        asked=asked,
        deadline=deadline,
        state="open",
        answer=b"",
        by="",
        answered=0.0,
    )
    run.note(Kind.ASK, context.path, asking.who, id, asked, 0.0, to_json(asking.text), b"%.6f" % deadline)
    run.flush()
    run.services.commits.batch.questions[id] = question
    run.services.commits.touch()
    run.services.on_question(question)
    return deadline


def _settled(asking: Asking, answer: dict[str, Any]) -> Any:
    if "value" in answer:
        return asking.answer.decode(to_json(answer["value"]))
    if asking.default is NO_DEFAULT:
        raise QuestionExpired(
            "P306",
            f"{asking.who} did not answer within {duration_text(asking.timeout or 0)}: {asking.text}",
            fix="give `ask` a longer timeout, or a default",
        )
    return asking.default


async def sleep(context: RunContext, duration: Seconds) -> None:
    """Return when `duration` has passed since the sleep was journaled."""
    run = context.run
    body = to_json(duration)
    digest = step_digest(body)
    known = run.recorded.take(context.path, "sleep", digest) if run.recorded else None
    now = run.services.clock.now()
    until: Seconds = known.answer if known else now + duration
    if not known:
        run.note(Kind.SLEEP, context.path, "sleep", digest, now, 0.0, body, b"%.6f" % until)
    if until > now:
        await _wait(context, f"{context.path}~{digest}~{until:.6f}", until, "")


async def _wait(context: RunContext, name: str, until: Seconds, question: str) -> Any:
    """Wait in the open: the engine wakes the branch, or takes the run out of memory meanwhile."""
    run = context.run
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    run.waits[name] = Wait(question, until, future)
    run.waiting_since = run.services.clock.now()
    run.services.on_wait(run)
    for stint in context.stints:
        stint.hold()
    try:
        return await future
    finally:
        run.waits.pop(name, None)
        for stint in context.stints:
            stint.go_on()


def answered(value: bytes) -> bytes:
    """A given answer as it stands in the journal."""
    return b'{"value":%b}' % value


EXPIRED = b'{"expired":true}'
WITHDRAWN = b'{"withdrawn":true}'
