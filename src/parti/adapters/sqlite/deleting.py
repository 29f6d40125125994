"""Deleting: what was kept long enough leaves the file, and the chains say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from parti.adapters.chain import Stream, StreamHead, seal_own
from parti.adapters.forgetting import FORGOTTEN, Gap, facts_of, gap_body, merged, passing, read_gap
from parti.adapters.outside import event_owner
from parti.adapters.sqlite.bulk import Statement, among, inserts, joined
from parti.adapters.sqlite.columns import STREAMS
from parti.adapters.sqlite.schema import STREAM_BITS
from parti.adapters.sqlite.sums import plain_sum
from parti.adapters.sqlite.writing import JOURNAL, Writer, unused
from parti.ports.store import ENDED
from parti.units import Seconds

_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))
_OLD = f"""SELECT id FROM runs WHERE created < ? AND ended > 0 AND ended < ? AND state IN ({_ENDED}) AND (topic = '' OR EXISTS
  (SELECT 1 FROM cursors WHERE handler = runs.part AND cursors.topic = runs.topic AND cursors.partition = runs.partition
   AND next > runs.[offset])) ORDER BY created LIMIT ?"""
_OWN_FOR_EACH_RUN = 4
"""Records of the store's own that are looked at for each run that may be forgotten."""


def expire(writer: Writer, topic: str, partition: int, before_offset: int, before: Seconds, limit: int) -> int:
    """Delete the oldest events; the chain of the stream then starts at the hash of the last one deleted."""
    number = writer.numbers.get((topic, partition))
    if number is None or limit < 1:
        return 0
    first: int = writer.one("SELECT first FROM streams WHERE number = ?", number)
    low = (number << STREAM_BITS) + first
    high = (number << STREAM_BITS) + min(before_offset, writer.heads.streams[topic, partition].next, first + limit)
    young = "SELECT min(id) FROM (SELECT id, at FROM events WHERE id >= ? AND id < ?) WHERE at >= ?"
    youngest: int | None = writer.one(young, low, high, before)
    high = high if youngest is None else youngest
    if high <= low:
        return 0
    base: bytes = writer.one("SELECT hash FROM events WHERE id = ?", high - 1)
    start = StreamHead(high - (number << STREAM_BITS), base)
    facts = {"topic": topic, "partition": partition, "first": start.next, "base": base.hex()}
    sealed = seal_own(writer.heads, "expire", facts, writer.clock.now())
    change = "UPDATE streams SET first = ?, base = ?, sum = ? WHERE number = ?"
    row_sum = plain_sum(STREAMS, (number, topic, partition, *start))
    owners = (event_owner(topic, partition, first), event_owner(topic, partition, start.next))
    writer.apply(
        [
            ("DELETE FROM events WHERE id >= ? AND id < ?", (low, high)),
            (change, (*start, row_sum, number)),
            *_released(writer, "kind = 'event' AND owner >= ? AND owner < ?", owners),
            *inserts(JOURNAL, sealed.rows),
        ]
    )
    writer.adopt(sealed)
    return high - low


def forget(writer: Writer, before: Seconds, limit: int) -> bool:
    """Delete runs that ended before `before` with all that belongs to them; whether there may be more to forget."""
    runs = [row[0] for row in writer.connection.execute(_OLD, (before, before, limit)).fetchall()]
    own = _own_records(writer, limit * _OWN_FOR_EACH_RUN)
    forgotten = [*passing(own, before, writer.heads.seq), *_journaled(writer, runs)]
    if not forgotten and not runs:
        return False
    sealed = seal_own(writer.heads, "forget", facts_of(*_streams(writer), len(runs)), writer.clock.now())
    writer.apply(
        [
            *joined(_of_runs(writer, marks, part) for marks, part in among(runs)),
            *_gaps(writer, forgotten),
            *inserts(JOURNAL, sealed.rows),
        ]
    )
    writer.adopt(sealed)
    return len(runs) == limit or len(own) == limit * _OWN_FOR_EACH_RUN


def _own_records(writer: Writer, limit: int) -> list[tuple[int, bytes]]:
    """The oldest records of the store's own."""
    text = "SELECT seq, body FROM journal WHERE run = '' ORDER BY seq LIMIT ?"
    return list(writer.connection.execute(text, (limit,)))


def _journaled(writer: Writer, runs: list[str]) -> Iterator[int]:
    for marks, part in among(runs):
        for (seq,) in writer.connection.execute(f"SELECT DISTINCT seq FROM journal WHERE run IN {marks}", part):
            yield seq


def _streams(writer: Writer) -> tuple[dict[Stream, StreamHead], dict[Stream, StreamHead]]:
    """Where all streams end, and where they start."""
    starts = writer.connection.execute("SELECT topic, partition, first, base FROM streams").fetchall()
    return writer.heads.streams, {
        (topic, partition): StreamHead(first, base) for topic, partition, first, base in starts
    }


def _of_runs(writer: Writer, marks: str, runs: Sequence[Any]) -> Iterator[Statement]:
    yield f"DELETE FROM runs WHERE id IN {marks}", runs
    yield f"DELETE FROM questions WHERE run IN {marks}", runs
    yield from _released(writer, f"kind = 'run' AND owner IN {marks}", runs)


def _released(writer: Writer, users: str, parameters: Any) -> list[Statement]:
    """Statements that end the uses that `users` selects, and the blobs that nobody refers to then."""
    found = writer.connection.execute(f"SELECT DISTINCT digest FROM uses WHERE {users}", parameters).fetchall()
    if not found:
        return []
    return [(f"DELETE FROM uses WHERE {users}", parameters), *unused(digest for (digest,) in found)]


def _gaps(writer: Writer, forgotten: list[int]) -> Iterator[Statement]:
    """Statements that leave gaps in place of records; of the gaps that are there only neighbours are looked at."""
    for gap in merged(_neighbours(writer, forgotten), forgotten):
        yield from _gap(gap, writer.one("SELECT hash FROM journal WHERE seq = ?", gap.last))


def _neighbours(writer: Writer, forgotten: list[int]) -> set[Gap]:
    """The gaps that end just before, or begin just behind, records that are forgotten."""
    gone, found = set(forgotten), set()
    before = "SELECT seq, run, body, hash FROM journal WHERE seq = ?"
    behind = "SELECT seq, run, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT 1"
    for seq in gone:
        for text, place, is_edge in ((before, seq - 1, seq - 1 not in gone), (behind, seq, seq + 1 not in gone)):
            row = writer.connection.execute(text, (place,)).fetchone() if is_edge else None
            gap = read_gap(*row) if row else None
            if gap is not None and (gap.last == seq - 1 or gap.first == seq + 1):
                found.add(gap)
    return found


def _gap(gap: Gap, hash: bytes) -> Iterator[Statement]:
    yield "DELETE FROM journal WHERE seq >= ? AND seq < ?", gap
    yield "UPDATE journal SET run = ?, body = ? WHERE seq = ?", (FORGOTTEN, gap_body(gap, hash), gap.last)
