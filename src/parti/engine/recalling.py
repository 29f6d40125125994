"""Recalling: the facts of a scope that are nearest to a query, and what happened to the runs of a key.

The store is the only place where facts lie: an index is made of a scope's facts for each question and thrown away, so that
nothing can be out of date and nothing takes memory. That costs about 20 µs a fact, as measured: 2 ms for 100, 20 ms for
1,000, mostly beside the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from parti.design.memory import LIMIT_MAX, Episode, Memory, Recalled
from parti.engine import facts
from parti.engine.activation import Activation
from parti.engine.facts import Fact
from parti.engine.remembering import embedded, rows_of, scope_of, with_own
from parti.engine.services import Services
from parti.engine.steps import counted, rewind
from parti.errors import DeclarationError
from parti.journal.entries import Kind, decode
from parti.journal.identity import step_digest
from parti.ports.store import RunRecord, Store

if TYPE_CHECKING:
    from parti.engine.context import RunContext

Json = dict[str, Any]

BESIDE: Final = 200
"""Facts from which on they are compared beside the event loop, in a thread."""


async def recall(context: RunContext, memory: Memory, query: str, scope: str | None, limit: int) -> list[Recalled]:
    """See ports.context.Context."""
    run = context.run
    where = scope_of(run, memory, scope)
    body = to_json(["recall", where, query, bounded(limit)])

    async def look() -> list[Json]:
        stored = await rows_of(run.services, memory, run.record.tenant, where)
        rows = with_own(run, memory, where, stored)
        found, again = await nearest(run.services, memory, run.record.tenant, rows, query, bounded(limit))
        _keep(run, memory, where, again)
        return found

    return [recalled(one) for one in await _journaled(context, memory, body, look)]


async def episodes(context: RunContext, memory: Memory, scope: str | None, limit: int) -> list[Episode]:
    """See ports.context.Context."""
    run = context.run
    where = scope_of(run, memory, scope)
    body = to_json(["episodes", where, bounded(limit)])

    async def look() -> list[Json]:
        return await happened(run.services.store, run.record.tenant, where, bounded(limit), but=run.record.id)

    return [episode(one) for one in await _journaled(context, memory, body, look)]


async def _journaled(context: RunContext, memory: Memory, body: bytes, look: Any) -> list[Json]:
    """What `look` finds, as it was found the first time.

    What an agent was shown is kept like an answer, so that its turns, which are paid, fit it also when a person retries the
    run; what a handler looked up is looked up anew then, like rows.
    """
    run, digest = context.run, step_digest(body)
    known = run.recorded.take(context.path, memory.name, digest) if run.recorded else None
    if known:
        return list(known.answer)
    started = run.services.clock.now()
    found: list[Json] = await counted(context, look())
    kind = Kind.STEP if "/" in context.path else Kind.READ
    took = run.services.clock.now() - started
    run.note(kind, context.path, memory.name, digest, started, took, body, to_json(found))
    if run.services.replay_each:
        await rewind(context)
    return list(from_json(to_json(found)))


async def nearest(
    services: Services, memory: Memory, tenant: str, rows: Sequence[tuple[str, bytes]], query: str, limit: int
) -> tuple[list[Json], list[tuple[str, Fact]]]:
    """The facts nearest to `query`, best first; and those that were embedded again, by key."""
    since = "" if memory.retain is None else facts.id_of(services.clock.now() - memory.retain, "")
    aside = services.offload if len(rows) > BESIDE else _here
    there: dict[str, Fact] = await aside(_unpacked, rows, since)
    if not there:
        return [], []
    if services.nearest is None:
        raise DeclarationError(
            "P110", "memories need a vector index", fix="make the engine with parti.wiring.new_engine"
        )
    by, (wanted,) = await embedded(services, [query])
    fresh = await _of_one_embedder(services, (facts.table_of(memory), tenant), there, by)
    vectors = {key: fact.vector for key, fact in {**there, **fresh}.items()}
    found = await aside(services.nearest, wanted, vectors, limit)
    return [_shown(there[one.key], one.similarity) for one in found], list(fresh.items())


def _unpacked(rows: Sequence[tuple[str, bytes]], since: str) -> dict[str, Fact]:
    """The facts that are not too old, by key."""
    found = ((key, key.rpartition("/")[2], row) for key, row in rows)
    return {key: facts.unpack(id, row) for key, id, row in found if id >= since}


async def _here(function: Callable[..., Any], *arguments: Any) -> Any:
    """Few facts are compared on the event loop: a thread would cost more."""
    return function(*arguments)


async def _of_one_embedder(
    services: Services, table: tuple[str, str], there: dict[str, Fact], by: str
) -> dict[str, Fact]:
    """Those facts that another embedder had embedded, embedded again: vectors of two embedders cannot be compared."""
    others = [key for key, fact in there.items() if fact.by != by]
    known = {key: vector for key in others if (vector := services.again.get((*table, key), by)) is not None}
    lacking = [key for key in others if key not in known]
    if lacking:
        _, vectors = await embedded(services, [there[key].text for key in lacking])
        for key, vector in zip(lacking, vectors, strict=True):
            services.again.put((*table, key), by, vector)
            known[key] = vector
    return {key: there[key]._replace(by=by, vector=vector) for key, vector in known.items()}


def _keep(run: Activation, memory: Memory, scope: str, again: Iterable[tuple[str, Fact]]) -> None:
    """Write new vectors with the run, where no other run can have forgotten the facts meanwhile."""
    if memory.shared or scope != run.key or f"writes {memory.name}" not in run.allowed:
        return
    for key, fact in again:
        run.rows.setdefault((facts.table_of(memory), run.record.tenant, key), facts.pack(fact))


async def happened(store: Store, tenant: str, key: str, limit: int, *, but: str = "") -> list[Json]:
    """The latest runs of a key, latest first, `but` one, each with what its journal says it did."""
    runs = [run for run in await store.runs(of=(tenant, key), limit=limit + 1) if run.id != but]
    return [await _told(store, run) for run in runs[:limit]]


async def _told(store: Store, run: RunRecord) -> Json:
    entries = [entry for row in await store.journal(run.id) for entry in decode(row.body)]
    did = [e.part for e in entries if e.kind == Kind.DONE or (e.kind == Kind.STEP and "/" not in e.branch)]
    return {
        "run": run.id,
        "part": run.part,
        "at": run.created,
        "state": str(run.state),
        "did": did,
        "result": from_json(run.result) if run.result else None,
        "error": from_json(run.error)["error"] if run.error else "",
    }


def bounded(limit: int) -> int:
    """So many are answered: from 1 to 100."""
    return max(1, min(limit, LIMIT_MAX))


def recalled(one: Json) -> Recalled:
    """A fact as a program sees it."""
    return Recalled(one["text"], one["similarity"], _moment(facts.time_of(one["id"])), one["about"], one["id"])


def episode(one: Json) -> Episode:
    """An episode as a program sees it."""
    return Episode(**{**one, "at": _moment(one["at"]), "did": tuple(one["did"])})


def _shown(fact: Fact, similarity: float) -> Json:
    return {"id": fact.id, "text": fact.text, "about": fact.about, "similarity": similarity}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
