"""Checksums of the rows that no chain covers, because they change in place: a flipped bit in one is noticed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import pack
from typing import Any
from zlib import crc32

from parti.adapters.chain import row_bytes, run_bytes
from parti.adapters.sqlite.columns import Columns
from parti.ports.store import RunRecord


def run_sum(values: Sequence[Any]) -> int:
    """The checksum of the columns of a run."""
    return crc32(run_bytes(RunRecord(*values)))


def table_row_sum(values: Sequence[Any]) -> int:
    """The checksum of name, tenant, key and body of a table row."""
    return crc32(row_bytes(*values))


def plain_sum(columns: Columns, values: Sequence[Any]) -> int:
    """The checksum of a row of `columns`: texts, bytes, whole numbers, and fractions where the column holds them."""
    return crc32(b"".join(_encoded(value, index in columns.reals) for index, value in enumerate(values)))


def summed(columns: Columns, rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The rows, each with its checksum last."""
    return [(*row, plain_sum(columns, row)) for row in rows]


def _encoded(value: str | bytes | float, real: bool) -> bytes:
    if real:
        return pack(">d", value)
    if isinstance(value, int):
        return b"i%d;" % value
    content = value.encode() if isinstance(value, str) else bytes(value)  # type: ignore[arg-type]
    return b"%d:%b" % (len(content), content)
