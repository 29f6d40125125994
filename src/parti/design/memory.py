"""A memory: facts that runs remember under their key and find again by meaning, and what happened to the runs of a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from parti.design.places import Place
from parti.units import Seconds

WhenFull = Literal["oldest goes", "refuse"]

FACTS_MAX: Final = 10_000
"""The most facts that a scope may be declared to hold: recalling compares with each of them."""

CHARACTERS_MAX: Final = 16_000
"""The longest fact that may be declared, in characters, so that it never lies outside its row."""

LIMIT_MAX: Final = 100
"""The most facts or episodes that are answered at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Facts by scope: the key of the run, and in a `shared` one whatever its runs say.

    At most `facts` in a scope, each of at most `characters`; what happens to one more says `when_full`. Facts older than
    `retain` (None: of any age) are not recalled, and deleted.
    """

    name: str
    place: Place
    retain: Seconds | None
    facts: int
    characters: int
    when_full: WhenFull
    shared: bool
    about: str = ""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A fact that was recalled. `similarity` to the query is the cosine, from -1 to 1; `about` is what was given with it."""

    text: str
    similarity: float
    at: datetime
    about: Mapping[str, Any]
    id: str


@dataclass(frozen=True, slots=True)
class Episode:
    """What happened in one run, as the store tells it: nothing of it is kept a second time.

    `part` is the handler, endpoint or schedule; `state` where the run stands; `did` the steps and tools that answered, in
    order. `result` is the JSON value it ended with, `error` what it failed with.
    """

    run: str
    part: str
    at: datetime
    state: str
    did: tuple[str, ...]
    result: Any = None
    error: str = ""
