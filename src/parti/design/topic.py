"""A topic: a durable, typed, keyed stream of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parti.design.payload import Payload
from parti.design.places import Place
from parti.units import Seconds

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the JSON object of an event or row written under an older schema into one of today's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Events of one type. Those of one `key` keep their order; `partitions` is fixed once events are stored.

    `retain` (seconds, None for ever) is how long events are kept at least; `backlog` is how many events the slowest
    handler may lag before publishing is refused; `dead_letters` names the topic that failed events go to.
    """

    name: str
    place: Place
    payload: Payload
    key: str
    partitions: int
    retain: Seconds | None
    backlog: int
    dead_letters: str | None
    upcast: Upcast | None = field(default=None, repr=False, compare=False)
    about: str = ""
