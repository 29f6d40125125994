"""What an audit comes to: findings, what was read, and all that it could not say anything of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from parti.auditing.flows import Flows, port_of
from parti.auditing.judging import Finding, Judge
from parti.auditing.planting import Planter
from parti.auditing.seeing import Seen
from parti.auditing.standing_in import Outside
from parti.design.dataflow import Slot
from parti.design.graph import Design, Part
from parti.design.handler import Handler
from parti.design.monitor import Monitor
from parti.design.source import Source
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer
from parti.design.topic import Topic


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A field, or a part, of which the audit says nothing, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """`read` are the fields whose marks a run read. Nothing is known of `unmarked`, `unread` and `unseen`; `failed` are runs."""

    name: str
    seed: int
    runs: int
    findings: Sequence[Finding] = ()
    read: Sequence[str] = ()
    unmarked: Sequence[Unsaid] = ()
    unread: Sequence[Unsaid] = ()
    unseen: Sequence[Unsaid] = ()
    failed: Sequence[Unsaid] = ()

    @property
    def empty(self) -> bool:
        """Whether no run read a mark: then it shows nothing."""
        return not self.read

    @property
    def clean(self) -> bool:
        """Whether marks were read, and none showed up where it may not."""
        return not self.findings and not self.empty

    def as_json(self) -> dict[str, Any]:
        """As `--json` tells it."""
        unsaid = {name: [{"what": one.what, "why": one.why} for one in getattr(self, name)] for name in _UNSAID}
        found = [finding.as_json() for finding in self.findings]
        return {
            "name": self.name, "seed": self.seed, "runs": self.runs, "clean": self.clean, "findings": found,
            "read": list(self.read), **unsaid,
        }  # fmt: skip


NOT_RUN: Final[Mapping[type[Part], str]] = {
    Monitor: "a monitor leaves no journal",
    Source: "a source is not read: what is declared of it is believed",
}
GUESSED: Final = "it has no version, so its answers are made up: train it first"

_UNSAID: Final = ("unmarked", "unread", "unseen", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What an audit gathered: what was seen, how many runs there were, how they failed, `inputs` that could not be made and why."""

    seen: Sequence[Seen]
    runs: int
    failed: Sequence[Unsaid] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    guessed: Collection[str] = ()
    """Models without a version."""


def audit_of(flows: Flows, planter: Planter, outside: Outside, gathered: Gathered) -> Audit:
    """The audit of a design, from what was gathered."""
    judge, design = Judge(flows, planter.marks), flows.design
    found = list(judge.findings(gathered.seen))
    read = _read(judge, gathered.seen)
    sources = [slot for part in design.parts for slot in flows.sources(part)]
    unmarked = {slot: why for slot, why in planter.unmarked.items() if slot not in planter.marks.sources}
    unread = [
        slot for slot in dict.fromkeys((*sources, *planter.marks.sources)) if slot not in read and slot not in unmarked
    ]
    ids = [
        Unsaid(str(slot), "an id of a bounded type: which one a stranger names is what it may say")
        for slot in sorted(outside.ids)
    ]
    return Audit(
        name=design.name,
        seed=planter.marks.seed,
        runs=gathered.runs,
        findings=found,
        read=[str(slot) for slot in sorted(read)],
        unmarked=[Unsaid(str(slot), why) for slot, why in sorted(unmarked.items())] + ids,
        unread=[Unsaid(str(slot), _why_unread(design, outside, gathered, slot)) for slot in unread],
        unseen=[*_unseen(flows, outside, gathered), *(Unsaid(model, GUESSED) for model in gathered.guessed)],
        failed=gathered.failed,
    )


def _read(judge: Judge, seen: Sequence[Seen]) -> set[Slot]:
    """The sources whose mark was seen where it was planted, in a run that was given it."""
    return {
        source.slot
        for one in seen
        if one.manner != "publishes"
        for leaf in one.leaves
        for source in judge.spot(leaf.value)
        if source.slot.part == one.part and source.slot.port == one.port
    }


def _why_unread(design: Design, outside: Outside, gathered: Gathered, slot: Slot) -> str:
    part = design.by_name[slot.part]
    if slot.part in gathered.inputs:
        return f"no input could be made: {gathered.inputs[slot.part]}; give --inputs {slot.part}=FILE"
    if isinstance(part, Topic) and not any(one.topic == part.name for one in design.all(Handler)):
        return "no handler reads the topic"
    if isinstance(part, Tool | ToolServer) and not outside.called[part.name]:
        return "no run called it"
    return "no run read it, or nothing stood there"


def _unseen(flows: Flows, outside: Outside, gathered: Gathered) -> list[Unsaid]:
    seen: dict[tuple[str, str], set[str]] = {}
    for one in gathered.seen:
        paths = {leaf.path for leaf in one.leaves if isinstance(leaf.value, str)}
        seen.setdefault((one.part, one.port), set()).update(paths)
    found = []
    for part in flows.design.parts:
        sinks, why = list(flows.sinks(part)), _made_up(part, outside)
        there = seen.get((part.name, port_of(part) or ""), set())
        lacking = [slot for slot in sinks if why or not any(_overlap(slot.path, path) for path in there)]
        whole = len(lacking) == len(sinks) > 1
        names = [part.name] if whole else [str(slot) for slot in lacking]
        found += [Unsaid(name, why or "no run gave or stored a text there") for name in names]
        if isinstance(part, Monitor | Source):
            found.append(Unsaid(part.name, NOT_RUN[type(part)]))
    return found


def _made_up(part: Part, outside: Outside) -> str:
    """Why nothing can be learned of what a part gives; "" where something can."""
    if isinstance(part, ToolServer):
        return "its answers are made up: no tool server is called"
    if isinstance(part, Tool) and outside.is_scripted(part):
        return f"its answers are made up: call it with --real {part.name}, or stand in for it"
    return ""


def _overlap(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return not short or long == short or long.startswith(f"{short}.")
