"""A schedule: a function that is run again and again, a fixed time apart."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.budget import Budget
from parti.design.function import Function
from parti.design.goals import Retry
from parti.design.places import Place
from parti.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Runs `function` at every whole multiple of `every` seconds since 1970. Ticks missed while down are not made up:
    the latest one missed runs once."""

    name: str
    place: Place
    every: Seconds
    function: Function
    retry: Retry
    timeout: Seconds
    budget: Budget | None = None
    about: str = ""
