"""Labels that a field carries: who may see it, how far it can be believed, where and what for it may be used.

A set of labels is a point of a lattice: `join` is the union, and more labels mean more care. Denning, "A Lattice Model of
Secure Information Flow" (1976); for integrity, Costa et al., "Securing AI Agents with Information-Flow Control" (2025).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """What a field is, written ``Annotated[str, Label.PII]``."""

    PII = "pii"
    """It says something about a person."""
    SECRET = "secret"
    """A key or password: it may be in no prompt, topic, log, journal or memory."""
    PROTECTED = "protected"
    """A ground on which nobody may be treated differently: measured, never decided on."""
    UNTRUSTED = "untrusted"
    """Strangers may have written it."""
    TRUSTED = "trusted"
    """Declared to be believed, where it comes in. It travels nowhere."""
    OUTCOME = "outcome"
    """Known only after the decision: nothing that is decided may have learned from it."""
    GENERATED = "generated"
    """A language model wrote it. Nobody needs to declare it."""
    SWAYED = "swayed by what is protected"
    """It is as it is because of what is protected. Nobody needs to declare it."""

    __hash__ = str.__hash__  # labels are looked up at each step of a run; an Enum's own hash takes ten times as long


@dataclass(frozen=True, slots=True)
class Region:
    """May be processed only in that region: ``Region("eu")``."""

    name: str

    def __str__(self) -> str:
        return f"region {self.name}"


@dataclass(frozen=True, slots=True)
class Purpose:
    """May be used only for that purpose: ``Purpose("credit")``."""

    name: str

    def __str__(self) -> str:
        return f"purpose {self.name}"


Tag = Label | Region | Purpose
Tags = frozenset[Tag]
Labelled = tuple[tuple[str, Tag], ...]
"""Labels by path: ("applicant.name", Label.PII); the path "" is the whole value."""

NONE: Tags = frozenset()


def join(*each: Tags) -> Tags:
    """The least labels that are at least as strict as each: their union."""
    return NONE.union(*each)


def leq(one: Tags, other: Tags) -> bool:
    """Whether `other` is at least as strict as `one`."""
    return one <= other
