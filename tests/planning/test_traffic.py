"""A profile from traffic: own times, waits, call graphs, tokens, outcomes and arrivals, out of a journal in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from engine_kit import Order, World, orders, play, wait_for_state
from pydantic import BaseModel

from parti import Batch, PartiError, System, ask
from parti import sleep as parti_sleep
from parti.adapters.virtual import EPOCH
from parti.planning.calls import Group
from parti.planning.profile import PartProfile, Profile
from parti.planning.storing import profile_json, profile_of
from parti.planning.traffic import profile_of_traffic
from parti.ports.llm import Answer
from parti.ports.store import State
from parti.testing import Script, calls

QUICK = pytest.approx


def desk_of(build: Callable[[System, Any], None]) -> System:
    """A desk with a topic of orders, and what `build` adds."""
    desk = System("desk")
    build(desk, desk.topic("orders", Order, key="id"))
    return desk


def profiled(
    desk: System,
    *ids: str,
    every: float = 1.0,
    during: Callable[[World, Any], Coroutine[Any, Any, None]] | None = None,
    script: Script | None = None,
    **options: Any,
) -> Profile:
    """The profile of a desk that got these orders, `every` so many seconds."""

    async def main(world: World) -> Profile:
        async with world.running(desk, script=script) as live:
            for id in ids:
                await live.publish("orders", orders(id))
                await world.clock.wait(every)
            if during:
                await during(world, live)
            await live.idle(within=10_000)
            return await profile_of_traffic(desk.design, live.store, now=world.clock.now(), **options)

    return play(main)


def mean(part: PartProfile | None, **which: Any) -> float:
    assert part is not None
    service = part.service(**which)
    assert service is not None, part.services
    return service.seconds.mean


def test_a_step_that_waits_20_ms_shows_20_ms_and_its_handler_what_is_its_own() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.step
        async def classify(id: str) -> str:
            await asyncio.sleep(0.020)
            return id

        @desk.on(topic)
        async def decide(order: Order) -> None:
            await asyncio.sleep(0.005)
            await classify(order.id)
            await classify(order.id + "x")

    found = profiled(desk_of(build), "a", "b", "c")
    assert mean(found.part("classify")) == QUICK(0.020, abs=1e-5)
    assert mean(found.part("decide")) == QUICK(0.005, abs=1e-5)
    assert (found.part("classify").outcomes.calls, found.part("decide").outcomes.done) == (6, 3)  # type: ignore[union-attr]
    assert found.graph("decide").visits() == {"classify": 2.0}  # type: ignore[union-attr]
    assert found.source == "traffic"
    assert (found.covers, found.other_code) == (3, 0)
    assert profile_of(profile_json(found), "p") == found


def test_the_time_in_line_is_told_apart_from_service() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.on(topic, concurrency=1)
        async def decide(order: Order) -> None:
            await asyncio.sleep(0.1)

    found = profiled(desk_of(build), "a", "b", "c", "d", every=0.0)
    service = found.part("decide").service()  # type: ignore[union-attr]
    assert service is not None and service.waited is not None
    assert service.seconds.mean == QUICK(0.1, abs=0.003)  # reading its event is part of it
    assert service.waited.quantiles[-1] == QUICK(0.3, abs=0.02)
    assert service.waited.quantiles[0] < 0.02


def test_calls_at_once_are_one_group_and_their_time_counts_once() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.step
        async def left(id: str) -> None:
            await asyncio.sleep(0.02)

        @desk.step
        async def right(id: str) -> None:
            await asyncio.sleep(0.03)

        @desk.step
        async def last(id: str) -> None:
            await asyncio.sleep(0.01)

        @desk.on(topic)
        async def decide(order: Order) -> None:
            await asyncio.gather(left(order.id), right(order.id))
            await last(order.id)

    graph = (found := profiled(desk_of(build), "a", "b")).graph("decide")
    assert graph is not None
    assert graph.after(None) == ((Group(("left", "right")), 1.0),)
    assert graph.after(Group(("left", "right"))) == ((Group(("last",)), 1.0),)
    assert mean(found.part("decide")) == QUICK(0.0, abs=1e-4)


def test_branches_that_call_one_part_after_the_other_are_two_groups() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.step
        async def one(id: str, wait: float) -> None:
            await asyncio.sleep(wait)

        @desk.step
        async def two(id: str) -> None:
            await asyncio.sleep(0.02)

        async def both(id: str, wait: float) -> None:
            await one(id, wait)
            await two(id)

        @desk.on(topic)
        async def decide(order: Order) -> None:
            await asyncio.gather(both(order.id, 0.01), both(order.id, 0.015))

    graph = profiled(desk_of(build), "a").graph("decide")
    assert graph is not None
    assert graph.groups == (Group(("one", "one")), Group(("two", "two")))


def test_ways_of_a_handler_have_the_shares_that_were_seen() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.step
        async def rare(id: str) -> None: ...

        @desk.on(topic)
        async def decide(order: Order) -> None:
            if order.id == "a":
                await rare(order.id)

    graph = profiled(desk_of(build), "a", "b", "c", "d").graph("decide")
    assert graph is not None
    assert dict(graph.after(None)) == {Group(("rare",)): 0.25, None: 0.75}


def test_events_that_runs_publish_start_other_handlers_and_are_no_arrivals() -> None:
    class Letter(BaseModel):
        id: str

    def build(desk: System, topic: Any) -> None:
        letters = desk.topic("letters", Letter, key="id")

        @desk.on(topic, to=letters)
        async def decide(order: Order) -> Letter:
            return Letter(id=order.id)

        @desk.on(letters)
        async def post(letter: Letter) -> None: ...

    found = profiled(desk_of(build), "a", "b", "c", every=2.0)
    (published,) = found.graph("decide").published  # type: ignore[union-attr]
    assert (published.topic, published.count, published.handlers) == ("letters", 3, ("post",))
    assert [(seen.entry, seen.count) for seen in found.arrivals] == [("decide", 3)]
    assert found.arrivals[0].per_second == QUICK(0.5, rel=0.01)
    assert found.shares == {"decide": 1.0}


def test_the_turns_of_an_agent_are_its_own_graph_with_tokens_and_waits_of_the_model() -> None:
    class Verdict(BaseModel):
        good: bool

    async def slow(request: Any) -> Answer:
        await asyncio.sleep(0.5)
        turn = len(request.messages) // 2
        answer = calls(("look", {"id": str(turn)})) if turn < 2 else Answer('{"good": true}')
        return replace(answer, tokens_in=100 * (turn + 1), tokens_out=20, took=0.4, first=0.1, model="m1", usd=0.002)

    def build(desk: System, topic: Any) -> None:
        mind = desk.llm("local", name="mind", concurrency=4)

        @desk.tool(effect="read")
        async def look(id: str) -> int:
            await asyncio.sleep(0.05)
            return 1

        judge = desk.agent("judge", llm=mind, tools=[look], output=Verdict, instructions="Judge.")

        @desk.on(topic)
        async def decide(order: Order) -> None:
            await judge.run(order.id)

    found = profiled(desk_of(build), "a", "b", script=Script(slow), every=10.0)
    graph = found.graph("judge")
    assert graph is not None
    turns = graph.visits()
    assert turns["mind"] == turns["look"] + 1
    assert found.graph("decide").visits() == {"judge": 1.0}  # type: ignore[union-attr]
    mind = found.part("mind")
    assert mind is not None
    service, (tokens,) = mind.service("m1"), mind.tokens
    assert service is not None and service.waited is not None
    assert service.waited.mean == QUICK(0.1, abs=0.01)
    assert service.seconds.mean == QUICK(0.4, abs=0.01)
    assert tokens.first is not None and tokens.decode is not None
    assert (tokens.first.mean, tokens.decode.mean) == (QUICK(0.1), QUICK(0.3 / 19))
    assert tokens.output.mean == 20
    assert tokens.growth == QUICK(100)
    assert tokens.usd == QUICK(0.002)
    assert mean(found.part("judge")) == QUICK(0.0, abs=0.01)


def test_a_persons_wait_is_no_service_and_is_kept_apart() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.on(topic)
        async def decide(order: Order) -> None:
            await asyncio.sleep(0.01)
            await ask("boss", "Well?")
            await parti_sleep("60s")

    async def answer(world: World, live: Any) -> None:
        await wait_for_state(live, State.WAITING)
        await world.clock.wait(100.0)
        await live.answer_all(b"true")
        await world.clock.wait(100.0)

    found = profiled(desk_of(build), "a", during=answer, every=0.0)
    assert mean(found.part("decide")) == QUICK(0.03, abs=0.011)  # its first line is run again when it is woken
    assert mean(found.part("boss")) == QUICK(100.0, rel=0.01)
    assert mean(found.part("sleep")) == QUICK(60.0, rel=0.01)
    assert found.part("boss").kind == "person"  # type: ignore[union-attr]
    assert found.part("decide").outcomes.waited == 1  # type: ignore[union-attr]
    assert found.graph("decide").visits() == {"boss": 1.0, "sleep": 1.0}  # type: ignore[union-attr]


def test_runs_that_failed_first_are_counted_and_their_times_left_out() -> None:
    tries: list[str] = []

    def build(desk: System, topic: Any) -> None:
        @desk.on(topic)
        async def decide(order: Order) -> None:
            tries.append(order.id)
            await asyncio.sleep(0.01)
            if tries == ["a"]:
                raise ValueError("not now")

    found = profiled(desk_of(build), "a", "b", every=30.0)
    part = found.part("decide")
    assert part is not None
    assert (part.outcomes.calls, part.outcomes.retried, part.outcomes.attempts) == (2, 1, 3)
    service = part.service()
    assert service is not None
    assert (service.seconds.count, service.seconds.mean) == (1, QUICK(0.01, abs=1e-5))


def test_failures_and_timeouts_of_a_step_are_told_apart_and_no_times_of_it() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.tool(effect="read", timeout="50ms", retry=1)
        async def look(id: str) -> int:
            await asyncio.sleep(1.0 if id == "slow" else 0.01)
            if id == "bad":
                raise ValueError(id)
            return 1

        @desk.on(topic)
        async def decide(order: Order) -> None:
            try:
                await look(order.id)
            except Exception:
                return

    found = profiled(desk_of(build), "slow", "bad", "good").part("look")
    assert found is not None
    assert (found.outcomes.done, found.outcomes.failed, found.outcomes.timed_out) == (1, 1, 1)
    assert found.outcomes.failure == QUICK(2 / 3)
    assert mean(found) == QUICK(0.01, abs=1e-5)


def test_a_run_that_a_crash_cut_in_two_is_left_out_and_counted() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.step
        async def long(id: str) -> None:
            await asyncio.sleep(0.2)

        @desk.on(topic)
        async def decide(order: Order) -> None:
            await long(order.id)
            await long(order.id + "2")

    desk = desk_of(build)

    async def main(world: World) -> Profile:
        async with world.running(desk, crash=True) as live:
            await live.publish("orders", orders("a"))
            await world.clock.wait(0.35)
        await world.clock.wait(0.01)
        async with world.running(desk) as live:
            await live.idle()
            await live.publish("orders", orders("b"))
            await live.idle()
            return await profile_of_traffic(desk.design, live.store, now=world.clock.now())

    found = play(main).part("decide")
    assert found is not None
    assert (found.outcomes.interrupted, found.outcomes.calls) == (1, 2)
    assert found.services[0].seconds.count == 1


def test_writes_inside_of_an_agent_are_its_calls_and_count_their_attempts() -> None:
    class Verdict(BaseModel):
        good: bool

    def build(desk: System, topic: Any) -> None:
        mind = desk.llm("local", name="mind")

        @desk.tool(effect="write", key="id", idempotent=True)
        async def post(id: str) -> str:
            await asyncio.sleep(0.02)
            return id

        judge = desk.agent("judge", llm=mind, tools=[post], output=Verdict, instructions="Judge.")

        @desk.on(topic)
        async def decide(order: Order) -> None:
            await judge.run(order.id)

    script = Script([calls(("post", {"id": "a"})), {"good": True}])
    found = profiled(desk_of(build), "a", script=script)
    assert found.graph("judge").visits() == {"mind": 2.0, "post": 1.0}  # type: ignore[union-attr]
    assert mean(found.part("post")) == QUICK(0.02, abs=1e-5)
    assert found.part("post").outcomes.attempts == 1  # type: ignore[union-attr]


def test_only_runs_in_the_time_asked_for_count_and_at_most_so_many() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.on(topic)
        async def decide(order: Order) -> None: ...

    assert profiled(desk_of(build), "a", "b", "c", "d", limit=3).covers == 3
    assert profiled(desk_of(build), "a", "b", "c", "d", since=EPOCH + 1.5).covers == 2
    assert profiled(desk_of(build), "a", "b", "c", "d", until=EPOCH + 0.5).covers == 1


def test_an_empty_journal_is_refused_and_parts_that_did_nothing_are_named() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.step
        async def never(id: str) -> None: ...

        @desk.get("/look")
        async def look() -> int:
            return 1

        @desk.on(topic)
        async def decide(order: Order) -> None:
            if order.amount > 100:
                await never(order.id)

    with pytest.raises(PartiError, match="P829 the journal of desk holds no run"):
        profiled(desk_of(build))
    found = {one.part: one.why for one in profiled(desk_of(build), "a").unmeasured}
    assert found == {
        "never": "it was not at work in the runs that were read",
        "look": "a plain endpoint leaves nothing in the journal",
    }


def test_calls_in_a_line_and_in_batches_are_timed_without_their_wait() -> None:
    def build(desk: System, topic: Any) -> None:
        @desk.step(batch=Batch(4, linger="50ms"))
        async def embed(items: list[str]) -> list[int]:
            await asyncio.sleep(0.010 + 0.005 * len(items))
            return [1 for _ in items]

        @desk.step(concurrency=1)
        async def press(id: str) -> None:
            await asyncio.sleep(0.1)

        @desk.on(topic)
        async def decide(order: Order) -> None:
            await embed(order.id)
            await press(order.id)

    found = profiled(desk_of(build), *"abcd", every=0.0)
    assert found.at_once == QUICK(2.5, abs=0.3), "they ended 0.1 s apart"
    embed = found.part("embed")
    assert mean(embed, batch=4) == QUICK(0.030, abs=1e-4)
    service = embed.service(batch=4)  # type: ignore[union-attr]
    assert service is not None and service.waited is not None
    assert (service.seconds.count, service.waited.count) == (1, 4)
    press = found.part("press").service()  # type: ignore[union-attr]
    assert press is not None and press.waited is not None
    assert press.seconds.mean == QUICK(0.1, abs=1e-4)
    assert press.waited.quantiles[-1] == QUICK(0.3, abs=0.01)
    assert mean(found.part("decide")) < 0.01, "lines are nobody's own time"
