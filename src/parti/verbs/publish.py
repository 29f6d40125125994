"""Publishing events from the command line: in chunks, each stored wholly or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

from pydantic_core import from_json

from parti.design.topic import Topic
from parti.engine.loop import Engine
from parti.errors import Overloaded, PartiError, PayloadError, UsageError
from parti.ports.operations import Published
from parti.verbs.lines import Line, bad_line, read_input
from parti.verbs.target import Target
from parti.wiring import Remote, SystemClock

CHUNK_LINES: Final = 500
CHUNK_BYTES: Final = 4 * 1024 * 1024
OFFERS: Final = 60
"""How often a chunk is offered to a running system that is full, before giving up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """`skip_bad` goes on past bad lines, `once` leaves out lines of this file that were published before it, and
    `start` is the first line to publish."""

    skip_bad: bool = False
    once: bool = False
    start: int = 1
    tenant: str = "main"


@dataclass(slots=True)
class Publication:
    """What became of the lines. `repeated` ones were there from an earlier time; `refused` ones were skipped."""

    topic: str
    published: int = 0
    repeated: int = 0
    refused: list[PayloadError] = field(default_factory=list)


async def publish(
    target: Target,
    topic: str,
    what: str,
    *,
    stream: Iterable[bytes],
    how: How,
    token: str = "",
    tell: Callable[[Publication], None] = lambda _: None,
) -> Publication:
    """Publish the events of `what` (see `read_input`); `tell` is called after each chunk.

    A bad line (P402, P405) ends it: all lines before are stored, and the error says how many. Raises P308 for an unknown
    topic, P503 when the topic stays full.
    """
    part = target.design.get(Topic, topic)
    given = read_input(what, stream, part.payload)
    file = _identity(given.path) if how.once else ""
    known = await _known(target, f"published:{how.tenant}:{topic}:{file}:") if how.once else []
    lines = (_checked(line, part, given.name) for line in given.lines if line.number >= how.start)
    done = Publication(topic)
    async with target.changing(token) as system:
        try:
            for chunk in _chunks(lines, how, known, done):
                key = f"{file}:{chunk[0].number}-{chunk[-1].number}" if file else ""
                await _offer(system, topic, chunk, how.tenant, key)
                done.published += len(chunk)
                tell(done)
        except PartiError as wrong:
            raise _told(wrong, done, how) from wrong
    return done


def _checked(line: Line, part: Topic, name: str) -> Line:
    """The line, with what is wrong with it."""
    if line.wrong is not None:
        return line
    try:
        from_json(line.body, allow_inf_nan=False)
        part.payload.decode(line.body)
    except PayloadError as misfit:
        return replace(line, wrong=PayloadError(misfit.code, misfit.what, place=f"{name}:{line.number}"))
    except ValueError as wrong:
        return replace(line, wrong=bad_line(name, line.number, f"this is not JSON: {wrong}"))
    return line


def _chunks(lines: Iterable[Line], how: How, known: list[range], done: Publication) -> Iterator[list[Line]]:
    """Good lines in chunks. A bad one is raised after those before it; chunks that must be known again have no gaps."""
    chunk: list[Line] = []
    size = 0
    for line in lines:
        repeated = any(line.number in span for span in known)
        gap = repeated or line.wrong is not None
        full = len(chunk) == CHUNK_LINES or size + len(line.body) > CHUNK_BYTES
        if chunk and (full or (gap and (how.once or not how.skip_bad))):
            yield chunk
            chunk, size = [], 0
        if repeated:
            done.repeated += 1
        elif line.wrong is None:
            chunk.append(line)
            size += len(line.body)
        elif how.skip_bad:
            done.refused.append(line.wrong)
        else:
            raise line.wrong
    if chunk:
        yield chunk


async def _offer(system: Engine | Remote, topic: str, chunk: list[Line], tenant: str, key: str) -> Published:
    """Publish a chunk; a running system that is full is given time to work."""
    payloads = [line.body for line in chunk]
    clock = SystemClock()
    for _ in range(OFFERS if isinstance(system, Remote) else 0):
        try:
            return await system.publish(topic, payloads, tenant=tenant, idempotency_key=key)
        except Overloaded as full:
            await clock.wait(full.retry_after)
    return await system.publish(topic, payloads, tenant=tenant, idempotency_key=key)


def _identity(path: Path | None) -> str:
    """A short name for a file: lines of it that were published are known by it."""
    if path is None:
        raise UsageError(
            "P504", "--once needs a file, whose lines can be known again", fix="write the events to a file"
        )
    return "file-" + blake2b(str(path.resolve()).encode(), digest_size=8).hexdigest()


async def _known(target: Target, prefix: str) -> list[range]:
    """The lines that the store says were published under keys that begin so."""
    if not target.path.exists():
        return []
    async with target.reading() as store:
        spans = [note.removeprefix(prefix).split("-") for note in await store.notes(prefix)]
    return [range(int(first), int(last) + 1) for first, last in spans]


def _told(wrong: PartiError, done: Publication, how: How) -> PartiError:
    """The error that ended it, with how far it came."""
    if isinstance(wrong, PayloadError) and wrong.place:
        again = "run it again" if how.once else f"go on with `--from {str(wrong.place).rpartition(':')[2]}`"
        wrong.fix = f"mend the line and {again}, or leave bad lines out with `--skip-bad`"
    if done.published or isinstance(wrong, PayloadError):
        wrong.what += f" ({done.published} before it {'is' if done.published == 1 else 'are'} stored)"
        wrong.args = (wrong.what,)
    return wrong
