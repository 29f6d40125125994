"""The virtual disk: what is durable in a virtual world, shared by all incarnations of a store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from parti.adapters.chain import ZERO, Heads, Sealed, Stream, StreamHead, seal_own
from parti.ports.store import Batch, Event, ModelVersion, QuestionRecord, RunRecord
from parti.units import Seconds


@dataclass(slots=True)
class StreamContent:
    """One stream: the events still kept with their hashes, and where the kept part starts."""

    start: StreamHead = StreamHead(0, ZERO)
    events: list[Event] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Disk:
    """Everything a store holds, in dictionaries. Maps keep the order in which keys first came, as row numbers do."""

    heads: Heads = field(default_factory=Heads)
    journal: list[tuple[int, str, bytes, bytes]] = field(default_factory=list)
    by_run: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    streams: dict[Stream, StreamContent] = field(default_factory=dict)
    runs: dict[str, RunRecord] = field(default_factory=dict)
    rows: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    cursors: dict[tuple[str, str, int], int] = field(default_factory=dict)
    questions: dict[str, QuestionRecord] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    models: dict[tuple[str, int], ModelVersion] = field(default_factory=dict)
    notes: dict[str, bytes] = field(default_factory=dict)

    def apply(self, batch: Batch, sealed: Sealed) -> None:
        """Take in a whole batch."""
        self.journal_rows(sealed)
        for event, (offset, head) in zip(batch.events, sealed.events, strict=True):
            content = self.streams.setdefault(event[:2], StreamContent())
            content.events.append(Event(event[0], event[1], offset, *event[2:]))
            content.hashes.append(head)
        self.runs.update(batch.runs)
        for (table, tenant, key), body in batch.rows.items():
            rows = self.rows.setdefault((table, tenant), {})
            if body is None:
                rows.pop(key, None)
            else:
                rows[key] = body
        self.cursors.update(batch.cursors)
        self.questions.update(batch.questions)
        for digest, content_bytes in batch.blobs.items():
            self.blobs.setdefault(digest, content_bytes)
        self.models.update({(version.model, version.version): version for version in batch.models})
        self.notes.update(batch.notes)

    def expire(self, stream: Stream, count: int, at: Seconds) -> None:
        """Drop the `count` oldest events of a stream; the chain then starts at the hash of the last one dropped."""
        content = self.streams[stream]
        content.start = StreamHead(content.start.next + count, content.hashes[count - 1])
        del content.events[:count], content.hashes[:count]
        first, base = content.start
        facts = {"topic": stream[0], "partition": stream[1], "first": first, "base": base.hex()}
        self.journal_rows(seal_own(self.heads, "expire", facts, at))

    def journal_rows(self, sealed: Sealed) -> None:
        """Take in journal rows, and go on from their heads."""
        for row in sealed.rows:
            self.by_run[row[1]].append(len(self.journal))
            self.journal.append(row)
        self.heads.adopt(sealed)
