"""A handler: a function that is run once for each event of a topic."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.budget import Budget
from parti.design.function import Function
from parti.design.goals import Retry
from parti.design.places import Place
from parti.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """Runs `function` for each event of `topic`; what it returns is published to the topic `to`.

    `concurrency` bounds the runs in flight; `timeout` bounds the time a run is at work, waiting for people and
    timers not counted.
    """

    name: str
    place: Place
    topic: str
    to: str | None
    function: Function
    retry: Retry
    timeout: Seconds
    budget: Budget | None = None
    concurrency: int
    about: str = ""
