"""A call graph: after what a part calls what, how often, at once or one after the other, as counts of what was seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NTH_MAX: Final = 32
"""How often a group is told apart by its turn; all further visits of a run count as this one."""


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """Parts that are called at once (sorted; a name stands as often as it is called), for the `nth` time in this run (from 1).

    One part is a call of its own. The caller goes on when all of a group have answered.
    """

    parts: tuple[str, ...]
    nth: int = 1


Node = Group | None
"""A group, or None for the begin of a run (as `after`) or its end (as `then`)."""


@dataclass(frozen=True, slots=True)
class Transition:
    """So many times, once `after` had answered, the caller went on with `then`."""

    after: Node
    then: Node
    count: int


@dataclass(frozen=True, slots=True)
class Published:
    """Events that runs of the caller published to a topic: `count` in all runs together; `handlers` are those that it starts."""

    topic: str
    count: int
    handlers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallGraph:
    """What `runs` runs of one caller (a handler, endpoint, schedule, step or agent) called, in which order.

    Transitions form a chain over groups: from None over groups to None. Each group is told apart by how often it was visited
    before, so program code that calls a part three times is no loop; `looped` makes loops of them.
    """

    caller: str
    runs: int
    transitions: tuple[Transition, ...]
    published: tuple[Published, ...] = ()

    def visits(self) -> dict[str, float]:
        """How often a run calls each part in the mean, by part. (A run that goes beyond NTH_MAX still counts each visit.)"""
        found: Counter[str] = Counter()
        for transition in self.transitions:
            for part in transition.then.parts if transition.then else ():
                found[part] += transition.count
        return {part: count / self.runs for part, count in sorted(found.items())} if self.runs else {}

    def after(self, step: Node) -> tuple[tuple[Node, float], ...]:
        """Where runs go after `step` (None: at their begin), with probabilities that sum to 1; empty if it was never seen."""
        leaving = [(one.then, one.count) for one in self.transitions if one.after == step]
        total = sum(count for _, count in leaving)
        return tuple((then, count / total) for then, count in leaving)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every group that was seen, sorted."""
        return tuple(sorted({one.then for one in self.transitions if one.then is not None}))

    def looped(self, unrolled: int = 1) -> CallGraph:
        """The same with visits from the `unrolled`-th on taken together: a loop with the probabilities that were seen."""
        return CallGraph(
            self.caller, self.runs,
            added(((_folded(t.after, unrolled), _folded(t.then, unrolled)), t.count) for t in self.transitions),
            self.published,
        )  # fmt: skip

    @property
    def visits_max(self) -> int:
        """The most visits to one group that any run made, as far as they are told apart."""
        return max((group.nth for group in self.groups), default=0)


def _folded(step: Node, unrolled: int) -> Node:
    return None if step is None else Group(step.parts, min(step.nth, unrolled))


def added(seen: Iterable[tuple[tuple[Node, Node], int]]) -> tuple[Transition, ...]:
    """Counts of pairs summed, as sorted transitions."""
    counts: Counter[tuple[Node, Node]] = Counter()
    for pair, count in seen:
        counts[pair] += count
    return tuple(Transition(*pair, count) for pair, count in sorted(counts.items(), key=lambda one: _key(*one[0])))


def _key(after: Node, then: Node) -> tuple[Group, bool, Group]:
    nothing = Group(())
    return (after or nothing, then is None, then or nothing)


def chain(run: Iterable[tuple[str, ...]]) -> list[tuple[Node, Node]]:
    """The transitions of one run that called these groups one after the other."""
    seen: dict[tuple[str, ...], int] = defaultdict(int)
    pairs: list[tuple[Node, Node]] = []
    before: Node = None
    for parts in run:
        group = tuple(sorted(parts))
        seen[group] += 1
        step = Group(group, min(seen[group], NTH_MAX))
        pairs.append((before, step))
        before = step
    return [*pairs, (before, None)]
