"""Delays: by how much each choice of a stage makes requests later, alone or behind a plan's earlier stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from parti.extras import need
from parti.optimise.menus import Menu
from parti.optimise.oracle import RELAXED, LimitReached, Oracle, quantile
from parti.optimise.problem import Choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHOICES_MAX: Final = 160
"""So many choices of a stage are looked at to find its candidates."""

FEW: Final = 12
"""So many of them in any case, and the others as long as there is time."""

TIME_FOR_MORE: Final = 0.4

HOPELESS: Final = 100.0
"""A request that never ends counts as so many times the promised seconds late."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A choice of a stage that no other beats in cost, delay (mean and tail) and quality together.

    `mean` and `tail` (seconds, the latter at the promised level) say by how much the choice makes requests later than the
    stage at its best does, and `fits` whether it keeps the promise so, all other stages relaxed.
    """

    choice: Choice
    cost: float
    term: float
    mean: float
    tail: float
    fits: bool


Climber = tuple[Candidate, ...]
"""A candidate for each stage: a plan on its way."""


class Delays:
    """Candidates for every stage, the lateness of latencies, and what a change of a plan lets one expect.

    Later stages are taken to add what they added before. That is an estimate, good for choosing what to simulate next;
    nothing is decided by it.
    """

    def __init__(self, oracle: Oracle, menus: Sequence[Menu]) -> None:
        self._np: Any = need("numpy", extra="plan", purpose="planning")
        self._oracle = oracle
        samples = [_sample(menu) for menu in menus]
        looked_at = [{number: self._candidate(stage, sample[number]) for number in _few(len(sample))}
                     for stage, sample in enumerate(samples)]  # fmt: skip
        with suppress(LimitReached), oracle.part_of_the_time(TIME_FOR_MORE):
            for stage, sample in enumerate(samples):
                with oracle.part_of_the_time(1.0 / (len(samples) - stage)), suppress(LimitReached):
                    for number in sorted(range(len(sample)), key=_halving):
                        if number not in looked_at[stage]:
                            looked_at[stage][number] = self._candidate(stage, sample[number])
        self.stages = tuple(_unbeaten(candidates) for candidates in looked_at)

    def _candidate(self, stage: int, choice: Choice) -> Candidate:
        oracle, promise = self._oracle, self._oracle.promise
        before = (RELAXED,) * stage
        alone = self._bounded(oracle.latencies((*before, choice)))
        delay = alone - self._bounded(oracle.latencies((*before, RELAXED)))
        fits = int((alone > promise.seconds).sum()) <= oracle.allowed
        cost, term = sum(option.cost for option in choice), oracle.problem.term(stage, choice)
        return Candidate(choice, cost, term, float(delay.mean()), quantile(delay, promise.level), fits)

    def shift(self, at: Climber, stage: int, candidate: Candidate) -> Any:
        """By how much each request would be later after this stage, were `candidate` in its place: float32 seconds."""
        before = tuple(each.choice for each in at[:stage])
        new = self._bounded(self._oracle.latencies((*before, candidate.choice)))
        old = self._bounded(self._oracle.latencies((*before, at[stage].choice)))
        return (new - old).astype(self._np.float32)

    def _bounded(self, latencies: NDArray[Any]) -> Any:
        return self._np.minimum(latencies, HOPELESS * self._oracle.promise.seconds)

    def lateness(self, latencies: NDArray[Any]) -> float:
        """Seconds beyond the promise, summed over the late requests but those that may be late; 0 when it is kept."""
        np, oracle = self._np, self._oracle
        over = self._bounded(latencies) - oracle.promise.seconds
        over = over[over > 0]
        if len(over) <= oracle.allowed:
            return 0.0
        return float(np.partition(over, len(over) - oracle.allowed - 1)[: len(over) - oracle.allowed].sum())


def _few(count: int) -> list[int]:
    """Some numbers below `count`, the least and the greatest among them, at equal distances."""
    return sorted({round(share * (count - 1) / (FEW - 1)) for share in range(FEW)}) if count else []


def _halving(number: int) -> int:
    """An order in which any first numbers are spread over all: by the bits, the last first (van der Corput)."""
    return int(f"{number:016b}"[::-1], 2)


def _unbeaten(looked_at: Mapping[int, Candidate]) -> tuple[Candidate, ...]:
    """Cheapest first."""
    found: list[Candidate] = []
    for _, candidate in sorted(looked_at.items()):
        if not any(_beats(known, candidate) for known in found):
            found.append(candidate)
    return tuple(found)


def _beats(one: Candidate, other: Candidate) -> bool:
    faster = one.mean <= other.mean and one.tail <= other.tail
    return faster and one.cost <= other.cost and one.term >= other.term


def _sample(menu: Menu) -> list[Choice]:
    """Choices to look at: the cheapest of a stage, and of a stage with several parts also those along each part's line."""
    found: dict[Choice, None] = {}
    number = 0
    while number < CHOICES_MAX and menu.cost(number) is not None:
        found[menu.choice(number)] = None
        number += 1
    if menu.cost(number) is not None:
        for share in range(1, 17):
            corner = tuple(options[(len(options) - 1) * share // 16] for options in menu.parts)
            found[corner] = None
            for part, options in enumerate(menu.parts):
                for other in options[:: max(1, len(options) // 8)]:
                    found[(*corner[:part], other, *corner[part + 1 :])] = None
    return sorted(found, key=lambda choice: sum(option.cost for option in choice))
