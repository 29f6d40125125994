"""A rule of `parti check`: what it looks for, why that matters, how it is mended; and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from parti.design.dataflow import Dataflow, Port, Slot, Use
from parti.design.diff import Diff
from parti.design.fields import is_within
from parti.design.graph import Design
from parti.design.labels import Label, Tag
from parti.design.places import Place
from parti.rules.flow.barriers import Barriers, barriers_of, behind
from parti.rules.flow.edges import edges_of
from parti.rules.flow.seeds import seeds_of
from parti.rules.flow.spreading import Index, Spread, Stage, indexed

Severity = Literal["critical", "high", "medium"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium")


@dataclass(frozen=True)
class Case:
    """A design to be judged, with the flow of data and labels through it.

    `before` is what differs from the version that it is compared with; None where it is compared with none. `gated` says that
    what gates keep out while the system runs does not arrive. No label begins in the fields and parts `without`.
    """

    design: Design
    dataflow: Dataflow
    before: Diff | None = None
    gated: bool = True
    without: frozenset[str] = frozenset()

    @cached_property
    def barriers(self) -> Barriers:
        """What gates keep out, by part."""
        return barriers_of(self.design, self.dataflow)

    @cached_property
    def edges(self) -> Index:
        """The edges along which labels travel."""
        return indexed(behind(edges_of(self.design, self.dataflow), self.design, self.barriers))

    @cached_property
    def labels(self) -> Spread:
        """Which labels may be where."""
        seeds = [seed for seed in seeds_of(self.design) if not is_any(str(seed[0]), self.without)]
        return Spread(self.design, self.edges, seeds, gated=self.gated)

    def uses(self, part: str = "", target: str = "") -> Iterator[Use]:
        """Where `part` uses `target`; any part, or any target, where none is named."""
        return (u for u in self.dataflow.uses if part in ("", u.part) and target in ("", u.target))

    def holds_off(self, agent: str, part: str) -> bool:
        """Whether a gate keeps strangers from deciding what the agent does by the part."""
        barrier = self.barriers.get(part)
        if not self.gated or barrier is None or self.labels.is_unseen(agent, "in", Label.UNTRUSTED):
            return False
        return barrier.holds_strangers_off

    def gate_of(self, part: str) -> str:
        """What the gate of a part does, in words; "" where none holds."""
        return self.barriers[part].text if part in self.barriers else ""

    def way(self, part: str, port: Port, tag: Tag, path: str = "") -> tuple[Stage, ...]:
        """How a label came to a field; () where it is not there."""
        slot = self.labels.at(part, port, path).get(tag)
        return self.labels.way(slot, tag) if slot is not None else ()


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule has found: on which part, where, what is true there, and along which way."""

    on: str
    place: Place
    what: str
    path: tuple[Stage, ...] = ()
    about: str = ""
    """Which of several things of the part it is about: an argument, a door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`code` is permanent. `look` finds; it reads the case and nothing else. `standard` is where the rule comes from."""

    code: str
    name: str
    severity: Severity
    says: str
    why: str
    standard: str
    fix: str
    look: Callable[[Case], Iterator[Hit]] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake, with its place, the way along which it goes wrong, why it matters and how it is mended."""

    code: str
    rule: str
    severity: Severity
    on: str
    place: Place
    what: str
    path: tuple[Stage, ...]
    why: str
    standard: str
    fix: str
    about: str = ""

    @property
    def begins(self) -> frozenset[str]:
        """The fields and parts where its way begins."""
        return frozenset(stage.begins for stage in self.path if stage.begins)

    @property
    def guarded_by(self) -> str:
        """The first gate on the way, in words; "" where there is none."""
        return next((stage.gate for stage in self.path if stage.gate), "")

    def as_json(self) -> dict[str, Any]:
        """The same facts as JSON values."""
        facts = {name: getattr(self, name) for name in ("code", "rule", "severity", "on")}
        way = [{"place": str(stage.place), "what": stage.text} for stage in self.path]
        rest = {"why": self.why, "standard": self.standard, "try": self.fix}
        return {**facts, "place": str(self.place), "what": self.what, "path": way, **rest}


def found_by(rule: Rule, case: Case) -> Iterator[Finding]:
    """What the rule finds, as findings."""
    for hit in rule.look(case):
        yield Finding(
            code=rule.code, rule=rule.name, severity=rule.severity, on=hit.on, place=hit.place, what=hit.what,
            path=hit.path, why=rule.why, standard=rule.standard, fix=rule.fix, about=hit.about,
        )  # fmt: skip


def is_any(begin: str, known: Iterable[str]) -> bool:
    """Whether a way begins in one of these fields and parts, or in a field of one."""
    return any(is_within(begin, one) for one in known)


def slot_name(slot: Slot) -> str:
    """How a message names a field."""
    return f"`{slot.path}` of `{slot.part}`" if slot.path else f"`{slot.part}`"
