"""The columns of the tables whose rows carry a checksum."""

from __future__ import annotations

from typing import NamedTuple

from parti.ports.store import ModelVersion, QuestionRecord, RunRecord


class Columns(NamedTuple):
    """The columns of a table that keeps a record type, and which of them hold numbers with a fraction."""

    names: tuple[str, ...]
    reals: frozenset[int]

    @property
    def listed(self) -> str:
        """For SQL. Brackets never fall back to a literal, as quotes do when a name is damaged."""
        return ", ".join(f"[{name}]" for name in self.names)


def _columns(names: tuple[str, ...], *reals: str) -> Columns:
    return Columns(names, frozenset(names.index(name) for name in reals))


RUNS = _columns(RunRecord._fields, "created", "started", "ended", "wake", "busy")
QUESTIONS = _columns(QuestionRecord._fields, "asked", "deadline", "answered")
MODELS = _columns(ModelVersion._fields, "created")
TABLE_ROWS = _columns(("name", "tenant", "key", "body"))
CURSORS = _columns(("handler", "topic", "partition", "next"))
NOTES = _columns(("key", "body"))
STREAMS = _columns(("number", "topic", "partition", "first", "base"))
USES = _columns(("kind", "owner", "digest"))
