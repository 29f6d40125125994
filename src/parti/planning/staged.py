"""The simulation as a search sees it: stage by stage, each with the deployments that are chosen for its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parti.optimise.problem import Choice, Option, Part, Problem, Promise, Stage
from parti.optimise.quality import Quality
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

    def problem(self, space: Space, quality: Quality) -> Problem:
        """The problem that is searched: stages in the order of the simulation, with the options of their parts."""
        found = (Stage(tuple(Part(name, space.options(name)) for name in _chosen(one))) for one in self._stages)
        return Problem(tuple(found), quality)

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
        """See Simulation."""
        chosen = (*state.chosen, *(option.label for option in choice if isinstance(option.label, Deployment)))
        deployed = Deployed(chosen)
        names = self._stages[state.prefix.done].stations
        changed = {name: self._model.stations.of(name, deployed) for name in names}
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


def _chosen(stage: SimulatedStage) -> tuple[str, ...]:
    """The stations of a stage for which there is something to choose; one where there is nothing."""
    parts = tuple(name for name in stage.stations if part_of(name) == name)
    return parts or stage.stations[:1]


def _relaxed(name: str) -> Station:
    return Station(name, Constant(0.0), 1, EVERYONE)
