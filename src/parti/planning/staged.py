"""The simulation as a search sees it: stage by stage, each with the deployments that are chosen for its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parti.optimise.problem import Choice, Option, Part, Problem, Promise, Stage
from parti.optimise.quality import Quality
from parti.planning.blueprint import GATE
from parti.planning.deployment import Deployed, Deployment
from parti.planning.predicting import Model, latencies
from parti.planning.sampling import sample
from parti.planning.space import Space
from parti.planning.stations import part_of
from parti.sim.condensing import Stage as SimulatedStage
from parti.sim.condensing import stages
from parti.sim.distributions import Constant
from parti.sim.network import EVERYONE, Station
from parti.sim.simulating import Prefix, begin, extend, finish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class State:
    """A simulation up to some stage, how the parts up to there are deployed, and which requests count."""

    prefix: Prefix
    chosen: tuple[Deployment, ...]
    counted: NDArray[np.bool_]


class Staged:
    """Implements optimise.Simulation over the simulator. The hands of runners bound nothing here; predictions know them."""

    monotone = False

    def __init__(self, model: Model) -> None:
        self._model = model
        self._network = model.network(Deployed(()), limits=False)
        self._stages = stages(self._network)
        self._chosen = _first_met(self._stages)

    def problem(self, space: Space, quality: Quality) -> Problem:
        """The problem that is searched: stages in the order of the simulation, with the options of the parts first met there.

        Raises P830 to P833.
        """
        space.check_qualities([name for names in self._chosen for name in names])
        found = (
            tuple(Part(name, space.options(name)) for name in names) or (_nothing(stage),)
            for stage, names in zip(self._stages, self._chosen, strict=True)
        )
        return Problem(tuple(map(Stage, found)), quality)

    def warm(self, problem: Problem) -> None:
        """Simulate once, so that a search does not spend its time on compiling."""
        state = self.begin(0)
        for stage in problem.stages:
            state = self.extend(state, tuple(part.options[0] for part in stage.parts))
        self.finish(state)

    def begin(self, seed: int) -> State:
        """See Simulation."""
        load = sample(self._model.workload, self._model.blueprint, seconds=self._model.seconds, seed=seed)
        prefix = begin(self._network, load, seed=seed, warmup=self._model.warmup)
        return State(prefix, (), self._model.counts(load))

    def extend(self, state: State, choice: Choice) -> State:
        """See Simulation. What was chosen of a part holds for all its stations; those of one that was relaxed are so, too."""
        chosen = (*state.chosen, *(option.label for option in choice if isinstance(option.label, Deployment)))
        deployed = Deployed(chosen)
        known = {"", *(one.part for one in chosen)}
        changed = {
            name: self._model.stations.of(name, deployed) if part_of(name) in known else _relaxed(name)
            for name in self._stages[state.prefix.done].stations
        }
        return State(extend(state.prefix, changed), chosen, state.counted)

    def relax(self, state: State) -> State:
        """See Simulation. Ways are taken in no time, and each part takes as long as at its fastest."""
        names = self._stages[state.prefix.done].stations
        return State(extend(state.prefix, {name: _relaxed(name) for name in names}), state.chosen, state.counted)

    def reached(self, state: State) -> NDArray[np.float64]:
        """See Simulation."""
        return (state.prefix.reached - state.prefix.load.arrived)[state.counted]

    def finish(self, state: State) -> NDArray[np.float64]:
        """See Simulation."""
        return latencies(finish(state.prefix), state.counted)

    def size(self, state: State) -> int:
        """See Simulation."""
        return 64 * len(state.prefix.load)

    def possible(self, seed: int, part: str, option: Option, promise: Promise) -> bool:
        """See Simulation."""
        return True


def _first_met(found: Sequence[SimulatedStage]) -> tuple[tuple[str, ...], ...]:
    """For each stage the parts of which a station, or the way to one, is simulated there and in none before."""
    met: set[str] = {""}
    made = []
    for stage in found:
        names = tuple(name for name in dict.fromkeys(map(part_of, stage.stations)) if name not in met)
        met.update(names)
        made.append(names)
    return tuple(made)


def _nothing(stage: SimulatedStage) -> Part:
    """Stands for a stage in which nothing is left to choose, under a name that no part has."""
    return Part(f"{stage.stations[0]}{GATE}", (Option(Deployment(""), 0.0),))


def _relaxed(name: str) -> Station:
    return Station(name, Constant(0.0), 1, EVERYONE)
