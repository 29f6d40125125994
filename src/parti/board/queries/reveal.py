"""Reveal: one masked value as it is, after it was journaled that somebody asks (`Operations.note_reveal`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parti.board.queries.calls import Placed
from parti.board.queries.lines import event_at
from parti.board.queries.shapes import at_pointer, labelled_in
from parti.board.queries.sources import Raw, arguments_raw, entry_raws, event_raw, parts_of, question_raw, result_raw
from parti.design.graph import Design
from parti.errors import RunError
from parti.journal.entries import decode
from parti.journal.whole import whole
from parti.ports.store import Store


@dataclass(frozen=True, slots=True)
class Revealed:
    """What lies at a place, and the labels for which it was masked."""

    place: str
    labels: tuple[str, ...]
    value: Any


async def revealed(store: Store, design: Design, place: str) -> Revealed:
    """The masked value at `place`, which a view named. Raises P308 where none is masked."""
    base, _, pointer = place.partition("#")
    raw = await _raw(store, design, parts_of(base))
    for found in labelled_in(raw.value, raw.shape) if raw else ():
        if found.pointer == pointer:
            assert raw is not None
            return Revealed(place, found.labels, at_pointer(raw.value, pointer))
    raise RunError("P308", f"nothing is masked at {place[:200]!r}", fix="give the place that the page names")


async def _raw(store: Store, design: Design, parts: list[str]) -> Raw | None:
    """The whole value at a place; None where there is none."""
    match parts:
        case ["event", topic, partition, offset] if partition.isdecimal() and offset.isdecimal():
            event = await event_at(store, topic, int(partition), int(offset))
            return event_raw(design, event) if event else None
        case ["run", id, ("arguments" | "result") as which]:
            record = await store.run(id)
            if record is None:
                return None
            return arguments_raw(design, record) if which == "arguments" else result_raw(design, record)
        case ["entry", run, seq, position, ("arguments" | "answer") as which] if _is_number(seq) and _is_number(
            position
        ):
            return await _of_entry(store, design, run, int(seq), int(position), answer=which == "answer")
        case ["question", id, "answer"]:
            question = await store.question(id)
            return question_raw(question) if question else None
    return None


async def _of_entry(store: Store, design: Design, run: str, seq: int, position: int, *, answer: bool) -> Raw | None:
    for row in await store.journal(run) if run else ():
        if row.seq == seq:
            entries = decode(row.body)
            if position >= len(entries):
                return None
            entry = entries[position]
            if entry.more:
                given = await whole(entry, "arguments", entry.arguments, store)
                entry = entry._replace(arguments=given, answer=await whole(entry, "answer", entry.answer, store))
            return entry_raws(design, run, Placed(seq, position, entry))[answer]
    return None


def _is_number(text: str) -> bool:
    """Whether a text is a whole number that a store can be asked for."""
    return text.isascii() and text.isdecimal() and len(text) <= 18
