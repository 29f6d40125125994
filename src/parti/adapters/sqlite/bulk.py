"""Many rows in few statements: what matters is how often a statement starts, not how many rows it carries.

Python gives its lock away at every step of a statement and waits to get it back, up to 5 ms when other threads are
busy. One `INSERT` of 1,000 rows steps once. Row counts are rounded, so that a few statements are prepared once and kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple

PARAMETERS: Final = 32766
"""SQLite's limit in one statement."""

Statement = tuple[str, Sequence[Any]]


class Insert(NamedTuple):
    """An INSERT of rows of `width` values: its text before and after the VALUES."""

    head: str
    width: int
    tail: str = ""


def upsert(table: str, names: Sequence[str], key: Sequence[str]) -> Insert:
    """Insert rows with a checksum (`sum`) last; where `key` is there already, overwrite the rest in place."""
    columns = [f"[{name}]" for name in (*names, "sum")]
    kept = {f"[{name}]" for name in key}
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in kept)
    tail = f"ON CONFLICT({', '.join(f'[{name}]' for name in key)}) DO UPDATE SET {changes}"
    return Insert(f"INSERT INTO {table}({', '.join(columns)})", len(columns), tail)


def inserts(insert: Insert, rows: Sequence[Sequence[Any]]) -> Iterator[Statement]:
    """The statements that insert `rows`."""
    start, largest = 0, PARAMETERS // insert.width
    while start < len(rows):
        count = _round(min(len(rows) - start, largest))
        yield _text(insert, count), list(chain.from_iterable(rows[start : start + count]))
        start += count


def among(ids: Sequence[str]) -> Iterator[Statement]:
    """`(?, ?, ...)` lists for `IN`, each with its parameters; the last id fills up to a power of two."""
    for start in range(0, len(ids), 16384):
        part = list(ids[start : start + 16384])
        count = 1 << (len(part) - 1).bit_length()
        yield _marks(count), part + part[-1:] * (count - len(part))


def joined(parts: Iterable[Iterator[Statement]]) -> list[Statement]:
    """All statements of several kinds, in order."""
    return list(chain.from_iterable(parts))


@cache
def _text(insert: Insert, count: int) -> str:
    return f"{insert.head} VALUES {', '.join([_marks(insert.width)] * count)} {insert.tail}"


@cache
def _marks(count: int) -> str:
    return f"({', '.join('?' * count)})"


def _round(count: int) -> int:
    """The largest of 1, 2, 3, 4, 6, 8, 12, 16, 24, ... that is not above `count`."""
    shift = max(0, count.bit_length() - 2)
    return count >> shift << shift
