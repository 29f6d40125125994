"""Rows and events as bytes: under which schema each was written, and reading those of older schemas."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json, to_json

from parti.design.table import Table
from parti.design.topic import Topic
from parti.errors import PayloadError
from parti.ports.store import Event


def pack_row(table: Table, row: Any) -> bytes:
    """A row with the digest of its schema: ``["9f2c…", {…}]``."""
    return b'["%b",%b]' % (table.payload.digest.encode(), table.payload.encode(row))


def unpack_row(table: Table, body: bytes) -> Any:
    """The row as today's type. Raises P402 when it does not fit."""
    schema = body[2:18].decode()
    return read_as(table, schema, body[20:-1])


def event_value(topic: Topic, event: Event) -> Any:
    """The event's payload as today's type. Raises P402 when it does not fit."""
    return read_as(topic, event.schema, event.payload)


def read_as(part: Topic | Table, schema: str, body: bytes) -> Any:
    """A value of `part`, written under `schema`; older ones pass the declared upcast first."""
    if schema == part.payload.digest or part.upcast is None:
        return part.payload.decode(body)
    try:
        raised = part.upcast(from_json(body))
    except Exception as wrong:
        raise PayloadError(
            "P402",
            f"the upcast of `{part.name}` failed on a value of schema {schema}: {type(wrong).__name__}: {wrong}",
            place=part.place,
            fix="let the upcast accept every older value",
        ) from wrong
    return part.payload.decode(to_json(raised))


class Overlay:
    """Rows of finished runs that are not on disk yet: the next run of the key already sees them."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], tuple[bytes | None, int]] = {}

    def put(self, key: tuple[str, str, str], row: bytes | None, batch: int) -> None:
        """A row (None: deleted) that the commit numbered `batch` will write."""
        self._rows[key] = (row, batch)

    def forget(self, keys: list[tuple[str, str, str]], batch: int) -> None:
        """The commit numbered `batch` is on disk."""
        for key in keys:
            held = self._rows.get(key)
            if held is not None and held[1] <= batch:
                del self._rows[key]

    def get(self, key: tuple[str, str, str]) -> tuple[bool, bytes | None]:
        """Whether the row is held here, and the row."""
        held = self._rows.get(key)
        return (False, None) if held is None else (True, held[0])

    def of_table(self, table: str, tenant: str) -> dict[str, bytes | None]:
        """All rows of a table and tenant that are held here."""
        return {key[2]: row for key, (row, _) in self._rows.items() if key[0] == table and key[1] == tenant}
