"""Reading chains back: which records of a store do not match their hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from struct import error as StructError
from typing import Any

from parti.adapters.chain import ZERO, Stream, StreamHead, event_hash, journal_hash, read_own
from parti.adapters.forgetting import Gap, read_gap
from parti.ports.store import Finding

MISMATCH = (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError, StructError)
"""What hashing raises for values whose very types are damaged."""

_SHOWN = 100


@dataclass(slots=True)
class Recorded:
    """What the journal says of the streams: the last known end of each, and where its expired prefix stops."""

    ends: dict[Stream, StreamHead] = field(default_factory=dict)
    starts: dict[Stream, StreamHead] = field(default_factory=dict)

    def learn(self, body: bytes) -> bool:
        """Take in a row of the store's own; whether it could be read."""
        try:
            kind, facts = read_own(body)
            for topic, partition, next, head in facts.get("streams", ()):
                self.ends[topic, partition] = StreamHead(next, bytes.fromhex(head))
            for topic, partition, first, base in facts.get("starts", ()):
                self.starts[topic, partition] = StreamHead(first, bytes.fromhex(base))
            if kind == "expire":
                stream = (facts["topic"], facts["partition"])
                self.starts[stream] = StreamHead(facts["first"], bytes.fromhex(facts["base"]))
        except MISMATCH:
            return False
        return True


def audit_journal(rows: Iterable[Sequence[Any]], *, seq: int = 0, head: bytes = ZERO) -> tuple[list[Finding], Recorded]:
    """Findings over (seq, run, body, hash) rows that follow the row `seq` with the hash `head`."""
    wrong: list[int] = []
    found: list[Finding] = []
    recorded = Recorded()
    for number, run, body, stored in rows:
        gap = _gap(number, run, body, stored)
        first = gap.first if gap else number
        if first != seq + 1:
            found.append(missing("journal record", seq + 1, first - 1))
        sound = gap is not None or _equal(stored, journal_hash, head, number, run, body)
        if not sound or not (run or recorded.learn(body)):
            wrong.append(number)
        seq, head = number, stored if isinstance(stored, bytes) else ZERO
    return found + mismatches("journal record", wrong), recorded


def audit_stream(
    stream: Stream, start: StreamHead, events: Iterable[Sequence[Any]], recorded: Recorded
) -> list[Finding]:
    """Findings over the (offset, tenant, key, payload, schema, at, cause, hash) rows of one stream, from `start` on."""
    name = f"event of {stream[0]}/{stream[1]} at offset"
    wrong: list[int] = []
    found: list[Finding] = []
    next, head = start
    if start != recorded.starts.get(stream, StreamHead(0, ZERO)):
        found.append(Finding("P205", f"the start of {stream[0]}/{stream[1]} is not the one in the journal"))
    for offset, *fields, stored in events:
        if offset != next:
            found.append(missing(name, next, offset - 1))
        if not _equal(stored, event_hash, head, offset, *fields):
            wrong.append(offset)
        next, head = offset + 1, stored if isinstance(stored, bytes) else ZERO
    return found + mismatches(name, wrong) + audit_end(stream, StreamHead(next, head), recorded)


def audit_end(stream: Stream, end: StreamHead, recorded: Recorded) -> list[Finding]:
    """Findings about where a stream ends, compared with the journal where it says so."""
    said = recorded.ends.get(stream, end)
    if said.next > end.next:
        return [missing(f"event of {stream[0]}/{stream[1]} at offset", end.next, said.next - 1)]
    if said != end:
        return [Finding("P205", f"the end of {stream[0]}/{stream[1]} is not the one in the journal")]
    return []


def missing(name: str, first: int, last: int) -> Finding:
    """A finding that the records `first` to `last` are not there."""
    return Finding("P204", f"{name} {_span(first, last)}: missing")


def mismatches(name: str, numbers: Iterable[int]) -> list[Finding]:
    """One finding for each unbroken range of records that do not match; after a hundred, how many more."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    found = [Finding("P205", f"{name} {_span(*span)}: does not match its hash") for span in ranges[:_SHOWN]]
    if len(ranges) > _SHOWN:
        found.append(Finding("P205", f"{name}: {len(ranges) - _SHOWN} more damaged ranges"))
    return found


def _gap(number: Any, run: Any, body: Any, stored: Any) -> Gap | None:
    try:
        return read_gap(number, run, body, stored)
    except MISMATCH:
        return None


def _span(first: int, last: int) -> str:
    return str(first) if first >= last else f"{first}-{last}"


def _equal(stored: object, hash: Callable[..., bytes], *arguments: Any) -> bool:
    try:
        return hash(*arguments) == stored
    except MISMATCH:
        return False
