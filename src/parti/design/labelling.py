"""What a design says of labels while it runs: what each part gives, and what each sink must not be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from parti.design.gate import Gate
from parti.design.labels import NONE, Label, Labelled, Region, Tag, Tags

Holding = Literal["auto", "off", "run"]
"""Whether labels are held at run time; "auto": where the system declares any."""

HELD: Final = frozenset({Label.UNTRUSTED, Label.PII, Label.PROTECTED, Label.SECRET})
"""The labels that are held at run time, besides regions. The others are for `parti check` alone."""


def is_held(tag: Tag) -> bool:
    """Whether the label is held at run time."""
    return tag in HELD or isinstance(tag, Region)


@dataclass(frozen=True, slots=True)
class Labelling:
    """The labels of a design, as the flow through it knows them. A mapping without a part's name has no labels for it.

    `gives` has the labels that a part brings into a run: of what it stores, and of what it answers by itself; `fields` has all that
    may be in its answer, also what it was given. `taken` has those of what an endpoint is sent; all by the path of the field. `context` has those that an agent's conversation may hold. `uncleared` has, for each part by which something
    leaves or happens, the labels that may arrive there and that it is not cleared for; a part that is not in it needs no gate.
    """

    gives: Mapping[str, Labelled] = field(default_factory=dict)
    fields: Mapping[str, Labelled] = field(default_factory=dict)
    taken: Mapping[str, Labelled] = field(default_factory=dict)
    context: Mapping[str, Tags] = field(default_factory=dict)
    uncleared: Mapping[str, Tags] = field(default_factory=dict)
    gate: Gate = field(default_factory=Gate)
    traces: bool = False
    """Whether a gate traces arguments of a tool that may be given labels that it is not cleared for."""
    masks: bool = False
    """Whether a gate masks."""
    veiled: frozenset[str] = frozenset()
    """The language models that see personal data behind tokens alone, and agents that work by them: what they say holds no other."""

    def tags(self, part: str) -> Tags:
        """All labels of what the part gives."""
        return _tags(self.gives[part]) if part in self.gives else NONE


@lru_cache(maxsize=4096)
def _tags(labelled: Labelled) -> Tags:
    return frozenset(tag for _, tag in labelled)


def tag_of(text: str) -> Tag:
    """A label out of the journal, where it stands as its text."""
    return Region(text.removeprefix("region ")) if text.startswith("region ") else Label(text)


@lru_cache(maxsize=4096)
def at_path(labelled: Labelled, path: str) -> Tags:
    """The labels of the field `path`: of what it lies in, and of what lies in it."""
    return frozenset(tag for known, tag in labelled if _is_in(known, path) or _is_in(path, known)) if labelled else NONE


@lru_cache(maxsize=4096)
def cleared_at(labelled: Labelled, path: str) -> Tags:
    """The labels that all of the field `path` may carry: those said of it and of what it lies in, not of what lies in it."""
    return frozenset(tag for known, tag in labelled if _is_in(path, known)) if labelled else NONE


def _is_in(path: str, whole: str) -> bool:
    return not whole or path == whole or path.startswith(f"{whole}.")
