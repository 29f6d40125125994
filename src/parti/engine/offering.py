"""Offering: what the tool servers of a run offer, pinned so that no list changes behind anybody's back, and calls of it.

What a run was shown is journaled by its digest; the lists themselves are notes of the store, once each. The first list of
a server is trusted and pinned; another one is refused until the program's `pin=` agrees to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from parti.design.tool_server import Offered, ToolServer, digest_of
from parti.engine.services import Services, log
from parti.engine.steps import as_answer, as_failure, counted, rewind
from parti.errors import DeclarationError, ServerUnreached, StepFailed, StoreError
from parti.journal.entries import Kind
from parti.journal.identity import step_digest
from parti.ports.tool_server import Offer, Reply, ServerFailure, ToolServers

if TYPE_CHECKING:
    from parti.engine.context import RunContext

KIND = "parti.ServerFailure"


async def offer(context: RunContext, server: ToolServer) -> tuple[Offered, ...]:
    """See ports.context.Context. Journaled as a reading: a person's retry of the run looks anew."""
    run, services = context.run, context.run.services
    digest = step_digest(to_json(["tools", server.name]))
    known = run.recorded.take(context.path, server.name, digest) if run.recorded else None
    if known and known.kind == Kind.FAIL:
        raise as_failure(known.answer)
    if known:
        return await counted(context, _stored(services, server, known.answer["tools"]))  # type: ignore[no-any-return]
    started = services.clock.now()
    try:
        offered: Offer = await counted(context, _all_of(services).offer(server))
        name = await counted(context, _agreed(services, server, offered))
    except ServerFailure as failure:
        error = _failed(server, failure)
        took = services.clock.now() - started
        run.note(Kind.FAIL, context.path, server.name, digest, started, took, b"null", as_answer(error))
        raise error from failure
    answer = to_json({"tools": name, "names": [tool.name for tool in offered.tools], "refused": offered.refused})
    run.note(Kind.READ, context.path, server.name, digest, started, services.clock.now() - started, b'"tools"', answer)
    if services.replay_each:
        await rewind(context)
    return offered.tools


async def reach(services: Services, server: ToolServer, tool: Offered, arguments: dict[str, Any], key: str) -> Reply:
    """See ports.context.Context. Raises ServerUnreached where the call was not made, StepFailed where it may have been."""
    try:
        return await _all_of(services).call(server, tool, arguments, key=key)
    except ServerFailure as failure:
        raise _failed(server, failure) from failure


def _failed(server: ToolServer, failure: ServerFailure) -> StepFailed:
    kind = StepFailed if failure.sent else ServerUnreached
    return kind(failure.code, failure.what, place=server.place, fix=failure.fix, kind=KIND)


async def _agreed(services: Services, server: ToolServer, offered: Offer) -> str:
    """The digest of what is offered, when it is what was agreed to. Raises ServerFailure naming what changed."""
    digest = digest_of(offered.tools)
    first = await services.store.note(_note(server))
    known = server.pin or services.lists.get(server.name) or (first.decode() if first else "")
    if known and known != digest and server.protocol == "mcp":
        raise ServerFailure(
            f"`{server.name}` offers other tools than were agreed to: {await _change(services, server, known, offered)}",
            sent=False,
            fix=f'look at what changed, then agree with pin="{digest}"',
        )
    services.lists[server.name] = (
        digest  # nothing was awaited since it was looked up: two first lists cannot both be it
    )
    notes, commits = services.commits.batch.notes, services.commits
    if first is None or first.decode() != digest:
        log.info("`%s` offers %d tools, pinned as %s", server.name, len(offered.tools), digest)
        notes[_note(server)] = digest.encode()
        notes[_note(server, digest)] = to_json([tool.as_json() for tool in offered.tools])
        commits.touch()
    return digest


async def _change(services: Services, server: ToolServer, known: str, offered: Offer) -> str:
    """What differs between the list that was agreed to and what is offered, by the names of tools."""
    stored = await services.store.note(_note(server, known))
    if stored is None:
        return f"the pin {known} was agreed to"
    before = {tool["name"]: Offered.of_json(tool).digest for tool in from_json(stored)}
    now = {tool.name: tool.digest for tool in offered.tools}
    told = [f"`{name}` is new" for name in sorted(now.keys() - before.keys())]
    told += [f"`{name}` is gone" for name in sorted(before.keys() - now.keys())]
    told += [f"`{name}` changed" for name in sorted(now.keys() & before.keys()) if now[name] != before[name]]
    return ", ".join(told[:10]) + (f" and {len(told) - 10} more" if len(told) > 10 else "")


async def _stored(services: Services, server: ToolServer, digest: str) -> tuple[Offered, ...]:
    """A list that a run was shown before."""
    stored = services.commits.batch.notes.get(_note(server, digest)) or await services.store.note(_note(server, digest))
    if stored is None:
        await services.commits.durable()  # it is in a batch that is being written
        stored = await services.store.note(_note(server, digest))
    if stored is None:
        raise StoreError("P205", f"the list of tools {digest} of `{server.name}` is missing", fix="restore a backup")
    return tuple(Offered.of_json(tool) for tool in from_json(stored))


def _note(server: ToolServer, digest: str = "") -> str:
    return f"tools:{server.name}:{digest}" if digest else f"tools:{server.name}"


def _all_of(servers: Services) -> ToolServers:
    """The servers, or P110 where none can be reached."""
    if servers.servers is None:
        raise DeclarationError("P110", "tool servers need their clients", fix="make the engine with parti.wiring")
    return servers.servers
