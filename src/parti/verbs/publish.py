"""Publishing events from the command line: in chunks, each stored wholly or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic_core import from_json

from parti.design.topic import Topic
from parti.engine.loop import Engine
from parti.errors import Overloaded, PartiError, PayloadError, UsageError
from parti.ports.operations import Published
from parti.verbs.lines import Input, Line, bad_line, read_input
from parti.verbs.target import Target
from parti.wiring import Remote, SystemClock

CHUNK_LINES: Final = 500
CHUNK_BYTES: Final = 4 * 1024 * 1024
OFFERS: Final = 60
"""How often a chunk is offered to a running system that is full, before giving up."""

Known = dict[int, list[tuple[int, str]]]
"""Chunks that were published: by the number of their first line, that of their last one and the digest of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """`skip_bad` goes on past bad lines, `once` leaves out chunks of this file that were published before, and
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
    with closing(read_input(what, stream, part.payload)) as given:
        return await _publish(target, part, given, how, token, tell)


async def _publish(
    target: Target, part: Topic, given: Input, how: How, token: str, tell: Callable[[Publication], None]
) -> Publication:
    topic = part.name
    file = _identity(given.path) if how.once else ""
    known = await _known(target, f"published:{how.tenant}:{topic}:{file}:") if how.once else {}
    done = Publication(topic)
    left = _unpublished(iter(given.lines), known, done)
    lines = (line and _checked(line, part, given.name) for line in left if line is None or line.number >= how.start)
    async with target.changing(token) as system:
        try:
            for chunk in _chunks(lines, how, done):
                key = f"{file}:{chunk[0].number}-{chunk[-1].number}-{_digest(chunk)}" if file else ""
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


def _unpublished(lines: Iterator[Line], known: Known, done: Publication) -> Iterator[Line | None]:
    """The lines that no chunk from an earlier time holds; None stands where one was left out.

    A chunk is known again by where it lay and by all that it held. So the borders of today's chunks do not matter, and
    a line that was changed makes its chunk a new one.
    """
    ahead: deque[Line] = deque()
    while True:
        ahead.extend(() if ahead else islice(lines, 1))
        if not ahead:
            return
        repeated = _repeated(ahead, lines, known)
        if repeated:
            done.repeated += repeated
            ahead = deque(islice(ahead, repeated, None))
            yield None
        else:
            yield ahead.popleft()


def _repeated(ahead: deque[Line], lines: Iterator[Line], known: Known) -> int:
    """How many of the lines ahead are a known chunk. Reads on in `lines` as far as the longest such chunk goes."""
    for last, digest in known.get(ahead[0].number, ()):
        while ahead[-1].number < last and (more := next(lines, None)):
            ahead.append(more)
        chunk = [line for line in ahead if line.number <= last]
        if _digest(chunk) == digest:
            return len(chunk)
    return 0


def _chunks(lines: Iterable[Line | None], how: How, done: Publication) -> Iterator[list[Line]]:
    """Good lines in chunks. A bad one is raised after those before it; chunks that must be known again have no gaps."""
    chunk: list[Line] = []
    size = 0
    for line in lines:
        gap = line is None or line.wrong is not None
        full = len(chunk) == CHUNK_LINES or (line is not None and size + len(line.body) > CHUNK_BYTES)
        if chunk and (full or (gap and (how.once or not how.skip_bad))):
            yield chunk
            chunk, size = [], 0
        if line is None:
            continue
        if line.wrong is None:
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
    """A short name for a file: chunks of it that were published are known by it, their place and their content."""
    if path is None:
        raise UsageError(
            "P504", "--once needs a file, whose lines can be known again", fix="write the events to a file"
        )
    return "file-" + blake2b(str(path.resolve()).encode(), digest_size=8).hexdigest()


def _digest(chunk: Iterable[Line]) -> str:
    digest = blake2b(digest_size=16)
    for line in chunk:
        digest.update(line.body + b"\n")
    return digest.hexdigest()


async def _known(target: Target, prefix: str) -> Known:
    """The chunks that the store says were published under keys that begin so."""
    known: Known = {}
    if target.path.exists():
        async with target.reading() as store:
            for note in await store.notes(prefix):
                first, last, digest = note.removeprefix(prefix).split("-")
                known.setdefault(int(first), []).append((int(last), digest))
    return known


def _told(wrong: PartiError, done: Publication, how: How) -> PartiError:
    """The error that ended it, with how far it came."""
    if isinstance(wrong, PayloadError) and wrong.place:
        again = "run it again" if how.once else f"go on with `--from {str(wrong.place).rpartition(':')[2]}`"
        wrong.fix = f"mend the line and {again}, or leave bad lines out with `--skip-bad`"
    if done.published or isinstance(wrong, PayloadError):
        wrong.what += f" ({done.published} before it {'is' if done.published == 1 else 'are'} stored)"
        wrong.args = (wrong.what,)
    return wrong
