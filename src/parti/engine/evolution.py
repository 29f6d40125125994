"""Evolution: may what was written under older types still be read? Asked once, at the start."""

from __future__ import annotations

import json

from parti.design.compatibility import Schema, misfits
from parti.design.graph import Design
from parti.design.table import Table
from parti.design.topic import Topic
from parti.errors import PayloadError
from parti.ports.store import Store


async def check(design: Design, store: Store) -> dict[str, bytes]:
    """The notes to store about today's types. Raises P403 naming the field that cannot be read, P406."""
    notes: dict[str, bytes] = {}
    kept: list[Topic | Table] = [*design.all(Topic), *design.all(Table)]
    for part in kept:
        prefix = f"schema:{part.name}:"
        known = await store.notes(prefix)
        if part.upcast is None:
            for key, body in known.items():
                if not key.endswith(part.payload.digest):
                    _refuse(part, json.loads(body))
        if prefix + part.payload.digest not in known:
            notes[prefix + part.payload.digest] = json.dumps(part.payload.schema).encode()
    for topic in design.all(Topic):
        notes.update(await _partitions(topic, store))
    return notes


async def _partitions(topic: Topic, store: Store) -> dict[str, bytes]:
    key = f"partitions:{topic.name}"
    known = await store.note(key)
    if known is not None and int(known) != topic.partitions:
        raise PayloadError(
            "P406",
            f"`{topic.name}` was stored with {int(known)} partitions and is declared with {topic.partitions}",
            place=topic.place,
            fix=f"write partitions={int(known)}: another number would break the order of keys",
        )
    return {} if known is not None else {key: str(topic.partitions).encode()}


def _refuse(part: Topic | Table, old: Schema) -> None:
    for field, why in misfits(old, part.payload.schema):
        raise PayloadError(
            "P403",
            f"what `{part.name}` holds cannot be read any more: {field} {why}",
            place=part.place,
            fix="give the field a default, keep its type, or declare upcast=",
        )
