"""A planning problem: stages in order, their parts, the options of each part, and what is promised."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from parti.errors import PlanError
from parti.optimise.quality import Quality


@dataclass(frozen=True, slots=True)
class Option:
    """One way to deploy a part: `cost` in USD per hour (finite, at least 0), `quality` from 0 to 1.

    `label` names it for the caller (replicas, batch, machine, variant, place) and is handed to the simulation unread.
    Options of a part with equal `behaviour` must make the simulation do the same whatever else is chosen; of such twins
    only those are searched that no other beats in cost and quality. Left out, the label is the behaviour. No other
    dominance is assumed: in a network more replicas, or a faster machine, can make a later request late.
    """

    label: Hashable
    cost: float
    quality: float = 1.0
    behaviour: Hashable = None
    cost_least: float | None = field(default=None, compare=False)
    """What the cheapest of the options costs that were left out just below this one, with fewer replicas; None: none was."""

    @property
    def rounded(self) -> float:
        """By what factor this option is dearer, at most, than one that was left out below it."""
        return self.cost / self.cost_least if self.cost_least and self.cost_least < self.cost else 1.0

    @property
    def behaves(self) -> Hashable:
        """What of the option the simulation can tell apart."""
        return self.label if self.behaviour is None else self.behaviour


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the system by its name, and its options (at least one, each label once).

    Where there are too many, `options` are some of them: of each kind that with the fewest replicas, that with the most, and
    some between. `between` gives for one of them the part with it and those left out next to it; None where none were.
    """

    name: str
    options: tuple[Option, ...]
    between: Callable[[Option], Part | None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Stage:
    """Parts that must be simulated together, mostly one; several where requests loop or retry among them."""

    parts: tuple[Part, ...]


Choice = tuple[Option, ...]
"""One option for each part of a stage, in their order."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Stages in the order of the simulation, and how qualities combine. Raises P812 for what cannot be."""

    stages: tuple[Stage, ...]
    quality: Quality = field(default_factory=Quality)

    def __post_init__(self) -> None:
        """Refuse stages without parts, parts without options, names twice, and figures out of range."""
        names = [part.name for part in self.parts()]
        if not names or not all(stage.parts for stage in self.stages):
            raise PlanError("P812", "there is nothing to plan: a stage has no parts", fix="give each stage a part")
        for name in names:
            if names.count(name) > 1:
                raise PlanError("P812", f"two parts are called `{name}`", fix="name each part once")
        for part in self.parts():
            _refuse(part)
        for name in self.quality.weights:
            if name not in names:
                raise PlanError(
                    "P812", f"a weight is given to `{name}`, which is no part", fix=f"parts: {', '.join(names)}"
                )

    def parts(self) -> Iterator[Part]:
        """All parts, stage by stage."""
        return (part for stage in self.stages for part in stage.parts)

    @property
    def plans(self) -> int:
        """How many plans there are."""
        return math.prod(len(part.options) for part in self.parts())

    def term(self, stage: int, choice: Choice) -> float:
        """What a choice adds to the quality of the whole."""
        parts = self.stages[stage].parts
        return self.quality.of(
            self.quality.term(part.name, option.quality) for part, option in zip(parts, choice, strict=True)
        )

    def quality_of(self, plan: Plan) -> float:
        """The quality of a plan, 0 to 1."""
        return self.quality.of(self.term(stage, choice) for stage, choice in enumerate(plan.choices))


def _refuse(part: Part) -> None:
    if not part.options:
        raise PlanError(
            "P812", f"`{part.name}` has no options", fix="give it at least one machine type and one replica"
        )
    labels = set()
    for option in part.options:
        if not 0 <= option.cost < math.inf:
            raise PlanError(
                "P812", f"an option of `{part.name}` costs {option.cost}", fix="a cost is at least 0 USD per hour"
            )
        if not 0 <= option.quality <= 1:
            raise PlanError(
                "P812", f"an option of `{part.name}` has quality {option.quality}", fix="a quality is 0 to 1"
            )
        labels.add(option.label)
    if len(labels) < len(part.options):
        raise PlanError(
            "P812", f"two options of `{part.name}` have one label", fix="give each option a label of its own"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A choice for each stage."""

    choices: tuple[Choice, ...]

    @property
    def cost(self) -> float:
        """USD per hour."""
        return math.fsum(option.cost for choice in self.choices for option in choice)

    def options(self, problem: Problem) -> dict[str, Option]:
        """The option of each part, by its name."""
        chosen = (option for choice in self.choices for option in choice)
        return {part.name: option for part, option in zip(problem.parts(), chosen, strict=True)}


@dataclass(frozen=True, slots=True)
class Promise:
    """What a plan must keep: the quantile `level` of latencies is at most `seconds`, with least quality and most cost.

    Of n requests ``n - ceil(level · n)`` may be late (nearest rank); one that does not end well is late. `cost_most` is a
    budget in USD per hour. Raises P812 for what cannot be.
    """

    seconds: float
    level: float = 0.99
    quality_least: float = 0.0
    cost_most: float = math.inf

    def __post_init__(self) -> None:
        """Refuse figures out of range."""
        if not (self.seconds > 0 and 0 < self.level < 1 and 0 <= self.quality_least <= 1 and self.cost_most >= 0):
            raise PlanError(
                "P812",
                f"no plan can be measured by {self}",
                fix="seconds above 0, a level between 0 and 1, a quality from 0 to 1, a budget of at least 0",
            )

    def late_allowed(self, requests: int) -> int:
        """How many of so many requests may take longer than `seconds`."""
        return requests - math.ceil(self.level * requests - 1e-9)
