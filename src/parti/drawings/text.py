"""A design as text for the terminal: what starts work, and below it what that work touches."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from parti.design.endpoint import Endpoint
from parti.design.graph import Arrow, Design, Part
from parti.design.monitor import Monitor
from parti.design.places import Place
from parti.design.schedule import Schedule
from parti.design.source import Source
from parti.design.topic import Topic
from parti.drawings.flow import drawn_parts, kind_of
from parti.drawings.letters import shortened
from parti.drawings.subtitle import subtitle
from parti.units import duration_text

_LEAST_WIDTH = 40
_ORDER = ("reads", "calls", "asks", "writes", "publishes")


def draw_text(design: Design, *, width: int = 100) -> str:
    """`design` as a tree in lines of at most `width` letters (at least 40), places at the right.

    Sources and topics come first, then endpoints, schedules, monitors and what nothing refers to; groups of writers
    and what could not be read stand at the end.
    """
    page = _Page(design, max(width, _LEAST_WIDTH), _index(design))
    page.head()
    fed = {arrow.target for arrow in design.arrows if arrow.kind == "publishes"}
    drawn = drawn_parts(design)
    topics = [part for part in drawn if isinstance(part, Topic)]
    page.section("Events", [*design.all(Source), *(topic for topic in topics if topic.name not in fed)])
    page.section("Endpoints", list(design.all(Endpoint)))
    page.section("Schedules", list(design.all(Schedule)))
    page.section("Monitors", list(design.all(Monitor)))
    # Topics of a closed loop, and whatever no arrow leads to.
    page.section("Topics that feed themselves", [*topics])
    page.section("Not reached from any of these", drawn)
    page.groups()
    page.opaque()
    return "\n".join(line.rstrip() for line in page.lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Index:
    """Arrows by the part they are told under, and the members of each group."""

    consumers: dict[str, list[Arrow]]
    onward: dict[str, list[Arrow]]
    members: dict[str, list[str]]


@dataclass(slots=True)
class _Page:
    design: Design
    width: int
    index: _Index
    lines: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)

    def head(self) -> None:
        facts = [f"{len(drawn_parts(self.design))} parts"]
        if slo := self.design.slo:
            facts += [f"99 % within {duration_text(slo.p99)}", f"{slo.availability * 100:.6g} % available"]
        self.line(f"{self.design.name}  {' · '.join(facts)}", self.design.place)

    def section(self, title: str, roots: list[Part]) -> None:
        """The trees of those `roots` that stand nowhere yet, if any; then those that were too deep to go on with."""
        waiting = deque(roots)
        started = False
        while waiting:
            part = waiting.popleft()
            if part.name in self.shown:
                continue
            if not started:
                self.lines += ["", title]
                started = True
            self.line(f"  {self.words(part)}", part.place)
            waiting.extendleft(reversed(self.tree(part, "  ")))

    def tree(self, root: Part, indent: str) -> list[Part]:
        """What `root` leads to; gives back the parts at which the tree became too deep for the page.

        Written without recursion: a long chain of topics is no reason to fail.
        """
        self.shown.add(root.name)
        put_off: list[Part] = []
        waiting = [(indent, iter(self.branches(root)))]
        while waiting:
            before, branches = waiting[-1]
            found = next(branches, None)
            if found is None:
                waiting.pop()
                continue
            verb, name, place, last = found
            part = self.design.by_name.get(name)
            leads_on = part is not None and bool(self.branches(part))
            deep = leads_on and len(before) > self.width // 3 and name not in self.shown
            note = "  ↓ below" if deep else "  ↑ above" if leads_on and name in self.shown else ""
            words = self.words(part) if part else f"{name}  (not declared)"
            self.line(f"{before}{'└─' if last else '├─'} {verb} {words}{note}", place)
            if part and deep:
                put_off.append(part)
            elif part and name not in self.shown:
                self.shown.add(name)
                waiting.append((before + ("   " if last else "│  "), iter(self.branches(part))))
        return put_off

    def branches(self, part: Part) -> list[tuple[str, str, Place, bool]]:
        """The verb, the other part's name, the place and whether it is the last, for each arrow to follow."""
        if isinstance(part, Topic):
            found = [("starts", arrow.source, arrow.place) for arrow in self.index.consumers.get(part.name, [])]
        else:
            found = [(_verb(arrow), arrow.target, arrow.place) for arrow in self.index.onward.get(part.name, [])]
        return [(*branch, index == len(found) - 1) for index, branch in enumerate(found)]

    def words(self, part: Part) -> str:
        group = self.design.groups.get(part.name, "")
        shared = len(self.index.members.get(group, [])) > 1
        return f"{part.name}  {kind_of(part)}  {subtitle(part)}" + (f"  [group {group}]" if shared else "")

    def groups(self) -> None:
        shared = {group: names for group, names in self.index.members.items() if len(names) > 1}
        self.lines += ["", "Groups: one writer per key"] if shared else []
        for group, names in shared.items():
            self.line(f"  {group}: {', '.join(names)}")

    def opaque(self) -> None:
        self.lines += ["", "Could not be read"] if self.design.opaque else []
        for spot in self.design.opaque:
            self.line(f"  {spot.part}: {spot.why}", spot.place)

    def line(self, text: str, place: Place | None = None) -> None:
        """One line, its place flush right; the end of a text that does not fit is cut off."""
        where = str(place) if place and place.file else ""
        where = shortened(where, self.width // 2)
        room = self.width - (len(where) + 2 if where else 0)
        text = text if len(text) <= room else text[: room - 1] + "…"
        self.lines.append(f"{text}{where:>{self.width - len(text)}}" if where else text)


def _index(design: Design) -> _Index:
    found = _Index({}, {}, {})
    for arrow in design.arrows:
        if arrow.kind == "consumes":
            found.consumers.setdefault(arrow.target, []).append(arrow)
        else:
            found.onward.setdefault(arrow.source, []).append(arrow)
    for arrows in found.onward.values():
        arrows.sort(key=lambda arrow: (_ORDER.index(arrow.kind), arrow))
    for name, group in design.groups.items():
        found.members.setdefault(group, []).append(name)
    return found


def _verb(arrow: Arrow) -> str:
    return f"may {arrow.kind}" if arrow.may else arrow.kind
