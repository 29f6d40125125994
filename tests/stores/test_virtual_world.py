"""The virtual world: time jumps, chance repeats, and its store fails only in the ways it declares."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from parti.adapters.chance import SystemChance
from parti.adapters.clock import SystemClock
from parti.adapters.virtual import (
    EPOCH,
    Deadlock,
    Faults,
    SeededChance,
    VirtualClock,
    VirtualLoop,
    VirtualStore,
    WorldEnded,
    run_virtual,
)
from parti.errors import StoreFull
from parti.ports.store import Batch
from parti.testing.store_samples import an_event


def test_time_jumps_to_the_next_timer() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def sleeper(name: str, duration: float) -> None:
            await clock.wait(duration)
            seen.append((name, clock.now() - EPOCH))

        await asyncio.gather(sleeper("year", 31557600.0), sleeper("hour", 3600.0), sleeper("now", 0.0))
        return seen

    assert run_virtual(main) == [("now", 0.0), ("hour", 3600.0), ("year", 31557600.0)]


def test_timers_of_one_moment_fire_in_the_order_they_were_set() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        seen: list[int] = []

        async def sleeper(number: int) -> None:
            await clock.wait(0.1)
            seen.append(number)

        await asyncio.gather(*(sleeper(number) for number in range(50)))
        return seen

    assert run_virtual(main) == list(range(50))


def test_many_short_waits_add_up_without_drift() -> None:
    async def main(clock: VirtualClock) -> float:
        for _ in range(10_000):
            await clock.wait(0.001)
        return clock.now() - EPOCH

    assert run_virtual(main) == pytest.approx(10.0, abs=1e-6)


def test_a_world_in_which_everything_waits_is_an_error_that_names_the_tasks() -> None:
    async def main(clock: VirtualClock) -> None:
        async def stuck() -> None:
            await asyncio.get_running_loop().create_future()

        await asyncio.create_task(stuck(), name="the stuck one")

    with pytest.raises(Deadlock, match=r"the stuck one in .*stuck"):
        run_virtual(main)


def test_timeouts_work_in_virtual_time() -> None:
    async def main(clock: VirtualClock) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(86400 * 3):
                await asyncio.get_running_loop().create_future()
        return clock.now() - EPOCH

    assert run_virtual(main) == 86400 * 3


def test_functions_sent_to_threads_run_in_place() -> None:
    async def main(clock: VirtualClock) -> int:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return await asyncio.to_thread(lambda: 41 + 1)

    assert run_virtual(main) == 42


def test_tasks_left_behind_are_cancelled_and_may_clean_up() -> None:
    seen: list[str] = []

    async def main(clock: VirtualClock) -> None:
        async def worker() -> None:
            try:
                await clock.wait(1e6)
            finally:
                await clock.wait(0.5)
                seen.append("cleaned")

        worker_task = asyncio.create_task(worker())
        await clock.wait(1)
        assert not worker_task.done()

    run_virtual(main)
    assert seen == ["cleaned"]


def test_an_error_of_the_main_coroutine_comes_out() -> None:
    async def main(clock: VirtualClock) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run_virtual(main)


def test_one_seed_draws_the_same_numbers_and_another_draws_others() -> None:
    def draws(seed: int) -> list[Any]:
        chance = SeededChance(seed)
        return [chance.random(), chance.token(), chance.random(), chance.token()]

    assert draws(1) == draws(1) != draws(2)
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in draws(3)[1::2])


def test_the_chance_of_the_system_repeats_no_token() -> None:
    chance = SystemChance()
    assert len({chance.token() for _ in range(100)}) == 100
    assert all(0 <= chance.random() < 1 for _ in range(100))


def test_the_clock_of_the_system_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 90.0, 110.0])
    monkeypatch.setattr("time.time", lambda: next(times))
    clock = SystemClock()
    assert [clock.now() for _ in range(3)] == [100.0, 100.0, 110.0]


def test_a_commit_takes_virtual_time_and_some_take_long() -> None:
    async def main(clock: VirtualClock) -> list[float]:
        store = VirtualStore(clock, SeededChance(1), Faults(latency=(0.001, 0.01), slow=0.2, slow_latency=(5.0, 6.0)))
        times = []
        for _ in range(100):
            before = clock.now()
            await store.commit(Batch(entries=[("r", b"[]")]))
            times.append(clock.now() - before)
        return times

    times = run_virtual(main)
    assert all(0.0009 < time < 0.011 or 4.9 < time < 6.1 for time in times)
    assert 5 < sum(time > 1 for time in times) < 40


def test_reads_do_not_see_a_commit_under_way() -> None:
    async def main(clock: VirtualClock) -> None:
        store = VirtualStore(clock, SeededChance(1), Faults(latency=(1.0, 1.0)))
        task = asyncio.create_task(store.commit(Batch(events=[an_event()])))
        await clock.wait(0.5)
        assert await store.ends() == {}
        await task
        assert await store.ends() == {("orders", 0): (0, 1)}

    run_virtual(main)


def test_a_full_disk_refuses_until_its_period_is_over() -> None:
    async def main(clock: VirtualClock) -> None:
        store = VirtualStore(clock, SeededChance(1), Faults(full=((EPOCH, EPOCH + 60),)))
        with pytest.raises(StoreFull, match="P206"):
            await store.commit(Batch(events=[an_event()]))
        assert store.disk.heads.seq == 0
        await clock.wait(60)
        assert list((await store.commit(Batch(events=[an_event()]))).offsets) == [0]

    run_virtual(main)


def crash_in_flight(seed: int) -> tuple[int, int]:
    """Play a crash during the third commit; how many events were acknowledged, and how many survive."""

    async def main(clock: VirtualClock) -> tuple[int, int]:
        store = VirtualStore(clock, SeededChance(seed), Faults(latency=(1.0, 1.0)))
        acknowledged = 0

        async def write() -> None:
            nonlocal acknowledged
            while True:
                acknowledged += len((await store.commit(Batch(events=[an_event()]))).offsets)

        task = asyncio.create_task(write())
        await clock.wait(2.5)
        survivor = store.survivor()
        await clock.wait(10)
        assert not task.done()
        with pytest.raises(WorldEnded):
            await store.ends()
        with pytest.raises(WorldEnded):
            await store.commit(Batch())
        assert await survivor.verify() == []
        await survivor.commit(Batch(events=[an_event()]))
        return acknowledged, (await survivor.ends())["orders", 0][1] - 1

    return run_virtual(main)


def test_a_crash_keeps_what_was_acknowledged_and_chance_decides_on_the_commit_in_flight() -> None:
    outcomes = {crash_in_flight(seed) for seed in range(20)}
    assert outcomes == {(2, 2), (2, 3)}


def test_one_seed_crashes_alike() -> None:
    assert [crash_in_flight(seed) for seed in range(10)] == [crash_in_flight(seed) for seed in range(10)]


def test_verify_names_a_record_changed_behind_the_stores_back() -> None:
    async def main(clock: VirtualClock) -> None:
        store = VirtualStore(clock, SeededChance(1))
        await store.commit(Batch(entries=[("r", b"[1]"), ("r", b"[2]")], events=[an_event()] * 3))
        seq, run, _, head = store.disk.journal[1]
        store.disk.journal[1] = (seq, run, b"[3]", head)
        del store.disk.streams["orders", 0].events[1], store.disk.streams["orders", 0].hashes[1]
        assert [finding.what for finding in await store.verify()] == [
            "journal record 2: does not match its hash",
            "event of orders/0 at offset 1: missing",
            "event of orders/0 at offset 2: does not match its hash",
        ]

    run_virtual(main)


def test_a_loop_needs_no_socket() -> None:
    loop = VirtualLoop()
    try:
        assert not hasattr(loop, "_ssock")
    finally:
        loop.close()
