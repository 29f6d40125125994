"""What each view of the page asks for, by the name of its address: one line a view."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from math import isfinite

from parti.board.queries.kinds import kind_of
from parti.board.queries.picture import picture
from parti.board.shown import Shown
from parti.design.graph import Part
from parti.errors import UsageError
from parti.units import Seconds

Query = Mapping[str, str]
"""What follows the "?" of an address."""

View = Callable[[Query], Awaitable[object]]
"""Reads what is asked for; raises P504 for a query that it cannot read."""


def views(shown: Shown) -> Mapping[str, View]:
    """Every view of what is shown. ``GET /-/board/api/<name>`` answers with its value as JSON."""
    running = shown.operations

    async def plan(_: Query) -> object:
        design = running.design
        parts = [_about(part) for part in design.parts]
        return {"system": design.name, "digest": design.digest, "drawing": shown.drawing, "parts": parts}

    async def taken(query: Query) -> object:
        return await picture(running.store, running.design, at=moment(query, "at", running.clock.now()))

    return {"plan": plan, "picture": taken}


def _about(part: Part) -> dict[str, str]:
    return {"name": part.name, "kind": kind_of(part), "about": part.about, "place": str(part.place)}


def moment(query: Query, name: str, otherwise: Seconds) -> Seconds:
    """The moment of that name, in seconds since 1970. Raises P504 for what is none."""
    text = query.get(name, "")
    try:
        value = float(text) if text else otherwise
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise UsageError("P504", f"{name}={text!r} is no moment", fix="give seconds since 1970")
    return value
