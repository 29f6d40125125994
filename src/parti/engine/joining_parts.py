"""Entries of a journal joined with the parts of a newer design: each must be found, known by the same name, and readable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from parti.design.agent import Agent
from parti.design.function import Function
from parti.design.model import Model
from parti.design.payload import Payload
from parti.design.sketch import PartSketch
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.engine.rows import unpack_row
from parti.engine.verdicts import Concern, Verdict
from parti.errors import PartiError, PayloadError
from parti.journal.entries import Entry, Kind
from parti.journal.identity import orderless, step_digest

if TYPE_CHECKING:
    from parti.engine.joining import Join

FINISH: Final = "let the old code finish this run, or keep the old part beside the new one until it has ended"


def of_asked(join: Join, runner: PartSketch, entry: Entry, number: int) -> Iterator[Concern]:
    """A step, reading or failure: is its part still there and used, is it known by the same arguments, can it be read?"""
    name = entry.part
    if name.startswith("session:"):
        agent = join.design.by_name.get(name.partition(":")[2])
        if not (isinstance(agent, Agent) and agent.sessions):
            yield _pin(join, entry, number, f"`{name.partition(':')[2]}` keeps no session any more")
        return
    missing = _missing(join, runner, entry, number)
    if missing:
        yield missing
        return
    part = join.design.by_name.get(name)
    if isinstance(part, Step | Tool):
        if isinstance(part, Tool) and part.effect == "write" and entry.kind == Kind.STEP:
            yield _pin(join, entry, number, f"`{name}` is a write now: it would be made anew")
        yield from _function(join, part.function, entry, number)
    elif isinstance(part, Model):
        yield from _features(join, part, entry, number)
    elif isinstance(part, Table):
        yield from _rows(join, part, entry, number)
    elif isinstance(part, Agent) and entry.kind == Kind.STEP and entry.answer.get("reason") == "done":
        yield from _read(join, part.output, entry.answer.get("output"), entry, number)


def of_write(join: Join, runner: PartSketch, entry: Entry, number: int, intent: Entry) -> Iterator[Concern]:
    """A write: is its tool still there, still a write, and known by the same key and arguments?"""
    missing = _missing(join, runner, entry, number)
    if missing:
        yield missing
        return
    part = join.design.by_name.get(entry.part)
    if not isinstance(part, Tool):
        return
    if part.effect != "write" or part.key is None:
        yield _pin(join, entry, number, f"`{part.name}` is no write any more: its answer would be asked anew")
        return
    whole = entry._replace(arguments=intent.arguments)
    yield from _function(join, part.function, whole, number)
    key = _key(part, whole)
    if key is not None and key != entry.branch:
        why = f"`{part.name}` would be made again, under the key {key!r} instead of {entry.branch!r}"
        yield _pin(join, entry, number, why)


def _key(tool: Tool, entry: Entry) -> str | None:
    """The idempotency key of a journaled call by today's declaration; None where that cannot be told."""
    try:
        arguments = tool.function.arguments.decode(to_json(entry.arguments))
        return tool.function.value_at(tool.key or "", arguments)
    except (PayloadError, AttributeError, KeyError, IndexError, ValueError):
        return None


def _missing(join: Join, runner: PartSketch, entry: Entry, number: int) -> Concern | None:
    """Why the part of an entry would not be used again; None where it may be."""
    name = entry.part
    before, now = join.old.parts.get(name), join.new.parts.get(name)
    held = f"it is in doubt about a write of `{name}`" if entry.kind == Kind.INTENT else f"its journal holds `{name}`"
    if now is None:
        if name == "now" or (before is None and _of_server(join, name)):
            return None
        renamed = join.changes.new_name(name)
        called = f" (it is called `{renamed}` now)" if renamed else ""
        return _pin(join, entry, number, f"{held}, which is gone{called}")
    if before is not None and before.kind != now.kind:
        return _pin(join, entry, number, f"`{name}` was a {before.kind}, and is a {now.kind} now")
    if name in join.new.used_by(runner.name):
        return None
    if runner.name in join.new.unseen or name not in join.old.used_by(runner.name):
        why = f"{held}, and whether `{runner.name}` still uses it cannot be read"
        return Concern(Verdict.UNKNOWN, name, why, now.place, "replay it", number)
    return _pin(join, entry, number, f"{held}, which `{runner.name}` does not use any more")


def _of_server(join: Join, name: str) -> bool:
    """Whether it may be a tool of a tool server, which no design knows."""
    return any(name.startswith(server.name) for server in join.new.of_kind("toolserver"))


def _function(join: Join, function: Function, entry: Entry, number: int) -> Iterator[Concern]:
    if _type(join, entry.part, "arguments") != function.arguments.digest:
        digest = _digest(function.arguments, entry.arguments, orders=not function.has_sets)
        if digest != entry.digest:
            why = f"`{entry.part}` takes other arguments now: what is journaled of it would not be found"
            yield _pin(join, entry, number, why)
    if entry.kind in (Kind.STEP, Kind.DONE):
        yield from _read(join, function.returns, entry.answer, entry, number)


def _features(join: Join, model: Model, entry: Entry, number: int) -> Iterator[Concern]:
    if _type(join, model.name, "inputs") != model.inputs.digest:
        explained = isinstance(entry.answer, list) and isinstance(entry.arguments, list) and len(entry.arguments) == 2
        features, rest = (entry.arguments[0], b",%d]" % entry.arguments[1]) if explained else (entry.arguments, b"")
        body = _body(model.inputs, features)
        digest = body and step_digest(b"[%b%b" % (body, rest) if explained else body)
        if digest != entry.digest:
            yield _pin(join, entry, number, f"`{model.name}` takes other inputs now: it would be asked anew")
    if entry.kind == Kind.STEP and not isinstance(entry.answer, list):
        yield from _read(join, model.output, entry.answer, entry, number)


def _rows(join: Join, table: Table, entry: Entry, number: int) -> Iterator[Concern]:
    unread = join.unread(table, number)
    if unread:
        yield unread
        return
    one = entry.answer and isinstance(entry.answer[0], str)
    for row in [entry.answer] if one else entry.answer or []:
        try:
            unpack_row(table, to_json(row))
        except PartiError as wrong:
            why = f"a row of `{table.name}` that it has read cannot be read any more: {wrong.what}"
            yield Concern(Verdict.REFUSE, table.name, why, table.place, "let upcast= make a valid row of it", number)
            return


def _read(join: Join, payload: Payload, answer: Any, entry: Entry, number: int) -> Iterator[Concern]:
    try:
        payload.decode(to_json(answer))
    except PayloadError as wrong:
        why = f"the answer of `{entry.part}` in its journal cannot be read: {wrong.what}"
        fix = "give the field a default, or keep its type"
        yield Concern(Verdict.REFUSE, entry.part, why, join.place(entry.part), fix, number)


def _type(join: Join, name: str, fact: str) -> str:
    """The digest of a type in the old design; "" where there was none."""
    part = join.old.parts.get(name)
    facts = part.facts if part else {}
    return str(((facts.get("function") or facts).get(fact) or {}).get("digest", ""))


def _digest(payload: Payload, arguments: Any, *, orders: bool) -> str:
    body = _body(payload, arguments)
    return step_digest(body if orders else orderless(body)) if body else ""


def _body(payload: Payload, value: Any) -> bytes:
    """A journaled value as it would be journaled now; b"" where it cannot be read."""
    try:
        return payload.encode(payload.decode(to_json(value)))
    except PayloadError:
        return b""


def _pin(join: Join, entry: Entry, number: int, why: str) -> Concern:
    return Concern(Verdict.PIN, entry.part, why, join.place(entry.part), FINISH, number)
