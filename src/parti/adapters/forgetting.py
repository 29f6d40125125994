"""Forgetting: journal records that are deleted leave gaps behind, each told by one small record in the chain.

The last record of a gap stays, with its hash and without its body: what follows is still chained to it, so the rest of
the journal is proved as before. Its body says where the gap begins, with a checksum over that and the hash; a record
that merely lost its body is no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Any, Final, NamedTuple

from parti.adapters.chain import Stream, StreamHead, read_own
from parti.units import Seconds

FORGOTTEN: Final = "~"
"""Stands in place of the run in the record that tells of a gap; no run is named so."""

PASSING: Final = frozenset({"commit", "expire", "forget", "reveal"})
"""Records of the store's own that are not kept for ever: a later "forget" repeats the first three as far as they still matter,
and who was shown what is kept as long as what was shown."""

_MARK: Final = b"\x00"
_pack = Struct(">qq").pack
_number = Struct(">q")


class Gap(NamedTuple):
    """The journal records `first` to `last`, both included, are forgotten."""

    first: int
    last: int


def merged(gaps: Iterable[Gap], forgotten: Iterable[int]) -> list[Gap]:
    """The gaps that are new or larger once the records `forgotten` are added to `gaps`; neighbours become one."""
    known = set(gaps)
    spans = sorted([*known, *(Gap(seq, seq) for seq in forgotten)])
    joined: list[Gap] = []
    for span in spans:
        if joined and span.first <= joined[-1].last + 1:
            joined[-1] = Gap(joined[-1].first, max(joined[-1].last, span.last))
        else:
            joined.append(span)
    return [gap for gap in joined if gap not in known]


def gap_body(gap: Gap, hash: bytes) -> bytes:
    """The body of the record that tells of a gap; `hash` is that of the gap's last record."""
    return _MARK + _number.pack(gap.first) + _check(gap, hash)


def read_gap(seq: int, run: str, body: bytes, hash: bytes) -> Gap | None:
    """The gap that the journal record `seq` tells of; None when it tells of none, or not credibly."""
    if run != FORGOTTEN or body[:1] != _MARK or len(body) != 17:
        return None
    gap = Gap(_number.unpack(body[1:9])[0], seq)
    return gap if body[9:] == _check(gap, hash) and 0 < gap.first <= seq else None


def passing(own: Iterable[tuple[int, bytes]], before: Seconds, head: int) -> Iterator[int]:
    """Of the store's own records (seq, body), oldest first, those older than `before` that need not be kept."""
    for seq, body in own:
        kind, facts = read_own(body)
        if seq >= head or facts["at"] >= before:
            return
        if kind in PASSING:
            yield seq


def facts_of(ends: Mapping[Stream, StreamHead], starts: Mapping[Stream, StreamHead], runs: int) -> dict[str, Any]:
    """What a record of forgetting says: how many runs, and all that earlier records said of streams."""
    return {"runs": runs, "streams": _listed(ends), "starts": _listed(starts)}


def _listed(heads: Mapping[Stream, StreamHead]) -> Sequence[Sequence[Any]]:
    return [[*stream, head.next, head.hash.hex()] for stream, head in sorted(heads.items()) if head.next]


def _check(gap: Gap, hash: bytes) -> bytes:
    return blake2b(_pack(*gap) + hash, digest_size=8).digest()
