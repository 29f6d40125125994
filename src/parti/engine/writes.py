"""Writes: effects outside, fenced so that a crash can leave one in doubt, but never repeat it in silence.

Before the function is called, all the run has journaled and the intent are on disk; its answer is on disk before the
run goes on. Within a run a write is known by its tool and idempotency key.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic_core import to_json

from parti.design.tool import Tool
from parti.engine.activation import Activation, Unwinding
from parti.engine.budgets import settle
from parti.engine.calling import OutOfTime
from parti.engine.entries import Kind
from parti.engine.identity import question_of_doubt
from parti.engine.recorded import Recorded, Write
from parti.engine.steps import (
    as_answer,
    as_failure,
    counted,
    digest_of,
    failure_of,
    guarded,
    in_words,
    pause,
    reserve_or_fail,
    rewind,
)
from parti.errors import NotDone, RunError
from parti.ports.store import QuestionRecord
from parti.units import duration_text

if TYPE_CHECKING:
    from parti.engine.context import RunContext

ASKING = (Unwinding.NO, Unwinding.OVER, Unwinding.PARK)
"""While a run is taken down for other reasons, a write that fails was cut off by that."""

OPERATOR = "operator"
"""Who is asked about writes in doubt."""


@dataclass(slots=True)
class _Call:
    """One write under way."""

    tool: Tool
    arguments: tuple[Any, ...]
    body: bytes
    digest: str
    key: str


async def write(context: RunContext, tool: Tool, arguments: tuple[Any, ...]) -> Any:
    """The answer of a write: journaled, settled if in doubt, or made now. Raises StepFailed, P310."""
    body = tool.function.arguments.encode(arguments)
    this = _Call(tool, arguments, body, digest_of(tool.function, body), key_of(tool, arguments))
    run, identity = context.run, (tool.name, this.key)
    while identity in run.flying:
        await asyncio.shield(run.flying[identity])
        context.refuse_when_over()
    if run.recorded is None:
        run.recorded = Recorded()
    failed = run.recorded.take(context.path, tool.name, this.digest)
    if failed:  # before what is known of it now: a failure that was caught may have been followed by a success
        raise as_failure(failed.answer)
    known = run.recorded.writes.get(identity)
    if known and known.digest != this.digest:
        raise RunError(
            "P310",
            f"`{tool.name}` was called twice with the key {this.key!r} and different arguments",
            place=tool.place,
            fix="let the key name all that makes two calls different",
        )
    if known and known.state == "done":
        return tool.function.returns.decode(known.answer)
    run.flying[identity] = asyncio.get_running_loop().create_future()
    try:
        answer = await _make(context, this, known)
    finally:
        run.flying.pop(identity).set_result(None)
    if run.services.replay_each:
        await rewind(context)
    return answer


async def _make(context: RunContext, this: _Call, known: Write | None) -> Any:
    run, tool = context.run, this.tool
    in_doubt = known is not None and known.state == "doubt"
    attempt = 1
    while True:
        if in_doubt and tool.reconcile:
            happened = await _reconcile(context, this)
            if happened is not None:
                return await _done(context, this, run.services.clock.now(), tool.function.returns.settle(happened))
        elif in_doubt and not tool.idempotent:
            await _park(context, this)
        held = reserve_or_fail(context, tool, this.digest, this.body)
        await _intend(context, this)
        started = run.services.clock.now()
        inside = context.inside(this.key)
        try:
            settled = await guarded(inside, tool, this.arguments, started)
        except NotDone as refusal:
            error: Exception = refusal
            in_doubt = False
            _note(context, Kind.UNDONE, this, started, b"null")
            _learn(context, this, Write("undone", this.digest, starts=_starts(context, this)))
        except Exception as unsure:
            if run.unwinding not in ASKING:  # cut off: it is in doubt when the run goes on
                raise asyncio.CancelledError(run.unwinding.name) from unsure
            error = unsure
            in_doubt = True
        except asyncio.CancelledError:
            if run.unwinding is Unwinding.NO:  # the function gave up waiting for it, and goes on
                settle(context, tool, held, inside.cost)
            raise
        else:
            settle(context, tool, held, inside.cost)
            return await _done(context, this, started, settled)
        again = attempt < tool.retry.attempts
        settle(context, tool, held, inside.cost, steps=0 if again else 1)
        if again:
            await pause(context, tool.retry, attempt)
            attempt += 1
            continue
        if in_doubt and not tool.repeatable:
            await _park(context, this, error)
        failure = failure_of(tool, error)
        took = run.services.clock.now() - started
        run.note(Kind.FAIL, context.path, tool.name, this.digest, started, took, this.body, as_answer(failure))
        raise failure from error


async def _intend(context: RunContext, this: _Call) -> None:
    run = context.run
    _note(context, Kind.INTENT, this, run.services.clock.now(), b"null", this.body)
    _learn(context, this, Write("doubt", this.digest, starts=_starts(context, this) + 1))
    await _fence(context)


async def _done(context: RunContext, this: _Call, started: float, settled: tuple[bytes, Any]) -> Any:
    answer, value = settled
    _note(context, Kind.DONE, this, started, answer)
    _learn(context, this, Write("done", this.digest, answer))
    await _fence(context)
    return value


async def _reconcile(context: RunContext, this: _Call) -> Any:
    """What the outside says of a write in doubt: its result, or None when it did not happen."""
    assert this.tool.reconcile
    run = context.run
    run.busy += 1
    try:
        async with asyncio.timeout(this.tool.timeout):
            answer = this.tool.reconcile(this.key)
            return await answer if inspect.isawaitable(answer) else answer
    except Exception as error:
        raise failure_of(this.tool, error) from error
    finally:
        run.busy -= 1


async def _park(context: RunContext, this: _Call, error: Exception | None = None) -> None:
    """Set the run aside until a person says whether the write happened."""
    run = context.run
    cause = f" ({_cause(this.tool, error)})" if error else ""
    text = f"`{this.tool.name}` with the key {this.key!r} was cut off{cause}. Did it happen?"
    question = QuestionRecord(
        id=question_of_doubt(run.record.id, this.tool.name, this.digest, _starts(context, this)),
        run=run.record.id,
        who=OPERATOR,
        text=text,
        schema=_doubt_schema(this.tool.function.returns.schema),
        asked=run.services.clock.now(),
        deadline=0.0,
        state="open",
        answer=to_json({"tool": this.tool.name, "key": this.key, "digest": this.digest}),
        by="",
        answered=0.0,
    )
    run.services.commits.batch.questions[question.id] = question
    run.services.commits.touch()
    run.services.on_question(question)
    run.flush()
    run.doubted.add((this.tool.name, this.key))
    await _stand_down(run)


async def _stand_down(run: Activation) -> NoReturn:
    """Let other writes that are under way end, then take the run down."""
    ended = run.unwinding is not Unwinding.NO
    if not ended:
        run.unwinding = Unwinding.PARK
    while others := [flying for identity, flying in run.flying.items() if identity not in run.doubted]:
        await asyncio.wait(others)
    if not ended:
        run.take_down()
    if asyncio.current_task() is run.task and run.inside and not ended:
        await asyncio.get_running_loop().create_future()  # until the cancellation arrives
    raise asyncio.CancelledError(Unwinding.PARK.name)


def _cause(tool: Tool, error: Exception) -> str:
    late = f"it took longer than {duration_text(tool.timeout)}"
    return late if isinstance(error, OutOfTime) else f"{type(error).__name__}: {in_words(error)}"


def _doubt_schema(returns: Mapping[str, Any]) -> bytes:
    """The schema of a person's word on a doubt: what the tool would have returned belongs to "it happened"."""
    result = {name: value for name, value in returns.items() if name != "$defs"}
    told = {"properties": {"result": result}, "required": [] if result.get("type") == "null" else ["result"]}
    schema = {
        "title": "InDoubt",
        "type": "object",
        "properties": {"happened": {"type": "boolean"}, "result": {}},
        "required": ["happened"],
        "if": {"properties": {"happened": {"const": True}}},
        "then": told,
        "$defs": returns.get("$defs", {}),
    }
    return to_json(schema)


async def _fence(context: RunContext) -> None:
    await counted(context, context.run.fence())


def _note(context: RunContext, kind: str, this: _Call, started: float, answer: bytes, body: bytes = b"null") -> None:
    run = context.run
    took = max(0.0, run.services.clock.now() - started)
    run.note(kind, this.key, this.tool.name, this.digest, started, took, body, answer)


def _learn(context: RunContext, this: _Call, facts: Write) -> None:
    """Remember a write for the rest of this activation, as a replay would."""
    if context.run.recorded:
        context.run.recorded.writes[this.tool.name, this.key] = facts


def _starts(context: RunContext, this: _Call) -> int:
    """How often a write was about to start so far, in earlier activations too."""
    known = context.run.recorded.writes.get((this.tool.name, this.key)) if context.run.recorded else None
    return known.starts if known else 0


def key_of(tool: Tool, arguments: tuple[Any, ...]) -> str:
    """The idempotency key of a call: the value at the end of the tool's declared path."""
    assert tool.key, "a write without a key is refused when it is declared"
    return tool.function.value_at(tool.key, arguments)
