"""Facts of memories as rows: their names, their bytes, and the notes by which the old ones are found.

A fact is a row of the table ``memory:<name>`` under ``<scope>/<id>``; its id begins with its time, so that the facts of a
scope lie in the order in which they were remembered. A note for each, ordered by time across all tenants and scopes, is
written together with the row: retention reads those alone.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from pydantic_core import from_json, to_json

from parti.design.memory import Memory
from parti.units import Seconds

TABLE: Final = "memory:"
"""How the names of tables begin that hold facts."""

NOTES: Final = "fact:"
"""Notes of when facts were remembered: ``fact:<memory>:<time>:<tenant>:<scope>/<id>``."""

Place = tuple[str, str, str]
"""Table, tenant and key of a row."""


class Fact(NamedTuple):
    """One fact. `by` names the embedder that made its `vector`: float16 numbers, little-endian."""

    id: str
    text: str
    about: dict[str, Any]
    by: str
    vector: bytes


def table_of(memory: Memory) -> str:
    """The table that holds the facts of a memory."""
    return TABLE + memory.name


def prefix_of(scope: str) -> str:
    """What the keys of all facts of a scope begin with, and no others."""
    return quote(scope, safe="", errors="surrogatepass") + "/"


def id_of(at: Seconds, name: str) -> str:
    """The id of a fact that was remembered at that time; `name` tells it from others of that moment."""
    return f"{at:017.6f}-{name}"


def time_of(id: str) -> Seconds:
    """When a fact was remembered, in seconds since 1970."""
    return float(id.partition("-")[0])


def pack(fact: Fact) -> bytes:
    """A fact as its row, about 1.1 KB beside its text where a vector has 384 numbers. Its id is in the key."""
    vector = b64encode(fact.vector).decode()
    return to_json({"text": fact.text, "about": fact.about, "by": fact.by, "vector": vector})


def unpack(id: str, row: bytes) -> Fact:
    """The fact of a row."""
    facts = from_json(row)
    return Fact(id, facts["text"], facts["about"], facts["by"], b64decode(facts["vector"]))


def notes_of(places: Iterable[tuple[Place, bytes | None]]) -> dict[str, bytes | None]:
    """The notes to be written with rows: one for each that is a fact, gone where the row goes."""
    return {
        note_of(place): None if row is None else b""
        for place, row in places
        if place[0].startswith(TABLE) and "/" in place[2]
    }


def note_of(place: Place) -> str:
    """The note that says when a fact was remembered."""
    table, tenant, key = place
    at = key.rpartition("/")[2].partition("-")[0]
    return f"{NOTES}{_quoted(table.removeprefix(TABLE))}:{at}:{tenant}:{key}"


def notes_before(memory: Memory, before: Seconds) -> tuple[str, str]:
    """The prefix of the notes of a memory, and what the notes of facts older than `before` sort under."""
    prefix = f"{NOTES}{_quoted(memory.name)}:"
    return prefix, f"{prefix}{before:017.6f}"


def place_of(note: str) -> Place:
    """The row that a note is about."""
    _, name, _, tenant, key = note.split(":", 4)
    return TABLE + unquote(name), tenant, key


def _quoted(name: str) -> str:
    return quote(name, safe="")
