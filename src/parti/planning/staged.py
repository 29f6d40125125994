"""The simulation as a search sees it: stage by stage, each with the deployments that are chosen for its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parti.optimise.problem import Choice, Option, Part, Problem, Promise, Stage
from parti.optimise.quality import Quality
from parti.planning.blueprint import GATE, WAY
from parti.planning.deployment import Deployed, Deployment
from parti.planning.least import Least, fastest
from parti.planning.predicting import Model, latencies
from parti.planning.sampling import sample
from parti.planning.space import Space
from parti.planning.stations import part_of
from parti.sim.condensing import Stage as SimulatedStage
from parti.sim.condensing import stages
from parti.sim.distributions import Constant
from parti.sim.network import EVERYONE, Station
from parti.sim.network import Llm as Engine
from parti.sim.simulating import Prefix, begin, extend, finish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


KNOWN_MOST: Final = 10_000
"""So many stations are remembered, by their deployments."""


@dataclass(frozen=True, slots=True)
class State:
    """A simulation up to some stage, how the parts up to there are deployed, and which requests count."""

    prefix: Prefix
    chosen: tuple[Deployment, ...]
    counted: NDArray[np.bool_]
    least: Least


class Staged:
    """Implements optimise.Simulation over the simulator. The hands of runners bound nothing here; predictions know them."""

    monotone = False

    def __init__(self, model: Model) -> None:
        self._model = model
        self._network = model.network(Deployed(()), limits=False)
        self._stages = stages(self._network)
        self._chosen = _first_met(self._stages)
        self._fastest: dict[str, Station] = {}
        self._known: dict[tuple[str, Deployment], Station] = {}
        self._begun: tuple[int, State] | None = None
        self._bounds: dict[tuple[int, Promise, Deployment], tuple[int, int]] = {}
        """Of each kind of deployment the most replicas that are known to be too few, and the fewest that may be enough."""

    def problem(self, space: Space, quality: Quality) -> Problem:
        """The problem that is searched: stages in the order of the simulation, with the options of the parts first met there.

        Raises P830 to P833.
        """
        space.check_qualities([name for names in self._chosen for name in names])
        self._fastest, self._begun = {}, None
        found = (
            tuple(space.part(name) for name in names) or (_nothing(stage),)
            for stage, names in zip(self._stages, self._chosen, strict=True)
        )
        problem = Problem(tuple(map(Stage, found)), quality)
        for part in problem.parts():
            self._note_fastest(part)
        return problem

    def _note_fastest(self, part: Part) -> None:
        """Which stations are never slower than those of any option of a part, with any number of replicas."""
        kinds = dict.fromkeys(
            one.label._replace(replicas=1) for one in part.options if isinstance(one.label, Deployment)
        )
        for name in self._network_names:
            if part_of(name) == part.name and not name.endswith(WAY):
                found = [self._station(name, kind) for kind in kinds]
                services = [(one.service, one.batch) for one in found if not isinstance(one.service, Engine)]
                if len(services) == len(found):
                    self._fastest[name] = Station(name, fastest(services), 1, EVERYONE)

    def _station(self, name: str, deployment: Deployment) -> Station:
        key = name, deployment
        if key not in self._known:
            if len(self._known) >= KNOWN_MOST:
                self._known.clear()
            self._known[key] = self._model.stations.of(name, Deployed((deployment,)))
        return self._known[key]

    def warm(self, problem: Problem) -> None:
        """Simulate once, so that a search does not spend its time on compiling."""
        state = self.begin(0)
        for stage in problem.stages:
            state = self.extend(state, tuple(part.options[0] for part in stage.parts))
        self.finish(state)

    def begin(self, seed: int) -> State:
        """See Simulation."""
        if self._begun is not None and self._begun[0] == seed:
            return self._begun[1]
        load = sample(self._model.workload, self._model.blueprint, seconds=self._model.seconds, seed=seed)
        prefix = begin(self._network, load, seed=seed, warmup=self._model.warmup)
        counted = self._model.counts(load)
        state = State(prefix, (), counted, Least(prefix, counted, self._relaxed))
        self._begun = seed, state
        return state

    def extend(self, state: State, choice: Choice) -> State:
        """See Simulation. What was chosen of a part holds for all its stations; those of one that was relaxed are so, too."""
        chosen = (*state.chosen, *(option.label for option in choice if isinstance(option.label, Deployment)))
        known = {"": Deployment("")} | {one.part: one for one in chosen}
        changed = {
            name: self._station(name, known[part_of(name)]) if part_of(name) in known else self._relaxed(name)
            for name in self._stages[state.prefix.done].stations
        }
        return State(extend(state.prefix, changed), chosen, state.counted, state.least)

    def relax(self, state: State) -> State:
        """See Simulation. Ways are taken in no time, and each part takes as long as at its fastest."""
        names = self._stages[state.prefix.done].stations
        prefix = extend(state.prefix, {name: self._relaxed(name) for name in names})
        return State(prefix, state.chosen, state.counted, state.least)

    def _relaxed(self, name: str) -> Station:
        return self._fastest.get(name) or Station(name, Constant(0.0), 1, EVERYONE)

    def reached(self, state: State) -> NDArray[np.float64]:
        """See Simulation. With what the stages that are left take at the very least."""
        return self.taken(state) + state.least.after(state.prefix.done)

    def taken(self, state: State) -> NDArray[np.float64]:
        """See Simulation."""
        taken: NDArray[np.float64] = (state.prefix.reached - state.prefix.load.arrived)[state.counted]
        return taken

    def finish(self, state: State) -> NDArray[np.float64]:
        """See Simulation."""
        return latencies(finish(state.prefix), state.counted)

    def size(self, state: State) -> int:
        """See Simulation."""
        return 64 * len(state.prefix.load)

    def possible(self, seed: int, part: str, option: Option, promise: Promise) -> bool:
        """See Simulation. Not where a station of the part has more work than it can do in time, whatever the others do.

        What fewer replicas could do more can, so a kind of deployment is looked at for few numbers of them.
        """
        deployment = option.label
        if not isinstance(deployment, Deployment):
            return True
        key = seed, promise, deployment._replace(replicas=1)
        too_few, enough = self._bounds.get(key, (0, 1 << 60))
        if too_few < deployment.replicas < enough:
            if self._does_its_work(seed, part, deployment, promise):
                enough = deployment.replicas
            else:
                too_few = deployment.replicas
            self._bounds[key] = too_few, enough
        return deployment.replicas > too_few

    def _does_its_work(self, seed: int, part: str, deployment: Deployment, promise: Promise) -> bool:
        state = self.begin(seed)
        allowed = promise.late_allowed(int(state.counted.sum()))
        names = (name for name in self._network_names if part_of(name) == part and not name.endswith(WAY))
        return all(state.least.late(self._station(name, deployment), promise.seconds) <= allowed for name in names)

    @property
    def _network_names(self) -> tuple[str, ...]:
        return self._model.blueprint.stations


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
