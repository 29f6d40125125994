"""What the journal holds of a run, bounded, with what lies in blobs made whole."""

from __future__ import annotations

from typing import Final, NamedTuple

from parti.board.queries.calls import Placed
from parti.journal.entries import decode
from parti.journal.whole import whole_entry
from parti.ports.store import Store

ENTRIES_MAX: Final = 2_000
"""Entries that are looked at of one run: of more the first half and the last."""


class Recorded(NamedTuple):
    """The entries of a run: `kept` are those that are looked at, whole."""

    every: list[Placed]
    kept: list[Placed]


async def recorded(store: Store, run: str) -> Recorded:
    """What a run did."""
    every = [Placed(row.seq, n, e) for row in await store.journal(run) for n, e in enumerate(decode(row.body))]
    kept = every if len(every) <= ENTRIES_MAX else [*every[: ENTRIES_MAX // 2], *every[-ENTRIES_MAX // 2 :]]
    return Recorded(every, [one._replace(entry=await whole_entry(one.entry, store)) for one in kept])
