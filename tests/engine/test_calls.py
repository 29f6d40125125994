"""Calls of durable endpoints: one answer for each idempotency key, bounds, timeouts."""

from __future__ import annotations

import asyncio

import pytest
from engine_kit import Order, Play, World, code_of, play, result_of, the_run

import parti
from parti import Overloaded, StepFailed, System
from parti.adapters.virtual import Faults
from parti.ports.store import State


def counting_desk(calls: list[int]) -> System:
    """A desk with an endpoint that counts how often it is really called."""
    desk = System("desk")

    @desk.step()
    async def work(n: int) -> int:
        calls.append(n)
        await asyncio.sleep(1)
        return len(calls)

    @desk.post("/go")
    async def go(n: int) -> int:
        return await work(n)

    return desk


def test_a_call_is_answered_with_its_run_and_its_result(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(counting_desk([])) as live:
            outcome = await live.call("go", (5,), idempotency_key="k")
            assert (outcome.run, outcome.result, outcome.repeated) == ("go:k", b"1", False)
            record = await the_run(live)
            assert (record.state, record.arguments, record.result) == (State.DONE, b"[5]", b"1")

    in_world(main)


def test_a_repeated_key_gets_the_first_answer(in_world: Play) -> None:
    calls: list[int] = []

    async def main(world: World) -> None:
        async with world.running(counting_desk(calls)) as live:
            first = await live.call("go", (5,), idempotency_key="k")
            again = await live.call("go", (5,), idempotency_key="k")
            assert (again.result, again.repeated) == (first.result, True)
        async with world.running(counting_desk(calls)) as live:
            again = await live.call("go", (5,), idempotency_key="k")
            assert (again.result, again.repeated, calls) == (first.result, True, [5])

    in_world(main)


def test_calls_at_once_with_one_key_are_one_run(in_world: Play) -> None:
    calls: list[int] = []

    async def main(world: World) -> None:
        async with world.running(counting_desk(calls)) as live:
            outcomes = await asyncio.gather(*(live.call("go", (5,), idempotency_key="k") for _ in range(5)))
            assert {outcome.result for outcome in outcomes} == {b"1"}
            assert len({outcome.run for outcome in outcomes}) == len(calls) == 1

    in_world(main)


def test_calls_without_a_key_are_runs_of_their_own(in_world: Play) -> None:
    calls: list[int] = []

    async def main(world: World) -> None:
        async with world.running(counting_desk(calls)) as live:
            outcomes = await asyncio.gather(*(live.call("go", (5,)) for _ in range(3)))
            assert len({outcome.run for outcome in outcomes}) == len(calls) == 3

    in_world(main)


def test_a_key_is_known_per_tenant(in_world: Play) -> None:
    calls: list[int] = []

    async def main(world: World) -> None:
        async with world.running(counting_desk(calls)) as live:
            for tenant in ("main", "one", "two", "one.x"):
                await live.call("go", (5,), idempotency_key="k", tenant=tenant)
            await live.call("go", (5,), idempotency_key="one@k")
            assert len(calls) == 5

    in_world(main)


def test_a_key_with_other_arguments_is_refused_with_p310(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(counting_desk([])) as live:
            under_way = asyncio.create_task(live.call("go", (5,), idempotency_key="k"))
            await asyncio.sleep(0.5)
            assert await code_of(live.call("go", (6,), idempotency_key="k")) == "P310"
            await under_way
            assert await code_of(live.call("go", (6,), idempotency_key="k")) == "P310"

    in_world(main)


def test_equal_sets_are_the_same_arguments_in_whatever_order_they_come(in_world: Play) -> None:
    desk = System("desk")

    @desk.post("/go")
    async def go(names: set[str]) -> int:
        return len(names)

    async def main(world: World) -> None:
        one, other = {f"n{i}" for i in range(40)}, {f"n{i}" for i in reversed(range(90))}
        other -= {f"n{i}" for i in range(40, 90)}
        assert list(one) != list(other)
        async with world.running(desk) as live:
            assert await result_of(live, "go", one, idempotency_key="k") == 40
            assert await result_of(live, "go", other, idempotency_key="k") == 40

    in_world(main)


def test_nobody_gets_an_answer_before_it_is_on_disk() -> None:
    desk = System("desk")

    @desk.post("/go")
    async def go() -> int:
        return 1

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            first = asyncio.create_task(live.call("go", (), idempotency_key="k"))
            await asyncio.sleep(0.5)
            again = asyncio.create_task(live.call("go", (), idempotency_key="k"))
            await asyncio.sleep(0.1)
            assert not first.done()
            assert not again.done()
            assert (await first).result == (await again).result == b"1"

    play(main, faults=Faults(latency=(2.0, 2.0)))


def test_a_failure_is_remembered_like_an_answer(in_world: Play) -> None:
    desk = System("desk")
    calls: list[int] = []

    @desk.post("/go")
    async def go() -> None:
        calls.append(1)
        raise ValueError("no such order")

    async def main(world: World) -> None:
        for _ in range(2):
            async with world.running(desk) as live:
                with pytest.raises(StepFailed) as failed:
                    await live.call("go", (), idempotency_key="k")
                assert (failed.value.code, failed.value.what) == ("P307", "ValueError: no such order")
                assert (failed.value.kind, failed.value.run) == ("ValueError", "go:k")
                assert str(failed.value.place).startswith("test_calls.py:")
        assert len(calls) == 1

    in_world(main)


def test_calls_beyond_the_concurrency_of_an_endpoint_are_refused(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    async def work() -> None:
        await asyncio.sleep(1)

    @desk.post("/go", concurrency=2)
    async def go() -> None:
        await work()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            under_way = [asyncio.create_task(live.call("go", ())) for _ in range(2)]
            await asyncio.sleep(0.5)
            with pytest.raises(Overloaded) as refused:
                await live.call("go", ())
            assert refused.value.code == "P503"
            assert refused.value.retry_after > 0
            await asyncio.gather(*under_way)
            await live.call("go", ())

    in_world(main)


def test_callers_who_go_away_leave_room_for_others_and_their_run_goes_on(in_world: Play) -> None:
    calls: list[int] = []

    async def main(world: World) -> None:
        async with world.running(counting_desk(calls)) as live:
            calling = asyncio.create_task(live.call("go", (5,), idempotency_key="k"))
            await asyncio.sleep(0.5)
            calling.cancel()
            await asyncio.sleep(5)
            assert live.engine.active_calls["go"] == 0
            assert (await live.call("go", (5,), idempotency_key="k")).repeated
            assert calls == [5]

    in_world(main)


def test_a_run_that_waits_beyond_the_timeout_is_answered_with_p303_and_later_with_its_result(in_world: Play) -> None:
    desk = System("desk")

    @desk.post("/go", timeout="5s")
    async def go() -> int:
        await parti.sleep("1m")
        return 7

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            start = world.clock.now()
            assert await code_of(live.call("go", (), idempotency_key="k")) == "P303"
            assert world.clock.now() - start == pytest.approx(5, abs=0.1)
            await asyncio.sleep(60)
            assert await result_of(live, "go", idempotency_key="k") == 7

    in_world(main)


def test_a_run_that_works_beyond_the_timeout_ends_with_p303(in_world: Play) -> None:
    desk = System("desk")

    @desk.step()
    async def work() -> None:
        await asyncio.sleep(30)

    @desk.post("/go", timeout="5s")
    async def go() -> None:
        await work()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await code_of(live.call("go", (), idempotency_key="k")) == "P303"
            await asyncio.sleep(1)
            with pytest.raises(StepFailed, match="`go` took longer than 5s"):
                await live.call("go", (), idempotency_key="k")

    in_world(main)


def test_a_call_lost_in_a_crash_before_anything_was_on_disk_can_be_made_again(in_world: Play) -> None:
    calls: list[int] = []

    async def main(world: World) -> None:
        async with world.running(counting_desk(calls), crash=True) as live:
            calling = asyncio.create_task(live.call("go", (5,), idempotency_key="k"))
            await asyncio.sleep(0.05)
            calling.cancel()
        async with world.running(counting_desk(calls)) as live:
            await live.call("go", (5,), idempotency_key="k")
            assert len(await live.store.runs()) == 1

    in_world(main)


def test_a_call_cut_off_by_a_crash_goes_on_and_its_caller_gets_the_answer(in_world: Play) -> None:
    calls: list[int] = []

    async def main(world: World) -> None:
        async with world.running(counting_desk(calls), crash=True) as live:
            calling = asyncio.create_task(live.call("go", (5,), idempotency_key="k"))
            await asyncio.sleep(0.5)
            calling.cancel()
        async with world.running(counting_desk(calls)) as live:
            outcome = await live.call("go", (5,), idempotency_key="k")
            assert (outcome.result, outcome.repeated) == (b"2", True)

    in_world(main)


def test_arguments_that_do_not_fit_are_refused_before_anything_runs(in_world: Play) -> None:
    calls: list[int] = []

    async def main(world: World) -> None:
        async with world.running(counting_desk(calls)) as live:
            assert await code_of(live.call("go", ("many",))) == "P401"
            assert await code_of(live.call("nothing", ())) == "P308"
            assert calls == []
            assert await live.store.runs() == []

    in_world(main)


def test_calls_of_one_key_are_worked_on_one_after_the_other(in_world: Play) -> None:
    desk = System("desk")
    at_work: list[str] = []

    @desk.step()
    async def work(order: Order) -> None:
        assert order.id not in at_work
        at_work.append(order.id)
        await asyncio.sleep(1)
        at_work.remove(order.id)

    @desk.post("/go", key="order.id")
    async def go(order: Order) -> None:
        await work(order)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            start = world.clock.now()
            keys = ("a", "a", "a", "b", "b")
            await asyncio.gather(*(live.call("go", (Order(id=key),)) for key in keys))
            assert 3 <= world.clock.now() - start < 3.5

    in_world(main)


@pytest.mark.parametrize("tenant", ["", "a/b c:ü", "one@x", "x" * 65, "-x"])
def test_a_tenant_that_http_could_not_name_is_refused(in_world: Play, tenant: str) -> None:
    calls: list[int] = []
    desk = counting_desk(calls)
    desk.topic("orders", Order, key="id")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await code_of(live.call("go", [1], tenant=tenant)) == "P504"
            assert await code_of(live.publish("orders", [b'{"id":"a"}'], tenant=tenant)) == "P504"
            await live.call("go", [1], tenant="acme-1.eu")
            assert calls == [1]

    in_world(main)
