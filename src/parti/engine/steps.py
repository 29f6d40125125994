"""Steps without effects outside: answered from the journal, or called and journaled behind the run's back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pydantic_core import to_json

from parti.design.budget import Cost
from parti.design.function import Function
from parti.design.goals import Retry
from parti.design.payload import Payload
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.engine.accounts import Amount
from parti.engine.activation import Activation, Unwinding
from parti.engine.budgets import Spender, reserve, settle
from parti.engine.calling import OutOfTime, call
from parti.engine.rows import unpack_row
from parti.engine.serving import Timed, enter, in_batch
from parti.engine.turns import Turn
from parti.errors import BudgetSpent, PartiError, RunError, StepFailed
from parti.journal.entries import MORE, Entry, Kind
from parti.journal.identity import orderless, step_digest
from parti.ports.context import CURRENT
from parti.units import Seconds, duration_text

if TYPE_CHECKING:
    from parti.engine.context import RunContext

NULL = b"null"

SAID_MAX: Final = 10_000
"""Characters that are kept of what an error says."""


async def step(context: RunContext, part: Step | Tool, arguments: tuple[Any, ...]) -> Any:
    """The answer of a step or of a tool that only reads."""
    function = part.function
    body = function.arguments.encode(arguments)
    digest = digest_of(function, body)
    run = context.run
    if run.recorded:
        known = run.recorded.take(context.path, part.name, digest)
        if known:
            return _again(known, function.returns)
    attempt, first = 1, run.services.clock.now()
    while True:
        started = run.services.clock.now()
        held = reserve_or_fail(context, part, digest, body)
        inside = context.inside()
        timed = Timed() if part.concurrency is not None or part.batch is not None else None
        try:
            answer, value = await _fenced(inside, part, arguments, started, held, timed)
        except Exception as error:
            again = attempt < part.retry.attempts and not isinstance(error, PartiError)
            if run.unwinding is not Unwinding.NO:  # not the step's failure: it was cut off, and said so in its own way
                settle(context, part, digest, held, inside.told.cost, returned=False, steps=0)
                raise asyncio.CancelledError(run.unwinding.name) from error
            settle(context, part, digest, held, inside.told.cost, returned=False, steps=0 if again else 1)
            if again:
                await pause(context, part.retry, attempt)
                attempt += 1
                continue
            failure = failure_of(part, error)
            at, took, more = measured(run, started, timed)
            more = tried(more, attempt, at - first)
            run.note(Kind.FAIL, context.path, part.name, digest, at, took, body, as_answer(failure), more)
            raise_from(failure, error)
        except asyncio.CancelledError:  # cut off with the run, or given up by a function that goes on
            told = inside.told.cost if inside.until else Cost()
            steps = 1 if run.unwinding is Unwinding.NO else 0
            settle(context, part, digest, held, told, returned=not inside.until, steps=steps)
            raise
        settle(context, part, digest, held, inside.told.cost)
        at, took, more = measured(run, started, timed)
        more = tried(more, attempt, at - first)
        run.note(Kind.STEP, context.path, part.name, digest, at, took, body, answer, more)
        if run.services.replay_each:
            await rewind(context)
        return value


def measured(run: Activation, started: Seconds, timed: Timed | None) -> tuple[Seconds, Seconds, MORE]:
    """When the service of a call began, how long it took, and what is journaled of a line or batch that it was in."""
    now = run.services.clock.now()
    if timed is None or timed.began is None:
        return started, now - started, None
    return timed.began, timed.lasted(now), timed.more


def tried(more: MORE, attempts: int, before: Seconds) -> MORE:
    """What is journaled of a call that needed several attempts: how many, and the seconds of those before, pauses included."""
    return more if attempts == 1 else {**(more or {}), "attempts": attempts, "before": round(before, 6)}


async def _fenced(
    inside: RunContext,
    part: Step | Tool,
    arguments: tuple[Any, ...],
    started: Seconds,
    held: Amount | None,
    timed: Timed | None,
) -> tuple[bytes, Any]:
    """Call the function once what was reserved for it is on disk: a crash must not make money be forgotten."""
    if held is not None and held.is_money:
        until, inside.until = inside.until, 0.0  # not called yet
        await counted(inside, inside.run.fence())
        inside.until, started = until, inside.run.services.clock.now()
    if timed is None:
        return await guarded(inside, part, arguments, started)
    if part.batch is not None:
        return part.function.returns.settle(await in_batch(inside, part, arguments[0], timed))
    turn = await enter(inside, part, timed)
    try:
        return await guarded(inside, part, arguments, turn.began, turn)
    finally:
        turn.end()


def reserve_or_fail(
    context: RunContext, part: Spender, digest: str, body: bytes, most: Cost | None = None
) -> Amount | None:
    """Reserve what a call may cost. A refusal is journaled: a replay is refused the same call, whatever is left then."""
    try:
        return reserve(context, part, digest, most)
    except BudgetSpent as refusal:
        run = context.run
        now = run.services.clock.now()
        run.note(Kind.FAIL, context.path, part.name, digest, now, 0.0, body, as_answer(refusal))
        raise


async def guarded(
    inside: RunContext, part: Step | Tool, arguments: tuple[Any, ...], started: Seconds, turn: Turn | None = None
) -> tuple[bytes, Any]:
    """Call the function in its own context, under its timeout and the run's; its answer as JSON and as a value."""
    run = inside.run
    offload = run.services.offload if turn is None else turn.offload(run.services.offload)
    inside.until = min(inside.until, started + part.timeout)
    run.busy += 1
    token = CURRENT.set(inside)
    try:
        answer = await call(part.function, arguments, part.timeout, offload)
        return part.function.returns.settle(answer)
    finally:
        CURRENT.reset(token)
        run.busy -= 1


async def pause(context: RunContext, retry: Retry, attempt: int) -> None:
    """Wait before a step is tried again; the run counts as busy meanwhile."""
    services = context.run.services
    await counted(context, services.clock.wait(retry.wait_before(attempt + 1, services.chance.random())))


def failure_of(part: Step | Tool, error: Exception) -> RunError:
    """The error that a step raises, now and in every replay. A budget that was spent inside it stays what it is."""
    if isinstance(error, BudgetSpent):
        return error
    kind = kind_of(error)
    if isinstance(error, OutOfTime):
        return StepFailed(
            "P303",
            f"`{part.name}` took longer than {duration_text(part.timeout)}",
            place=part.place,
            fix="give it more time with timeout=, or make it faster",
            kind=kind,
        )
    if isinstance(error, StepFailed):
        return error
    code = error.code if isinstance(error, PartiError) else "P302"
    text = error.what if isinstance(error, PartiError) else f"`{part.name}` raised {kind}: {in_words(error)}"
    return StepFailed(code, text, place=part.place, fix=getattr(error, "fix", ""), kind=kind)


def kind_of(error: BaseException) -> str:
    """The qualified name of an error's class: ``httpx.ConnectError``, ``ValueError``."""
    kind = TimeoutError if isinstance(error, OutOfTime) else type(error)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def in_words(error: object) -> str:
    """What an error says, fit for JSON whatever it is: file names may hold bytes that are no text."""
    try:
        said = str(error)
    except Exception as wrong:
        said = f"(it cannot be shown: {type(wrong).__name__})"
    return said[:SAID_MAX].encode("utf-8", "replace").decode()


def raise_from(failure: RunError, error: Exception) -> NoReturn:
    """Raise `failure`, which `error` caused, or is."""
    if failure is error:
        raise failure
    raise failure from error


def as_answer(failure: RunError) -> bytes:
    """A failure as it stands in the journal."""
    return to_json({**failure.as_json(), **({"kind": failure.kind} if isinstance(failure, StepFailed) else {})})


def as_failure(facts: dict[str, Any]) -> RunError:
    """A failure out of the journal."""
    if facts["code"] == "P312":
        return BudgetSpent(
            "P312", facts["error"], place=facts.get("place"), fix=facts.get("try", ""), limit=facts.get("limit", "")
        )
    return StepFailed(
        facts["code"], facts["error"], place=facts.get("place"), fix=facts.get("try", ""), kind=facts.get("kind", "")
    )


def digest_of(function: Function, body: bytes) -> str:
    """The digest of a step's arguments."""
    return step_digest(orderless(body) if function.has_sets else body)


def _again(known: Entry, returns: Payload) -> Any:
    if known.kind == Kind.FAIL:
        raise as_failure(known.answer)
    return returns.decode(to_json(known.answer))


async def read(context: RunContext, table: Table, place: tuple[str, str, str]) -> Any:
    """A row as the run sees it: journaled, so that it stays what it was."""
    run = context.run
    body = to_json(place[2])
    digest = step_digest(body)
    known = run.recorded.take(context.path, table.name, digest) if run.recorded else None
    if known:
        return None if known.answer is None else unpack_row(table, to_json(known.answer))
    started = run.services.clock.now()
    held, row = (True, run.rows[place]) if place in run.rows else run.services.overlay.get(place)
    if not held:
        row = await counted(context, run.services.store.row(*place))
    run.note(
        Kind.READ, context.path, table.name, digest, started, run.services.clock.now() - started, body, row or NULL
    )
    if run.services.replay_each:
        await rewind(context)
    return None if row is None else unpack_row(table, row)


async def scan(context: RunContext, table: Table, after: str, limit: int) -> list[Any]:
    """Rows in key order as the run sees them, its own writes included."""
    run = context.run
    body = to_json([after, limit])
    digest = step_digest(body)
    known = run.recorded.take(context.path, table.name, digest) if run.recorded else None
    if known:
        return [unpack_row(table, to_json(row)) for row in known.answer]
    started = run.services.clock.now()
    rows = await _merged(context, table, after, limit)
    answer = b"[" + b",".join(rows) + b"]"
    run.note(Kind.READ, context.path, table.name, digest, started, run.services.clock.now() - started, body, answer)
    if run.services.replay_each:
        await rewind(context)
    return [unpack_row(table, row) for row in rows]


async def _merged(context: RunContext, table: Table, after: str, limit: int) -> list[bytes]:
    run = context.run
    tenant = run.record.tenant
    fresh = run.services.overlay.of_table(table.name, tenant)
    fresh.update({key: row for (name, owner, key), row in run.rows.items() if name == table.name and owner == tenant})
    wanted = limit + len(fresh)
    stored = await counted(context, run.services.store.rows(table.name, tenant, after=after, limit=wanted))
    merged: dict[str, bytes | None] = {**dict(stored), **{key: row for key, row in fresh.items() if key > after}}
    return [row for _, row in sorted(merged.items()) if row is not None][:limit]


async def counted(context: RunContext, reading: Any) -> Any:
    """Await something short that is not a step; the run counts as busy meanwhile."""
    context.run.busy += 1
    try:
        return await reading
    finally:
        context.run.busy -= 1


async def rewind(context: RunContext) -> None:
    """Take the run down and start it again from its journal, unless another of its steps is under way."""
    run = context.run
    if run.busy == 0 and not run.flying:
        run.unwind(Unwinding.REWIND)
        await asyncio.get_running_loop().create_future()
