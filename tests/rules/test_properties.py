"""What holds for every design: another arrow hides nothing, a release adds nothing, and the same design is judged the same."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from rules_kit import DAY, loaded

from parti.design.dataflow import Dataflow, Flow, Port, Slot
from parti.design.endpoint import Endpoint
from parti.design.graph import Arrow, Design, Part
from parti.design.guard import Guard
from parti.design.labels import NONE, Label, Purpose, Region, Tag, join, leq
from parti.design.model import Model
from parti.design.payload import Payload
from parti.design.places import Place
from parti.design.step import Step
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.rules.checking import check
from parti.rules.listing import RULES

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

ABSENCES = frozenset({"R001", "R202", "R206", "R213", "R303", "R304", "R308"})
"""Rules that find that something is missing (a handler, a monitor, a notice): an arrow may be just that."""

PORTS: dict[str, tuple[Port, ...]] = {
    **dict.fromkeys(("rows", "plain", "table", "memory"), ("data",)),
    **dict.fromkeys(("near", "far", "risk", "pay", "pay_approved", "find", "fetch", "tidy", "agent"), ("in", "out")),
    **dict.fromkeys(("decide", "door", "watched"), ("in", "out")),
}
PATHS = {
    "rows": ("", "name", "race", "token", "paid", "income", "text", "free"),
    "risk": ("", "a"),
    "pay": ("", "to", "text"),
    "find": ("", "query"),
    "decide": ("", "row", "row.race", "row.text", "a"),
    "door": ("", "body"),
}
SLOTS = [Slot(part, port, path) for part, ports in PORTS.items() for port in ports for path in PATHS.get(part, ("",))]

BEGINNINGS = [slot for slot in SLOTS if slot.part in ("rows", "door") and slot.port != "out" and slot.path]
ENDS = [slot for slot in SLOTS if slot.part in ("agent", "pay", "far", "risk", "find", "tidy") and slot.port == "in"]


def flows_of(seed: int, count: int) -> list[Flow]:
    """Flows of which every other one leads to the same end, so that labels meet there."""
    chance = Random(seed)
    end = Slot("agent", "in") if chance.random() < 0.5 else chance.choice(ENDS)
    return [
        Flow(
            chance.choice(BEGINNINGS if chance.random() < 0.8 else SLOTS),
            end if chance.random() < 0.5 else chance.choice([*ENDS, *SLOTS]),
            Place("pool.py", 1),
            chance.choice(("value", "value", "value", "choice", "condition")),
            chance.random() < 0.5,
            chance.random() < 0.1,
        )
        for _ in range(count)
    ]


some_flows = st.builds(flows_of, st.integers(0, 2**32), st.integers(1, 25))

arrows = st.builds(
    Arrow,
    st.sampled_from(["decide", "door", "watched", "agent", "pay"]),
    st.sampled_from(["calls", "reads", "writes", "publishes"]),
    st.sampled_from(sorted(PORTS)),
    st.just(Place("pool.py", 1)),
)


@cache
def pool() -> Design:
    return loaded(HERE / "pool.py").design


PRESENCES = [rule for rule in RULES if rule.code not in ABSENCES]


def found(design: Design, some: list[Flow]) -> set[tuple[str, str]]:
    """Which rules find something on which part."""
    report = check(design, Dataflow(tuple(sorted(set(some)))), DAY, PRESENCES)
    return {(finding.code, finding.on) for finding in report.findings}


@settings(max_examples=120, deadline=None)
@given(some_flows)
def test_another_flow_hides_no_finding(some: list[Flow]) -> None:
    before: set[tuple[str, str]] = set()
    for count in range(len(some) + 1):
        now = found(pool(), some[:count])
        assert before <= now
        before = now


@settings(max_examples=60, deadline=None)
@given(some_flows, arrows)
def test_another_arrow_hides_no_finding(some: list[Flow], more: Arrow) -> None:
    assert found(pool(), some) <= found(replace(pool(), arrows=(*pool().arrows, more)), some)


@settings(max_examples=200, deadline=None)
@given(some_flows, st.sets(st.sampled_from([*Label, Region("eu"), Purpose("credit")])))
def test_a_release_adds_no_finding(some: list[Flow], releases: set[Tag]) -> None:
    assert found(with_guard(pool(), tuple(releases)), some) <= found(pool(), some)


LABELLED = [
    ("rows", "data"),
    ("fetch", "out"),
    ("find", "out"),
    ("door", "in"),
    ("risk", "out"),
    ("tidy", "out"),
    ("send", "out"),
]

more_labels = st.lists(
    st.tuples(
        st.sampled_from(LABELLED),
        st.sampled_from(["", "name", "body", "a"]),
        st.sampled_from([*sorted(set(Label) - {Label.TRUSTED}, key=str), Region("eu"), Purpose("credit")]),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=200, deadline=None)
@given(some_flows, more_labels)
def test_another_label_hides_no_finding(some: list[Flow], more: list[tuple[tuple[str, Port], str, Tag]]) -> None:
    """A label other than TRUSTED says what is to be minded. R108 finds that nobody said anything, so UNTRUSTED ends it."""
    labelled = pool()
    for (part, _), path, tag in more:
        labelled = with_label(labelled, part, path, tag)
    before = {(code, on) for code, on in found(pool(), some) if code != "R108"}
    assert before <= found(labelled, some)


def with_label(design: Design, name: str, path: str, tag: Tag) -> Design:
    """The design, where one more label is said of what a part gives."""
    part = design.by_name[name]
    match part:
        case Topic():
            now: Part = replace(part, payload=_labelled(part.payload, path, tag))
        case Model():
            now = replace(part, output=_labelled(part.output, path, tag))
        case Tool() | Endpoint():
            now = replace(part, labels=(*(part.labels or ()), (path, tag)))
        case Step():
            now = replace(part, function=replace(part.function, returns=_labelled(part.function.returns, path, tag)))
        case _:
            raise AssertionError(name)
    return replace(design, parts=tuple(now if one is part else one for one in design.parts))


def _labelled(payload: Payload, path: str, tag: Tag) -> Payload:
    return replace(payload, labels=(*payload.labels, (path, tag)))


def with_guard(design: Design, releases: tuple[Tag, ...]) -> Design:
    """The design, whose step is a guard."""
    step = design.get(Step, "tidy")
    guard = Guard(
        name=step.name, place=step.place, function=step.function, timeout=step.timeout, retry=step.retry,
        releases=releases,
    )  # fmt: skip
    return replace(design, parts=tuple(guard if part is step else part for part in design.parts))


def test_the_properties_can_fail() -> None:
    """The pool has findings that flows make, and that a guard takes away."""
    body, tidied = Slot("door", "in", "body"), Slot("tidy", "out")
    place = Place("pool.py", 1)
    some = [Flow(body, Slot("tidy", "in"), place), Flow(Slot("tidy", "in"), tidied, place)]
    some.append(Flow(tidied, Slot("pay", "in", "to"), place))
    assert ("R102", "pay") in found(pool(), some)
    assert ("R102", "pay") not in found(pool(), some[:-1])
    assert ("R102", "pay") not in found(with_guard(pool(), (Label.UNTRUSTED,)), some)


tags = st.frozensets(st.sampled_from([*Label, Region("eu"), Region("us"), Purpose("credit")]))


@given(tags, tags, tags)
def test_labels_form_a_lattice(one: frozenset[Tag], other: frozenset[Tag], third: frozenset[Tag]) -> None:
    assert join(one, other) == join(other, one)
    assert join(one, join(other, third)) == join(join(one, other), third)
    assert join(one, one) == one and leq(NONE, one)
    assert leq(one, join(one, other))
    assert leq(one, third) and leq(other, third) if leq(join(one, other), third) else True


def test_the_report_does_not_depend_on_the_order_of_hashes() -> None:
    said = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "parti", "check", str(ROOT / "tests/corpus/inbox_agent_leaks.py"), "--json"]
        command[1:3] = ["-c", "from parti.cli import main; main()"]
        said.append(subprocess.run(command, capture_output=True, text=True, env=environment, check=False).stdout)
    assert said[0] == said[1] != ""
