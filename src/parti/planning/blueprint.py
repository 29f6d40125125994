"""The blueprint of a system: who calls whom after what, as calls and routes of a queueing network, whatever its deployment.

It is read from the call graphs of a profile. A run is its runner's own work, then what it calls, group by group; what a
callee calls itself comes in between. Events that it publishes begin runs of their handlers. A request is the whole story:
it is done when the last run that it caused is.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from parti.design.endpoint import Endpoint
from parti.design.graph import Design
from parti.design.handler import Handler
from parti.design.schedule import Schedule
from parti.design.topic import Topic
from parti.errors import PlanError
from parti.planning.calls import NTH_MAX, CallGraph, Group, Node
from parti.planning.profile import Profile
from parti.sim.checking import MOST
from parti.sim.network import END, Call, Choice, Fork, Route

GATE: Final = "·"
"""Begins the name of a station at which a route forks, joins or chooses; it takes no time. (One for all would tie all in a loop.)"""

WAY: Final = "·way"
"""Ends the name of a call that is the way to a part's site and back; a plan decides how long that takes."""

COMMIT: Final = f"{GATE}commit"
"""Begins the name of a station at which a run that ended waits until it is on disk; where that was measured, nothing follows before."""

AT: Final = "@"
"""Between a part and its call, in the name of a station of that call alone: where nobody waits, none needs to be shared."""

COPIES_MAX: Final = 64
"""The most events that one run may publish to one topic, in the mean."""

CALLS_MAX: Final = MOST
"""Places that are told apart in all."""

UNROLLED: Final = ((NTH_MAX, CALLS_MAX // 4), (16, CALLS_MAX // 4), (8, CALLS_MAX))
"""So many visits of one place in a program are told apart, the rest is a loop: as many as fit into so many places.

Only a quarter of all, since each may become four in one process.
"""

Runner = Handler | Endpoint | Schedule


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Calls, the routes between them by name, the call at which each entry begins, and the calls that belong to each runner.

    `beside` are further calls at which what comes to an entry begins requests of their own, at the same moment.
    """

    calls: tuple[Call, ...]
    routes: Mapping[str, Route]
    entries: Mapping[str, str]
    within: Mapping[str, tuple[str, ...]]
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def stations(self) -> tuple[str, ...]:
        """The stations that are called, in the order in which they are first met."""
        return tuple(dict.fromkeys(call.station for call in self.calls))


def blueprint(
    design: Design,
    profile: Profile,
    entries: Iterable[str],
    *,
    crowdless: Collection[str] = (),
    distant: Collection[str] = (),
    until: Collection[str] = (),
) -> Blueprint:
    """What requests that come in at `entries` (handlers, endpoints, schedules, topics) go through.

    What comes to a topic forks to all of its handlers. For parts that are `crowdless` nobody ever waits, so that each call of one
    has a station of its own. Parts that are `distant` may run elsewhere: behind each call of one comes its way there and back.
    Runs of `until` are requests of their own: what causes them does not lead to them, and what they cause is left out.
    Raises P830 for an entry that was never seen at work, and P831 for what calls or publishes without end.
    """
    listed = list(entries)
    for unrolled, room in UNROLLED:
        drawing = _Drawing(design, profile, frozenset(crowdless), frozenset(distant), frozenset(until), unrolled, room)
        try:
            return drawing.drawn(listed)
        except _FullError:
            continue
    what = f"its runs come to more than {CALLS_MAX} places"
    raise PlanError("P831", what, fix="plan for a part of the system at a time")


class _FullError(Exception):
    """There are more places than there is room for."""


@dataclass(slots=True)
class _Drawing:
    """A blueprint under way."""

    design: Design
    profile: Profile
    crowdless: frozenset[str]
    distant: frozenset[str]
    until: frozenset[str]
    unrolled: int
    room: int
    calls: dict[str, Call] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    within: dict[str, list[str]] = field(default_factory=dict)

    def drawn(self, entries: Iterable[str]) -> Blueprint:
        """All that follows from these entries."""
        begins = {entry: self._entry(entry) for entry in entries}
        within = {runner: tuple(calls) for runner, calls in self.within.items()}
        first = {entry: calls[0] for entry, calls in begins.items()}
        beside = {entry: calls[1:] for entry, calls in begins.items() if len(calls) > 1}
        return Blueprint(tuple(self.calls.values()), self.routes, first, within, beside)

    def _entry(self, name: str) -> tuple[str, ...]:
        """The call at which what comes to an entry begins, and those of the runs that are requests of their own."""
        if not isinstance(self.design.by_name.get(name), Topic):
            return (self.runner(name),)
        handlers = [one.name for one in self.design.all(Handler) if one.topic == name]
        begins = {handler: self.runner(handler) for handler in handlers}
        own = tuple(call for handler, call in begins.items() if handler not in self.until)
        apart = tuple(call for handler, call in begins.items() if handler in self.until)
        return (self._gate(f"{name}·event", Fork(own)), *apart) if len(own) > 1 else (*own, *apart)

    def runner(self, name: str) -> str:
        """The call at which a run of that runner begins; it is drawn once."""
        if name in self.within:
            return name
        graph = self.profile.graph(name)
        if graph is None or not isinstance(self.design.by_name.get(name), Runner):
            raise PlanError(
                "P830",
                f"nothing is known of `{name}`: no run of it was measured",
                fix="let it work, or `parti profile`",
            )
        self.within[name] = []
        own = self._own(name, name, name)
        self._inside(graph, own, name, self._committed(name, self._caused(graph)), (name,))
        return name

    def _committed(self, runner: str, then: str) -> str:
        """The commit of a run, from which it goes on to `then`; it holds no hand of the runner any more."""
        if self.profile.commit is None:
            return then
        commit = f"{runner}{COMMIT}"
        self._add(commit, f"{COMMIT}{AT}{runner}", "")
        self.routes[commit] = _to(then)
        return commit

    def _inside(self, graph: CallGraph, begin: str, prefix: str, then: str, path: tuple[str, ...]) -> None:
        """What a caller calls, from its own call `begin` to the call `then`."""
        if graph.visits_max > self.unrolled:
            graph = graph.looped(self.unrolled)
        names = {group: f"{prefix}/{'+'.join(group.parts)}·{group.nth}" for group in graph.groups}
        self.routes[begin] = self._onward(graph, None, names, then)
        for group, name in names.items():
            self._group(graph, group, name, names, then, path)

    def _group(
        self, graph: CallGraph, group: Group, name: str, names: Mapping[Group, str], then: str, path: tuple[str, ...]
    ) -> None:
        """One part that is called, or several at once, and where it goes on from there."""
        onward = self._onward(graph, group, names, then)
        if len(group.parts) == 1:
            self._part(group.parts[0], name, onward, path)
            return
        together = f"{name}·all"
        branches = [f"{name}·{number}" for number in range(1, len(group.parts) + 1)]
        self._gate(name, Fork(tuple(branches)), path[0])
        for part, branch in zip(group.parts, branches, strict=True):
            self._part(part, branch, _to(together), path)
        self._gate(together, onward, path[0], joins=len(branches))

    def _part(self, part: str, name: str, onward: Route, path: tuple[str, ...]) -> None:
        """A call of a part, and of all that it calls itself."""
        own = self._own(part, name, path[0])
        graph = self.profile.graph(part)
        if graph is None or not graph.groups:
            self.routes[own] = onward
            return
        if part in path:
            raise PlanError(
                "P831",
                f"`{part}` calls itself: {' -> '.join((*path, part))}",
                fix="plan with a profile in which it ends",
            )
        self._inside(graph, own, name, self._one(f"{name}·back", onward, path[0]), (*path, part))

    def _own(self, part: str, name: str, runner: str) -> str:
        """The call of a part's own work, and its way; the last of the two."""
        self._add(name, f"{part}{AT}{name}" if part in self.crowdless else part, runner)
        if part not in self.distant:
            return name
        way = f"{name}{WAY}"
        self._add(way, f"{part}{AT}{way}", runner)
        self.routes[name] = _to(way)
        return way

    def _onward(self, graph: CallGraph, step: Node, names: Mapping[Group, str], then: str) -> Route:
        following = graph.after(step) or ((None, 1.0),)
        return Choice(tuple((then if node is None else names[node], share) for node, share in following))

    def _caused(self, graph: CallGraph) -> str:
        """Where a run's request goes on when it ended: to the runs that its events begin, a branch for each, or nowhere."""
        branches: list[Route] = []
        for published in graph.published if graph.caller not in self.until else ():
            for handler in published.handlers:
                known = handler not in self.until and self.profile.graph(handler) is not None
                if published.count and known:
                    branches += self._copies(graph, handler, published.count / max(1, graph.runs))
        ended = f"{graph.caller}·ended"
        if len(branches) < 2:
            return self._one(ended, branches[0], "") if branches else END
        gates = (self._gate(f"{ended}·{number}", branch) for number, branch in enumerate(branches, 1))
        return self._gate(ended, Fork(tuple(gates)))

    def _copies(self, graph: CallGraph, handler: str, mean: float) -> list[Route]:
        """A route for each event that a run publishes in the mean to a handler; the last one is taken by chance."""
        if mean > COPIES_MAX:
            what = f"`{graph.caller}` publishes {mean:.0f} events a run that `{handler}` handles"
            raise PlanError("P831", what, fix="plan for the handler behind it, with a load of its own")
        begin, whole = self.runner(handler), math.floor(mean + 1e-9)
        rest = mean - whole
        some: list[Route] = [Choice(((begin, rest), (END, 1.0 - rest)))] if rest > 1e-9 else []
        return [_to(begin)] * whole + some

    def _one(self, name: str, route: Route, runner: str) -> str:
        """The one target that a route has, or a gate of that name from which it goes on."""
        if isinstance(route, Choice) and len(route.targets) == 1:
            return route.targets[0][0]
        return self._gate(name, route, runner)

    def _gate(self, name: str, route: Route, runner: str = "", joins: int = 1) -> str:
        self._add(name, f"{GATE}{name}", runner, joins)
        self.routes[name] = route
        return name

    def _add(self, name: str, station: str, runner: str, joins: int = 1) -> None:
        if len(self.calls) >= self.room:
            raise _FullError
        self.calls[name] = Call(name, station, joins=joins)
        if runner:
            self.within[runner].append(name)


def _to(target: str) -> Choice:
    """Always there."""
    return Choice(((target, 1.0),))
