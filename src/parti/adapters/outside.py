"""Large bodies lie outside their records: the record keeps a reference, and the body is a blob named by its hash.

A reference is a zero byte, which no JSON begins with, and the SHA-256 of the body. Chains and checksums cover the
reference, and so the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, NamedTuple

from parti.adapters.chain import Sealed
from parti.ports.store import OUTSIDE_FROM, Batch, RunRecord

MARK: Final = b"\x00"
_REFERENCE: Final = 33
_NAME: Final = re.compile(rb'"([0-9a-f]{64})"')


class Use(NamedTuple):
    """That a record refers to a blob. `kind` is "run", "event", "row", "model" or "kept"; `owner` names the record."""

    kind: str
    owner: str
    digest: str


def digest_in(body: bytes) -> str | None:
    """The name of the blob that `body` refers to; None when it is a body itself."""
    return body[1:].hex() if body[:1] == MARK and len(body) == _REFERENCE else None


@dataclass(slots=True)
class Outsourced:
    """A batch whose large bodies lie in its blobs. `events` are the digests of payloads by their index in the batch."""

    batch: Batch
    uses: list[Use]
    events: dict[int, str]

    def of(self, sealed: Sealed) -> list[Use]:
        """Every use, also those of events, which have their offsets by now."""
        return self.uses + [
            Use("event", event_owner(*self.batch.events[index][:2], sealed.events[index][0]), digest)
            for index, digest in self.events.items()
        ]


def outsource(batch: Batch) -> Outsourced:
    """`batch` with references in place of large bodies; itself when it has none. About 50 ns a record."""
    events = [index for index, event in enumerate(batch.events) if len(event.payload) > OUTSIDE_FROM]
    runs = [run for run in batch.runs.values() if _is_large(run)]
    rows = [place for place, row in batch.rows.items() if row is not None and len(row) > OUTSIDE_FROM]
    named = [Use("model", f"{version.model} {version.version}", version.blob) for version in batch.models]
    uses = _with_kept(batch, named + _journaled(batch)) if batch.blobs else named
    if not (events or runs or rows):
        return Outsourced(batch, uses, {})
    blobs = dict(batch.blobs)
    new_events, new_runs, new_rows = list(batch.events), dict(batch.runs), dict(batch.rows)
    digests = {}
    for index in events:
        reference, digests[index] = _put(batch.events[index].payload, blobs)
        new_events[index] = batch.events[index]._replace(payload=reference)
    for run in runs:
        new_runs[run.id], used = _refer(run, blobs)
        uses += used
    for place in rows:
        row = batch.rows[place]
        assert row is not None
        new_rows[place], digest = _put(row, blobs)
        uses.append(Use("row", row_owner(place), digest))
    return Outsourced(replace(batch, events=new_events, runs=new_runs, rows=new_rows, blobs=blobs), uses, digests)


def event_owner(topic: str, partition: int, offset: int) -> str:
    """How an event is named among the users of blobs; names of one stream sort by offset."""
    return f"{topic}/{partition}/{offset:016d}"


def row_owner(place: tuple[str, str, str]) -> str:
    """How a row is named among the users of blobs."""
    return json.dumps(place)


def references(bodies: Iterable[bytes]) -> set[str]:
    """The blobs that bodies refer to."""
    return {digest for body in bodies if (digest := digest_in(body)) is not None}


def _is_large(run: RunRecord) -> bool:
    return len(run.arguments) > OUTSIDE_FROM or len(run.result) > OUTSIDE_FROM or len(run.error) > OUTSIDE_FROM


def _refer(run: RunRecord, blobs: dict[str, bytes]) -> tuple[RunRecord, list[Use]]:
    uses: list[Use] = []

    def short(body: bytes) -> bytes:
        if len(body) <= OUTSIDE_FROM:
            return body
        reference, digest = _put(body, blobs)
        uses.append(Use("run", run.id, digest))
        return reference

    return run._replace(arguments=short(run.arguments), result=short(run.result), error=short(run.error)), uses


def _put(body: bytes, blobs: dict[str, bytes]) -> tuple[bytes, str]:
    digest = sha256(body)
    blobs[digest.hexdigest()] = body
    return MARK + digest.digest(), digest.hexdigest()


def _journaled(batch: Batch) -> list[Use]:
    """The blobs that journal entries name; a name that stands there by chance merely keeps a blob longer."""
    return [
        Use("run", run, digest)
        for run, body in (batch.entries if batch.blobs else ())
        for digest in dict.fromkeys(names_in(body))
        if digest in batch.blobs
    ]


def names_in(body: bytes) -> list[str]:
    """What may be names of blobs in a row of the journal: every text of 64 hex digits."""
    return [name.decode() for name in _NAME.findall(body)]


def _with_kept(batch: Batch, uses: list[Use]) -> list[Use]:
    """The uses, and one for ever of each blob that nothing in the batch refers to."""
    return uses + [Use("kept", "", digest) for digest in batch.blobs.keys() - {use.digest for use in uses}]
