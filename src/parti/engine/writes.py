"""Writes: effects outside, fenced so that a crash can leave one in doubt, but never repeat it in silence.

Before the function is called, all the run has journaled and the intent are on disk; its answer is on disk before the
run goes on. Within a run a write is known by its tool and idempotency key.
"""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from parti.design.budget import NO_COST, Cost
from parti.design.tool import Tool
from parti.engine.accounts import ONE_STEP, Amount
from parti.engine.activation import Unwinding
from parti.engine.budgets import Told, adopt, settle
from parti.engine.doubts import park
from parti.engine.recorded import Recorded, Write
from parti.engine.serving import Timed, enter
from parti.engine.steps import (
    as_answer,
    as_failure,
    counted,
    digest_of,
    failure_of,
    guarded,
    pause,
    raise_from,
    reserve_or_fail,
    rewind,
)
from parti.engine.turns import Turn
from parti.errors import NotDone, RunError
from parti.journal.entries import MORE, Kind
from parti.ports.context import CURRENT
from parti.units import Seconds

if TYPE_CHECKING:
    from parti.engine.context import RunContext

ASKING = (Unwinding.NO, Unwinding.OVER, Unwinding.PARK)
"""While a run is taken down for other reasons, a write that fails was cut off by that."""


@dataclass(slots=True)
class _Call:
    """One write under way."""

    tool: Tool
    arguments: tuple[Any, ...]
    body: bytes
    digest: str
    key: str
    begun: bool = False
    """Whether it may have been about to happen before."""


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
    this.begun = known is not None
    held: Amount | None = None
    told, returned = Told(), True
    for attempt in range(1, tool.retry.attempts + 1):
        if in_doubt and tool.reconcile:
            happened = await _reconcile(context, this)
            if happened is not None:
                return await _done(context, this, run.services.clock.now(), tool.function.returns.settle(happened))
        elif in_doubt and not tool.idempotent:
            await park(run, tool, this.key, this.digest, _starts(context, this))
        if attempt == 1:
            held = _reserve(context, this, in_doubt)
        try:
            ended = await _call(context, this, told)
        except asyncio.CancelledError:
            if run.unwinding is Unwinding.NO:  # the function gave up waiting for it, and goes on
                spent = told.cost if this.begun else Cost()
                settle(context, tool, this.digest, held, spent, returned=not this.begun)
            raise
        in_doubt, returned = not ended.sure, returned and ended.sure
        if ended.error is None:
            settle(context, tool, this.digest, held, told.cost, returned=returned)
            return await _done(context, this, ended.started, ended.settled, ended.timed)
        if attempt < tool.retry.attempts:
            await pause(context, tool.retry, attempt)
    assert ended.error is not None
    if in_doubt and not tool.repeatable:
        await park(run, tool, this.key, this.digest, _starts(context, this), ended.error)
    settle(context, tool, this.digest, held, told.cost, returned=returned)
    failure = failure_of(tool, ended.error)
    took, more = run.services.clock.now() - ended.started, ended.timed.more
    run.note(Kind.FAIL, context.path, tool.name, this.digest, ended.started, took, this.body, as_answer(failure), more)
    raise_from(failure, ended.error)


class _Ended(NamedTuple):
    """How one call of the function ended: with an answer or an error, and whether it is sure what it did outside."""

    started: Seconds
    settled: tuple[bytes, Any]
    error: Exception | None
    sure: bool
    timed: Timed


async def _call(context: RunContext, this: _Call, told: Told) -> _Ended:
    """Call the function once, when it is its turn. Before that there is no intent: in line, nothing is in doubt."""
    inside, timed = context.inside(this.key), Timed()
    inside.told = told
    if this.tool.concurrency is None:
        return await _called(context, this, inside, timed, None)
    turn = await _turn(inside, this.tool, timed)
    try:
        return await _called(context, this, inside, timed, turn)
    finally:
        turn.end()


async def _turn(inside: RunContext, tool: Tool, timed: Timed) -> Turn:
    """Wait in line, and be cut off there if the run ends meanwhile: nothing has begun."""
    run, task = inside.run, asyncio.current_task()
    assert task is not None, "runs are tasks"
    run.in_line.add(task)
    try:
        turn = await enter(inside, tool, timed)
    finally:
        run.in_line.discard(task)
    if run.unwinding is not Unwinding.NO:
        turn.end()
        raise asyncio.CancelledError(run.unwinding.name)
    return turn


async def _called(context: RunContext, this: _Call, inside: RunContext, timed: Timed, turn: Turn | None) -> _Ended:
    """Put the intent on disk, and call the function once."""
    this.begun = True
    await _intend(context, this)
    run = context.run
    started = run.services.clock.now()
    try:
        answer = await guarded(inside, this.tool, this.arguments, started, turn)
        return _Ended(started, answer, None, True, timed)
    except NotDone as refusal:
        inside.told.add(NO_COST)  # nothing happened: it costs what it told, and not what was declared
        _note(context, Kind.UNDONE, this, started, b"null")
        _learn(context, this, Write("undone", this.digest, starts=_starts(context, this)))
        return _Ended(started, (b"", None), refusal, True, timed)
    except Exception as unsure:
        if run.unwinding not in ASKING:  # cut off: it is in doubt when the run goes on
            raise asyncio.CancelledError(run.unwinding.name) from unsure
        return _Ended(started, (b"", None), unsure, False, timed)


def _reserve(context: RunContext, this: _Call, in_doubt: bool) -> Amount | None:
    """Reserve what the write may cost: once, whatever crashes. One in doubt may have been paid, and is not refused."""
    adopted = adopt(context, this.tool, this.digest)
    if adopted is not None or context.account is None:
        return adopted
    if in_doubt:
        context.account.adopt(ONE_STEP)
        return ONE_STEP
    return reserve_or_fail(context, this.tool, this.digest, this.body)


async def _intend(context: RunContext, this: _Call) -> None:
    run = context.run
    _note(context, Kind.INTENT, this, run.services.clock.now(), b"null", this.body)
    _learn(context, this, Write("doubt", this.digest, starts=_starts(context, this) + 1))
    await _fence(context)


async def _done(
    context: RunContext, this: _Call, started: float, settled: tuple[bytes, Any], timed: Timed | None = None
) -> Any:
    answer, value = settled
    _note(context, Kind.DONE, this, started, answer, more=timed.more if timed else None)
    _learn(context, this, Write("done", this.digest, answer))
    await _fence(context)
    return value


async def _reconcile(context: RunContext, this: _Call) -> Any:
    """What the outside says of a write in doubt: its result, or None when it did not happen."""
    assert this.tool.reconcile
    run = context.run
    inside = context.inside(this.key)
    inside.until = min(inside.until, run.services.clock.now() + this.tool.timeout)
    run.busy += 1
    token = CURRENT.set(inside)
    try:
        async with asyncio.timeout(this.tool.timeout):
            answer = this.tool.reconcile(this.key)
            return await answer if inspect.isawaitable(answer) else answer
    except Exception as error:
        raise_from(failure_of(this.tool, error), error)
    finally:
        CURRENT.reset(token)
        run.busy -= 1


async def _fence(context: RunContext) -> None:
    await counted(context, context.run.fence())


def _note(
    context: RunContext,
    kind: str,
    this: _Call,
    started: float,
    answer: bytes,
    body: bytes = b"null",
    more: MORE = None,
) -> None:
    run = context.run
    took = max(0.0, run.services.clock.now() - started)
    run.note(kind, this.key, this.tool.name, this.digest, started, took, body, answer, more)


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
