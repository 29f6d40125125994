"""Replaying a recorded run by other code than made it: everything is answered from the journal, nothing else answers.

What the journal does not answer is held, and nothing is called, written, asked or paid. So a replay ends at the first such
spot of each branch; what the journal still holds then would never be taken.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Final

from parti.design.endpoint import Endpoint
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.design.topic import Topic
from parti.engine.activation import Activation, Runner, Unwinding
from parti.engine.context import new_event
from parti.engine.replay_context import ReplayContext
from parti.engine.rows import event_value
from parti.engine.services import Services
from parti.engine.verdicts import Verdict, Work
from parti.engine.witness import Witness, witness_of
from parti.errors import PartiError, RunError
from parti.ports.context import CURRENT
from parti.ports.store import State

MOMENT: Final = 1e-6
"""Virtual seconds after which all that can go on without time passing has gone on."""

LONG: Final = 3600.0
"""Virtual seconds that the code's own waiting may take, where the journal holds more."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to: RESUMES, or the first divergence; UNKNOWN where an answer of the outside decides.

    `entry` is the number of the journal's entry that is not taken, 0 for none.
    """

    verdict: Verdict
    why: str
    part: str = ""
    entry: int = 0


async def replay(work: Work, services: Services) -> Replayed:
    """Replay one run by the design of `services`, inside a virtual world of its own."""
    record = work.record
    runner = services.design.by_name.get(record.part)
    if not isinstance(runner, Handler | Endpoint | Schedule):
        return Replayed(Verdict.PIN, f"there is no `{record.part}` any more", record.part)
    try:
        value = _value(work, runner, services.design.by_name)
    except PartiError as wrong:
        return Replayed(Verdict.REFUSE, f"its input cannot be read: {wrong.what}", record.part)
    witness = witness_of(work.entries, record.attempt, services.design)
    run = Activation(services, runner, record, value, witness, {})
    run.inside = True
    task = asyncio.Task(_called(run), context=Context())
    await asyncio.wait({task}, timeout=MOMENT)
    if not task.done() and witness.left():
        await asyncio.wait({task}, timeout=LONG)
    try:
        return _judged(work, run, witness, task)
    finally:
        run.unwinding = Unwinding.OVER
        task.cancel()
        with contextlib.suppress(BaseException):
            await asyncio.wait({task}, timeout=LONG)


def _value(work: Work, runner: Runner, parts: Mapping[str, Any]) -> tuple[Any, ...]:
    record = work.record
    if not record.topic:
        return tuple(runner.function.arguments.decode(record.arguments))
    topic = parts.get(record.topic)
    if not isinstance(topic, Topic):
        raise RunError("P308", f"there is no topic `{record.topic}` any more")
    if work.event is None:
        raise RunError("P308", "its event is kept no longer")
    return (event_value(topic, work.event),)


async def _called(run: Activation) -> None:
    """Call the function, at once also where it is a plain one: nothing in a replay takes time."""
    CURRENT.set(context := ReplayContext(run, ""))
    function = run.runner.function
    answer = function.call(*run.value)
    if isinstance(answer, Coroutine):
        answer = await answer
    answer = await context.let_out(answer)
    target = run.runner.to if isinstance(run.runner, Handler) else None
    if target is None:
        function.returns.encode(answer)
    elif answer is not None:
        topic, record = run.services.design.get(Topic, target), run.record
        run.events.append(new_event(topic, answer, record.tenant, record.id, run.services.clock.now()))


def _judged(work: Work, run: Activation, witness: Witness, task: asyncio.Task[None]) -> Replayed:
    if witness.trouble is not None:
        return Replayed(*witness.trouble)
    left = witness.left()
    if left and witness.is_tried_again():
        return Replayed(Verdict.UNKNOWN, f"{witness.held[0]} failed before and is tried again: its answer decides")
    if task.done():
        return _ended(work, run, left, task)
    if work.record.state is State.DONE or left:
        return _stuck(witness, left)
    return Replayed(Verdict.RESUMES, f"goes on with {witness.held[0]}" if witness.held else "goes on waiting")


def _stuck(witness: Witness, left: list[tuple[int, str]]) -> Replayed:
    number, name = left[0] if left else (0, "")
    if not witness.held:
        return Replayed(Verdict.PIN, f"waits, and never comes to {name}, which its journal holds", "", number)
    anew = f"{witness.held[0]} would be asked anew"
    if not left:
        return Replayed(Verdict.PIN, f"{anew}, which its journal does not hold", witness.parts[0])
    return Replayed(Verdict.PIN, f"{anew}, and {name}, which its journal holds, is not taken", witness.parts[0], number)


def _ended(work: Work, run: Activation, left: list[tuple[int, str]], task: asyncio.Task[None]) -> Replayed:
    record, error = work.record, None if task.cancelled() else task.exception()
    if left:
        return Replayed(Verdict.PIN, f"ends without {left[0][1]}, which its journal holds", "", left[0][0])
    if error is not None or task.cancelled():
        failed_before = any(entry.kind == "attempt" for entry in work.entries) or record.state is State.DEAD
        if failed_before:
            return Replayed(Verdict.RESUMES, "fails as it did")
        return Replayed(Verdict.PIN, f"fails where it did not: {type(error).__name__}: {error}", record.part)
    if record.state is State.DEAD:
        return Replayed(Verdict.PIN, "ends well where it failed", record.part)
    if record.state is State.DONE:
        return _compared(work, run)
    return Replayed(Verdict.RESUMES, "goes on to its end")


def _compared(work: Work, run: Activation) -> Replayed:
    """Whether it leaves the same rows and events behind, by their keys."""
    before = sorted((e.kind, e.part, str(e.arguments)) for e in work.entries if e.kind in ("put", "delete", "publish"))
    rows = [("delete" if row is None else "put", table, key) for (table, _, key), row in run.rows.items()]
    now = sorted([*rows, *(("publish", event.topic, event.key) for event in run.events)])
    if before == now:
        return Replayed(Verdict.RESUMES, "replays to the same end")
    kind, part, key = next(one for one in [*before, *now] if before.count(one) != now.count(one))
    said = "no longer does" if (kind, part, key) in before else "does"
    return Replayed(Verdict.PIN, f"{said} {kind} {key!r} in `{part}`: it ends otherwise than it did", part)
