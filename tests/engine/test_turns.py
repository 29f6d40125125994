"""A part with `concurrency` serves so many calls at once in a process; the others stand in line, each key in its turn."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from engine_kit import (
    Order,
    Play,
    World,
    code_of,
    entries_of,
    kinds_of,
    orders,
    play,
    result_of,
    run,
    wait_for_state,
    wait_until,
)
from pydantic_core import from_json

from parti import Batch, Budget, Cost, StepFailed, System
from parti.engine.turns import Lines, Turn
from parti.journal.entries import Kind, chunk, decode, encode
from parti.line import Line
from parti.ports.llm import Answer, LlmFailure, Request
from parti.ports.store import State
from parti.testing import Script


class Busy:
    """How many are at work, and how many ever were at once."""

    def __init__(self) -> None:
        self.now = self.most = self.calls = 0
        self.order: list[Any] = []

    async def work(self, who: Any, seconds: float = 1.0) -> None:
        self.calls += 1
        self.order.append(who)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.now -= 1


def a_desk(busy: Busy, **options: Any) -> System:
    """A desk whose runs gather calls of one slow step."""
    desk = System("desk")

    @desk.step(**options)
    async def slow(who: str) -> str:
        await busy.work(who)
        return who.upper()

    @desk.post("/go", key="key")
    async def go(key: str, count: int) -> list[str]:
        return await asyncio.gather(*[slow(f"{key}{number}") for number in range(count)])

    return desk


def test_calls_of_all_runs_together_are_so_many_at_once(in_world: Play) -> None:
    busy = Busy()

    async def main(world: World) -> None:
        async with world.running(a_desk(busy, concurrency=2)) as live:
            began = world.clock.now()
            answers = await asyncio.gather(*[result_of(live, "go", key, 2) for key in "abc"])
            assert answers == [["A0", "A1"], ["B0", "B1"], ["C0", "C1"]]
            assert (busy.most, busy.calls) == (2, 6)
            assert world.clock.now() - began == pytest.approx(3.0, abs=0.1)

    in_world(main)


def test_the_journal_tells_waiting_from_service(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(Busy(), concurrency=1)) as live:
            await live.call("go", ("a", 3), idempotency_key="k")
            entries = [entry for entry in await entries_of(world.store, "go:k") if entry.kind == Kind.STEP]
            assert [entry.waited for entry in entries] == pytest.approx([0.0, 1.0, 2.0], abs=1e-5)
            assert [entry.took for entry in entries] == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)
            begun = entries[0].at
            assert [entry.at for entry in entries] == pytest.approx([begun, begun + 1, begun + 2], abs=1e-5)
            assert [entry.more for entry in entries] == [{}, {"waited": 1.0}, {"waited": 2.0}]

    in_world(main)


def test_entries_of_parts_without_a_line_are_as_they_always_were(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(Busy())) as live:
            await live.call("go", ("a", 2), idempotency_key="k")
            rows = [entry for row in await world.store.journal("go:k") for entry in json.loads(row.body)]
            assert {len(entry) for entry in rows} == {9}

    in_world(main)


def test_each_key_has_its_turn_however_much_another_asks(in_world: Play) -> None:
    busy = Busy()

    async def main(world: World) -> None:
        async with world.running(a_desk(busy, concurrency=1)) as live:
            greedy = asyncio.create_task(result_of(live, "go", "a", 5))
            await world.clock.wait(0.5)
            assert await result_of(live, "go", "b", 1) == ["B0"]
            await greedy
            assert busy.order == ["a0", "a1", "b0", "a2", "a3", "a4"]

    in_world(main)


def test_time_in_line_does_not_count_against_the_parts_own_timeout(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(Busy(), concurrency=1, timeout="1500ms")) as live:
            assert await result_of(live, "go", "a", 4) == ["A0", "A1", "A2", "A3"]

    in_world(main)


def test_time_in_line_counts_against_the_timeout_of_the_run(in_world: Play) -> None:
    busy = Busy()
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")

    @desk.step(concurrency=1)
    async def slow(who: str) -> None:
        await busy.work(who)

    @desk.on(topic, retry=1, timeout="1500ms")
    async def handle(order: Order) -> None:
        await slow(order.id)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "b", "c"))
            await live.idle()
            assert sorted(run.state for run in await live.store.runs()) == [State.DEAD, State.DEAD, State.DONE]
            assert len(busy.order) == 2, "the third left the line before its turn"

    in_world(main)


def test_a_run_that_is_cancelled_in_line_leaves_it_and_the_next_has_its_turn(in_world: Play) -> None:
    busy = Busy()

    async def main(world: World) -> None:
        async with world.running(a_desk(busy, concurrency=1)) as live:
            first = asyncio.create_task(live.call("go", ("a", 1)))
            await world.clock.wait(0.1)
            second = asyncio.create_task(code_of(live.call("go", ("b", 1), idempotency_key="b")))
            await world.clock.wait(0.1)
            third = asyncio.create_task(live.call("go", ("c", 1)))
            await world.clock.wait(0.1)
            await live.engine.cancel("go:b")
            assert await second == "P311"
            await asyncio.gather(first, third)
            assert busy.order == ["a0", "c0"]

    in_world(main)


def test_a_step_that_calls_itself_does_not_wait_for_itself(in_world: Play) -> None:
    desk = System("desk")
    busy = Busy()

    @desk.step(concurrency=1)
    async def down(n: int) -> int:
        await busy.work(n, 0.1)
        return n + await down(n - 1) if n else 0

    @desk.post("/go")
    async def go(n: int) -> int:
        return await down(n)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await asyncio.gather(*[result_of(live, "go", 3) for _ in range(3)]) == [6, 6, 6]
            assert busy.most == 1, "of calls that are not inside of each other, one at a time"

    in_world(main)


def test_parts_that_call_each_other_never_wait_in_a_circle(in_world: Play) -> None:
    desk = System("desk")

    @desk.step(concurrency=1)
    async def left(n: int) -> str:
        await asyncio.sleep(0.1)
        return "l" + (await right(n - 1) if n else "")

    @desk.step(concurrency=1)
    async def right(n: int) -> str:
        await asyncio.sleep(0.1)
        return "r" + (await left(n - 1) if n else "")

    @desk.post("/go")
    async def go(first: str) -> str:
        return await (left(2) if first == "l" else right(2))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            answers = await asyncio.gather(*[result_of(live, "go", first) for first in "lrlrlr"])
            assert answers == ["lrl", "rlr", "lrl", "rlr", "lrl", "rlr"]

    in_world(main)


def test_what_a_call_left_behind_no_longer_stands_inside_of_it() -> None:
    desk = System("desk")
    busy = Busy()
    left: list[asyncio.Task[Any]] = []

    @desk.step(concurrency=1)
    async def slow(who: str) -> str:
        if who == "first":
            left.append(asyncio.create_task(slow("left behind")))
            return who
        await busy.work(who)
        return who

    @desk.post("/go")
    async def go() -> list[str]:
        await slow("first")
        return await asyncio.gather(slow("a"), left[-1])

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("go", ())
            assert busy.most == 1

    play(main)


def a_posting_desk(posted: list[str], busy: Busy) -> System:
    desk = System("desk")

    @desk.tool(effect="write", key="letter", concurrency=1)
    async def post(letter: str) -> str:
        await busy.work(letter)
        posted.append(letter)
        return letter

    @desk.post("/go")
    async def go(letter: str) -> str:
        return await post(letter)

    @desk.post("/leave")
    async def leave(letter: str) -> str:
        asyncio.get_running_loop().create_task(post(letter))
        await asyncio.sleep(0.1)
        return "left it"

    return desk


def test_a_write_in_line_has_no_intent_yet_so_a_crash_leaves_nothing_in_doubt(in_world: Play) -> None:
    posted: list[str] = []

    async def main(world: World) -> None:
        async with world.running(a_posting_desk(posted, Busy()), crash=True) as live:
            calls = [asyncio.create_task(live.call("go", (letter,), idempotency_key=letter)) for letter in "ab"]
            await world.clock.wait(0.5)
            assert await kinds_of(world.store, "go:a") == ["intent"]
            assert await kinds_of(world.store, "go:b") == []
            for call in calls:
                call.cancel()
        async with world.running(a_posting_desk(posted, Busy())) as live:
            await wait_for_state(live, State.PARKED)
            await wait_until(live, lambda: posted == ["b"])
            assert (await live.store.run("go:a")).state is State.PARKED

    in_world(main)


def test_a_write_that_stood_in_line_when_its_run_ended_is_not_made(in_world: Play) -> None:
    posted: list[str] = []

    async def main(world: World) -> None:
        async with world.running(a_posting_desk(posted, Busy())) as live:
            first = asyncio.create_task(live.call("go", ("a",)))
            await world.clock.wait(0.1)
            began = world.clock.now()
            assert await result_of(live, "leave", "b") == "left it"
            assert world.clock.now() - began < 0.5, "it does not wait for the line"
            await first
            assert posted == ["a"]

    in_world(main)


def test_plain_endpoints_stand_in_the_same_line(in_world: Play) -> None:
    busy = Busy()
    desk = System("desk")

    @desk.step(concurrency=1)
    async def slow(who: str) -> str:
        await busy.work(who)
        return who

    @desk.get("/look/{who}")
    async def look(who: str) -> str:
        return await slow(who)

    @desk.post("/go")
    async def go(who: str) -> str:
        return await slow(who)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            plain = [asyncio.create_task(live.engine.answer_plain("look", (who,))) for who in "ab"]
            await asyncio.gather(live.call("go", ("c",)), *plain)
            assert (busy.most, busy.calls) == (1, 3)
            assert [from_json(task.result()) for task in plain] == ["a", "b"]

    in_world(main)


def test_a_failure_tells_its_time_in_line_and_gives_its_turn_back(in_world: Play) -> None:
    desk = System("desk")

    @desk.step(concurrency=1)
    async def fails(n: int) -> int:
        await asyncio.sleep(1)
        raise ValueError(n)

    @desk.post("/go")
    async def go() -> int:
        answers = await asyncio.gather(fails(1), fails(2), return_exceptions=True)
        return sum(isinstance(answer, StepFailed) for answer in answers)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go", idempotency_key="k") == 2
            failed = [entry for entry in await entries_of(world.store, "go:k") if entry.kind == Kind.FAIL]
            assert [entry.waited for entry in failed] == pytest.approx([0.0, 1.0], abs=1e-5)

    in_world(main)


class _Now:
    def now(self) -> float:
        return 0.0

    async def wait(self, duration: float) -> None: ...


def test_a_thread_that_was_given_up_is_counted_until_it_returns() -> None:
    """A blocking function cannot be stopped: whoever allows one call at once must not get two."""

    async def main() -> None:
        line, release = Line(1, None, _Now()), threading.Event()
        turn = Turn("part", line, await line.enter("a"), 0.0)
        try:
            async with asyncio.timeout(0.01):
                await turn.offload(asyncio.to_thread)(release.wait)
        except TimeoutError:
            turn.end()
        following = asyncio.create_task(line.enter("b"))
        await asyncio.wait([following], timeout=0.01)
        assert not following.done()
        release.set()
        await following

    run(main())


def test_a_thread_that_never_began_is_not_waited_for() -> None:
    async def main() -> None:
        async def full(function: Any, *arguments: Any) -> None:
            await asyncio.get_running_loop().create_future()

        line = Line(1, None, _Now())
        turn = Turn("part", line, await line.enter("a"), 0.0)
        task = asyncio.create_task(turn.offload(full)(print))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        turn.end()
        await line.enter("b")

    run(main())


def test_who_waits_for_whom_has_no_circles() -> None:
    """What calls inside of a part have waited for is remembered; a wait that would close a circle does not happen."""
    desk = System("desk")
    for name in "abc":

        @desk.step(name=name, concurrency=1)
        async def step() -> None: ...

    parts = {part.name: part for part in desk.design.parts}
    lines = Lines(_Now())

    def inside(name: str) -> tuple[Turn, ...]:
        return (Turn(name, None, 0.0, 0.0),)

    assert lines.may_wait(parts["b"], inside("a"))
    assert lines.may_wait(parts["c"], inside("b"))
    assert not lines.may_wait(parts["a"], inside("c"))
    assert not lines.may_wait(parts["a"], inside("a"))
    assert lines.may_wait(parts["a"], ())
    assert lines.may_wait(parts["c"], inside("a"))


def test_the_wait_in_the_line_before_a_language_model_is_told_from_its_work(in_world: Play) -> None:
    desk = System("desk")
    small = desk.llm("local", name="small", concurrency=1, attempts=2)

    @desk.post("/ask")
    async def asking() -> list[str]:
        return await asyncio.gather(small.ask("a"), small.ask("b"), small.ask("c"))

    async def slow(request: Request) -> Answer:
        await asyncio.sleep(1)
        return Answer(request.messages[-1].text.upper())

    async def main(world: World) -> None:
        async with world.running(desk, script=Script(slow)) as live:
            assert await result_of(live, "asking", idempotency_key="k") == ["A", "B", "C"]
            entries = [entry for entry in await entries_of(world.store, "asking:k") if entry.kind == Kind.STEP]
            assert [entry.waited for entry in entries] == pytest.approx([0.0, 1.0, 2.0], abs=1e-5)
            assert [entry.took for entry in entries] == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)
            assert ["waited" in entry.more for entry in entries] == [False, True, True]

    in_world(main)


def test_a_language_model_that_failed_tells_its_wait_too(in_world: Play) -> None:
    desk = System("desk")
    small = desk.llm("local", name="small", concurrency=1, attempts=1)

    @desk.post("/ask")
    async def asking() -> int:
        answers = await asyncio.gather(small.ask("a"), small.ask("b"), return_exceptions=True)
        return sum(isinstance(answer, StepFailed) for answer in answers)

    async def broken(request: Request) -> Answer:
        await asyncio.sleep(1)
        raise LlmFailure("P701", "the server answered 503")

    async def main(world: World) -> None:
        async with world.running(desk, script=Script(broken)) as live:
            assert await result_of(live, "asking", idempotency_key="k") == 2
            entries = [entry for entry in await entries_of(world.store, "asking:k") if entry.kind == Kind.FAIL]
            assert [(entry.waited, entry.took) for entry in entries] == [
                (pytest.approx(waited, abs=1e-5), pytest.approx(1.0, abs=1e-5)) for waited in (0.0, 1.0)
            ]

    in_world(main)


def test_a_write_tells_its_time_in_line(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_posting_desk([], Busy())) as live:
            await asyncio.gather(*[live.call("go", (letter,), idempotency_key=letter) for letter in "ab"])
            (done,) = [entry for entry in await entries_of(world.store, "go:b") if entry.kind == Kind.DONE]
            assert done.waited > 0.9
            assert done.took == pytest.approx(1.0, abs=0.02)

    in_world(main)


@pytest.mark.parametrize("kind", ["read", "write", "batch"])
def test_a_call_that_is_cut_off_in_line_was_not_made_and_costs_nothing(kind: str) -> None:
    desk = System("desk")
    busy = Busy()
    options: dict[str, Any] = {"effect": "read"} if kind != "write" else {"effect": "write", "key": "item"}

    if kind == "batch":

        @desk.tool(cost=Cost(usd=0.4), concurrency=1, batch=Batch(1), **options)
        async def look(items: list[str]) -> list[str]:
            await busy.work(items[0], 10)
            return items
    else:

        @desk.tool(cost=Cost(usd=0.4), concurrency=1, **options)
        async def look(item: str) -> str:
            await busy.work(item, 10)
            return item

    @desk.post("/go", budget=Budget(usd=1.0), timeout="1h")
    async def go(name: str, tries: int) -> int:
        for number in range(tries):
            try:
                async with asyncio.timeout(1):
                    await look(f"{name} try {number}")
            except TimeoutError:
                continue
        await asyncio.sleep(10)
        return len([await look(f"{name} {number}") for number in range(2)])

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            first = asyncio.create_task(live.call("go", ("holds", 0), idempotency_key="a"))
            await world.clock.wait(10.5)
            assert await result_of(live, "go", "waits", 5, idempotency_key="b") == 2
            await first
            assert [who for who in busy.order if "try" in who] == []
            assert [run.state for run in await live.store.runs(state=State.PARKED)] == []

    play(main)


def test_what_the_journal_tells_of_lines_and_batches_stands_beside_what_lies_outside() -> None:
    """The bytes of an entry are a format: they are read for ever."""
    blobs: dict[str, bytes] = {}
    small = encode(Kind.STEP, "0", "embed", "d", 1, 2.0, 0.5, b'["a"]', b"[1]", blobs, {"waited": 0.25, "batch": 3})
    assert small == b'["step","0","embed","d",1,2.000000,0.500000,["a"],[1],{"waited": 0.25, "batch": 3}]'
    assert encode(Kind.STEP, "0", "embed", "d", 1, 2.0, 0.5, b'["a"]', b"[1]", blobs, {}) == (
        b'["step","0","embed","d",1,2.000000,0.500000,["a"],[1]]'
    )
    large = b'"' + b"x" * 100_000 + b'"'
    (entry,) = decode(chunk([encode(Kind.STEP, "", "embed", "d", 1, 2.0, 0.5, b"[]", large, blobs, {"batch": 3})]))
    assert (entry.batch, entry.waited, blobs[entry.more["answer"]]) == (3, 0.0, large)
