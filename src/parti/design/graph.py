"""The design of a system: its parts and the arrows between them, frozen."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Literal, TypeVar

from parti.design.acceptance import Acceptance
from parti.design.agent import Agent, session_table
from parti.design.choices import Choices
from parti.design.decision import Decision
from parti.design.endpoint import Endpoint
from parti.design.evaluation import Evaluation
from parti.design.gate import Gate
from parti.design.goals import Slo
from parti.design.guard import Guard
from parti.design.handler import Handler
from parti.design.labelling import Holding
from parti.design.labels import Tag
from parti.design.llm import Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.monitor import Monitor
from parti.design.person import Person
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic
from parti.errors import RunError
from parti.units import Seconds

Part = (
    Topic
    | Table
    | Handler
    | Endpoint
    | Schedule
    | Tool
    | ToolServer
    | Step
    | Guard
    | Model
    | Llm
    | Agent
    | Memory
    | Source
    | Monitor
    | Person
)
Kind = Literal["consumes", "publishes", "reads", "writes", "calls", "asks"]
P = TypeVar("P", bound=Part)


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """`source` does `kind` to `target` at `place`. `may` marks what is possible but chosen at run time."""

    source: str
    kind: Kind
    target: str
    place: Place
    may: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Opaque:
    """A place in `part` that could not be read, and why."""

    part: str
    place: Place
    why: str


@dataclass(frozen=True)
class Design:
    """A whole system. Parts keep the order of declaration; arrows are sorted and free of duplicates."""

    name: str
    parts: tuple[Part, ...]
    arrows: tuple[Arrow, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    slo: Slo | None = None
    place: Place = field(default=Place("", 0))
    retain: Seconds | None = None
    """How long ended runs are kept, with their journals, questions and idempotency keys; None is for ever."""
    evaluations: tuple[Evaluation, ...] = ()
    decisions: tuple[Decision, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    """Papers about the system, by kind ("dpia", "technical file"): files beside the app."""
    responsible: str = ""
    """Who watches over it and stops it, by role."""
    keep: tuple[tuple[Tag, Seconds], ...] = ()
    """How long what carries a label may be kept at most."""
    holding: Holding = "auto"
    """Whether labels are held at run time."""
    gate: Gate | None = None
    """What is done where a run's labels meet a part that is not cleared for them, and has no gate of its own."""
    root: str = field(default="", repr=False, compare=False)
    """The folder of the app, from which functions are read."""
    choices: tuple[Choices, ...] = ()
    """What a plan may decide; nothing of a running system depends on it."""

    @cached_property
    def by_name(self) -> Mapping[str, Part]:
        """Every part by its name."""
        return {part.name: part for part in self.parts}

    def all(self, kind: type[P]) -> Iterator[P]:
        """The parts of one kind, in the order of declaration."""
        return (part for part in self.parts if isinstance(part, kind))

    def get(self, kind: type[P], name: str) -> P:
        """The part of that kind and name, or P308 with the names there are."""
        part = self.by_name.get(name)
        if isinstance(part, kind):
            return part
        known = ", ".join(sorted(p.name for p in self.all(kind))) or "none"
        raise RunError("P308", f"{self.name} has no {kind.__name__.lower()} {name!r}", fix=f"one of: {known}")

    def evaluation(self, name: str) -> Evaluation:
        """The evaluation of that name, or P308 with the names there are."""
        for evaluation in self.evaluations:
            if evaluation.name == name:
                return evaluation
        known = ", ".join(evaluation.name for evaluation in self.evaluations) or "none"
        raise RunError("P308", f"{self.name} has no evaluation {name!r}", fix=f"one of: {known}")

    def arrows_from(self, part: str, *kinds: Kind) -> list[Arrow]:
        """The arrows that leave `part`, of the given kinds (all when none is given)."""
        return [arrow for arrow in self.arrows if arrow.source == part and (not kinds or arrow.kind in kinds)]

    def reach(self, part: str) -> set[str]:
        """The names of `part` and all it calls, directly or through others."""
        found, waiting = {part}, [part]
        while waiting:
            for arrow in self.arrows_from(waiting.pop(), "calls"):
                if arrow.target not in found:
                    found.add(arrow.target)
                    waiting.append(arrow.target)
        return found

    def calls_to(self, part: str, target: str) -> list[str]:
        """The shortest chain of calls from `part` to `target`, both included; empty where there is none."""
        ways, seen = deque([[part]]), {part}
        while ways:
            way = ways.popleft()
            if way[-1] == target:
                return way
            for arrow in self.arrows_from(way[-1], "calls"):
                if arrow.target not in seen:
                    seen.add(arrow.target)
                    ways.append([*way, arrow.target])
        return []

    def tables_written(self, part: str) -> set[str]:
        """The tables, memories and sessions that `part` writes, directly or through what it calls.

        Those that are shared are left out: each fact there has a name of its own, so no two runs race for one.
        """
        reached = self.reach(part)
        found = {arrow.target for name in reached for arrow in self.arrows_from(name, "writes")}
        found |= {session_table(agent) for agent in self.all(Agent) if agent.sessions and agent.name in reached}
        return found - {memory.name for memory in self.all(Memory) if memory.shared}

    @cached_property
    def groups(self) -> Mapping[str, str]:
        """The group of each handler, endpoint and schedule: those that write a common table share one."""
        runners = [part.name for part in self.parts if isinstance(part, Handler | Endpoint | Schedule)]
        return _joined(runners, {name: self.tables_written(name) for name in runners})

    @cached_property
    def digest(self) -> str:
        """A short name for this design and its code: 16 hex digits."""
        facts: list[object] = [
            self.name,
            [repr(part) for part in self.parts],
            [str(arrow) for arrow in self.arrows],
        ]
        return blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()


def _joined(names: Iterable[str], sets: Mapping[str, set[str]]) -> dict[str, str]:
    """Each name with the first name that its set overlaps with, directly or through others."""
    group: dict[str, str] = {}
    owner: dict[str, str] = {}
    for name in names:
        mine = {group[owner[item]] for item in sets[name] if item in owner}
        leader = min(mine, key=list(group).index) if mine else name
        group = {other: leader if old in mine else old for other, old in group.items()}
        group[name] = leader
        owner.update({item: name for item in sets[name]})
    return group
