"""How data moves inside the functions of a system: from what they are given to what they hand on, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from parti.design.graph import Opaque
from parti.design.places import Place

Port = Literal["in", "out", "data", "runs", "log", "fails"]
"""A part's arguments, its answer, what it stores, what it runs as a program, what it writes to a log, what its errors say."""

Manner = Literal["value", "choice", "condition"]
"""The value itself goes on; it chooses which value goes on; it decides whether one does."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """Where a value can be: a port of a part, and the path of a field in it ("" is all of it)."""

    part: str
    port: Port
    path: str = ""

    def __str__(self) -> str:
        return f"{self.part}.{self.path}" if self.path else self.part


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """What is at `source` goes to `target`. `exact` says that it arrives as it is, with its fields; else mixed with others.

    `unseen` says that a run may not know of it: another run left it in a global, or it is told before the answer's gate.
    """

    source: Slot
    target: Slot
    place: Place
    manner: Manner = "value"
    exact: bool = False
    unseen: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """`part` uses `target` by `method` at `place`; "" is a call, "asks" a question to a person.

    `loop` says what kind of loop it is in, innermost unbounded first; `caught` that a failure is caught there. `given` are
    the names of the options given by name; `yes` that its default is True; `constant` that nothing of what it is told comes
    from data. `misfit` is the type of what is handed over, where it certainly is another than is wanted; `wait` the seconds
    that it waits at most, where that is written there.
    """

    part: str
    method: str
    target: str
    place: Place
    loop: Literal["", "for", "while"] = ""
    caught: bool = False
    given: tuple[str, ...] = ()
    yes: bool = False
    constant: bool = False
    misfit: str = ""
    wait: float | None = None


@dataclass(frozen=True, slots=True, order=True)
class Blocking:
    """An asynchronous function of `part` makes a `call` at `place` that blocks the event loop."""

    part: str
    place: Place
    call: str


@dataclass(frozen=True, slots=True)
class Dataflow:
    """All that was read of a system's functions; sorted, without duplicates. `opaque` is what could not be followed."""

    flows: tuple[Flow, ...] = ()
    uses: tuple[Use, ...] = ()
    blocking: tuple[Blocking, ...] = ()
    opaque: tuple[Opaque, ...] = ()
