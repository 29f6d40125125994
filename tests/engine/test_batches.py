"""Calls of a part with `batch` are served together, and each is a step of its own run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from engine_kit import Play, World, code_of, entries_of, result_of
from pydantic_core import from_json

import parti
from parti import Batch, BudgetSpent, Retry, StepFailed, System
from parti.design.budget import Budget, Cost
from parti.journal.entries import Kind
from parti.ports.store import State

Texts = list[str]


class Encoder:
    """A batch function that upper-cases; it notes its batches, and fails as it is told."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.batches: list[Texts] = []
        self.seconds = seconds
        self.now = self.most = self.ended = 0
        self.fails = 0

    async def __call__(self, texts: Texts) -> list[Any]:
        self.batches.append(list(texts))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.seconds)
            if self.fails:
                self.fails -= 1
                raise ConnectionError("no encoder")
        finally:
            self.now -= 1
            self.ended += 1
        return [ValueError(f"bad {text}") if text.startswith("bad") else text.upper() for text in texts]


def a_desk(encoder: Encoder, batch: Batch, **options: Any) -> System:
    """A desk whose runs call the batch function with each of their texts, all at once."""
    desk = System("desk")

    @desk.step(batch=batch, **options)
    async def embed(texts: list[str]) -> list[str | ValueError]:
        return await encoder(texts)

    @desk.post("/go", key="key")
    async def go(key: str, texts: list[str]) -> list[str]:
        answers = await asyncio.gather(*[embed(text) for text in texts], return_exceptions=True)
        return [f"{one.code} {one.kind}" if isinstance(one, StepFailed) else one for one in answers]

    @desk.post("/patient", key="key")
    async def patient(key: str, text: str, seconds: float) -> str:
        try:
            async with asyncio.timeout(seconds):
                return await embed(text)
        except TimeoutError:
            return "gave up"

    @desk.get("/look/{text}")
    async def look(text: str) -> str:
        return await embed(text)

    return desk


def in_batches(encoder: Encoder) -> list[Texts]:
    return [sorted(batch) for batch in encoder.batches]


def test_calls_of_different_runs_and_branches_are_served_together_each_with_its_own_answer(in_world: Play) -> None:
    encoder = Encoder()

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(32, linger="50ms"))) as live:
            answers = await asyncio.gather(*[result_of(live, "go", key, [key, key * 2]) for key in "abc"])
            assert answers == [["A", "AA"], ["B", "BB"], ["C", "CC"]]
            assert in_batches(encoder) == [["a", "aa", "b", "bb", "c", "cc"]]

    in_world(main)


def test_each_call_is_journaled_as_a_step_of_its_own_with_its_wait_and_its_batch(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(Encoder(1.0), Batch(32, linger="50ms"))) as live:
            later = asyncio.create_task(live.call("go", ("b", ["b"]), idempotency_key="b"))
            await world.clock.wait(0.02)
            await live.call("go", ("a", ["a"]), idempotency_key="a")
            await later
            (first,) = [entry for entry in await entries_of(world.store, "go:b") if entry.kind == Kind.STEP]
            (second,) = [entry for entry in await entries_of(world.store, "go:a") if entry.kind == Kind.STEP]
            assert (first.arguments, first.answer, second.arguments, second.answer) == (["b"], "B", ["a"], "A")
            assert (first.waited, first.took, first.batch) == (
                pytest.approx(0.05, abs=1e-5),
                pytest.approx(1.0, abs=1e-5),
                2,
            )
            assert (second.waited, second.took, second.batch) == (pytest.approx(0.03, abs=2e-3), first.took, 2)
            assert first.at == second.at

    in_world(main)


def test_a_batch_of_one_says_so(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(Encoder(), Batch(8, linger=0))) as live:
            await live.call("go", ("a", ["a"]), idempotency_key="a")
            (only,) = [entry for entry in await entries_of(world.store, "go:a") if entry.kind == Kind.STEP]
            assert only.more == {"batch": 1}

    in_world(main)


def test_a_full_batch_leaves_at_once_and_the_rest_after_the_linger_of_its_own_first(in_world: Play) -> None:
    encoder = Encoder()

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(2, linger="10s"))) as live:
            began = world.clock.now()
            await live.call("go", ("a", ["1", "2", "3", "4"]))
            assert world.clock.now() - began < 1.0
            await live.call("go", ("a", ["5"]))
            assert world.clock.now() - began == pytest.approx(10.0, abs=0.1)
            assert encoder.batches == [["1", "2"], ["3", "4"], ["5"]]

    in_world(main)


def test_what_comes_at_the_very_instant_at_which_a_batch_leaves_is_in_it(in_world: Play) -> None:
    """The second call is made in the last turn of the event loop before time goes on."""
    encoder = Encoder()
    desk = System("desk")

    @desk.step(batch=Batch(8, linger="1s"))
    async def embed(texts: list[str]) -> list[str]:
        return await encoder(texts)

    @desk.post("/go")
    async def go() -> list[str]:
        async def later() -> str:
            await asyncio.sleep(1)
            for _ in range(50):
                await asyncio.sleep(0)
            return await embed("b")

        return await asyncio.gather(embed("a"), later())

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == ["A", "B"]
            assert encoder.batches == [["a", "b"]]

    in_world(main)


def test_a_function_that_raises_fails_every_call_and_each_is_tried_again_by_itself(in_world: Play) -> None:
    encoder = Encoder()
    encoder.fails = 1

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(8, linger="10ms"), retry=Retry(2, first="1s"))) as live:
            assert await result_of(live, "go", "a", ["a", "b"]) == ["A", "B"]
            assert sorted(text for batch in encoder.batches for text in batch) == ["a", "a", "b", "b"]

        encoder.fails = 2
        async with world.running(a_desk(encoder, Batch(8, linger="10ms"))) as live:
            assert await result_of(live, "go", "b", ["c", "d"], idempotency_key="k") == ["P302 ConnectionError"] * 2
            failed = [entry for entry in await entries_of(world.store, "go:k") if entry.kind == Kind.FAIL]
            assert [entry.batch for entry in failed] == [2, 2]

    in_world(main)


def test_an_exception_in_the_place_of_an_answer_fails_that_call_alone(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(Encoder(), Batch(8))) as live:
            assert await result_of(live, "go", "a", ["a", "bad", "c"]) == ["A", "P302 ValueError", "C"]

    in_world(main)


@pytest.mark.parametrize(
    ("answers", "code", "words"),
    [
        (["A"], "P314", "returned 1 answers for a batch of 2"),
        (["A", "B", "C"], "P314", "returned 3 answers for a batch of 2"),
        ({"a": "A"}, "P314", "returned a dict for a batch of 2"),
        (None, "P314", "returned a NoneType for a batch of 2"),
    ],
)
def test_another_number_of_answers_than_of_items_fails_all(in_world: Play, answers: Any, code: str, words: str) -> None:
    desk = System("desk")

    @desk.step(batch=Batch(8))
    async def embed(texts: list[str]) -> list[str]:
        return answers

    @desk.post("/go")
    async def go() -> list[str]:
        said = await asyncio.gather(embed("a"), embed("b"), return_exceptions=True)
        return [f"{one.code} {one.what}" for one in said if isinstance(one, StepFailed)]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            said = await result_of(live, "go")
            assert [one.startswith(code) and words in one for one in said] == [True, True], said

    in_world(main)


def test_an_answer_of_the_wrong_type_fails_its_call_alone(in_world: Play) -> None:
    desk = System("desk")

    @desk.step(batch=Batch(8))
    async def embed(texts: list[str]) -> list[int]:
        return [object() if text == "b" else len(text) for text in texts]  # type: ignore[misc]

    @desk.post("/go")
    async def go() -> list[str]:
        said = await asyncio.gather(embed("a"), embed("b"), return_exceptions=True)
        return [one.code if isinstance(one, StepFailed) else str(one) for one in said]

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == ["1", "P401"]

    in_world(main)


def test_a_call_that_is_cut_off_while_it_waits_is_not_served(in_world: Play) -> None:
    encoder = Encoder()

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(8, linger="1s"))) as live:
            gone, stays = live.call("patient", ("a", "a", 0.5)), live.call("patient", ("b", "b", 5.0))
            answers = [from_json(outcome.result) for outcome in await asyncio.gather(gone, stays)]
            assert answers == ["gave up", "B"]
            assert encoder.batches == [["b"]]

    in_world(main)


def test_a_call_that_is_cut_off_inside_a_batch_does_not_fail_the_others(in_world: Play) -> None:
    encoder = Encoder(1.0)

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(8, linger="10ms"))) as live:
            gone, stays = live.call("patient", ("a", "a", 0.5)), live.call("patient", ("b", "b", 5.0))
            answers = [from_json(outcome.result) for outcome in await asyncio.gather(gone, stays)]
            assert answers == ["gave up", "B"]
            assert in_batches(encoder) == [["a", "b"]]

    in_world(main)


def test_a_batch_that_nobody_waits_for_any_more_is_ended(in_world: Play) -> None:
    encoder = Encoder(100.0)

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(8, linger="10ms"), concurrency=1)) as live:
            calls = [live.call("patient", (key, key, 0.5)) for key in "ab"]
            assert [from_json(one.result) for one in await asyncio.gather(*calls)] == ["gave up", "gave up"]
            assert (encoder.now, encoder.ended) == (0, 1)
            encoder.seconds = 0.0
            assert await result_of(live, "go", "c", ["c"]) == ["C"]

    in_world(main)


def test_a_run_that_a_person_cancels_leaves_the_others_in_the_batch_alone(in_world: Play) -> None:
    encoder = Encoder(1.0)

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(8, linger="10ms"))) as live:
            gone = asyncio.create_task(code_of(live.call("go", ("a", ["a"]), idempotency_key="a")))
            stays = asyncio.create_task(result_of(live, "go", "b", ["b"]))
            await world.clock.wait(0.5)
            await live.engine.cancel("go:a")
            assert (await gone, await stays) == ("P311", ["B"])

    in_world(main)


def test_the_timeout_of_the_part_is_that_of_the_batch_at_work(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(Encoder(2.0), Batch(1), concurrency=1, timeout="3s")) as live:
            assert await result_of(live, "go", "a", ["a", "b", "c"]) == ["A", "B", "C"]
        async with world.running(a_desk(Encoder(4.0), Batch(8), timeout="3s")) as live:
            assert await result_of(live, "go", "b", ["a", "b"]) == ["P303 TimeoutError"] * 2

    in_world(main)


def test_concurrency_counts_batches_and_who_waits_meanwhile_fills_the_next(in_world: Play) -> None:
    encoder = Encoder(1.0)

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(4, linger="10ms"), concurrency=1)) as live:
            first = asyncio.create_task(live.call("go", ("a", ["a"])))
            await world.clock.wait(0.5)
            second = [asyncio.create_task(live.call("go", (key, [key]))) for key in "bc"]
            await world.clock.wait(0.3)
            third = asyncio.create_task(live.call("go", ("d", ["d"])))
            await asyncio.gather(first, *second, third)
            assert in_batches(encoder) == [["a"], ["b", "c", "d"]]
            assert encoder.most == 1

    in_world(main)


def test_in_a_full_batch_each_key_has_its_turn(in_world: Play) -> None:
    encoder = Encoder(1.0)

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(2, linger="10ms"), concurrency=1)) as live:
            greedy = asyncio.create_task(live.call("go", ("a", ["a1", "a2", "a3", "a4", "a5", "a6"])))
            await world.clock.wait(0.5)
            assert await result_of(live, "go", "b", ["b1"]) == ["B1"]
            await greedy
            assert encoder.batches[0] == ["a1", "a2"]
            assert "b1" in encoder.batches[1]

    in_world(main)


def test_a_batch_never_holds_calls_of_two_tenants(in_world: Play) -> None:
    encoder = Encoder()

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(8, linger="1s"))) as live:
            calls = [
                live.call("go", (key, [who]), tenant=who)
                for key, who in zip("abc", ("red", "blue", "red"), strict=True)
            ]
            assert len(await asyncio.gather(*calls)) == 3
            assert sorted(in_batches(encoder)) == [["blue"], ["red", "red"]]

    in_world(main)


def test_plain_endpoints_join_the_batch_of_runs(in_world: Play) -> None:
    encoder = Encoder()

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(8, linger="1s"))) as live:
            plain = asyncio.create_task(live.engine.answer_plain("look", ("a",)))
            durable = asyncio.create_task(result_of(live, "go", "b", ["b"]))
            assert (from_json(await plain), await durable) == ("A", ["B"])
            assert in_batches(encoder) == [["a", "b"]]

    in_world(main)


def test_a_plain_endpoint_is_told_what_failed(in_world: Play) -> None:
    async def main(world: World) -> None:
        async with world.running(a_desk(Encoder(), Batch(8))) as live:
            assert await code_of(live.engine.answer_plain("look", ("bad",))) == "P302"

    in_world(main)


def test_a_blocking_batch_function_is_called_beside_the_loop(in_world: Play) -> None:
    desk = System("desk")
    batches: list[list[int]] = []

    @desk.tool(effect="read", batch=Batch(8, linger="10ms"), concurrency=1)
    def double(numbers: list[int]) -> list[int]:
        batches.append(numbers)
        return [2 * number for number in numbers]

    @desk.post("/go")
    async def go(count: int) -> int:
        return sum(await asyncio.gather(*[double(number) for number in range(count)]))

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go", 10) == 90
            assert batches == [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9]]

    in_world(main)


def test_a_batch_function_uses_no_parts_since_it_serves_several_runs(in_world: Play) -> None:
    desk = System("desk")
    tools: dict[str, Any] = {}
    said: list[str] = []

    @desk.step()
    async def other() -> int:
        return 1

    @desk.step(batch=Batch(8, linger="10ms"), timeout="7s")
    async def embed(texts: list[str]) -> list[float]:
        left = parti.time_left()
        for use in (lambda: parti.spend(usd=1), tools.get("other", int)):
            try:
                made = use()
                if made is not None:
                    await made
            except parti.PartiError as wrong:
                said.append(f"{wrong.code} {wrong.what}")
        return [left for _ in texts]

    @desk.post("/go")
    async def go() -> float:
        return await embed("a")

    assert desk.design, "read before the tool can be seen"
    tools["other"] = other

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await result_of(live, "go") == pytest.approx(7.0, abs=1e-3)
            assert said == [
                "P301 what is spent has no place inside `embed`, whose batches serve several runs at once",
                "P301 `other` has no place inside `embed`, whose batches serve several runs at once",
            ]

    in_world(main)


def test_a_function_that_cuts_itself_off_fails_its_calls_and_nothing_else(in_world: Play) -> None:
    desk = System("desk")

    @desk.step(batch=Batch(8), concurrency=1)
    async def embed(texts: list[str]) -> list[str]:
        if "a" in texts:
            raise asyncio.CancelledError
        return texts

    @desk.post("/go")
    async def go(text: str) -> str:
        return await embed(text)

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await code_of(live.call("go", ("a",))) == "P302"
            assert await result_of(live, "go", "b") == "b"

    in_world(main)


def test_each_call_takes_its_declared_cost_from_the_budget_of_its_own_run(in_world: Play) -> None:
    desk = System("desk")

    @desk.tool(effect="read", batch=Batch(8, linger="10ms"), cost=Cost(usd=0.4))
    async def look(ids: list[int]) -> list[int]:
        return ids

    @desk.post("/go", budget=Budget(usd=1.0))
    async def go(count: int) -> int:
        done = 0
        for number in range(count):
            try:
                done += await look(number) == number
            except BudgetSpent:
                break
        return done

    async def main(world: World) -> None:
        async with world.running(desk) as live:
            assert await asyncio.gather(*[result_of(live, "go", count) for count in (1, 2, 5)]) == [1, 2, 2]

    in_world(main)


def test_after_a_crash_inside_a_batch_what_was_answered_is_not_asked_again(in_world: Play) -> None:
    encoder = Encoder()
    desk = System("desk")

    @desk.step(batch=Batch(2, linger="1s"))
    async def embed(texts: list[str]) -> list[str]:
        return await encoder(texts)

    @desk.post("/go")
    async def go(text: str) -> list[str]:
        first = await embed(text)
        await parti.sleep("1m")
        return [first, await embed(text + "!")]

    async def main(world: World) -> None:
        async with world.running(desk, crash=True) as live:
            calls = [asyncio.create_task(live.call("go", (text,), idempotency_key=text)) for text in "ab"]
            await world.clock.wait(30)
            for call in calls:
                call.cancel()
        async with world.running(desk) as live:
            await live.idle(100)
            assert [run.state for run in await live.store.runs()] == [State.DONE, State.DONE]
            answers = [await result_of(live, "go", text, idempotency_key=text) for text in "ab"]
            assert answers == [["A", "A!"], ["B", "B!"]]
            assert in_batches(encoder) == [["a", "b"], ["a!", "b!"]]

    in_world(main)


@pytest.mark.parametrize("linger", ["1h", "1ms"])
def test_who_still_waits_when_the_process_ends_is_cut_off(in_world: Play, linger: str) -> None:
    encoder = Encoder(100.0)

    async def main(world: World) -> None:
        async with world.running(a_desk(encoder, Batch(8, linger=linger))) as live:
            plain = asyncio.create_task(live.engine.answer_plain("look", ("a",)))
            await world.clock.wait(1)
        await asyncio.wait([plain], timeout=1)
        assert plain.cancelled()

    in_world(main)
