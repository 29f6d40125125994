"""Measuring under controlled load, in virtual time: what a part waits by the clock is what its profile says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from engine_kit import Order, World, play
from machine_kit import FakeMachine
from pydantic import BaseModel

from parti import Batch, PartiError, System, ask
from parti.adapters.machine import ThisMachine
from parti.adapters.vectors import nearest
from parti.agents.gate import Gate
from parti.agents.loop import work
from parti.engine.loop import Engine
from parti.planning.contention import contention
from parti.planning.measuring import Amount, measure, pooled, without_commits
from parti.planning.profile import PartProfile, Profile, Service
from parti.planning.sampled import Sampled
from parti.planning.storing import profile_json, profile_of
from parti.planning.subjects import arguments_of, bench_of
from parti.ports.machine import Calibration, Usage
from parti.testing import Script

QUICK = pytest.approx


class Letter(BaseModel):
    id: str


@dataclass
class Outside:
    """What really happened."""

    posted: list[str] = field(default_factory=list)
    looked: int = 0


def a_desk(outside: Outside, machine: FakeMachine) -> System:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    letters = desk.topic("letters", Letter, key="id")

    @desk.step
    async def classify(id: str) -> str:
        machine.used += 0.001
        await asyncio.sleep(0.020)
        return id

    @desk.tool(effect="read")
    async def look(id: str, deep: bool = False) -> int:
        outside.looked += 1
        await asyncio.sleep(0.005)
        return 1

    @desk.tool(effect="write", key="id")
    async def post(id: str) -> None:
        outside.posted.append(id)

    @desk.on(topic, to=letters)
    async def decide(order: Order) -> Letter:
        await asyncio.sleep(0.002)
        await classify(order.id)
        await look(order.id)
        await post(order.id)
        return Letter(id=order.id)

    @desk.every("1h")
    async def tick() -> None: ...

    return desk


def measured(
    desk: System,
    values: dict[str, list[Any]],
    machine: FakeMachine,
    *,
    samples: int = 10,
    paid: bool = False,
    script: Script | None = None,
) -> Profile:
    """The profile of a desk whose parts are called with these JSON values."""

    async def main(world: World) -> Profile:
        design = desk.design
        inputs = {name: [arguments_of(design.by_name[name], one) for one in given] for name, given in values.items()}
        bench = bench_of(design, inputs, machine, paid=paid)
        engine = Engine(
            bench.design, store=world.store, clock=world.clock, chance=world.chance, offload=asyncio.to_thread,
            llms=None if script is None else Gate(bench.design, lambda llm: script, world.clock, world.chance),
            agents=work, nearest=nearest, stand_ins=True,
        )  # fmt: skip
        await engine.start(work=False)
        engine.begin()
        try:
            return await measure(engine, design, bench, machine, Amount(samples=samples))
        finally:
            await engine.stop(0.0)

    return play(main)


def the(part: PartProfile | None, variant: str = "", batch: int = 1) -> Service:
    assert part is not None
    service = part.service(variant, batch)
    assert service is not None, part.services
    return service


def test_parts_take_alone_and_in_turn_what_the_clock_says_and_nothing_happens_outside() -> None:
    outside, machine = Outside(), FakeMachine()
    values = {"classify": ["a", "b"], "look": [["a", True]], "decide": [{"id": "a"}, {"id": "b"}]}
    found = measured(a_desk(outside, machine), values, machine)
    classify = the(found.part("classify"))
    assert classify.seconds.mean == QUICK(0.020, abs=1e-5)
    assert classify.cpu == QUICK(0.001)
    assert classify.alone is not None and classify.together is not None
    assert (classify.alone.count, classify.together.count, classify.seconds.count) == (10, 10, 20)
    assert the(found.part("look")).seconds.mean == QUICK(0.005, abs=1e-5)
    assert the(found.part("decide")).seconds.mean == QUICK(0.002, abs=0.006)  # and the fences of its write
    assert outside.posted == []
    assert outside.looked > 0
    assert found.source == "load"
    assert found.graph("decide").visits() == {"classify": 1.0, "look": 1.0, "post": 1.0}  # type: ignore[union-attr]
    assert found.contention is not None and not found.contention.found
    assert profile_of(profile_json(found), "p") == found


def test_what_cannot_be_measured_is_listed_with_why() -> None:
    outside, machine = Outside(), FakeMachine()
    found = measured(a_desk(outside, machine), {"classify": ["a"]}, machine)
    why = {one.part: one.why for one in found.unmeasured}
    assert why == {
        "look": "there is no input for it: let it work first, or give --inputs look=FILE",
        "post": "a write is never made for a measurement: its times come from traffic",
        "decide": "there is no input for it: let it work first, or give --inputs decide=FILE",
        "tick": "a schedule is not called for a measurement: its times come from traffic",
    }
    assert [part.part for part in found.parts] == ["classify"]


def test_parts_without_inputs_of_their_own_are_timed_inside_of_others() -> None:
    outside, machine = Outside(), FakeMachine()
    found = measured(a_desk(outside, machine), {"decide": [{"id": "a"}]}, machine)
    assert the(found.part("classify")).seconds.mean == QUICK(0.020, abs=1e-5)
    assert found.part("post") is None, "a recorder stood in its place"
    assert "post" in {one.part for one in found.unmeasured}


def test_a_part_whose_calls_all_fail_is_listed_with_its_error() -> None:
    desk, machine = System("desk"), FakeMachine()

    @desk.step
    async def broken(id: str) -> str:
        raise ValueError("no such table")

    @desk.step
    async def whole(id: str) -> str:
        return id

    found = measured(desk, {"broken": ["a"], "whole": ["a"]}, machine)
    (one,) = found.unmeasured
    assert one.part == "broken"
    assert one.why.startswith("its calls failed: P302 `broken` raised ValueError: no such table")
    assert [part.part for part in found.parts if part.services] == ["whole"]


def test_a_batch_function_is_timed_for_each_size_it_may_be_served_in() -> None:
    desk, machine = System("desk"), FakeMachine()

    @desk.step(batch=Batch(6, linger=0))
    async def embed(items: list[str]) -> list[int]:
        machine.used += 0.001 * len(items)
        await asyncio.sleep(0.010 + 0.002 * len(items))
        return [1 for _ in items]

    found = measured(desk, {"embed": ["a", "b", "c"]}, machine).part("embed")
    assert found is not None
    sizes = {service.batch: service.seconds.mean for service in found.services if service.batch > 1}
    assert sizes == {2: QUICK(0.014), 4: QUICK(0.018), 6: QUICK(0.022)}
    assert found.service(batch=6).cpu == QUICK(0.006)  # type: ignore[union-attr]


def test_models_that_cost_money_are_asked_only_with_leave() -> None:
    class Verdict(BaseModel):
        good: bool

    def desk_of(target: str) -> System:
        desk = System("desk")
        mind = desk.llm(target, name="mind")
        desk.agent("judge", llm=mind, output=Verdict, instructions="Judge.")
        return desk

    async def slow(request: Any) -> dict[str, bool]:
        await asyncio.sleep(0.3)
        return {"good": True}

    with pytest.raises(PartiError, match="P829") as wrong:
        measured(desk_of("openai:gpt-4o"), {"judge": ["a"]}, FakeMachine(), script=Script(slow))
    assert "`judge`: it asks `mind`, which may cost money: allow that with --paid" in wrong.value.what
    for target, paid in (("openai:gpt-4o", True), ("local", False)):
        found = measured(desk_of(target), {"judge": ["a"]}, FakeMachine(), paid=paid, script=Script(slow))
        assert the(found.part("mind"), "script").seconds.mean == QUICK(0.3, abs=0.01)
        assert the(found.part("judge")).seconds.mean == QUICK(0.0, abs=0.01)
        assert found.graph("judge").visits() == {"mind": 1.0}  # type: ignore[union-attr]


def test_people_without_a_stand_in_make_their_askers_unmeasurable() -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.on(topic)
    async def decide(order: Order) -> None:
        await ask("boss", "Well?")

    with pytest.raises(PartiError, match="P829") as wrong:
        measured(desk, {"decide": [{"id": "a"}]}, FakeMachine())
    assert "`decide` asks boss, in whose place nobody answers" in wrong.value.what


def test_a_design_without_parts_that_take_time_is_refused() -> None:
    with pytest.raises(PartiError, match="P829 nothing of empty can be measured"):
        measured(System("empty"), {}, FakeMachine())


@pytest.mark.parametrize(
    ("given", "arguments"),
    [(["a", True], ("a", True)), ({"id": "a"}, ("a", False)), ({"id": "a", "deep": True}, ("a", True))],
)
def test_inputs_are_lists_or_objects_of_arguments(given: Any, arguments: tuple[Any, ...]) -> None:
    part = a_desk(Outside(), FakeMachine()).design.by_name["look"]
    assert arguments_of(part, given) == arguments


@pytest.mark.parametrize("given", ["a", {"id": "a", "odd": 1}, [1, 2, 3], 7])
def test_inputs_that_do_not_fit_are_refused(given: Any) -> None:
    part = a_desk(Outside(), FakeMachine()).design.by_name["look"]
    with pytest.raises(PartiError, match="P402"):
        arguments_of(part, given)


QUIET = Calibration(0.02, 0.02, 10.0)
NOTHING = Usage(0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("calibrations", "after", "said"),
    [
        ([QUIET] * 3, Usage(10.0, 9.0, 9.5, 0.0), ""),
        (
            [QUIET, Calibration(0.03, 0.02, 10.0), Calibration(0.03, 0.02, 10.0)],
            NOTHING,
            "took 50% longer than its CPU time",
        ),
        ([QUIET, Calibration(0.02, 0.02, 8.0)], NOTHING, "the speed of the core changed by 25%"),
        ([QUIET], Usage(10.0, 1.0, 1.0, 0.6), "the hypervisor took 3.0% of the CPU time"),
        ([QUIET], Usage(10.0, 1.0, 7.0, 0.0), "other programs used 30% of all cores"),
        ([QUIET], Usage(10.0, 1.0, None, None), ""),
    ],
)
def test_every_sign_of_contention_is_told(calibrations: list[Calibration], after: Usage, said: str) -> None:
    found = contention(calibrations, NOTHING, after, 2, {})
    assert found.found == bool(said)
    assert said in " ".join(found.why)
    assert len(found.why) == bool(said)


def test_a_part_that_takes_longer_beside_others_than_alone_is_told() -> None:
    alone, together = Sampled.of([0.010, 0.011, 0.009] * 5), Sampled.of([0.014, 0.015, 0.013] * 5)
    found = contention([QUIET], NOTHING, NOTHING, 2, {"crunch": (alone, together), "calm": (alone, alone)})
    assert found.why == ("`crunch` took 40% longer in turn with the others than alone",)
    tiny = Sampled.of([0.00001] * 9), Sampled.of([0.00002] * 9)
    assert not contention([QUIET], NOTHING, NOTHING, 2, {"tiny": tiny}).found


def test_a_contended_profile_is_marked() -> None:
    machine = FakeMachine(calibrations=[Calibration(0.04, 0.02, 10.0)])
    found = measured(a_desk(Outside(), machine), {"classify": ["a"]}, machine)
    assert found.contention is not None and found.contention.found
    assert found.contention.slowdown == QUICK(1.0)


def test_samples_are_pooled_by_their_counts() -> None:
    found = pooled(Sampled.of([1.0, 1.0]), Sampled.of([2.0] * 6))
    assert (found.count, found.mean) == (8, 1.75)
    assert (found.quantiles[0], found.quantiles[-1]) == (1.0, 2.0)


def test_this_machine_knows_itself() -> None:
    machine = ThisMachine()
    print_ = machine.fingerprint(3.0)
    assert print_.cores >= 1 and print_.cpu and print_.python.startswith("3.")
    assert print_.score == 3.0
    calibration = machine.calibrate()
    assert calibration.cpu > 0 and calibration.score > 0
    before, after = machine.usage(), machine.usage()
    assert after.wall >= before.wall and after.own >= before.own
    assert machine.elapsed() > 0 and machine.cpu() > 0


def test_a_runner_tells_how_long_it_was_on_the_event_loop() -> None:
    machine = FakeMachine()
    desk = System("desk")

    @desk.post("/ask")
    async def asking(value: int) -> int:
        machine.on_loop += 0.003
        return value

    found = measured(desk, {"asking": [1]}, machine)
    assert the(found.part("asking")).loop == QUICK(0.003)


def test_it_tells_how_long_callers_wait_for_the_disk() -> None:
    """From the end of a run to its answer; the store of virtual time takes 1 to 2.5 ms."""
    machine = FakeMachine()
    found = measured(a_desk(Outside(), machine), {"classify": ["a"]}, machine)
    assert found.commit is not None and found.commit.count == 10
    assert 0.001 <= found.commit.mean <= 0.0025


def test_a_profile_with_a_commit_is_read_as_it_was_written() -> None:
    machine = FakeMachine()
    found = measured(a_desk(Outside(), machine), {"classify": ["a"]}, machine)
    assert profile_of(profile_json(found), "it").commit == found.commit


def test_a_runner_tells_what_is_left_on_the_loop_where_runs_share_commits() -> None:
    """The loop is at work for 3 ms in each run: alone and in a crowd alike, so that commits take none of it."""
    machine, desk = FakeMachine(), System("desk")

    @desk.post("/ask", key="id")
    async def asking(id: str) -> str:
        machine.on_loop += 0.003
        return id

    found = measured(desk, {"asking": ["a"]}, machine)
    assert the(found.part("asking")).loop_shared == QUICK(0.003)


@pytest.mark.parametrize(
    ("alone", "together", "left"),
    [
        ((0.0030, 1.0), (0.0016, 0.3), 0.001),  # 2 ms a commit
        ((0.0030, 1.0), (0.0030, 1.0), 0.003),  # no crowd shared anything
        ((0.0030, 1.0), (0.0031, 0.1), 0.003),  # sharing saves nothing
        ((0.0030, 1.0), (0.0001, 0.9), 0.0),  # never below nothing
    ],
)
def test_two_points_of_a_line_tell_what_a_run_takes_without_its_commit(
    alone: tuple[float, float], together: tuple[float, float], left: float
) -> None:
    assert without_commits(alone, together) == QUICK(left)
