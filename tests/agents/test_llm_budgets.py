"""Budgets over language models: what may have been paid is spent, and what nobody can price is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from engine_kit import Live, Play, World, entries_of, play, result_of, the_run

from parti import Budget, BudgetSpent, PartiError, Price, Summarise, System
from parti.agents.conversation import Conversation, size_of
from parti.agents.gate import Gate
from parti.design.llm import Llm
from parti.journal.entries import Kind
from parti.ports.llm import Answer, Answered, LlmFailure, Request, Returned, Said, ToolCall
from parti.testing import Script

DOLLAR = {"price": Price(input=0, output=10_000), "max_tokens": 100, "timeout": "5s"}
"""A request that may cost a dollar, and that an answer of ten tokens makes cost ten cents."""

TEN_CENTS = Answer("yes", tokens_out=10)
BUSY = LlmFailure("P701", "the server answered 503")
HUNG_UP = LlmFailure("P701", "the connection was lost", paid=True)


async def never(request: Request) -> Answer:
    """Is asked, works, and does not answer in time."""
    await asyncio.Event().wait()
    raise AssertionError


def a_desk(count: int, budget: Budget | None, fallback: bool = False, **options: Any) -> System:
    """Asks a model so often, whatever fails, and tells how often it answered, or what there was not enough of."""
    desk = System("desk")
    fallbacks = [desk.llm("local", name="second", **DOLLAR)] if fallback else []
    small = desk.llm("local", name="small", fallbacks=fallbacks, **{**DOLLAR, **options})

    @desk.post("/ask", budget=budget, timeout="9h")
    async def asking() -> str:
        answered = 0
        for number in range(count):
            try:
                await small.ask(f"question {number}")
                answered += 1
            except BudgetSpent as spent:
                return f"{answered} {spent.limit}"
            except PartiError as failure:
                assert failure.code == "P701"
        return str(answered)

    return desk


def a_script(lines: Iterable[Any]) -> Script:
    """Says line by line; a function among them plays its own part."""
    left = iter(lines)

    async def next_line(request: Request) -> Any:
        line = next(left)
        return await line(request) if callable(line) else line

    return Script(next_line)


async def spent_cents(live: Live) -> int:
    """What the only run has spent, as its journal says."""
    entries = await entries_of(live.store, (await the_run(live)).id)
    return sum(entry.answer[0] for entry in entries if entry.kind == Kind.SPEND) // 10_000_000


@pytest.mark.parametrize(
    ("lines", "told", "asked", "cents"),
    [
        ([never] * 9, "0 usd", 2, 200),
        ([HUNG_UP] * 9, "0 usd", 2, 200),
        ([never, TEN_CENTS, never], "1 usd", 2, 110),
        ([BUSY, TEN_CENTS, BUSY, BUSY, TEN_CENTS, TEN_CENTS], "3", 6, 30),
        ([BUSY, never, BUSY, TEN_CENTS, never], "1 usd", 4, 110),
    ],
    ids=["timeouts", "lost connections", "a late answer", "refusals", "a bit of all"],
)
def test_a_request_that_may_have_been_paid_counts_in_full_and_the_next_needs_its_own(
    in_world: Play, lines: list[Any], told: str, asked: int, cents: int
) -> None:
    script = a_script(lines)

    async def main(world: World) -> None:
        async with world.running(a_desk(3, Budget(usd=2.05)), script=script) as live:
            assert await result_of(live, "asking") == told
            assert (len(script.asked), await spent_cents(live)) == (asked, cents)

    in_world(main)


def test_of_a_call_that_failed_the_attempts_count_that_may_have_been_paid(in_world: Play) -> None:
    script = a_script([BUSY, BUSY, never, TEN_CENTS, never, BUSY, BUSY])

    async def main(world: World) -> None:
        async with world.running(a_desk(3, Budget(usd=9), attempts=3), script=script) as live:
            assert await result_of(live, "asking") == "1"
            assert await spent_cents(live) == 100 + 10 + 100

    in_world(main)


def test_a_fallback_is_asked_only_where_there_is_enough_for_another_request(in_world: Play) -> None:
    scripts = {"small": a_script([never] * 9), "second": a_script([TEN_CENTS] * 9)}

    async def main(world: World) -> None:
        async with world.running(a_desk(2, Budget(usd=2.05), True, attempts=1), script=scripts) as live:
            assert await result_of(live, "asking") == "1 usd"
            assert [len(script.asked) for script in scripts.values()] == [1, 1]
            assert await spent_cents(live) == 110

    in_world(main)


def test_steps_are_not_counted_by_attempts(in_world: Play) -> None:
    script = a_script([never, never, TEN_CENTS, TEN_CENTS])

    async def main(world: World) -> None:
        async with world.running(a_desk(2, Budget(usd=9, steps=2)), script=script) as live:
            assert await result_of(live, "asking") == "2"

    in_world(main)


def test_streams_that_broke_off_after_a_piece_count_in_full(in_world: Play) -> None:
    class Cut(Script):
        async def answer(self, llm: Llm, request: Request, *, tell: Any = None) -> Answer:
            self.asked.append(request)
            tell("once upon")
            raise BUSY

    desk, script = System("desk"), Cut([])
    poet = desk.agent("poet", llm=desk.llm("local", max_tokens=100))

    @desk.post("/poems", budget=Budget(tokens=250))
    async def poems() -> None:
        for _ in range(9):
            with suppress(PartiError):
                async for _ in poet.stream("write"):
                    pass

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            await live.call("poems", [])
            assert len(script.asked) == 2, "a third of some 110 tokens does not fit"

    in_world(main)


def test_a_crash_in_the_second_attempt_forgets_neither() -> None:
    asked = asyncio.Event()

    async def last(request: Request) -> Answer:
        asked.set()
        return await never(request)

    desk = a_desk(1, Budget(usd=3.05))
    again = a_script([TEN_CENTS])

    async def main(world: World) -> None:
        async with world.running(desk, script=a_script([never, last]), crash=True) as live:
            call = asyncio.ensure_future(live.call("asking", [], idempotency_key="k"))
            await asked.wait()
            call.cancel()
        async with world.running(desk, script=again) as live:
            assert await result_of(live, "asking", idempotency_key="k") == "1"
            assert await spent_cents(live) == 100 + 100 + 10

    play(main)


def test_a_request_knows_how_large_its_conversation_is_and_is_not_measured_anew() -> None:
    """Measuring all of it in each turn would make n turns cost O(n²)."""
    desk = System("desk")
    desk.llm("local", price=Price(1, 1), max_tokens=1)
    small = next(desk.design.all(Llm))
    talk = Conversation((), None, "")
    for message in (
        Said("user", "grüße"),
        Answered("", (ToolCall("c", "look", "{}"),)),
        Returned("c", "look", "x" * 99),
    ):
        talk.add(message)
    request = talk.request(small, {})
    assert request.size == sum(map(size_of, request.messages)) > 99

    async def main(world: World) -> None:
        gate = Gate(desk.design, lambda llm: Script([]), world.clock, world.chance)
        measured = Request(request.messages, max_tokens=1)
        assert gate.reserve_for(small, request) == gate.reserve_for(small, measured)
        known = Request((Said("user", "x" * 30_000),), max_tokens=1, size=30)
        assert gate.reserve_for(small, known)[1] == 30 // 3 + 10 + 1

    play(main)


def test_an_answer_is_on_disk_as_soon_as_the_disk_can_and_is_not_paid_again() -> None:
    """The process ends a moment after it, while the next request is under way."""
    desk, asked = System("desk"), asyncio.Event()
    small = desk.llm("local")

    @desk.post("/ask", timeout="9h")
    async def asking() -> str:
        return await small.ask("one") + await small.ask("two")

    async def second(request: Request) -> Answer:
        asked.set()
        return await never(request)

    again = Script(["two"])

    async def main(world: World) -> None:
        async with world.running(desk, script=a_script(["one, ", second]), crash=True) as live:
            call = asyncio.ensure_future(live.call("asking", [], idempotency_key="k"))
            await asked.wait()
            await asyncio.sleep(0.03)  # virtual: longer than the disk takes, shorter than entries wait to be written
            call.cancel()
        async with world.running(desk, script=again) as live:
            assert await result_of(live, "asking", idempotency_key="k") == "one, two"
            assert len(again.asked) == 1

    play(main)


def test_a_budget_of_dollars_refuses_a_model_whose_price_nobody_knows(in_world: Play) -> None:
    """Nothing could be reserved for it, so that no number of calls at once would be bounded."""
    desk = System("desk")
    unlisted = desk.llm("openai:unlisted", name="unlisted")
    script = Script([Answer("yes")] * 9)

    @desk.post("/bounded", budget=Budget(usd=1))
    async def bounded() -> str:
        return str(await unlisted.ask("?"))

    @desk.post("/counted", budget=Budget(tokens=9_000))
    async def counted() -> str:
        return str(await unlisted.ask("?"))

    async def main(world: World) -> None:
        async with world.running(desk, script=script) as live:
            with pytest.raises(PartiError, match="P710 nobody knows what `unlisted`"):
                await live.call("bounded", [])
            assert script.asked == []
            assert (await live.call("counted", [])).result == b'"yes"'

    in_world(main)


@pytest.mark.parametrize("where", ["asked first", "a fallback", "summarises", "a fallback of what summarises"])
def test_an_agent_with_a_budget_of_dollars_over_an_unpriced_server_is_refused_before_it_runs(where: str) -> None:
    desk = System("desk")
    server = desk.llm("http://localhost:8000/v1", model="small", name="vllm", context=8_000)
    backed = desk.llm("local", name="backed", fallbacks=[server], context=8_000)
    if "summarises" in where:
        llm, by = desk.llm("local", context=8_000), server if where == "summarises" else backed
    else:
        llm, by = server if where == "asked first" else backed, None
    desk.agent("writer", llm=llm, budget=Budget(usd=1), overflow=Summarise(by=by) if by else None)
    with pytest.raises(PartiError, match=r"test_llm_budgets.py:\d+: P710 `writer`.*`vllm`"):
        _ = desk.design


def test_a_server_that_costs_nothing_says_so_by_its_price() -> None:
    desk = System("desk")
    free = desk.llm("http://localhost:8000/v1", model="small", price=Price(input=0, output=0))
    desk.agent("writer", llm=free, budget=Budget(usd=1))
    assert desk.design
