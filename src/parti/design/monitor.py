"""A monitor: named figures computed from what the system has stored."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.function import Function
from parti.design.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """`function` takes nothing and returns a mapping of names to numbers or short texts."""

    name: str
    place: Place
    title: str
    function: Function
    about: str = ""
