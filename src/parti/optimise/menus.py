"""Menus: the choices of a stage, cheapest first, made only as far as somebody reads."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Iterator

from parti.optimise.problem import Choice, Option, Part, Problem

Position = tuple[int, ...]


class Menu:
    """The choices of one stage by number, from the cheapest up (ties in the order of the options).

    `parts` hold for each part of the stage its options that are worth a try, cheapest first. A stage of several parts has as
    many choices as their product; the next is taken from a heap, so the first of a million cost nothing but themselves.
    """

    def __init__(self, parts: tuple[tuple[Option, ...], ...]) -> None:
        self.parts = parts
        self._made: list[tuple[float, Choice]] = []
        self._waiting: list[tuple[float, Position]] = []
        if all(parts):
            first = (0,) * len(parts)
            self._waiting = [(self._cost(first), first)]

    def cost(self, number: int) -> float | None:
        """What a choice costs in USD per hour; None past the last."""
        return self._made[number][0] if self._reach(number) else None

    def choice(self, number: int) -> Choice:
        """The choice of a number for which `cost` is not None."""
        return self._made[number][1]

    def _reach(self, number: int) -> bool:
        while len(self._made) <= number and self._waiting:
            cost, position = heapq.heappop(self._waiting)
            self._made.append((cost, self._choice(position)))
            for after in self._after(position):
                heapq.heappush(self._waiting, (self._cost(after), after))
        return number < len(self._made)

    def _after(self, position: Position) -> Iterator[Position]:
        """The positions that have this one as their only predecessor: one part raised, none raised behind it."""
        for part in reversed(range(len(position))):
            if position[part] + 1 < len(self.parts[part]):
                yield (*position[:part], position[part] + 1, *position[part + 1 :])
            if position[part]:
                return

    def _choice(self, position: Position) -> Choice:
        return tuple(options[index] for options, index in zip(self.parts, position, strict=True))

    def _cost(self, position: Position) -> float:
        return sum(option.cost for option in self._choice(position))


def worth_trying(part: Part, possible: Callable[[Option], bool]) -> tuple[Option, ...]:
    """The options of a part, cheapest first, without impossible ones and without those that a twin beats.

    Twins have equal behaviour; one is beaten when another costs no more and is no worse.
    """
    kept: dict[Hashable, list[Option]] = {}
    for option in sorted(part.options, key=lambda each: (each.cost, -each.quality)):
        twins = kept.setdefault(option.behaves, [])
        if all(twin.quality < option.quality for twin in twins) and possible(option):
            twins.append(option)
    return tuple(sorted((option for twins in kept.values() for option in twins), key=lambda each: each.cost))


def menus(problem: Problem, possible: Callable[[Part, Option], bool]) -> tuple[Menu, ...]:
    """A menu for each stage."""

    def of(parts: Iterable[Part]) -> Menu:
        return Menu(tuple(worth_trying(part, lambda option, part=part: possible(part, option)) for part in parts))  # type: ignore[misc]

    return tuple(of(stage.parts) for stage in problem.stages)
