"""Entries of a run's journal, whole wherever their arguments and answers lie."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from parti.journal.entries import Entry, decode
from parti.ports.store import Store


async def entries_of(store: Store, run: str) -> list[Entry]:
    """The entries of a run, in order."""
    return [await whole_entry(entry, store) for row in await store.journal(run) for entry in decode(row.body)]


async def whole_entry(entry: Entry, store: Store) -> Entry:
    """The entry, with arguments and answer in it that lie outside the journal."""
    if not entry.more:
        return entry
    arguments = await whole(entry, "arguments", entry.arguments, store)
    return entry._replace(arguments=arguments, answer=await whole(entry, "answer", entry.answer, store))


async def whole(entry: Entry, which: str, value: Any, store: Store) -> Any:
    """The arguments or the answer, also where they lie outside the journal."""
    if which not in entry.more:
        return value
    body = await store.blob(entry.more[which])
    return {"missing blob": entry.more[which]} if body is None else from_json(body)
