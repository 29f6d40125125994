"""Calls from outside: of endpoints, and of people who retry or cancel runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from parti.design.endpoint import Endpoint
from parti.design.handler import Handler
from parti.design.monitor import Monitor
from parti.design.schedule import Schedule
from parti.engine.activation import Runner, Unwinding
from parti.engine.calling import call as call_function
from parti.engine.jobs import Job, error_of, lane_of, retry_of
from parti.engine.machine import Retried, advance
from parti.engine.plain import PlainContext
from parti.engine.pressure import full_one, lag_of, too_much
from parti.engine.steps import digest_of
from parti.engine.subscription import SET_ASIDE_MAX
from parti.errors import Overloaded, RunError
from parti.journal.entries import Kind, chunk, encode
from parti.journal.identity import refuse_tenant
from parti.ports.context import CURRENT
from parti.ports.operations import Outcome, run_of_call
from parti.ports.store import RunRecord, State
from parti.units import duration_text

if TYPE_CHECKING:
    from parti.engine.loop import Engine


async def call(
    engine: Engine,
    name: str,
    arguments: tuple[Any, ...],
    key: str,
    tenant: str,
    tell: Callable[[str], None] | None = None,
) -> Outcome:
    """Run a durable endpoint; its outcome once it is on disk. `tell` is given what the run tells meanwhile."""
    refuse_tenant(tenant)
    endpoint = engine.design.get(Endpoint, name)
    body = endpoint.function.arguments.encode(arguments)
    id = run_of_call(name, tenant, key or engine.chance.token())
    known = await _known(engine, id) if key else None
    if known is not None and digest_of(endpoint.function, known.arguments) != digest_of(endpoint.function, body):
        raise RunError(
            "P310",
            f"the idempotency key {key!r} was used with other arguments",
            fix="use a fresh key for another request",
        )
    if known is not None and known.state.ended and id not in engine.runs.jobs:
        return _outcome(known, repeated=True)
    refuse_if_troubled(engine)
    job = engine.runs.jobs.get(id)
    if job is None:
        admit(engine, endpoint)
        job = _new_job(engine, endpoint, id, arguments, body, tenant)
        follow(engine, job)
        engine.runs.enter(job)  # its function is called in a task of its own, after the listener was added
    elif sum(not end.done() for end in job.ends) > endpoint.concurrency:
        raise Overloaded("P503", f"{id} has too many callers", place=endpoint.place, fix="try again in a moment")
    if tell is None:
        return _outcome(await _end_of(engine, job, endpoint), repeated=known is not None)
    job.listeners.append(tell)
    try:
        return _outcome(await _end_of(engine, job, endpoint), repeated=known is not None)
    finally:
        job.listeners.remove(tell)


async def _known(engine: Engine, id: str) -> RunRecord | None:
    """The run of an idempotency key, in memory or on record."""
    if id in engine.runs.jobs:
        return engine.runs.jobs[id].record
    stored = await engine.store.run(id)
    return engine.runs.jobs[id].record if id in engine.runs.jobs else stored


def _new_job(engine: Engine, endpoint: Endpoint, id: str, arguments: tuple[Any, ...], body: bytes, tenant: str) -> Job:
    now = engine.clock.now()
    key = endpoint.function.value_at(endpoint.key, arguments) if endpoint.key else ""
    record = RunRecord(
        id, endpoint.name, tenant, key, State.QUEUED, 1, "", -1, -1, body, b"", b"", now, 0.0, 0.0, 0.0, 0.0,
        engine.design.digest,
    )  # fmt: skip
    return Job(endpoint, record, lane_of(endpoint, record, engine.design.groups[endpoint.name]), now)


async def _end_of(engine: Engine, job: Job, endpoint: Endpoint) -> RunRecord:
    """The record of the run once its end is on disk. A timer of our own: `asyncio.timeout` would cost four times as much."""
    end = job.wait_end()
    timer = asyncio.get_running_loop().call_later(endpoint.timeout, end.cancel, TOO_LATE)
    try:
        return await end
    except asyncio.CancelledError as cancelled:
        if cancelled.args != (TOO_LATE,):
            raise
        late = RunError(
            "P303",
            f"{job.record.id} goes on, but took longer than {duration_text(endpoint.timeout)}",
            place=endpoint.place,
            fix="ask again with the same Idempotency-Key",
        )
        late.run = job.record.id
        raise late from None
    finally:
        timer.cancel()


TOO_LATE = "the endpoint's timeout"


def _outcome(record: RunRecord, *, repeated: bool) -> Outcome:
    if record.state is not State.DONE:
        raise error_of(record)
    return Outcome(record.id, record.result, repeated)


def admit(engine: Engine, endpoint: Endpoint) -> None:
    """Raise Overloaded while an endpoint may begin no further run."""
    active, aside = engine.active_calls[endpoint.name], engine.aside_calls[endpoint.name]
    if active >= endpoint.concurrency or aside >= SET_ASIDE_MAX or not engine.commits.room:
        said = f"`{endpoint.name}` has {active} calls under way and {aside} that wait"
        raise Overloaded("P503", said, place=endpoint.place, fix="try again in a moment")
    topic = full_one(engine, endpoint.name)
    if topic is not None:
        raise too_much(topic, lag_of(engine, topic))


def follow(engine: Engine, job: Job) -> None:
    """Count an endpoint's run against its bounds until it ends, whoever still waits for it."""
    if isinstance(job.runner, Endpoint):
        _counts(engine, aside=job.aside)[job.runner.name] += 1
        job.moved = partial(_moved, engine, job.runner.name)
        job.wait_end().add_done_callback(partial(_count_off, engine, job))


def _counts(engine: Engine, *, aside: bool) -> dict[str, int]:
    return engine.aside_calls if aside else engine.active_calls


def _moved(engine: Engine, name: str, aside: bool) -> None:
    _counts(engine, aside=aside)[name] += 1
    _counts(engine, aside=not aside)[name] -= 1


def _count_off(engine: Engine, job: Job, end: asyncio.Future[RunRecord]) -> None:
    job.moved = None
    _counts(engine, aside=job.aside)[job.runner.name] -= 1
    if not end.cancelled():
        end.exception()  # looked at: what ended the engine is raised elsewhere


def refuse_if_troubled(engine: Engine) -> None:
    """Raise Overloaded while nothing can be written."""
    if engine.trouble:
        code = "P206" if engine.commits.trouble else "P503"
        raise Overloaded(
            code, f"nothing can be accepted: {engine.trouble}", fix="make room, then try again", retry_after=5
        )


def stopping() -> Overloaded:
    """What those are told who still wait when the engine has stopped."""
    return Overloaded(
        "P503", "it is stopping, and goes on when it is started again", fix="ask again with the same Idempotency-Key"
    )


async def answer_plain(engine: Engine, name: str, arguments: tuple[Any, ...], tenant: str) -> bytes:
    """Call a plain endpoint or a monitor; its answer as JSON."""
    part = engine.design.get(Endpoint, name)
    return await _plainly(engine, part, arguments, tenant, part.timeout)


async def _plainly(
    engine: Engine, part: Endpoint | Monitor, arguments: tuple[Any, ...], tenant: str, timeout: float
) -> bytes:
    CURRENT.set(PlainContext(engine.services, tenant, until=engine.clock.now() + timeout))
    try:
        answer = await call_function(part.function, arguments, timeout, engine.services.offload)
    except TimeoutError as late:
        raise RunError(
            "P303", f"`{part.name}` took longer than {duration_text(timeout)}", place=part.place, fix="raise timeout="
        ) from late
    finally:
        CURRENT.set(None)
    return part.function.returns.encode(answer)


async def figures(engine: Engine) -> dict[str, dict[str, Any]]:
    """What every monitor says."""
    said: dict[str, dict[str, Any]] = {}
    for monitor in engine.design.all(Monitor):
        body = await _plainly(engine, monitor, (), "main", 30.0)
        said[monitor.title] = dict(monitor.function.returns.decode(body))
    return said


async def retry(engine: Engine, id: str) -> RunRecord:
    """Put a dead run back in line, behind those of its key that wait already."""
    refuse_if_troubled(engine)
    if id in engine.runs.jobs or id in engine.retrying:
        raise RunError("P309", f"{id} has not ended", fix="look at it with `parti why`")
    engine.retrying.add(id)  # from before the store is read: what it says may be old once another retry has run
    return await engine.see_through(_retry(engine, id))


async def _retry(engine: Engine, id: str) -> RunRecord:
    try:
        return await _start_again(engine, id)
    finally:
        engine.retrying.discard(id)


async def _start_again(engine: Engine, id: str) -> RunRecord:
    async with engine.forgetting:
        pass  # from here on it is in `retrying`, and nothing is forgotten
    await engine.commits.durable()  # what has ended is on record then, and not only in memory
    record = await engine.store.run(id)
    if record is None:
        raise RunError("P308", f"there is no run {id!r}", fix="list them with `parti runs`")
    runner = runner_of(engine, record.part)
    record, _ = advance(record, Retried(retry_of(runner)))
    await _note_retry(engine, record)
    job = Job(runner, record, lane_of(runner, record, engine.design.groups[runner.name]), engine.clock.now())
    job.stored = True
    subscription = engine.runs.subscriptions.get(record.part) if record.topic else None
    if subscription:
        subscription.loaded += 1
    follow(engine, job)
    engine.runs.enter(job)
    return job.record


async def _note_retry(engine: Engine, record: RunRecord) -> None:
    """Journal that the run starts again, before it does."""
    now = engine.clock.now()
    entry = encode(Kind.RETRY, "", record.part, "", record.attempt, now, 0.0, b"null", b"null", {})
    engine.commits.batch.entries.append((record.id, chunk([entry])))
    engine.commits.batch.runs[record.id] = record
    engine.commits.touch(2)
    await engine.commits.durable()


def runner_of(engine: Engine, name: str) -> Runner:
    """The handler, endpoint or schedule of that name."""
    part = engine.design.by_name.get(name)
    if isinstance(part, Handler | Endpoint | Schedule):
        return part
    raise RunError("P308", f"the design has no `{name}` any more", fix="start the version of the app that has it")


async def cancel(engine: Engine, id: str) -> RunRecord:
    """End a run; what it has journaled stays."""
    refuse_if_troubled(engine)
    job = engine.runs.jobs.get(id)
    if job is None or job.record.state.ended:
        record = await engine.store.run(id)
        if record is None:
            raise RunError("P308", f"there is no run {id!r}", fix="list them with `parti runs`")
        raise RunError(
            "P309", f"{id} is {record.state.value} already", fix="only runs that have not ended can be cancelled"
        )
    end = job.wait_end()
    if job.activation:
        job.activation.unwind(Unwinding.CANCEL)
    else:
        engine.runs.drop(job)
    return await end
