"""Remembering and forgetting: facts are rows of the run, journaled when they are made, so that a replay makes the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from parti.design.memory import Memory
from parti.engine import facts
from parti.engine.accounts import is_under
from parti.engine.activation import Activation
from parti.engine.facts import Fact
from parti.engine.services import Services
from parti.engine.steps import as_answer, as_failure, counted, rewind
from parti.errors import DeclarationError, PayloadError, RunError, StepFailed
from parti.journal.entries import Entry, Kind
from parti.journal.identity import step_digest

if TYPE_CHECKING:
    from parti.engine.context import RunContext

PAGE: Final = 64
"""Rows that are read of a scope at first; each further page is four times as large."""


async def remember(context: RunContext, memory: Memory, text: str, scope: str | None, about: Mapping[str, Any]) -> str:
    """See ports.context.Context."""
    run = context.run
    _refuse_inside(context, f"remembering in `{memory.name}`")
    where = scope_of(run, memory, scope)
    body = _checked(memory, where, text, about)
    name = step_digest(f"{run.record.id} {context.question(memory.name, body.decode())}".encode())
    digest = step_digest(body)
    known = run.recorded.take(context.path, memory.name, digest) if run.recorded else None
    if known:
        return _again(run, memory, known)
    started = run.services.clock.now()
    by, (vector,) = await counted(context, embedded(run.services, [text]))
    stored = await counted(context, rows_of(run.services, memory, run.record.tenant, where))
    there = [key for key, _ in with_own(run, memory, where, stored)]  # nothing is awaited from here on
    if len(there) >= memory.facts and memory.when_full == "refuse":
        failure = _full(memory, where)
        run.note(Kind.FAIL, context.path, memory.name, digest, started, 0.0, body, as_answer(failure))
        raise failure
    now = round(run.services.clock.now(), 6)
    id = facts.id_of(now, name)
    row = facts.pack(Fact(id, text, dict(from_json(body)[3]), by, vector))
    gone = there[: max(0, len(there) + 1 - memory.facts)]
    _note(context, memory, digest, started, body, facts.prefix_of(where) + id, row, gone)
    if run.services.replay_each:
        await rewind(context)
    return id


async def forget(context: RunContext, memory: Memory, scope: str | None, id: str | None) -> int:
    """See ports.context.Context."""
    run = context.run
    _refuse_inside(context, f"forgetting in `{memory.name}`")
    where = scope_of(run, memory, scope)
    body = to_json(["forget", where, id])
    digest = step_digest(body)
    known = run.recorded.take(context.path, memory.name, digest) if run.recorded else None
    if known:
        _again(run, memory, known)
        return len(known.answer["gone"])
    started = run.services.clock.now()
    stored = await counted(context, rows_of(run.services, memory, run.record.tenant, where))
    there = [key for key, _ in with_own(run, memory, where, stored)]
    gone = [key for key in there if id is None or key == facts.prefix_of(where) + id]
    _note(context, memory, digest, started, body, "", b"null", gone)
    if run.services.replay_each:
        await rewind(context)
    return len(gone)


def restore(inside: RunContext, parts: Mapping[str, Any]) -> None:
    """What an agent remembered, once more: its work is answered from the journal, and commits with this attempt."""
    run = inside.run
    for entry in run.recorded.memories if run.recorded else ():
        memory = parts.get(entry.part)
        if is_under(entry.branch, inside.path) and isinstance(memory, Memory):
            _apply(run, memory, entry)


def scope_of(run: Activation, memory: Memory, scope: str | None) -> str:
    """The scope that a run means. Raises P305 unless it is its own key, or the memory is shared."""
    if scope is None or scope == run.key:
        if run.key or (memory.shared and scope is not None):
            return run.key
        said, fix = f"{run.record.id} has no key, which is the scope of what it remembers", "add key= to the endpoint"
    elif memory.shared:
        return scope
    else:
        said = f"{run.record.id} has the key {run.key!r} and means the scope {scope!r} of `{memory.name}`"
        fix = "leave scope= out, publish an event for others, or declare the memory with shared=True"
    raise RunError("P305", said, place=run.runner.place, fix=fix)


async def rows_of(services: Services, memory: Memory, tenant: str, scope: str) -> list[tuple[str, bytes]]:
    """The committed facts of a scope, oldest first, by key; also those that are too old."""
    found: list[tuple[str, bytes]] = []
    prefix, after, page = facts.prefix_of(scope), facts.prefix_of(scope), PAGE
    while True:
        rows = await services.store.rows(facts.table_of(memory), tenant, after=after, limit=page)
        own = [row for row in rows if row[0].startswith(prefix)]
        found += own
        if len(own) < page:
            return found
        after, page = own[-1][0], page * 4


def with_own(
    run: Activation, memory: Memory, scope: str, stored: Sequence[tuple[str, bytes]]
) -> list[tuple[str, bytes]]:
    """The facts of a scope as the run sees them: those of runs that ended before it, and its own."""
    table, tenant, prefix = facts.table_of(memory), run.record.tenant, facts.prefix_of(scope)
    merged: dict[str, bytes | None] = dict(stored)
    merged.update(run.services.overlay.of_table(table, tenant))
    merged.update({place[2]: row for place, row in run.rows.items() if place[:2] == (table, tenant)})
    return [(key, row) for key, row in sorted(merged.items()) if row is not None and key.startswith(prefix)]


async def embedded(services: Services, texts: Sequence[str]) -> tuple[str, list[bytes]]:
    """The name of the embedder, and a vector for each text. Raises P110 where nothing can embed."""
    embedder = services.embedder
    if embedder is None:
        raise DeclarationError("P110", "memories need an embedder", fix="make the engine with parti.wiring.new_engine")
    vectors = await embedder.embed(texts)
    return embedder.name, [row.astype("<f2").tobytes() for row in vectors]


def _note(
    context: RunContext, memory: Memory, digest: str, started: float, body: bytes, key: str, row: bytes, gone: list[str]
) -> None:
    """Journal what changes, and change it."""
    run = context.run
    answer = b'{"key":%b,"row":%b,"gone":%b}' % (to_json(key), row, to_json(gone))
    took = run.services.clock.now() - started
    run.note(Kind.MEMORY, context.path, memory.name, digest, started, took, body, answer)
    _put(run, memory, key, row, gone)


def _again(run: Activation, memory: Memory, known: Entry) -> str:
    """The id of a fact out of the journal, which is made the run's own once more."""
    if known.kind == Kind.FAIL:
        raise as_failure(known.answer)
    _apply(run, memory, known)
    return str(known.answer["key"]).rpartition("/")[2]


def _apply(run: Activation, memory: Memory, entry: Entry) -> None:
    _put(run, memory, entry.answer["key"], to_json(entry.answer["row"]), entry.answer["gone"])


def _put(run: Activation, memory: Memory, key: str, row: bytes, gone: Sequence[str]) -> None:
    table, tenant = facts.table_of(memory), run.record.tenant
    for old in gone:
        run.rows[table, tenant, old] = None
    if key:
        run.rows[table, tenant, key] = row


def _refuse_inside(context: RunContext, what: str) -> None:
    """A tool or step that answered is not called again: what it remembered would be lost in a replay."""
    if context.called:
        raise RunError("P301", f"{what} is for handlers and agents", fix="do it outside of the tool or step")


def _checked(memory: Memory, scope: str, text: str, about: Mapping[str, Any]) -> bytes:
    """The fact as JSON. Raises P401 where it cannot be, P402 when there is none, P404 when it is too long."""
    try:
        body = to_json(["remember", scope, text, dict(about)])
    except (ValueError, TypeError) as wrong:
        raise PayloadError(
            "P401",
            f"`{memory.name}` cannot keep this: {wrong}",
            place=memory.place,
            fix="remember text and plain values",
        ) from wrong
    if not isinstance(text, str) or not text.strip():
        raise PayloadError("P402", f"there is nothing to remember in `{memory.name}`", place=memory.place, fix="say it")
    length = len(text) + (len(to_json(dict(about))) if about else 0)
    if length > memory.characters:
        raise PayloadError(
            "P404",
            f"a fact of `{memory.name}` has {length:,} characters, at most {memory.characters:,} are kept",
            place=memory.place,
            fix="remember less at once, or raise characters=",
        )
    return body


def _full(memory: Memory, scope: str) -> StepFailed:
    return StepFailed(
        "P313",
        f"`{memory.name}` holds {memory.facts:,} facts under {scope!r}",
        place=memory.place,
        fix='forget some, raise facts=, or declare when_full="oldest goes"',
    )
