"""Judging: which marks showed up where they may not, by which way, and what no run ever reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

from parti.auditing.flows import Flows, port_of
from parti.auditing.marks import Marks, Source
from parti.auditing.seeing import Seen
from parti.auditing.spotting import Spotted, spot
from parti.design.agent import Agent
from parti.design.dataflow import Slot
from parti.design.graph import Part
from parti.design.guard import Guard
from parti.design.labels import Label, Tag
from parti.design.llm import Llm
from parti.design.places import NOWHERE, Place
from parti.design.step import Step
from parti.design.tool import Tool
from parti.design.tool_server import ToolServer

Wrong = Literal["declared trusted", "not known to the flow", "released as it was"]
RUNS_BACK = 10
"""Runs that a way is followed back through."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a way: what happened to the mark, in which run, and where the part that did it stands."""

    place: Place
    text: str
    run: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A mark of `source` showed up in `sink`, which should not carry `label`; written as `form` says."""

    source: Slot
    sink: Slot
    label: Tag
    wrong: Wrong
    form: str
    place: Place
    path: tuple[Stage, ...]
    fix: str

    @property
    def what(self) -> str:
        """The finding in a sentence."""
        says = {
            "declared trusted": "which is declared trusted",
            "not known to the flow": f"where the flow expects nothing that is {self.label}",
            "released as it was": f"which a guard says is no longer {self.label}",
        }[self.wrong]
        return f"what is written into `{self.source}` shows up in `{self.sink}`, {says} ({self.form})"

    def as_json(self) -> dict[str, Any]:
        """As `--json` tells it."""
        path = [{"place": str(stage.place), "text": stage.text, "run": stage.run} for stage in self.path]
        return {
            "source": str(self.source), "sink": str(self.sink), "port": self.sink.port, "label": str(self.label),
            "wrong": self.wrong, "form": self.form, "place": str(self.place), "what": self.what, "path": path, "fix": self.fix,
        }  # fmt: skip


@dataclass(slots=True)
class Judge:
    """Looks through what was seen. `spotted` remembers each text that was looked through."""

    flows: Flows
    marks: Marks
    _spotted: dict[str, Spotted] = field(default_factory=dict)

    def spot(self, value: Any) -> Spotted:
        """The marks in a leaf."""
        if value is None or isinstance(value, bool):
            return {}
        text = str(value)
        if text not in self._spotted:
            self._spotted[text] = spot(text, self.marks)
        return self._spotted[text]

    def findings(self, seen: Sequence[Seen]) -> Iterator[Finding]:
        """Each pair of fields once, with the first way by which a mark went from one to the other."""
        known: set[tuple[Slot, Slot, Tag]] = set()
        for number, one in enumerate(seen):
            for leaf in one.leaves:
                for source, form in self.spot(leaf.value).items():
                    sink = one.slot(leaf)
                    for tag, wrong in self._wrong(source, sink):
                        if (source.slot, sink, tag) not in known:
                            known.add((source.slot, sink, tag))
                            path = self._way(source, sink, seen[: number + 1])
                            fix = self._fix(sink, tag, wrong)
                            yield Finding(source.slot, sink, tag, wrong, form, one.place, path, fix)

    def _wrong(self, source: Source, sink: Slot) -> Iterator[tuple[Tag, Wrong]]:
        """The labels of a mark that a sink should not carry, and why not."""
        if source.slot == sink or not self._is_judged(sink):
            return
        expected = self.flows.tags(sink)
        for tag in sorted(source.tags, key=str):
            if tag is Label.UNTRUSTED and self.flows.is_trusted(sink):
                yield tag, "declared trusted"
            elif tag not in expected:
                part = self.flows.design.by_name.get(sink.part)
                released = isinstance(part, Guard) and tag in part.releases and sink.port == "out"
                yield tag, "released as it was" if released else "not known to the flow"

    def _is_judged(self, sink: Slot) -> bool:
        """Whether the flow says of the field what may be in it: not where a person agrees to it, nor inside of steps."""
        part = self.flows.design.by_name.get(sink.part)
        if sink.port == "in":
            return isinstance(part, Llm | ToolServer) or _is_open(part)
        if isinstance(part, Step) and not isinstance(part, Guard):
            return bool(part.function.returns.labels)
        return part is not None and port_of(part) is not None

    def _way(self, source: Source, sink: Slot, seen: Sequence[Seen]) -> tuple[Stage, ...]:
        """What happened to the mark in the sink's run, and before that in the runs from which that had it."""
        last, way, end = seen[-1], list[Seen](), len(seen)
        for _ in range(RUNS_BACK):
            mine = [n for n in range(end) if seen[n].run == last.run and self._carries(source, seen[n])]
            way = [*(seen[n] for n in mine), *way]
            first = seen[mine[0]] if mine else last
            if first.part == source.slot.part and first.manner != "reads":
                break
            stored = [
                n for n in range(end)
                if seen[n].part == first.part and seen[n].manner in ("stores", "publishes") and self._carries(source, seen[n])
                and seen[n].run != last.run
            ]  # fmt: skip
            if not stored:
                break
            last, end = seen[stored[0]], stored[0] + 1
        stages = [Stage(one.place, one.text, one.run) for one in self._direct(sink, way)]
        begins = Stage(self._place(source.slot), f"a mark is put into `{source.slot}`", "")
        return (begins, *(stage for stage, _ in groupby(stages)))

    def _direct(self, sink: Slot, way: Sequence[Seen]) -> list[Seen]:
        """The way without what an agent's model did beside: the call of a tool comes from what the model read, not from other calls."""
        llms = {agent.llm for agent in self.flows.design.all(Agent) if sink.part in agent.tools}
        asked = max((number for number, one in enumerate(way) if one.part in llms), default=len(way))
        return [one for number, one in enumerate(way) if number <= asked or one.part == sink.part]

    def _carries(self, source: Source, one: Seen) -> bool:
        return any(source in self.spot(leaf.value) for leaf in one.leaves)

    def _place(self, slot: Slot) -> Place:
        part = self.flows.design.by_name.get(slot.part)
        return part.place if part else NOWHERE

    def _fix(self, sink: Slot, tag: Tag, wrong: Wrong) -> str:
        part = self.flows.design.by_name.get(sink.part)
        field = f'"{sink.path}": ' if sink.path else ""
        if wrong == "released as it was":
            return "give a bounded type (an Enum, a number, a nominal id), or have an extractor read it: text can say anything"
        if wrong == "declared trusted" and isinstance(part, Tool | ToolServer):
            said = f"labels={{{field}Label.UNTRUSTED}}" if field else "labels=Label.UNTRUSTED"
            return f"{said} on `{sink.part}`, or make it not repeat what it is given"
        if wrong == "declared trusted":
            return f"declare `{sink}` as Label.UNTRUSTED, or let a guard of a bounded type stand before it"
        if sink.port == "in":
            return f"no gate stands where the flow expects nothing: hand it over as `parti check` can follow, or let a person approve `{sink.part}`"
        name = f"Label.{tag.name}" if isinstance(tag, Label) else str(tag)
        return f"declare `{sink}` as {name}; and `parti check` should have seen this way: see what it could not analyse"


def _is_open(part: Part | None) -> bool:
    """Whether it is a tool that nobody must agree to each call of: the flow ends where somebody must."""
    return isinstance(part, Tool) and (part.approval is None or part.approval.when is not None)
