"""What holds for every design with gates: a gate adds no finding, an arrow hides none, and the engine gates what is said to be."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_kit import DAY, loaded
from test_properties import PRESENCES, arrows, found, pool, some_flows

from parti.declare.dataflow.reader import read_dataflow
from parti.design.dataflow import Dataflow, Flow, Slot
from parti.design.gate import Gate
from parti.design.graph import Arrow, Design
from parti.design.labelling import Holding
from parti.design.labels import Label
from parti.design.places import Place
from parti.design.tool import Tool
from parti.rules.base import Case
from parti.rules.checking import check
from parti.rules.flow.barrier import Barrier
from parti.rules.flow.barriers import barriers_of
from parti.rules.flow.clearing import is_cleared, sink_of
from parti.rules.flow.holding import labelling_of
from parti.rules.flow.spreading import arrives

PLACE = Place("pool.py", 1)
BODY = Slot("door", "in", "body")


def masking() -> Gate:
    """A gate that masks."""
    gate = Gate("refuse")
    object.__setattr__(gate, "then", "mask")
    return gate


def gated(design: Design, gate: Gate, tool: str = "", holding: Holding = "run") -> Design:
    """The design with a gate: of one tool, or before all."""
    if not tool:
        return replace(design, gate=gate, holding=holding)
    own = replace(design.get(Tool, tool), gate=gate)
    return replace(design, holding=holding, parts=tuple(own if part.name == tool else part for part in design.parts))


gates = st.sampled_from(
    [Gate("refuse"), Gate("refuse", trace=True), Gate("ask", who="boss"), Gate("ask", who="boss", trace=True),
     Gate("allow"), masking()]
)  # fmt: skip
gated_pools = st.builds(
    lambda *facts: gated(pool(), *facts),
    gates,
    st.sampled_from(["", "pay", "send", "find", "fetch"]),
    st.sampled_from(["auto", "run", "off"]),
)


@settings(max_examples=200, deadline=None)
@given(some_flows, gated_pools)
def test_a_gate_adds_no_finding(some: list[Flow], design: Design) -> None:
    assert found(design, some) <= found(pool(), some)


@settings(max_examples=100, deadline=None)
@given(some_flows, gated_pools)
def test_another_flow_hides_no_finding_behind_gates(some: list[Flow], design: Design) -> None:
    before: set[tuple[str, str]] = set()
    for count in range(len(some) + 1):
        now = found(design, some[:count])
        assert before <= now
        before = now


@settings(max_examples=60, deadline=None)
@given(some_flows, arrows, gated_pools)
def test_another_arrow_hides_no_finding_behind_gates(some: list[Flow], more: Arrow, design: Design) -> None:
    assert found(design, some) <= found(replace(design, arrows=(*design.arrows, more)), some)


@settings(max_examples=100, deadline=None)
@given(some_flows, gated_pools)
def test_what_is_guarded_is_what_would_be_found_without_the_gate(some: list[Flow], design: Design) -> None:
    report = check(design, Dataflow(tuple(sorted(set(some)))), DAY, PRESENCES)
    guarded = {(one.code, one.on) for one in report.guarded}
    assert guarded <= found(pool(), some)
    assert found(pool(), some) - found(design, some) <= guarded


@settings(max_examples=200, deadline=None)
@given(some_flows, gated_pools)
def test_what_a_barrier_keeps_out_is_gated_by_the_engine(some: list[Flow], design: Design) -> None:
    """Each label that an edge hands over and a barrier does not let in is one that the engine holds the part not cleared for."""
    flows = Dataflow(tuple(sorted(set(some))))
    case, held = Case(design, flows), labelling_of(design, flows)
    for edge in (edge for edges in case.edges.values() for edge in edges if edge.barrier is not None):
        for tag, at in case.labels.at(edge.source.part, edge.source.port, edge.source.path).items():
            becomes, target = edge.hands_on(tag), arrives(edge, at.path)
            if becomes is None or target is None or edge.unseen or edge.barrier is None:
                continue
            if target.path not in edge.barrier.ways_in(target.path, becomes):
                assert becomes in held.uncleared[edge.target.part]


@cache
def paid() -> list[Flow]:
    """A stranger's text says to whom is paid."""
    return [Flow(BODY, Slot("pay", "in", "to"), PLACE)]


@pytest.mark.parametrize("gate", [Gate("refuse"), Gate("ask", who="boss"), Gate("ask", who="boss", trace=True)])
def test_a_gate_that_asks_or_refuses_guards_what_decides(gate: Gate) -> None:
    assert ("R102", "pay") in found(pool(), paid())
    assert ("R102", "pay") not in found(gated(pool(), gate, "pay"), paid())
    assert ("R102", "pay") not in found(gated(pool(), gate), paid())


@pytest.mark.parametrize("gate", [Gate("allow"), masking()])
def test_a_gate_that_allows_or_masks_does_not(gate: Gate) -> None:
    assert ("R102", "pay") in found(gated(pool(), gate, "pay"), paid())


def test_a_mask_takes_away_what_says_something_of_a_person() -> None:
    some = [Flow(Slot("rows", "data", name), Slot("far", "in"), PLACE) for name in ("name", "race")]
    private = {("R104", "far")}
    assert private <= found(pool(), some[:1])
    assert not private & found(gated(pool(), masking()), some[:1])
    assert private <= found(gated(pool(), masking()), some)


def test_where_no_labels_are_held_a_gate_is_void_and_the_report_says_so() -> None:
    off = gated(pool(), Gate("refuse"), "pay", "off")
    report = check(off, Dataflow(tuple(paid())), DAY, PRESENCES)
    assert ("R102", "pay") in found(off, paid())
    assert (report.void, report.guarded) == (("pay",), ())
    assert check(gated(pool(), Gate("refuse"), "pay"), Dataflow(tuple(paid())), DAY, PRESENCES).void == ()


def test_nothing_is_traced_where_no_tool_that_traces_can_be_given_what_it_is_not_cleared_for() -> None:
    tracing = gated(pool(), Gate("refuse", trace=True), "pay")
    assert not labelling_of(tracing, Dataflow()).traces
    assert labelling_of(tracing, Dataflow(tuple(paid()))).traces
    assert not labelling_of(gated(pool(), Gate("refuse"), "pay"), Dataflow(tuple(paid()))).traces


def test_a_field_beside_one_that_decides_may_hold_what_a_stranger_wrote() -> None:
    barrier = Barrier("", frozenset({Label.UNTRUSTED}), (), ("letter.to",), ("letter.text", "id"))
    assert barrier.ways_in("", Label.UNTRUSTED) == ("letter.text", "id")
    assert barrier.ways_in("letter", Label.UNTRUSTED) == ("letter.text",)
    assert barrier.ways_in("letter.text", Label.UNTRUSTED) == ("letter.text",)
    assert barrier.ways_in("letter.to", Label.UNTRUSTED) == ()
    assert barrier.ways_in("letter.to", Label.PII) == ("letter.to",)


@pytest.mark.parametrize("name", ["letter", "parcel"])
def test_arguments_inside_a_record_are_guarded_by_themselves(name: str, tmp_path: Path) -> None:
    """Fields of a record are told apart; those of a dict cannot be, so all of it decides."""
    file = tmp_path / "records.py"
    file.write_text(RECORDS, encoding="utf-8")
    design = loaded(file).design
    barrier = barriers_of(design, Dataflow())[name]
    inside = barrier.ways_in("", Label.UNTRUSTED)
    assert inside == (("letter.text",) if name == "letter" else ("id",))
    assert sink_of(design.by_name[name]) == "in"


def test_a_tool_is_cleared_for_a_label_only_where_all_that_it_may_arrive_in_is(tmp_path: Path) -> None:
    """One argument or field that may be personal clears none of those beside it."""
    file = tmp_path / "posts.py"
    file.write_text(POSTS, encoding="utf-8")
    by_name = loaded(file).design.by_name
    assert not is_cleared(by_name["post"], Label.PII, "")
    assert is_cleared(by_name["post"], Label.PII, "to")
    assert not is_cleared(by_name["post"], Label.PII, "text")
    assert not is_cleared(by_name["file"], Label.PII, "form")
    assert is_cleared(by_name["file"], Label.PII, "form.private")
    assert not is_cleared(by_name["file"], Label.UNTRUSTED, "")
    assert is_cleared(by_name["told"], Label.UNTRUSTED, "")
    held = labelling_of(loaded(file).design, read_dataflow(loaded(file).design, tmp_path))
    assert {name for name, tags in held.uncleared.items() if Label.PII in tags} == {"post", "file"}


POSTS = """
from typing import Annotated
from pydantic import BaseModel
from parti import Label, System

desk = System("posts")


class Form(BaseModel):
    public: Annotated[str, Label.UNTRUSTED]
    private: Annotated[str, Label.PII]


@desk.tool(effect="read", labels=[Label.PII, Label.UNTRUSTED], clearance=Label.PII)
async def person(id: str) -> str: ...


@desk.tool(effect="write", key="to")
async def post(to: Annotated[str, Label.PII], text: str) -> None: ...


@desk.tool(effect="write", key="form.public")
async def file(form: Form) -> None: ...


@desk.tool(effect="write", key="text", clearance=Label.PII)
async def told(text: Annotated[str, Label.UNTRUSTED]) -> None: ...


clerk = desk.agent("clerk", llm=desk.llm("local"), tools=[person, post, file, told])


@desk.post("/do", labels=Label.TRUSTED, clearance=Label.PII)
async def do(task: str) -> str:
    return await clerk.run(task)
"""


RECORDS = """
from pydantic import BaseModel
from parti import Gate, Label, System

desk = System("desk", gate=Gate("refuse", trace=True))


class Letter(BaseModel):
    to: str
    text: str


class Parcel(BaseModel):
    about: dict[str, str]


@desk.tool(effect="write", key="letter.to", control=["letter.to"], clearance=Label.UNTRUSTED)
async def letter(letter: Letter) -> None: ...


@desk.tool(effect="write", key="id", control=["parcel.about"], clearance=Label.UNTRUSTED)
async def parcel(id: str, parcel: Parcel) -> None: ...
"""
