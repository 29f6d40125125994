"""The virtual disk: what is durable in a virtual world, shared by all incarnations of a store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from parti.adapters.chain import ZERO, Heads, Sealed, Stream, StreamHead, seal_own
from parti.adapters.forgetting import FORGOTTEN, facts_of, gap_body, merged, passing, read_gap
from parti.adapters.outside import Outsourced, Use, event_owner, row_owner
from parti.ports.store import Event, ModelVersion, QuestionRecord, RunRecord
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
    uses: set[Use] = field(default_factory=set)

    def apply(self, outsourced: Outsourced, sealed: Sealed) -> None:
        """Take in a whole batch."""
        batch, uses = outsourced.batch, set(outsourced.of(sealed))
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
        owners = {row_owner(place) for place in batch.rows} if self.uses else set()
        stale = {use for use in self.uses if use.kind == "row" and use.owner in owners}
        self.uses |= uses
        self._release(stale - uses)
        self.models.update({(version.model, version.version): version for version in batch.models})
        for name, fact in batch.notes.items():
            if fact is None:
                self.notes.pop(name, None)
            else:
                self.notes[name] = fact

    def expire(self, stream: Stream, count: int, at: Seconds) -> None:
        """Drop the `count` oldest events of a stream; the chain then starts at the hash of the last one dropped."""
        content = self.streams[stream]
        content.start = StreamHead(content.start.next + count, content.hashes[count - 1])
        gone = {event_owner(*stream, event.offset) for event in content.events[:count]}
        del content.events[:count], content.hashes[:count]
        self._release({use for use in self.uses if use.kind == "event" and use.owner in gone})
        first, base = content.start
        facts = {"topic": stream[0], "partition": stream[1], "first": first, "base": base.hex()}
        self.journal_rows(seal_own(self.heads, "expire", facts, at))

    def forget(self, before: Seconds, limit: int, at: Seconds) -> bool:
        """Drop runs that ended before `before` with all that belongs to them; whether there may be more."""
        old = sorted((run for run in self.runs.values() if self._is_old(run, before)), key=lambda run: run.created)
        runs = {run.id for run in old[:limit]}
        own = [(row[0], row[2]) for row in self.journal if row[1] == ""]
        forgotten = [*passing(own, before, self.heads.seq), *(row[0] for row in self.journal if row[1] in runs)]
        if not runs and not forgotten:
            return False
        starts = {stream: content.start for stream, content in self.streams.items()}
        sealed = seal_own(self.heads, "forget", facts_of(self.heads.streams, starts, len(runs)), at)
        for id in runs:
            del self.runs[id]
        self.questions = {id: question for id, question in self.questions.items() if question.run not in runs}
        self._leave_gaps(forgotten)
        self._release({use for use in self.uses if use.kind == "run" and use.owner in runs})
        self.journal_rows(sealed)
        return len(old) > limit

    def _is_old(self, run: RunRecord, before: Seconds) -> bool:
        taken_up = self.cursors.get((run.part, run.topic, run.partition), 0) if run.topic else run.offset + 1
        return run.state.ended and 0 < run.ended < before and run.created < before and taken_up > run.offset

    def _leave_gaps(self, forgotten: list[int]) -> None:
        known = [gap for row in self.journal if (gap := read_gap(*row)) is not None]
        gaps = {gap.last: gap for gap in merged(known, forgotten)}
        covered = {seq for gap in gaps.values() for seq in range(gap.first, gap.last)}
        self.journal = [
            (seq, FORGOTTEN, gap_body(gaps[seq], hash), hash) if seq in gaps else (seq, run, body, hash)
            for seq, run, body, hash in self.journal
            if seq not in covered
        ]
        self.by_run.clear()
        for index, row in enumerate(self.journal):
            self.by_run[row[1]].append(index)

    def _release(self, ended: set[Use]) -> None:
        """End uses, and drop the blobs that nobody refers to any more."""
        self.uses -= ended
        for digest in {use.digest for use in ended} - {use.digest for use in self.uses}:
            self.blobs.pop(digest, None)

    def journal_rows(self, sealed: Sealed) -> None:
        """Take in journal rows, and go on from their heads."""
        for row in sealed.rows:
            self.by_run[row[1]].append(len(self.journal))
            self.journal.append(row)
        self.heads.adopt(sealed)
