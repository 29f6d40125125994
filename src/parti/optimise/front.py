"""The front: what can be had for how much, as plans that no other beats in cost, seconds and quality together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal

from parti.optimise.found import Found, Limits, Point
from parti.optimise.problem import Problem, Promise
from parti.optimise.refusing import NoPlan
from parti.optimise.searching import search
from parti.optimise.simulation import Simulation

FACTORS: Final = (0.5, 0.7, 0.8, 0.9, 1.1, 1.3, 1.7, 2.5)
"""A sweep asks for the cheapest plan at such shares of the promised seconds."""

POINT_OF_QUALITY: Final = 0.01


def front(points: Iterable[Point]) -> tuple[Point, ...]:
    """The points that no other beats: none costs no more, is no slower and no worse, and better in one. Cheapest first.

    Of equals the first is kept; points whose seconds are infinite are left out.
    """
    kept: list[Point] = []
    for point in sorted(points, key=lambda each: (each.cost, each.seconds, -each.quality)):
        if math.isfinite(point.seconds) and not any(_covers(other, point) for other in kept):
            kept.append(point)
    return tuple(kept)


def _covers(one: Point, other: Point) -> bool:
    return one.cost <= other.cost and one.seconds <= other.seconds and one.quality >= other.quality


@dataclass(frozen=True, slots=True)
class Sweep:
    """Searches for neighbouring promises: `front` over all their points, and what was found for each promise."""

    front: tuple[Point, ...]
    found: tuple[Found, ...]


def sweep(
    problem: Problem,
    simulation: Simulation,
    found: Found,
    *,
    clock: Callable[[], float],
    limits: Limits,
    qualities: Sequence[float] = (),
    until: float = math.inf,
) -> Sweep:
    """Search at other seconds and qualities than those of `found`, all under its seed; each search has these limits.

    `qualities` are further least qualities to ask for. What cannot be had is left out, and what would be looked for after the clock
    says `until`.
    """
    free = replace(found.promise, cost_most=math.inf)
    wanted = [replace(free, seconds=factor * free.seconds) for factor in FACTORS]
    wanted += [replace(free, quality_least=quality) for quality in qualities]
    made = [found]
    for promise in wanted:
        if clock() >= until:
            break
        try:
            made.append(search(problem, simulation, promise, seed=found.seed, clock=clock, limits=limits))
        except NoPlan:
            continue
    return Sweep(front(point for each in made for point in each.points), tuple(made))


@dataclass(frozen=True, slots=True)
class Price:
    """What relaxing one promise from `before` to `after` brings: the best plan then, and what it `saves` in USD per hour.

    Of the budget: the quickest plan that 10% more than the present plan's cost buys; it saves less than nothing.
    """

    promise: Literal["seconds", "quality", "budget"]
    before: float
    after: float
    saves: float
    best: Point


def prices(
    problem: Problem,
    simulation: Simulation,
    swept: Sweep,
    *,
    clock: Callable[[], float],
    limits: Limits,
    until: float = math.inf,
) -> tuple[Price, ...]:
    """The price of each promise: 10% more seconds, one point less quality (where one is promised), 10% more money.

    `swept` begins with what was found for the promise itself. A relaxation never costs more than what it relaxes. After the
    clock says `until`, prices come from what was swept alone.
    """
    found = swept.found[0]
    promise, now = found.promise, found.best
    points = {point.plan: point for each in swept.found for point in each.points}
    made = [Price("seconds", promise.seconds, 1.1 * promise.seconds, 0.0, now)]
    if promise.quality_least > 0:
        less = max(0.0, promise.quality_least - POINT_OF_QUALITY)
        made.append(Price("quality", promise.quality_least, less, 0.0, now))
    relaxed = []
    for price in made:
        looser = _looser(promise, price)
        again = found
        if clock() < until:
            with suppress(NoPlan):
                again = search(problem, simulation, looser, seed=found.seed, clock=clock, limits=limits)
        points.update({point.plan: point for point in again.points})
        best = min((point for point in points.values() if point.keeps(looser)), key=_cheaper)
        relaxed.append(replace(price, saves=now.cost - best.cost, best=best))
    more = 1.1 * now.cost
    within = [
        point for point in points.values() if point.cost <= more and point.quality >= promise.quality_least - 1e-9
    ]
    quickest = min(within, key=lambda point: (point.seconds, point.cost))
    return (*relaxed, Price("budget", now.cost, more, now.cost - quickest.cost, quickest))


def _looser(promise: Promise, price: Price) -> Promise:
    if price.promise == "seconds":
        return replace(promise, seconds=price.after, cost_most=math.inf)
    return replace(promise, quality_least=price.after, cost_most=math.inf)


def _cheaper(point: Point) -> tuple[float, float]:
    return point.cost, point.seconds
