"""What runs remember commits with them, is theirs alone, and replays; what happened is read from the runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from engine_kit import Order, Play, World, code_of, kinds_of, orders, result_of, the_run, wait_for_state
from memory_kit import a_desk, facts_of, the_memory

from parti import PartiError, System, ask
from parti.engine.recalling import happened
from parti.ports.store import State
from parti.testing import WordEmbedder

# What commits


def test_what_a_run_remembered_is_recalled_by_meaning_by_later_runs_of_its_key(in_world: Play) -> None:
    desk = a_desk()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            for text in ("the customer prefers letters", "the roof leaks", "letters go to the office"):
                await result_of(live, "remember", "a", text)
            assert await result_of(live, "recall", "a", "letters") == [
                "the customer prefers letters",
                "letters go to the office",
                "the roof leaks",
            ]
            assert await result_of(live, "recall", "b", "letters") == []

    in_world(main)


def test_a_run_sees_its_own_facts_with_what_was_given_about_them(in_world: Play) -> None:
    desk = System("desk")
    notes = desk.memory("notes")

    @desk.post("/both", key="id")
    async def both(id: str) -> list[Any]:
        fact = await notes.remember("the dog is called Rex", about={"said by": "neighbour", "page": 3})
        (found,) = await notes.recall("what is the dog called", limit=1)
        return [found.id == fact, found.text, dict(found.about), 0.5 < found.similarity < 1, found.at.year]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            about = {"said by": "neighbour", "page": 3}
            assert await result_of(live, "both", "a") == [True, "the dog is called Rex", about, True, 2026]

    in_world(main)


def test_a_run_that_fails_leaves_no_facts(in_world: Play) -> None:
    desk = System("desk")
    notes = desk.memory("notes")

    @desk.post("/fail", key="id")
    async def fail(id: str) -> None:
        await notes.remember("this never was")
        raise ValueError("no")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await code_of(live.call("fail", ["a"])) == "P307"
            assert await facts_of(live) == []
            assert await live.store.notes("fact:") == {}

    in_world(main)


def test_a_fact_of_an_attempt_that_failed_is_remembered_once(in_world: Play) -> None:
    desk, tries = System("desk"), list[int]()
    topic = desk.topic("orders", Order, key="id")
    notes = desk.memory("notes")

    @desk.on(topic, retry=3)
    async def handle(order: Order) -> None:
        fact = await notes.remember(f"{order.id} came")
        tries.append(1)
        if len(tries) < 3:
            raise ValueError(fact)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a"))
            await live.idle()
            assert await facts_of(live) == ["a came"]
            assert (await kinds_of(live.store, (await the_run(live)).id)).count("memory") == 1

    in_world(main)


def test_a_crash_between_remembering_and_the_end_loses_and_doubles_nothing(in_world: Play) -> None:
    desk, ids = System("desk"), list[str]()
    topic = desk.topic("orders", Order, key="id")
    notes = desk.memory("notes")

    @desk.on(topic)
    async def handle(order: Order) -> None:
        ids.append(await notes.remember(f"{order.id} came"))
        await ask("manager", "Go on?")

    async def main(world: World) -> None:
        words = WordEmbedder()
        async with world.running(desk, crash=True, embedder=words) as live:
            await live.publish("orders", orders("a"))
            await wait_for_state(live, State.WAITING)
            assert await facts_of(live) == []
        async with world.running(desk, embedder=words) as live:
            await live.answer_all(b"true")
            await live.idle()
            assert await facts_of(live) == ["a came"]
            assert len(set(ids)) == 1
            assert words.embedded == ["a came"], "the vector is in the journal"

    in_world(main)


def test_what_was_recalled_stays_what_it_was_when_facts_change_before_a_replay(in_world: Play) -> None:
    desk, seen = a_desk(shared=True), list[Any]()
    notes = the_memory(desk)

    @desk.post("/wait", key="id", timeout="1h")
    async def wait(id: str) -> list[str]:
        first = [fact.text for fact in await notes.recall("word", scope="common")]
        seen.append(first)
        await ask("manager", "Go on?")
        return first + [fact.text for fact in await notes.recall("word of late", scope="common")]

    async def main(world: World) -> None:
        async with world.running(desk, crash=True) as live:
            await live.call("elsewhere", ["x", "common"])
            waiting = asyncio.ensure_future(live.call("wait", ["a"]))
            await wait_for_state(live, State.WAITING)
            waiting.cancel()
        async with world.running(desk) as live:
            await live.call("elsewhere", ["y", "common"])
            await live.answer_all(b"true")
            await live.idle()
            run = await the_run(live, "wait")
            assert run.result.count(b"a word left elsewhere") == 3, "one then, two now"
            assert all(first == ["a word left elsewhere"] for first in seen)

    in_world(main)


def test_events_of_one_run_that_remembers_at_once_in_branches_are_all_kept(in_world: Play) -> None:
    desk = System("desk")
    notes = desk.memory("notes", facts=3)

    @desk.post("/many", key="id")
    async def many(id: str) -> int:
        ids = await asyncio.gather(*(notes.remember("the same words") for _ in range(5)))
        return len(set(ids))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "many", "a") == 5
            assert await facts_of(live) == ["the same words"] * 3, "no more than declared"

    in_world(main)


# Whose they are


def test_facts_of_another_tenant_are_out_of_reach(in_world: Play) -> None:
    desk = a_desk(shared=True)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("remember", ["a", "main knows this"])
            await live.call("remember", ["a", "acme knows that"], tenant="acme")
            assert await result_of(live, "recall", "a", "knows") == ["main knows this"]
            assert await result_of(live, "recall", "a", "knows", tenant="acme") == ["acme knows that"]

    in_world(main)


def test_a_run_neither_writes_nor_reads_another_keys_scope_unless_it_is_shared(in_world: Play) -> None:
    private, shared = a_desk(), a_desk(shared=True)

    async def main(world: World) -> None:
        async with world.running(private) as live:
            assert await result_of(live, "elsewhere", "a", "a") == ["a word left elsewhere"]
            with pytest.raises(PartiError, match=r"P305 .* has the key 'a' and means the scope 'b' of `notes`"):
                await live.call("elsewhere", ["a", "b"])
        async with world.running(shared) as live:
            assert await result_of(live, "elsewhere", "a", "b/c d%") == ["a word left elsewhere"]
            assert await result_of(live, "recall", "b/c d%", "word") == ["a word left elsewhere"]
            assert await result_of(live, "recall", "b", "word") == []

    in_world(main)


def test_a_run_without_a_key_has_no_scope(in_world: Play) -> None:
    desk = System("desk")
    notes = desk.memory("notes")

    @desk.post("/remember")
    async def remember(text: str) -> str:
        return await notes.remember(text)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            with pytest.raises(PartiError, match=r"P305 .* has no key"):
                await live.call("remember", ["hello"])

    in_world(main)


def test_a_plain_endpoint_recalls_what_is_committed_and_changes_nothing(in_world: Play) -> None:
    desk = a_desk()
    notes = the_memory(desk)

    @desk.get("/facts/{id}")
    async def listed(id: str) -> list[str]:
        return [fact.text for fact in await notes.recall("anything", scope=id)]

    @desk.get("/past/{id}")
    async def past(id: str) -> list[str]:
        return [episode.part for episode in await notes.episodes(scope=id)]

    @desk.get("/nameless")
    async def nameless() -> int:
        return len(await notes.recall("anything"))

    @desk.get("/change")
    async def change() -> str:
        return await notes.remember("no", scope="a")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("remember", ["a", "the roof leaks"])
            assert await live.engine.answer_plain("listed", ["a"]) == b'["the roof leaks"]'
            assert await live.engine.answer_plain("past", ["a"]) == b'["remember"]'
            assert await code_of(live.engine.answer_plain("nameless", [])) == "P301"
            assert await code_of(live.engine.answer_plain("change", [])) == "P301"

    in_world(main)


def test_a_tool_or_step_may_not_remember_since_a_replay_would_not_call_it_again(in_world: Play) -> None:
    desk = System("desk")
    notes = desk.memory("notes")

    @desk.step()
    async def inner(text: str) -> str:
        return await notes.remember(text)

    @desk.post("/remember", key="id")
    async def remember(id: str) -> str:
        return await inner("hello")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            with pytest.raises(PartiError, match="P301 remembering in `notes` is for handlers and agents"):
                await live.call("remember", ["a"])

    in_world(main)


# Episodes


def test_episodes_are_what_happened_to_the_runs_of_the_key(in_world: Play) -> None:
    desk = System("desk")
    topic = desk.topic("orders", Order, key="id")
    notes = desk.memory("notes")

    @desk.step()
    async def weigh(amount: int) -> int:
        return amount * 2

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        if await weigh(order.amount) > 2:
            raise ValueError("too heavy")

    @desk.post("/past", key="id")
    async def past(id: str) -> list[Any]:
        found = await notes.episodes(limit=2)
        return [[one.part, one.state, list(one.did), one.result, one.error, one.at.year] for one in found]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.publish("orders", orders("a", "b", "a"))
            await live.idle()
            failed = ["handle", "dead", ["weigh"], None, "ValueError: too heavy", 2026]
            assert await result_of(live, "past", "a") == [failed, ["handle", "done", ["weigh"], None, "", 2026]]
            assert [one[0] for one in await result_of(live, "past", "a")] == ["past", "handle"]
            assert len(await happened(live.store, "acme", "a", 9)) == 0

    in_world(main)


# How they are declared


@pytest.mark.parametrize(
    "declare",
    [
        lambda desk: desk.memory("notes", facts=0),
        lambda desk: desk.memory("notes", characters=10**9),
        lambda desk: desk.memory("notes", when_full="burst"),
        lambda desk: desk.memory("notes", retain="soon"),
        lambda desk: desk.agent("clerk", llm=desk.llm("local"), memory="notes"),
    ],
)
def test_what_cannot_be_declared_says_where(declare: Any) -> None:
    with pytest.raises(PartiError, match=r"test_memory.py:\d+: P10[56]"):
        declare(System("desk"))


def test_names_that_are_taken_are_refused() -> None:
    desk = System("desk")
    notes = desk.memory("notes")

    @desk.tool(effect="none")
    async def recall(query: str) -> str:
        return query

    with pytest.raises(PartiError, match="P104 `recall` is a tool of every agent with a memory"):
        desk.agent("clerk", llm=desk.llm("local"), memory=notes, tools=[recall])
    desk.table("memory:notes", Order, key="id")
    with pytest.raises(PartiError, match="P104 `memory:notes` is where the facts of `notes` lie"):
        _ = desk.design
