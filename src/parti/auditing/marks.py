"""Marks: texts that nobody could write by accident, one for each field in which strangers may write.

A field's marks are drawn from the audit's seed and the field's name alone, so they are the same in each audit of that seed.
Letters have 4.7 bits, digits 3.3, hexadecimal digits 4: what is told apart at least (`PIECES`) has 46 bits or more, so a
million characters meet a piece of a hundred marks by accident about once in 20,000 audits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Literal

from parti.design.dataflow import Slot
from parti.design.labels import Tags

Script = Literal["letters", "digits", "hex"]

PIECES: Final[dict[Script, int]] = {"letters": 10, "digits": 14, "hex": 12}
"""How many characters of a mark must stand in a text for it to be told, by what it is written in."""

LENGTHS: Final[dict[Script, int]] = {"letters": 24, "digits": 18, "hex": 32}
"""How long marks are where there is room. Shorter ones are their beginnings."""

_ALPHABETS: Final[dict[Script, str]] = {
    "letters": "abcdefghijklmnopqrstuvwxyz", "digits": "0123456789", "hex": "0123456789abcdef"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A field in which strangers may write (or that holds what not everybody may see), and its labels."""

    slot: Slot
    tags: Tags


@dataclass(slots=True)
class Marks:
    """All marks of one audit, by the seed. `pieces` leads from each piece of a mark to its source."""

    seed: int
    sources: dict[Slot, Source] = field(default_factory=dict)
    pieces: dict[str, Source] = field(default_factory=dict)
    wholes: dict[str, Source] = field(default_factory=dict)
    """Marks that a pattern left little room for: they are told only where they stand whole."""

    def of(self, slot: Slot, tags: Tags) -> Source:
        """The source at `slot`, with its marks known from now on."""
        known = self.sources.get(slot)
        if known is not None:
            return known
        source = self.sources[slot] = Source(slot, tags)
        for script, size in PIECES.items():
            whole = self.text(slot, script)
            for start in range(len(whole) - size + 1):
                self.pieces[whole[start : start + size]] = source
        return source

    def text(self, slot: Slot, script: Script = "letters") -> str:
        """The mark of a field, as long as they are."""
        alphabet, length = _ALPHABETS[script], LENGTHS[script]
        digest = blake2b(f"{self.seed} {slot.part} {slot.port} {slot.path} {script}".encode()).digest()
        number, found = int.from_bytes(digest, "big"), ""
        for _ in range(length):
            number, rest = divmod(number, len(alphabet))
            found += alphabet[rest]
        return f"4{found[1:]}" if script == "digits" else found  # a number would lose a leading zero

    def add_whole(self, text: str, source: Source) -> None:
        """Know a text that was made for a pattern as a mark."""
        self.wholes[text.casefold()] = source


def candidates(marks: Marks, slot: Slot, old: str) -> Iterator[str]:
    """What to try to write into a field that holds `old` now, the most telling first: its type says which fits."""
    letters, digits, hexed = (marks.text(slot, script) for script in PIECES)
    uuid = f"{hexed[:8]}-{hexed[8:12]}-4{hexed[13:16]}-8{hexed[17:20]}-{hexed[20:]}"
    if "@" in old:
        yield f"{letters}@{old.rpartition('@')[2]}"
    if "://" in old:
        yield f"{old.rstrip('/')}/{letters}"
    if len(old) == len(uuid) and old.count("-") == 4:
        yield uuid
    if old:
        yield f"{old} {letters}"
    yield letters
    for size in (16, 12, 10):
        yield letters[:size]
    yield from (letters.upper(), letters[:10].upper(), letters.capitalize())
    yield from (digits, digits[:16], digits[:14], hexed, uuid)
    yield from (f"{letters}@example.com", f"https://example.com/{letters}", f"{letters}.example.com")
