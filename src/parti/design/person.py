"""A person: someone who is asked, by role; a declared stand-in may answer in demos and rehearsals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parti.design.places import Place
from parti.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The role `name`. `stand_in(question)` answers `after` seconds, only where stand-ins are switched on."""

    name: str
    place: Place
    stand_in: Callable[[Any], Any] | None = field(default=None, repr=False, compare=False)
    after: Seconds = 0.0
    about: str = ""
