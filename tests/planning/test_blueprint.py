"""Blueprints: call graphs become calls and routes, in the order that was seen."""

from __future__ import annotations

from typing import Any

import pytest
from profile_kit import graph_of, part, profile
from pydantic import BaseModel

from parti import PartiError, System
from parti.planning.blueprint import AT, COMMIT, GATE, WAY, Blueprint, blueprint
from parti.planning.calls import CallGraph, Published
from parti.planning.sampled import Sampled
from parti.sim.network import END, Choice, Fork


class _Event(BaseModel):
    id: str


def a_design() -> Any:
    """A handler that may call three steps, and one behind it."""
    from pydantic import BaseModel  # noqa: PLC0415

    class Event(BaseModel):
        id: str

    desk = System("desk")
    first, second = desk.topic("first", Event, key="id"), desk.topic("second", Event, key="id")

    @desk.on(first, to=second)
    async def begin(event: Event) -> Event:
        return event

    @desk.on(second)
    async def follow(event: Event) -> None: ...

    for name in "abc":

        @desk.step(name=name)
        def step(text: str) -> str:
            return text

    return desk.design


def drawn(runs: list[list[tuple[str, ...]]], published: tuple[Published, ...] = (), **options: Any) -> Blueprint:
    """The blueprint of `begin` when its runs called these groups."""
    graph = graph_of("begin", runs)
    graphs = (
        CallGraph(graph.caller, graph.runs, graph.transitions, published),
        *options.pop("graphs", ()),
    )
    parts = [part(name, 0.01) for name in ("begin", "follow", "a", "b", "c")]
    return blueprint(a_design(), profile(*parts, graphs=graphs), ["begin"], **options)


def test_calls_follow_each_other_as_they_were_seen() -> None:
    found = drawn([[("a",), ("b",)]] * 3 + [[("a",)]])
    assert found.entries == {"begin": "begin"}
    assert found.routes["begin"] == Choice((("begin/a·1", 1.0),))
    assert found.routes["begin/a·1"] == Choice((("begin/b·1", 0.75), (END, 0.25)))
    assert found.routes["begin/b·1"] == Choice(((END, 1.0),))


def test_what_is_called_twice_is_two_places_at_one_station() -> None:
    found = drawn([[("a",), ("b",), ("a",)]])
    assert [call.name for call in found.calls if call.station == "a"] == ["begin/a·1", "begin/a·2"]


def test_calls_at_once_fork_and_join() -> None:
    found = drawn([[("a", "b", "b"), ("c",)]])
    fork = found.routes["begin/a+b+b·1"]
    assert isinstance(fork, Fork) and len(fork.targets) == 3
    assert all(found.routes[target] == Choice((("begin/a+b+b·1·all", 1.0),)) for target in fork.targets)
    (join,) = [call for call in found.calls if call.joins > 1]
    assert (join.name, join.joins, found.routes[join.name]) == ("begin/a+b+b·1·all", 3, Choice((("begin/c·1", 1.0),)))


def test_many_visits_become_a_loop_with_the_probabilities_that_were_seen() -> None:
    found = drawn([[("a",)] * 40])
    loop = found.routes["begin/a·32"]
    assert isinstance(loop, Choice) and dict(loop.targets)["begin/a·32"] == pytest.approx(8 / 9)


def test_visits_are_told_apart_as_far_as_a_profile_does() -> None:
    found = drawn([[("a",)] * 20])
    assert found.routes["begin/a·19"] == Choice((("begin/a·20", 1.0),))
    assert found.routes["begin/a·20"] == Choice(((END, 1.0),))


def test_fewer_visits_are_told_apart_where_there_would_be_too_many_places() -> None:
    """20 visits of a step that makes 20 itself would be 420 places."""
    found = drawn([[("a",)] * 20], graphs=(graph_of("a", [[("b",)] * 20]),))
    assert len(found.calls) < 250
    assert max(int(call.name.rpartition("·")[2]) for call in found.calls if call.station == "a") == 8
    with pytest.raises(PartiError, match="P831 its runs come to more than 1000 places"):
        drawn(
            [[("a",)] * 20], graphs=(graph_of("a", [[("b",)] * 20]), graph_of("b", [[("c",)] * 20, [("c", "c")] * 9]))
        )


def test_what_a_callee_calls_comes_in_between() -> None:
    found = drawn([[("a",), ("c",)]], graphs=(graph_of("a", [[("b",)]]),))
    assert found.routes["begin/a·1"] == Choice((("begin/a·1/b·1", 1.0),))
    assert found.routes["begin/a·1/b·1"] == Choice((("begin/c·1", 1.0),))


def test_a_part_that_calls_itself_is_refused() -> None:
    with pytest.raises(PartiError, match="P831 `a` calls itself: begin -> a -> a"):
        drawn([[("a",)]], graphs=(graph_of("a", [[("a",)]]),))


def test_events_begin_runs_of_their_handlers() -> None:
    follow = graph_of("follow", [[]])
    one = drawn([[]], (Published("second", 1, ("follow",)),), graphs=(follow,))
    assert one.routes["begin"] == Choice((("follow", 1.0),))
    half = drawn([[], []], (Published("second", 1, ("follow",)),), graphs=(follow,))
    assert half.routes["begin·ended"] == Choice((("follow", 0.5), (END, 0.5)))
    many = drawn([[]], (Published("second", 3, ("follow",)),), graphs=(follow,))
    assert isinstance(fork := many.routes["begin·ended"], Fork) and len(fork.targets) == 3


def test_a_story_may_be_cut_after_a_runner() -> None:
    cut = drawn([[]], (Published("second", 1, ("follow",)),), graphs=(graph_of("follow", [[]]),), until=["begin"])
    assert [call.name for call in cut.calls] == ["begin"]


def test_where_nobody_waits_each_call_has_a_station_of_its_own() -> None:
    found = drawn([[("a",), ("b",), ("a",)]], crowdless=["a"])
    assert [call.station for call in found.calls] == ["begin", f"a{AT}begin/a·1", f"a{AT}begin/a·2", "b"]


def test_behind_a_distant_part_comes_its_way_there_and_back() -> None:
    found = drawn([[("a",), ("b",)]], distant=["a"])
    assert found.routes["begin/a·1"] == Choice(((f"begin/a·1{WAY}", 1.0),))
    assert found.routes[f"begin/a·1{WAY}"] == Choice((("begin/b·1", 1.0),))


def test_all_that_a_run_calls_is_within_its_runner_and_gates_are_stations_of_their_own() -> None:
    found = drawn([[("a", "b")], [("c",)]])
    assert len(found.within["begin"]) == len(found.calls) == 6
    assert len({call.station for call in found.calls if call.station.startswith(GATE)}) == 2


def test_an_entry_that_was_never_at_work_is_refused() -> None:
    with pytest.raises(PartiError, match="P830 nothing is known of `begin`"):
        blueprint(a_design(), profile(part("begin", 0.01)), ["begin"])


def test_a_run_is_on_disk_before_anything_follows_where_that_was_measured() -> None:
    """Its caller is answered then, and its events are handled; it holds no hand of its runner meanwhile."""
    published = (Published("second", 10, ("follow",)),)
    parts = [part(name, 0.01) for name in ("begin", "follow")]
    graph = CallGraph("begin", 10, graph_of("begin", [[]] * 10).transitions, published)
    graphs = (graph, graph_of("follow", [[]] * 10))
    found = blueprint(a_design(), profile(*parts, graphs=graphs, commit=Sampled.of([0.004])), ["begin"])
    assert found.routes["begin"] == Choice(((f"begin{COMMIT}", 1.0),))
    assert found.routes[f"begin{COMMIT}"] == Choice((("follow", 1.0),))
    assert found.routes["follow"] == Choice(((f"follow{COMMIT}", 1.0),))
    assert found.routes[f"follow{COMMIT}"] == Choice(((END, 1.0),))
    assert found.within == {"begin": ("begin",), "follow": ("follow",)}


def test_an_event_from_outside_forks_to_all_handlers_of_its_topic() -> None:
    desk = System("desk")
    topic = desk.topic("orders", _Event, key="id")

    @desk.on(topic)
    async def decide(event: _Event) -> None: ...

    @desk.on(topic)
    async def count(event: _Event) -> None: ...

    graphs = (graph_of("decide", [[]]), graph_of("count", [[]]))
    known = profile(part("decide", 0.01), part("count", 0.01), graphs=graphs)
    found = blueprint(desk.design, known, ["orders"])
    assert found.routes[found.entries["orders"]] == Fork(("decide", "count"))
    assert not found.beside
    apart = blueprint(desk.design, known, ["orders"], until=["count"])
    assert (apart.entries["orders"], apart.beside) == ("decide", {"orders": ("count",)})
